"""Traders with portfolios of play money, a market with prices, and Moneta's worker."""

import asyncio
import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final
from uuid import UUID

import asyncpg
import msgspec
from rich.progress import Progress

from app.dev.embedded import Embedded
from app.dev.processes import Log, spawn, stop
from app.domains.accounts.model import Client, Role
from app.domains.accounts.services import AccountsServices
from app.kit.db import SYSTEM, Tx
from app.kit.redis_client import open_redis
from app.main import Application, open_application
from app.settings import Settings
from bench.data import TOKENS, fresh_database
from bench.machine import CLIENT_CORE, ROOT
from bench.servers import HOME, WORK

DATABASE: Final = "bench_trading"
TRADERS: Final = 100
"""Each has one portfolio, and they take turns."""
CASH: Final = 1_000_000
_READY_S: Final = 60.0
_TOKEN_TTL_S: Final = 14_400

_INSERT_TRADERS: Final = """
WITH made AS (
    INSERT INTO users (email, full_name, password_hash, is_verified)
    SELECT format('trader%s@example.com', n), 'A trader', '-', true FROM generate_series(1, $1::integer) n
    RETURNING id
), named AS (
    INSERT INTO display_names (user_id, display_name) SELECT id, 'A trader' FROM made
), profile AS (
    INSERT INTO profiles (user_id) SELECT id FROM made
), portfolio AS (
    INSERT INTO portfolios (user_id, is_default) SELECT id, true FROM made RETURNING id, user_id
), cash AS (
    INSERT INTO cash_balances (portfolio_id, balance, contributed) SELECT id, $2::numeric, $2 FROM portfolio
)
SELECT user_id, id FROM portfolio
"""
# The market stands still where no worker runs, and placing refuses old quotes.
_RENEW_QUOTES: Final = "UPDATE exchange_books SET quoted_at = now()"
_PRICES: Final = """
SELECT symbol, price_usd FROM exchange_books WHERE price_usd IS NOT NULL AND NOT is_delisted ORDER BY symbol
"""
_WAITING: Final = "SELECT count(*) FROM exchange_inbox WHERE number IS NULL"


class Trader(msgspec.Struct, frozen=True):
    """A user, a portfolio and a session."""

    user_id: UUID
    portfolio_id: UUID
    token: str


class Stage(msgspec.Struct, frozen=True):
    """Ready to be traded on."""

    database_url: str
    redis_url: str
    traders: list[Trader]
    prices: dict[str, float]
    """What the tokens cost when all had a price."""

    @contextmanager
    def worker(self) -> Iterator[int]:
        """`python -m app work`, once it matches; its process. Where there are two cores, it has not the API's."""
        environment = {
            "MONETA_HOME": str(HOME),
            "MONETA_DATABASE_URL": self.database_url,
            "MONETA_REDIS_URL": self.redis_url,
        }
        log = Log(WORK / "trading-worker.log")
        command = [sys.executable, "-m", "app", "work"]
        process = spawn(
            command, cwd=ROOT, env={**os.environ, **environment}, user=None, log=log, on_parent_death=signal.SIGTERM
        )
        if CLIENT_CORE is not None:
            os.sched_setaffinity(process.pid, {CLIENT_CORE})
        try:
            asyncio.run(self.caught_up())
            yield process.pid
            if process.poll() is not None:
                raise log.error("The worker ended.")
        finally:
            stop(process, (signal.SIGTERM, 10.0))

    async def caught_up(self) -> None:
        """Waits until all books have a price of now, and the inbox is empty. Raises RuntimeError when it takes long."""
        owner = await asyncpg.connect(self.database_url)
        try:
            began = await owner.fetchval("SELECT now()")
            deadline = time.monotonic() + _READY_S
            while (
                await owner.fetchval("SELECT count(*) FROM exchange_books WHERE quoted_at >= $1", began) < TOKENS
                or await owner.fetchval(_WAITING) > 0
            ):
                if time.monotonic() > deadline:
                    raise RuntimeError("the worker does not match")
                await asyncio.sleep(0.2)
        finally:
            await owner.close()

    async def renew_quotes(self) -> None:
        """Makes the last quotes those of now."""
        owner = await asyncpg.connect(self.database_url)
        try:
            await owner.execute(_RENEW_QUOTES)
        finally:
            await owner.close()


def set_up(servers: Embedded, progress: Progress) -> Stage:
    """A database of its own, an empty Redis, traders who are logged in, and the first prices."""
    stage = asyncio.run(_set_up(servers, progress))
    with stage.worker():
        pass
    return msgspec.structs.replace(stage, prices=asyncio.run(_prices(stage.database_url)))


async def _set_up(servers: Embedded, progress: Progress) -> Stage:
    database_url = await fresh_database(servers.database_url, DATABASE)
    redis = await open_redis(servers.redis_url)
    await redis.flushall()
    await redis.aclose()
    owner = await asyncpg.connect(database_url)
    try:
        made = await owner.fetch(_INSERT_TRADERS, TRADERS, CASH)
    finally:
        await owner.close()
    settings = Settings(
        database_url=database_url, redis_url=servers.redis_url, home=HOME, access_token_ttl_s=_TOKEN_TTL_S
    )
    async with open_application(settings) as application:
        tokens = await _open_sessions(application, [row["user_id"] for row in made])
    progress.update(progress.add_task("Opening sessions", total=TRADERS), completed=TRADERS)
    traders = [Trader(row["user_id"], row["id"], token) for row, token in zip(made, tokens, strict=True)]
    return Stage(database_url, servers.redis_url, traders, {})


async def _open_sessions(application: Application, user_ids: list[UUID]) -> list[str]:
    sessions = application.services[AccountsServices].sessions

    async def work(tx: Tx) -> list[str]:
        opened = [await sessions.open(tx, user_id, Role.USER, True, Client("127.0.0.1")) for user_id in user_ids]
        return [session.tokens.access_token for session in opened]

    return await application.database.write(SYSTEM, work)


async def _prices(database_url: str) -> dict[str, float]:
    owner = await asyncpg.connect(database_url)
    try:
        return {row["symbol"]: float(row["price_usd"]) for row in await owner.fetch(_PRICES)}
    finally:
        await owner.close()
