"""A relay and a hub as a worker runs them."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence

from redis.asyncio import Redis

from app.kit.db import SYSTEM, Database
from app.kit.events import Event, EventLog, Fact
from app.kit.hub import Hub, _OldListener
from app.kit.pubsub import broadcast_over
from app.kit.relay import Relay


@contextlib.asynccontextmanager
async def relaying(database: Database, redis: Redis) -> AsyncIterator[asyncio.Task[None]]:
    task = asyncio.create_task(Relay(database, redis).run())
    try:
        yield task
    finally:
        await cancel(task)


@contextlib.asynccontextmanager
async def hub_of(events: EventLog, redis: Redis, *, queue_limit: int = 100) -> AsyncIterator[Hub]:
    hub = Hub(broadcast_over(redis), events, queue_limit=queue_limit)
    await hub.start()
    try:
        yield hub
    finally:
        await hub.stop()


async def cancel(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.wait([task], timeout=5)
    assert task.cancelled()


async def append(database: Database, events: EventLog, stream: str, numbers: Sequence[int]) -> None:
    """One transaction for each number."""
    for number in numbers:
        await database.write(SYSTEM, lambda tx, n=number: events.append(tx, [Fact(stream, "n", {"n": n})]))  # type: ignore[misc]


async def take(listener: _OldListener, count: int, *, within_s: float = 15.0) -> list[Event]:
    """The next facts. Fails when they do not come in time."""
    taken: list[Event] = []
    async with asyncio.timeout(within_s):
        stream = aiter(listener)
        while len(taken) < count:
            taken.append(await anext(stream))
    return taken
