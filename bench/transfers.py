"""Custodial transfers accepted per second over HTTP: sessions, RSA signatures, rows and events on disk."""

import asyncio
import json
from collections.abc import Iterator
from itertools import cycle, islice
from statistics import median
from typing import Final

import asyncpg
from rich.progress import Progress

from app.dev.embedded import Embedded
from app.domains.accounts.model import Client
from app.domains.accounts.services import AccountsServices
from app.domains.ledger.services import LedgerServices
from app.main import open_application
from app.settings import Settings
from bench.data import fresh_database
from bench.load import Plan, request_bytes
from bench.payers import PASSWORD, PAYERS, Payer, give_coins, make_payers
from bench.report import Bar, Report
from bench.servers import HOME, Run, moneta, put_load

CONNECTIONS: Final = 16
TARGET_PER_S: Final = 300.0
WARMUP_S: Final = 1.0
# Coins for a server twice as fast as the target asks, before each run; each payment takes one.
_RATE_PROVIDED_FOR: Final = 800

MUTATION = """mutation Transfer($input: TransferInput!) { transfer(input: $input) {
  __typename
  ... on TransferPayload { transaction { hash status fee } }
  ... on Problem { message }
} }"""


def measure(servers: Embedded, seconds: float, rounds: int, progress: Progress) -> Report:
    """Makes payers, logs them in, and lets them pay as fast as the server accepts it."""
    database_url = asyncio.run(fresh_database(servers.database_url, "bench_transfers"))
    settings = Settings(
        database_url=database_url,
        redis_url=servers.redis_url,
        home=HOME,
        # All payers log in from one address here.
        login_attempts=10 * PAYERS,
    )
    coins = min(256, -int(-_RATE_PROVIDED_FOR * (seconds + WARMUP_S) // PAYERS))
    payers, tokens = asyncio.run(_prepare(settings, progress))
    runs = []
    with moneta(database_url, servers.redis_url, {}) as target:
        task = progress.add_task("Measuring transfers", total=rounds)
        for number in range(rounds):
            asyncio.run(_give_coins(database_url, payers, coins))
            run = put_load(
                target,
                Plan(
                    host="127.0.0.1",
                    port=target.port,
                    connections=CONNECTIONS,
                    warmup_s=WARMUP_S,
                    seconds=seconds,
                    requests=list(islice(_requests(payers, tokens, number), coins * PAYERS)),
                    once=True,
                    expect=b'"TransferPayload"',
                ),
            )
            runs.append(run)
            progress.advance(task)
    accepted = asyncio.run(_count(database_url))
    return _report(runs, accepted, seconds)


async def _prepare(settings: Settings, progress: Progress) -> tuple[list[Payer], list[str]]:
    async with open_application(settings) as application:
        owner = await asyncpg.connect(settings.database_url)
        try:
            payers = await make_payers(owner, application.database, application.services[LedgerServices], progress)
        finally:
            await owner.close()
        task = progress.add_task("Logging in", total=len(payers))
        tokens = []
        for payer in payers:
            session = await application.services[AccountsServices].sessions.login(
                payer.email, PASSWORD, Client("127.0.0.1")
            )
            tokens.append(session.tokens.access_token)
            progress.advance(task)
    return payers, tokens


async def _give_coins(database_url: str, payers: list[Payer], each: int) -> None:
    owner = await asyncpg.connect(database_url, command_timeout=120)
    try:
        await give_coins(owner, payers, each)
    finally:
        await owner.close()


async def _count(database_url: str) -> int:
    owner = await asyncpg.connect(database_url)
    try:
        return int(await owner.fetchval("SELECT count(*) FROM transactions WHERE status = 'pending'"))
    finally:
        await owner.close()


def _requests(payers: list[Payer], tokens: list[str], number: int) -> Iterator[bytes]:
    for place, token in enumerate(cycle(tokens)):
        payment = {
            "recipientWalletId": payers[(place + 1) % PAYERS].wallet_id,
            "amount": "0.01",
            "memo": "Bench",
            "idempotencyKey": f"{number}-{place}",
        }
        body = json.dumps({"query": MUTATION, "variables": {"input": payment}}).encode()
        yield request_bytes("/graphql", body, {"Authorization": f"Bearer {token}"})


def _report(runs: list[Run], accepted: int, seconds: float) -> Report:
    outcomes = [run.outcome for run in runs]
    rates = [outcome.per_second for outcome in outcomes]
    return Report(
        name="transfers",
        title="Custodial transfers accepted per second",
        unit="transfers/s, median and range",
        target=TARGET_PER_S,
        other_load=[run.other_load for run in runs],
        conditions=[
            f"Target: {TARGET_PER_S:g} per second on 2 cores.",
            f"Each transfer is one HTTP request with a bearer token: session looked up, coins chosen, the RSA-2048 key "
            f"opened and used, the signature checked, rows and events written and on disk (synchronous_commit) before "
            f"the answer. All answers were successes; {accepted:,} transfers were in the mempool at the end.",
            f"{PAYERS} payers take turns over {CONNECTIONS} connections; median of {len(runs)} runs of {seconds:g} s. "
            "One server process on core 0, the client on core 1, Postgres where the kernel put it; no worker ran.",
            "The payers' first coins were put into the table by SQL.",
            f"The client used at most {max(outcome.client_cpu for outcome in outcomes):.0%} of its core.",
            *(["The coins ran out before the time did."] if any(outcome.exhausted for outcome in outcomes) else []),
        ],
        columns=["", "median", "range", "p50", "p99", "server CPU"],
        rows=[
            [
                "transfer",
                f"{median(rates):,.0f}/s",
                f"{min(rates):,.0f}-{max(rates):,.0f}",
                f"{median(outcome.p50_ms for outcome in outcomes):.0f} ms",
                f"{median(outcome.p99_ms for outcome in outcomes):.0f} ms",
                f"{median(run.server_cpu_ms for run in runs):.2f} ms",
            ]
        ],
        bars=[Bar("transfer", "Moneta", median(rates), min(rates), max(rates))],
        raw=runs,
    )
