"""The matcher with its database: rebuilding, batches of commands, and a tick over a million open orders."""

import asyncio
import gc
import time
from decimal import Decimal
from typing import Final

import asyncpg
from rich.progress import Progress

from app.dev.embedded import Embedded
from app.domains.market.prices.model import Move
from app.domains.market.providers.services.simulated import SIMULATED
from app.domains.trading.exchange.rules.book import QUOTE_AGE_MS
from app.domains.trading.matching.model import ExchangeState
from app.domains.trading.matching.services.matcher import Matcher
from app.domains.trading.matching.services.prices import PriceNotes
from app.domains.trading.matching.services.rebuild import rebuild
from app.domains.trading.services import TradingServices
from app.kit.clock import SystemClock
from app.kit.db import SYSTEM
from app.main import Application, open_application
from app.settings import Settings
from bench.data import fresh_database
from bench.machine import wait_for_quiet
from bench.servers import HOME
from bench.trading import market
from bench.trading.figures import Figure, Found
from bench.trading.market import PRICE, SYMBOLS, Owner

DATABASE: Final = "bench_matching"
REBUILT: Final = 100_000
REBUILD_TARGET_S: Final = 3
OPEN: Final = 1_000_000
FEW_OPEN: Final = 100_000
TICK_TARGET_MS: Final = 250
TRIGGERED: Final = 200
TICKS: Final = 5
BATCHES: Final = (1, 10, 100, 500)
_AT_ONCE: Final = 100_000
_LEAST: Final = 20
"""Batches of each size in a run; of the small ones more."""
_SMALL: Final = 100


async def measure(servers: Embedded, rounds: int, progress: Progress, *, open_orders: int) -> Found:
    """In this process, as the worker has it: with the database, the events and Redis."""
    database_url = await fresh_database(servers.database_url, DATABASE)
    settings = Settings(database_url=database_url, redis_url=servers.redis_url, home=HOME)
    owner = await asyncpg.connect(database_url, command_timeout=600)
    try:
        async with open_application(settings) as application:
            return await _Bench(application, owner, progress).run(rounds, open_orders)
    finally:
        await owner.close()


class _Bench:
    def __init__(self, application: Application, owner: Owner, progress: Progress) -> None:
        self._database = application.database
        self._matcher: Matcher = application.services[TradingServices].matcher
        self._owner = owner
        self._progress = progress
        self._loads = list[float]()

    async def run(self, rounds: int, open_orders: int) -> Found:
        await market.begin(self._owner)
        await self._matcher.lead()
        await self._tick(Decimal(PRICE))
        await self._fill(0, REBUILT)
        rebuilt = await self._rebuilds(rounds)
        rates = await self._batches(rounds)
        await self._fill(REBUILT, open_orders)
        noted, matched = await self._ticks(rounds)
        return Found(
            [
                Figure(f"{REBUILT:,} open orders rebuilt from Postgres", rebuilt, "{:.2f} s", f"{REBUILD_TARGET_S} s"),
                *(
                    Figure(f"matched, in batches of {size}", each, "{:,.0f}/s", bar=f"matched by {size}")
                    for size, each in rates.items()
                ),
                Figure(
                    f"a tick of {SYMBOLS} symbols over {open_orders:,} open orders, matched and durable",
                    matched,
                    "{:.0f} ms",
                    f"{TICK_TARGET_MS} ms",
                ),
                Figure("its prices put into the inbox, in the feed's transaction", noted, "{:.0f} ms"),
            ],
            self._loads,
            [
                f"The matcher with its database, in one process without the API: {SYMBOLS} books, half of the open "
                "orders limit orders and half stops, put in by SQL. Times are from BEGIN until the commit is on disk.",
                "Batches: half of the commands place market orders that the house fills, half limit orders that rest; "
                f"{REBUILT:,} orders are open.",
                f"The tick: all prices fall by 0.06%, and {TRIGGERED} stops trigger and sell, each in another portfolio.",
            ],
        )

    async def _fill(self, first: int, last: int) -> None:
        task = self._progress.add_task(f"Opening {last:,} orders", total=last - first)
        for start in range(first, last, _AT_ONCE):
            await market.fill(self._owner, start, min(last, start + _AT_ONCE))
            self._progress.advance(task, _AT_ONCE)
        # The books are read anew.
        await self._matcher.lead()

    async def _rebuilds(self, rounds: int) -> list[float]:
        times = list[float]()
        for _ in range(rounds):
            await self._quiet()
            begun = time.perf_counter()
            await rebuild(self._database, ExchangeState(0, 0, False), QUOTE_AGE_MS)
            times.append(time.perf_counter() - begun)
        return times

    async def _batches(self, rounds: int) -> dict[int, list[float]]:
        rates: dict[int, list[float]] = {size: [] for size in BATCHES}
        await self._tick(Decimal(PRICE))
        for _ in range(rounds):
            await self._quiet()
            for size, found in rates.items():
                batches, spent_s = max(_LEAST, _SMALL // size), 0.0
                await self._tick(Decimal(PRICE))
                for _ in range(batches):
                    await market.ask(self._owner, size)
                    begun = time.perf_counter()
                    batch = await self._matcher.match()
                    spent_s += time.perf_counter() - begun
                    if batch.commands != size:
                        raise RuntimeError(f"{batch.commands} commands of {size} were matched")
                found.append(size * batches / spent_s)
        return rates

    async def _ticks(self, rounds: int) -> tuple[list[float], list[float]]:
        noted, matched = list[float](), list[float]()
        await self._tick(Decimal(PRICE))
        for _ in range(rounds):
            await self._quiet()
            for _ in range(TICKS):
                await market.stops(self._owner, TRIGGERED, Decimal(PRICE) * Decimal("0.9995"))
                await self._matcher.match()
                await market.quote(self._owner, Decimal(PRICE) * Decimal("0.9994"))
                begun = time.perf_counter()
                await self._note()
                middle = time.perf_counter()
                batch = await self._matcher.match()
                matched.append((time.perf_counter() - middle) * 1000)
                noted.append((middle - begun) * 1000)
                if batch.fills < TRIGGERED:
                    raise RuntimeError(f"{batch.fills} fills of {TRIGGERED} stops")
                await self._tick(Decimal(PRICE))
        return noted, matched

    async def _tick(self, price: Decimal) -> None:
        await market.quote(self._owner, price)
        await self._note()
        await self._matcher.match()

    async def _note(self) -> None:
        moves = [Move(f"T{number:03}", None, Decimal(PRICE)) for number in range(SYMBOLS)]
        notes = PriceNotes(SystemClock())
        await self._database.write(SYSTEM, lambda tx: notes.note(tx, SIMULATED, moves))

    async def _quiet(self) -> None:
        self._loads.append(await asyncio.to_thread(wait_for_quiet))
        # As in a server: the garbage collector skips what lives as long as the process.
        gc.collect()
        gc.freeze()
