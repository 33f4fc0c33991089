"""`python -m tests.streams.bots.hurried work`: a worker as it is, for which time passes faster.

All that it does by the clock, such as candles, is faster by the same factor in every process with the same beginning.
What waits for seconds, such as its pauses and the jobs that it takes over from one that was killed, is as it is.
"""

import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Final
from unittest import mock

from app import main
from app.__main__ import app
from app.kit.clock import Clock
from app.kit.database_clock import keep_time
from app.kit.db import Database

FACTOR: Final = "MONETA_TESTS_HURRY"
BEGIN: Final = "MONETA_TESTS_HURRY_SINCE"


class HurriedClock:
    """A clock that is right at the beginning, and goes faster from then on."""

    def __init__(self, clock: Clock, begin: datetime, factor: int) -> None:
        self._clock = clock
        self._begin = begin
        self._factor = factor

    def now(self) -> datetime:
        """The present moment."""
        return self._begin + (self._clock.now() - self._begin) * self._factor


@asynccontextmanager
async def hurried_time(database: Database, begin: datetime, factor: int) -> AsyncIterator[HurriedClock]:
    """The database's clock, hurried, for as long as the context lasts."""
    async with keep_time(database) as clock:
        yield HurriedClock(clock, begin, factor)


if __name__ == "__main__":
    since, times = datetime.fromisoformat(os.environ[BEGIN]), int(os.environ[FACTOR])
    with mock.patch.object(main, "keep_time", lambda database: hurried_time(database, since, times)):
        app(sys.argv[1:])
