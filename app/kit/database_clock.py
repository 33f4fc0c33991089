"""The time by the database's clock, without a query each time.

Processes run on machines whose clocks are wrong now and then, by hours. They all write into one database, so its clock
is the reference: queried repeatedly, and advanced between two answers by the time elapsed here, which no
setting of this machine's clock changes.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Final

import structlog

from app.kit.clock import SystemClock
from app.kit.db import Database
from app.kit.errors import Unavailable
from app.kit.sql import Query, Statements
from app.kit.tasks import end, heed_cancellation

COMPARE_EVERY_S: Final = 5.0
WRONG_S: Final = 2.0
"""A machine's clock that is further off is worth a warning."""
REMIND_S: Final = 600.0

log = structlog.get_logger(__name__)


def elapsed_s() -> float:
    """Seconds since some moment, those of a machine's sleep included where the system counts them."""
    return time.clock_gettime(time.CLOCK_BOOTTIME) if hasattr(time, "CLOCK_BOOTTIME") else time.monotonic()


class DatabaseClockSql(Statements, file="database_clock.sql"):
    """The statements about time."""

    database_time: Query[datetime]


async def database_time(database: Database) -> datetime:
    """The database's clock. Raises Unavailable."""
    (now,) = await database.fetch(DatabaseClockSql.database_time)
    return now


class DatabaseClock:
    """A Clock. It is never ahead of the database's, and behind by no more than the latency of an answer."""

    def __init__(
        self,
        ask: Callable[[], Awaitable[datetime]],
        *,
        elapsed: Callable[[], float] = elapsed_s,
        machine: Callable[[], datetime] = SystemClock().now,
    ) -> None:
        """`ask` returns the database's time. Call `compare` before the first `now`."""
        self._ask = ask
        self._elapsed = elapsed
        self._machine = machine
        self._at: datetime | None = None
        self._at_s = 0.0
        self._warned: tuple[float, float] | None = None

    def now(self) -> datetime:
        """The present moment."""
        return self._then(self._elapsed())

    @property
    def ahead_s(self) -> float:
        """By how many seconds the machine's own clock is ahead of the database's; negative: behind."""
        return (self._machine() - self.now()).total_seconds()

    async def compare(self) -> None:
        """Compares with the database's clock. Raises Unavailable, and goes on as before."""
        asked_s = self._elapsed()
        earliest = await self._ask()
        answered_s = self._elapsed()
        # It was read at some moment between the request and the answer.
        latest = earliest + timedelta(seconds=answered_s - asked_s)
        if self._at is None or self._then(answered_s) < earliest:
            self._at, self._at_s = earliest, answered_s
        elif self._then(answered_s) > latest:
            self._at, self._at_s = latest, answered_s
        self._warn_if_wrong(answered_s)

    async def run(self) -> None:
        """Compares until cancelled. While the database is unavailable, the time advances by what has elapsed here."""
        while True:
            heed_cancellation()
            await asyncio.sleep(COMPARE_EVERY_S)
            try:
                await self.compare()
            except Unavailable as problem:
                log.info("clock.not_compared", reason=problem.message)
            except Exception:
                log.exception("clock.not_compared")

    def _then(self, at_s: float) -> datetime:
        assert self._at is not None, "the clock has not been compared yet"
        return self._at + timedelta(seconds=at_s - self._at_s)

    def _warn_if_wrong(self, now_s: float) -> None:
        """Warns of a machine's clock that is wrong: when it becomes so, by another amount, and now and then."""
        ahead_s = self.ahead_s
        if abs(ahead_s) <= WRONG_S:
            if self._warned is not None:
                log.warning("clock.corrected")
            self._warned = None
        elif self._warned is None or abs(ahead_s - self._warned[0]) > WRONG_S or now_s - self._warned[1] >= REMIND_S:
            self._warned = ahead_s, now_s
            log.warning("clock.wrong", ahead_s=round(ahead_s, 1), cure="set this machine's clock")


@asynccontextmanager
async def keep_time(database: Database) -> AsyncIterator[DatabaseClock]:
    """The database's clock for as long as the context lasts. Raises Unavailable."""
    clock = DatabaseClock(lambda: database_time(database))
    await clock.compare()
    running = asyncio.create_task(clock.run())
    try:
        yield clock
    finally:
        await end(running)
