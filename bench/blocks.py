"""Connecting a block of 2,000 payments: every signature, spend and sum checked, then written, in one transaction."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from statistics import median
from typing import Final
from uuid import uuid4

import asyncpg
import msgspec
from rich.progress import Progress, TaskID

from app.dev.embedded import Embedded
from app.domains.accounts.model import Client, Role, Viewer
from app.domains.ledger.model import TransferCommand
from app.domains.ledger.services import LedgerServices
from app.domains.ledger.services.chain import solved
from app.kit.clock import SystemClock
from app.kit.crypto.envelope import Keyring
from app.kit.db import Database
from app.kit.events import EventLog
from app.kit.redis_client import open_redis
from bench.data import fresh_database
from bench.machine import wait_for_quiet
from bench.payers import PAYERS, Payer, give_coins, make_payers
from bench.report import Bar, Report

PAYMENTS: Final = 2_000
TARGET_S: Final = 1.0
_PAYING_AT_ONCE: Final = 16


class Run(msgspec.Struct, frozen=True):
    """Seconds for one block."""

    transactions: int
    size_bytes: int
    pay_s: float
    template_s: float
    connect_s: float


@asynccontextmanager
async def ledger_on(database_url: str, redis_url: str) -> AsyncIterator[tuple[Database, LedgerServices]]:
    """The ledger's services in this process, as the composition root wires them, with a keyring of their own."""
    database = await Database.open(database_url, role="moneta_app", size=16, timeout_s=10.0, name="moneta-bench")
    redis = await open_redis(redis_url)
    try:
        yield (
            database,
            LedgerServices.build(
                database, SystemClock(), EventLog(database, redis), Keyring.generate(), coinbase_maturity=10
            ),
        )
    finally:
        await redis.aclose()
        await database.close()


async def measure(servers: Embedded, rounds: int, progress: Progress) -> Report:
    """Pays 2,000 times, makes a block of it and connects it, `rounds` times."""
    database_url = await fresh_database(servers.database_url, "bench_blocks")
    owner = await asyncpg.connect(database_url, command_timeout=120)
    other_load, runs = [], []
    try:
        async with ledger_on(database_url, servers.redis_url) as (database, ledger):
            payers = await make_payers(owner, database, ledger, progress)
            task = progress.add_task("Paying and connecting", total=rounds * PAYMENTS)
            for number in range(rounds):
                await give_coins(owner, payers, 2 * PAYMENTS // PAYERS)
                other_load.append(await asyncio.to_thread(wait_for_quiet))
                runs.append(await _run(ledger, payers, number, progress, task))
    finally:
        await owner.close()
    return _report(runs, other_load)


async def _run(ledger: LedgerServices, payers: list[Payer], number: int, progress: Progress, task: TaskID) -> Run:
    pay_s = await _pay(ledger, payers, number, progress, task)
    miner = payers[0].wallet_id
    begun = time.perf_counter()
    template = await ledger.chain.template(miner)
    template_s = time.perf_counter() - begun
    block = await solved(template.block)
    begun = time.perf_counter()
    stored = await ledger.chain.connect(block, miner)
    connect_s = time.perf_counter() - begun
    if stored.transaction_count != PAYMENTS + 1:
        raise RuntimeError(f"the block holds {stored.transaction_count} transactions instead of {PAYMENTS + 1}")
    return Run(stored.transaction_count, stored.size_bytes, pay_s, template_s, connect_s)


async def _pay(ledger: LedgerServices, payers: list[Payer], number: int, progress: Progress, task: TaskID) -> float:
    waiting = iter(range(PAYMENTS))
    viewers = [_viewer(payer) for payer in payers]

    async def pay() -> None:
        for place in waiting:
            command = TransferCommand(
                recipient_wallet_id=payers[(place + 1) % PAYERS].wallet_id, amount=Decimal("0.01"), memo="Bench"
            )
            await ledger.transfers.transfer(viewers[place % PAYERS], command, f"{number}-{place}")
            progress.advance(task)

    begun = time.perf_counter()
    await asyncio.gather(*(pay() for _ in range(_PAYING_AT_ONCE)))
    return time.perf_counter() - begun


def _viewer(payer: Payer) -> Viewer:
    soon = datetime.now(UTC) + timedelta(hours=1)
    return Viewer(payer.user_id, uuid4(), Role.USER, True, soon, Client("127.0.0.1", "bench"))


def _report(runs: list[Run], other_load: list[float]) -> Report:
    def row(name: str, values: list[float]) -> list[str]:
        return [name, f"{median(values):.2f} s", f"{min(values):.2f}-{max(values):.2f} s"]

    connects = [run.connect_s for run in runs]
    templates = [run.template_s for run in runs]
    rates = [PAYMENTS / run.pay_s for run in runs]
    return Report(
        name="blocks",
        title="A block of 2,000 payments",
        unit="seconds, median and range",
        target=TARGET_S,
        other_load=other_load,
        conditions=[
            f"{runs[0].transactions:,} transactions with the coinbase, {runs[0].size_bytes:,} bytes, {PAYERS} senders "
            "with RSA-2048 keys. The target for connecting is 1 s.",
            "Connecting checks the whole block (proof of work, merkle root, every signature, spend and sum) and writes "
            "it durably, in one transaction. Making the template checks every payment as well.",
            f"One process, not pinned; Postgres on the same cores. The payments before each block went through the "
            f"services, {_PAYING_AT_ONCE} at once: {median(rates):,.0f} a second.",
            "The payers' first coins were put into the table by SQL; all that follows is real.",
        ],
        columns=["", "median", "range"],
        rows=[row("connect", connects), row("make the template", templates)],
        bars=[
            Bar("connect", "Moneta", median(connects), min(connects), max(connects)),
            Bar("template", "Moneta", median(templates), min(templates), max(templates)),
        ],
        raw=runs,
    )
