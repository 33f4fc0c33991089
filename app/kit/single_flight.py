"""Equal work that is asked for by many at once is done once."""

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from typing import Any, Generic, TypeVar

from app.kit.work import detached_context

T = TypeVar("T")


class SingleFlight(Generic[T]):
    """Work under way by key. Who is cancelled while waiting takes nobody along, and the work goes on."""

    def __init__(self) -> None:
        self._under_way: dict[Hashable, asyncio.Task[T]] = {}

    def has(self, key: Hashable) -> bool:
        """Whether work is under way under this key."""
        return key in self._under_way

    async def join(self, key: Hashable, work: Callable[[], Awaitable[T]]) -> T:
        """The outcome of the work under this key, which is begun where it is not under way."""
        return await asyncio.shield(self.begin(key, work))

    def begin(self, key: Hashable, work: Callable[[], Awaitable[T]]) -> "asyncio.Task[T]":
        """The same, without waiting."""
        task = self._under_way.get(key)
        if task is None:
            loop = asyncio.get_running_loop()
            # It is nobody's alone: what it takes of the database is not charged to whoever happened to be first.
            task = self._under_way[key] = loop.create_task(_run(work), context=detached_context())
            task.add_done_callback(lambda done: self._landed(key, done))
        return task

    def cancel(self) -> None:
        """Ends whatever is under way, soon."""
        for task in self._under_way.values():
            task.cancel()

    async def stop(self) -> None:
        """Ends whatever is under way."""
        tasks = list(self._under_way.values())
        self.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _landed(self, key: Hashable, task: "asyncio.Task[Any]") -> None:
        self._under_way.pop(key, None)
        if not task.cancelled():
            # Marks it as seen: everybody who waited may be gone.
            task.exception()


async def _run(work: Callable[[], Awaitable[T]]) -> T:
    return await work()
