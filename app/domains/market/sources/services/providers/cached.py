"""An answer that serves many questions for a while."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Generic, TypeVar

from app.kit.clock import Clock

T = TypeVar("T")


class Remembered(Generic[T]):
    """What `fetch` returned, for as long as it holds; whoever asks while it is fetched waits for the same answer."""

    def __init__(self, fetch: Callable[[], Awaitable[T]], clock: Clock, holds: timedelta) -> None:
        self._fetch = fetch
        self._clock = clock
        self._holds = holds
        self._answer: tuple[T, datetime] | None = None
        self._turn = asyncio.Lock()

    async def get(self) -> T:
        """The answer, fetched if there is none that still holds. Raises what `fetch` raises, and keeps nothing then."""
        async with self._turn:
            if self._answer is None or self._clock.now() >= self._answer[1]:
                self._answer = (await self._fetch(), self._clock.now() + self._holds)
            return self._answer[0]
