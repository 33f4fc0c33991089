"""An answer that is cached for a period."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Generic, TypeVar

from app.kit.clock import Clock

T = TypeVar("T")


class CachedAnswer(Generic[T]):
    """The last result of `fetch`, while it is valid. Concurrent callers wait for the same fetch."""

    def __init__(self, fetch: Callable[[], Awaitable[T]], clock: Clock, holds: timedelta) -> None:
        self._fetch = fetch
        self._clock = clock
        self._holds = holds
        self._answer: tuple[T, datetime] | None = None
        self._turn = asyncio.Lock()

    async def get(self) -> T:
        """Returns the answer, fetched if there is none that is still valid. Raises what `fetch` raises."""
        async with self._turn:
            if self._answer is None or self._clock.now() >= self._answer[1]:
                self._answer = (await self._fetch(), self._clock.now() + self._holds)
            return self._answer[0]
