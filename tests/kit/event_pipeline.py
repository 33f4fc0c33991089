"""A relay and a hub as a worker runs them."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, AsyncIterator, Sequence

from redis.asyncio import Redis

from app.kit.db import SYSTEM, Database
from app.kit.events import Event, EventLog, Fact
from app.kit.hub import Hub, Listener
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
async def hub_of(events: EventLog, redis: Redis, *, memory_limit: int = 100) -> AsyncIterator[Hub]:
    hub = Hub(broadcast_over(redis), events, memory_limit=memory_limit)
    await hub.start()
    try:
        yield hub
    finally:
        await hub.stop()


async def cancel(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.wait([task])
    assert task.cancelled()


async def append(database: Database, events: EventLog, stream: str, numbers: Sequence[int]) -> None:
    """One transaction for each number."""
    for number in numbers:
        await database.write(SYSTEM, lambda tx, n=number: events.append(tx, [Fact(stream, "n", {"n": n})]))  # type: ignore[misc]


class Follower:
    """A listener, and the notice that there may be something to take."""

    def __init__(self) -> None:
        self.ready = asyncio.Event()
        self.listener: Listener

    async def __aiter__(self) -> AsyncGenerator[Event, None]:
        while True:
            await self.ready.wait()
            self.ready.clear()
            while events := await self.listener.take():
                for event in events:
                    yield event


@contextlib.asynccontextmanager
async def following(hub: Hub, stream: str, after: int | None = None) -> AsyncIterator[Follower]:
    """Facts of a stream that follow `after`; None: those that follow this moment."""
    follower = Follower()
    follower.listener = await hub.listen(stream, follower.ready.set, after=after)
    try:
        yield follower
    finally:
        follower.listener.close()


async def take(follower: Follower, count: int) -> list[Event]:
    """The next facts."""
    taken: list[Event] = []
    facts = aiter(follower)
    while len(taken) < count:
        taken.append(await anext(facts))
    return taken
