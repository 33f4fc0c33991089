"""The preparation of the measurements: the database, viewers with sessions, the two kinds of events, the cores."""

import asyncio
import os
import resource
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, Final
from uuid import UUID

import asyncpg
import msgspec
from rich.progress import Progress

from app.dev.embedded import Embedded
from app.domains.accounts.model import Client, Role
from app.domains.accounts.services import AccountsServices
from app.domains.ledger.streams import CHAIN_STREAM, wallet_stream
from app.kit.db import SYSTEM, Tx
from app.kit.redis_client import open_redis
from app.main import Application, open_application
from app.settings import Settings
from bench.data import READ_DATABASE, in_database
from bench.fanout import wire
from bench.fanout.messages import Script
from bench.machine import CLIENT_CORE, CORES, parent, pin
from bench.servers import HOME

DATABASE: Final = "bench_fanout"
CHANNEL: Final = "bench:blocks"
SETTINGS: Final = {
    "MONETA_ACCESS_TOKEN_TTL_S": "14400",
    "MONETA_SOCKET_ACCEPT_RATE": "20000",
    "MONETA_SOCKET_ADDRESS_ACCEPT_RATE": "20000",
    "MONETA_SOCKET_ADDRESS_LIMIT": "20000",
}
"""The limits that are raised for 10,000 sockets from one machine."""
DESCRIPTORS: Final = 30_000
BARE_FRAME_BYTES: Final = len(
    wire.server_frame(
        b'{"id":"%036d","type":"next","payload":{"data":{"blocks":{"cursor":"","block":{"height":5000,"hash":"%064d"}}}}}'
        % (0, 0)
    )
)
"""Of a peer's event, its cursor left empty."""
_SESSIONS_AT_ONCE: Final = 50
_HASHES_PER_WALLET: Final = 40

BLOCKS: Final = "SELECT block_hash, height FROM blocks ORDER BY height"
WALLET_TRANSACTIONS: Final = """
SELECT w.wallet_id, w.user_id,
       ARRAY(SELECT t.transaction_hash FROM transactions t WHERE t.sender_wallet_id = w.wallet_id
             ORDER BY t.transaction_hash LIMIT $1) AS hashes
FROM wallets w ORDER BY w.wallet_id
"""


class Stage(msgspec.Struct, frozen=True):
    """Ready to be measured on."""

    database_url: str
    redis_url: str
    tokens: list[str]
    """Of as many viewers; token i is of the viewer whose stream gets event i."""
    blocks: Script
    """Every socket sees every event."""
    wallets: Script
    """Each viewer sees one in as many as there are viewers."""

    @property
    def environment(self) -> dict[str, str]:
        """Of Moneta's processes."""
        return {
            "MONETA_HOME": str(HOME),
            "MONETA_DATABASE_URL": self.database_url,
            "MONETA_REDIS_URL": self.redis_url,
            **SETTINGS,
        }

    def ready_events(self, frame_bytes: int) -> Script:
        """The events of `blocks` for the peers, their cursor as long as makes a frame as large as this."""
        return msgspec.structs.replace(
            self.blocks,
            database_url=None,
            channel=CHANNEL,
            cursor_chars=max(1, frame_bytes - BARE_FRAME_BYTES),
            payloads=[],
        )


class Size(msgspec.Struct, frozen=True):
    """How much is measured."""

    sockets: int = 1_000
    crowd: int = 10_000
    opened: int = 2_000
    """At a time, to see how fast they are."""
    rounds: int = 3
    seconds: float = 5.0
    search_s: float = 2.0
    """For each run of a search for the highest rate; 0: no search."""
    full_events_per_s: float = 80.0
    alike_events_per_s: float = 20.0
    """What the slower of the servers may be able to sustain as well."""
    crowd_events_per_s: float = 4.0


QUICK: Final = Size(100, 200, 100, 1, 1.0, 0.0, 10.0, 10.0, 4.0)


def set_up(servers: Embedded, progress: Progress) -> Stage:
    """A copy of the database that bench/data.py filled, a session for each of its users, an empty Redis."""
    return asyncio.run(_set_up(servers, progress))


