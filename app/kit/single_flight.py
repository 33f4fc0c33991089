"""Single flight: equal work that is requested many times at once is done once."""

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from typing import Any, Generic, TypeVar

from app.kit.work import detached_context

T = TypeVar("T")


class SingleFlight(Generic[T]):
    """Work under way by key. Cancelling a waiting caller affects neither the others nor the work."""

    def __init__(self) -> None:
        self._under_way: dict[Hashable, asyncio.Task[T]] = {}

    def has(self, key: Hashable) -> bool:
        """Whether work is under way under this key."""
        task = self._under_way.get(key)
        return task is not None and not task.done()

    async def join(self, key: Hashable, work: Callable[[], Awaitable[T]]) -> T:
        """Returns the result of the work under this key, and begins it where it is not under way."""
        return await asyncio.shield(self.begin(key, work))

    def begin(self, key: Hashable, work: Callable[[], Awaitable[T]]) -> "asyncio.Task[T]":
        """Begins the work under this key where it is not under way, and returns its task."""
        task = self._under_way.get(key)
        # What has ended stays until its callbacks run. Who joins it gets its result without waiting; if they then
        # ask again, for one that began later, no callback would ever run.
        if task is None or task.done():
            loop = asyncio.get_running_loop()
            # The work is shared: its use of the database is not charged to the first caller.
            task = self._under_way[key] = loop.create_task(_run(work), context=detached_context())
            task.add_done_callback(lambda done: self._landed(key, done))
        return task

    def cancel(self) -> None:
        """Cancels all work, without waiting."""
        for task in self._under_way.values():
            task.cancel()

    async def stop(self) -> None:
        """Cancels all work, and waits for its end."""
        tasks = list(self._under_way.values())
        self.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _landed(self, key: Hashable, task: "asyncio.Task[Any]") -> None:
        if self._under_way.get(key) is task:
            del self._under_way[key]
        if not task.cancelled():
            # Marks it as retrieved: every caller may be gone.
            task.exception()


async def _run(work: Callable[[], Awaitable[T]]) -> T:
    return await work()
