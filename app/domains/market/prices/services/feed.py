"""The price feed polls the provider, publishes its quotes and stores them. One worker is active; others stand by."""

import asyncio
import contextlib
import math
from collections.abc import Sequence
from datetime import timedelta
from typing import Final

import structlog

from app.domains.market.prices.model import Interval, QuoteProvider
from app.domains.market.prices.rules.windows import begin_of
from app.domains.market.prices.services.recorder import AfterMinute, OnMoves, Recorder
from app.domains.market.prices.services.ticker import Ticker
from app.domains.market.sources.model import SourceKind
from app.domains.market.sources.services import Sources
from app.kit.clock import Clock
from app.kit.db import Database
from app.kit.errors import Problem, Unavailable
from app.kit.leadership import Leadership
from app.kit.tasks import end
from app.kit.volatile import VolatileTopics

STANDBY_S: Final = 1.0
HOLD_CHECK_S: Final = 2.0
LONGEST_PAUSE_S: Final = 60.0
RETRY_S: Final = (0.2, 0.5, 1.0, 2.0)
TOKENS_LIMIT: Final = 250

log = structlog.get_logger(__name__)


class PriceFeed:
    """Runs until cancelled. An outage of the database delays storing, one of Redis publishing; neither stops a tick."""

    def __init__(  # noqa: PLR0917  # the composition root hands it everything
        self,
        provider: QuoteProvider,
        database: Database,
        clock: Clock,
        volatile: VolatileTopics,
        sources: Sources,
        on_moves: Sequence[OnMoves] = (),
        after_minute: Sequence[AfterMinute] = (),
    ) -> None:
        self._provider = provider
        self._clock = clock
        self._volatile = volatile
        self._sources = sources
        self._every_s = provider.period_s
        self._leadership = Leadership(database, f"feed.{provider.name}")
        self._recorder = Recorder(database, clock, on_moves, after_minute)
        self._symbols: list[str] = []
        self._accepted = 0
        self._ignored: dict[str, int] = {}

    async def run(self) -> None:
        """Feeds prices while this worker leads, and waits while it does not."""
        await self._leadership.run(self._lead, standby_s=STANDBY_S, name="feed")

    async def _lead(self) -> None:
        log.info("feed.active", provider=self._provider.name, every_s=self._every_s)
        ticker = Ticker(self._provider.name, self._clock, self._volatile, every_s=self._every_s)
        await self._refresh_tokens(ticker)
        await ticker.restore(await self._recorder.open_candles(self._symbols, ticker.source))
        due = asyncio.Event()
        due.set()
        tasks = [
            asyncio.create_task(work)
            for work in (self._tick_on(ticker, due), self._close_on(ticker, due), self._record_on(ticker, due))
        ]
        not_leading = asyncio.create_task(self._until_not_leading())
        try:
            done, _ = await asyncio.wait([not_leading, *tasks], return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            await end(not_leading, *tasks)
            await self._leadership.give_up()
        # Stores what was kept while the leader was unknown. It is older than what the new leader stores, and harmless.
        await self._recorder.record(ticker)

    async def _until_not_leading(self) -> None:
        while True:
            await asyncio.sleep(HOLD_CHECK_S)
            # While the leader is unknown, no other worker leads.
            with contextlib.suppress(Unavailable):
                if not await self._leadership.hold():
                    log.warning("feed.leadership_lost")
                    return

    async def _tick_on(self, ticker: Ticker, due: asyncio.Event) -> None:
        """Ticks at multiples of the period from now on. Missed ticks are skipped."""
        loop = asyncio.get_running_loop()
        began, number, failures = loop.time(), 0, 0
        while True:
            failures = 0 if await self._tick(ticker) else failures + 1
            due.set()
            elapsed_s = loop.time() + pause_after(failures, self._every_s) - began
            number = next_tick(number, elapsed_s, self._every_s)
            await asyncio.sleep(began + number * self._every_s - loop.time())

    async def _tick(self, ticker: Ticker) -> bool:
        if not self._symbols:
            return True
        try:
            quotes = await self._provider.quotes(self._symbols)
        except Problem as problem:
            log.warning("feed.no_quotes", provider=self._provider.name, reason=problem.message)
            with contextlib.suppress(Unavailable):
                await self._sources.failed(self._provider.name, SourceKind.PRICES, problem)
            return False
        except Exception:
            log.exception("feed.provider_failed", provider=self._provider.name)
            return False
        ticker.take(quotes.accepted)
        self._accepted += len(quotes.accepted)
        for reason, count in quotes.ignored.items():
            self._ignored[reason] = self._ignored.get(reason, 0) + count
        return True

    async def _close_on(self, ticker: Ticker, due: asyncio.Event) -> None:
        """Closes each minute when it ends, even without a tick."""
        minute = Interval.ONE_MINUTE.length
        while True:
            now = self._clock.now()
            await asyncio.sleep((begin_of(now, minute) + minute - now + timedelta(milliseconds=5)).total_seconds())
            if ticker.advance():
                due.set()

    async def _record_on(self, ticker: Ticker, due: asyncio.Event) -> None:
        failures, refreshed_at = 0, begin_of(self._clock.now(), Interval.ONE_MINUTE.length)
        while True:
            await due.wait()
            due.clear()
            try:
                await self._recorder.record(ticker)
                now = begin_of(self._clock.now(), Interval.ONE_MINUTE.length)
                if refreshed_at != now or not self._symbols:
                    await self._refresh_tokens(ticker)
                    await self._note()
                    refreshed_at = now
                failures = 0
            except Exception as error:
                if isinstance(error, Unavailable):
                    log.warning("feed.not_stored", reason=error.message)
                else:
                    log.exception("feed.store_failed")
                await asyncio.sleep(RETRY_S[min(failures, len(RETRY_S) - 1)])
                failures += 1
                due.set()

    async def _refresh_tokens(self, ticker: Ticker) -> None:
        """Reads the listed tokens and their last 24 hours."""
        self._symbols = await self._recorder.symbols(TOKENS_LIMIT)
        ticker.follow(self._symbols, await self._recorder.days(self._symbols, ticker.source))

    async def _note(self) -> None:
        accepted, ignored = self._accepted, self._ignored
        self._accepted, self._ignored = 0, {}
        if accepted or ignored:
            await self._sources.succeeded(self._provider.name, SourceKind.PRICES, accepted=accepted, ignored=ignored)


def pause_after(failures: int, every_s: float) -> float:
    """Returns the pause in seconds after a number of failures in a row."""
    # The exponent is limited: 2 to the 1,000 and more does not fit into a float.
    return min(every_s * 2 ** min(failures, 10), max(LONGEST_PAUSE_S, every_s)) if failures else 0.0


def next_tick(number: int, elapsed_s: float, every_s: float) -> int:
    """Returns the number of the next tick, at a multiple of the period, however long this one took."""
    return max(number + 1, math.ceil(elapsed_s / every_s))