async def _set_up(servers: Embedded, progress: Progress) -> Stage:
    database_url = await _copy(servers.database_url)
    redis = await open_redis(servers.redis_url)
    await redis.flushall()
    await redis.aclose()
    settings = Settings(
        database_url=database_url,
        redis_url=servers.redis_url,
        home=HOME,
        access_token_ttl_s=int(SETTINGS["MONETA_ACCESS_TOKEN_TTL_S"]),
    )
    owner = await asyncpg.connect(database_url)
    try:
        blocks = await owner.fetch(BLOCKS)
        wallets = await owner.fetch(WALLET_TRANSACTIONS, _HASHES_PER_WALLET)
    finally:
        await owner.close()
    # Each has as many as the poorest, so that event n is wallet n % WALLETS's.
    depth = min(len(wallet["hashes"]) for wallet in wallets)
    async with open_application(settings) as application:
        tokens = await _log_in(application, [wallet["user_id"] for wallet in wallets], progress)
    return Stage(
        database_url,
        servers.redis_url,
        tokens,
        Script(
            database_url=database_url,
            redis_url=servers.redis_url,
            marks=[block["block_hash"] for block in blocks],
            streams=[CHAIN_STREAM],
            kind="block.connected",
            payloads=[{"height": block["height"], "hash": block["block_hash"]} for block in blocks],
        ),
        _wallet_script(database_url, servers.redis_url, wallets, depth),
    )


def _wallet_script(database_url: str, redis_url: str, wallets: list[Any], depth: int) -> Script:
    marks = [wallet["hashes"][number] for number in range(depth) for wallet in wallets]
    return Script(
        database_url=database_url,
        redis_url=redis_url,
        marks=marks,
        streams=[wallet_stream(wallet["wallet_id"]) for wallet in wallets],
        kind="transaction.confirmed",
        payloads=[{"hash": mark, "height": 1} for mark in marks],
    )


async def _copy(url: str) -> str:
    owner = await asyncpg.connect(url, command_timeout=120)
    try:
        await owner.execute(f"DROP DATABASE IF EXISTS {DATABASE} WITH (FORCE)")
        await owner.execute(f"CREATE DATABASE {DATABASE} TEMPLATE {READ_DATABASE}")
    finally:
        await owner.close()
    return in_database(url, DATABASE)


async def _log_in(application: Application, user_ids: list[UUID], progress: Progress) -> list[str]:
    task = progress.add_task("Opening sessions", total=len(user_ids))
    tokens: list[str] = []
    sessions = application.services[AccountsServices].sessions
    for start in range(0, len(user_ids), _SESSIONS_AT_ONCE):
        batch = user_ids[start : start + _SESSIONS_AT_ONCE]

        async def work(tx: Tx, batch: list[UUID] = batch) -> list[str]:
            opened = [await sessions.open(tx, user_id, Role.USER, True, Client("127.0.0.1")) for user_id in batch]
            return [session.tokens.access_token for session in opened]

        tokens += await application.database.write(SYSTEM, work)
        progress.advance(task, len(batch))
    return tokens


def allow_descriptors() -> None:
    """Raises the limits for this process and those that it starts. Raises RuntimeError if that is not permitted."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = max(soft, DESCRIPTORS)
    with suppress(ValueError, OSError):
        # Above the hard limit only for root.
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, max(hard, wanted)))
        return
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    if hard < 10_500:
        raise RuntimeError(f"10,000 sockets need more than the {hard} files that this machine lets a process open")


@contextmanager
def load_on_its_core(servers: Embedded) -> Iterator[None]:
    """Postgres, Valkey and we ourselves keep off the server's core."""
    processes = [os.getpid(), *asyncio.run(_processes(servers))]
    for process in processes:
        if CLIENT_CORE is not None:
            pin(process, {CLIENT_CORE})
    try:
        yield
    finally:
        for process in processes:
            pin(process, CORES)


async def _processes(servers: Embedded) -> list[int]:
    owner = await asyncpg.connect(servers.database_url)
    redis = await open_redis(servers.redis_url)
    try:
        postmaster = parent(await owner.fetchval("SELECT pg_backend_pid()"))
        return [postmaster, int((await redis.info("server"))["process_id"])]
    finally:
        await redis.aclose()
        await owner.close()
