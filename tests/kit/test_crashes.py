"""Processes that are killed around the moves of facts: nothing is lost, nothing comes twice, the order stays."""

import asyncio
import random
import signal
import sys
from typing import Any

import msgspec
import pytest
import pytest_asyncio
from redis.asyncio import Redis

from app.dev.embedded import Embedded
from app.kit.db import SYSTEM, Database, Tx
from app.kit.events import EventLog, Fact, stream_key
from app.kit.relay import CHANNEL, Relay
from tests.databases import Owner
from tests.kit.event_pipeline import append, following, hub_of, relaying, take
from tests.statements import statement
from tests.waiting import until

SLEEP = statement("sleep", "Holds the transaction open.", "SELECT pg_sleep($1)")


@pytest_asyncio.fixture
async def events(database: Database, redis: Redis) -> EventLog:
    return EventLog(database, redis)


async def stored(events: EventLog, stream: str) -> list[int]:
    epoch = (await events.positions([])).epoch
    entries: Any = await events.redis.xrange(stream_key(epoch, stream))
    return [int(entry.partition(b"-")[0]) for entry, _ in entries]


async def unpublished(owner: Owner) -> int:
    return int(await owner.fetchval("SELECT count(*) FROM events WHERE published_at IS NULL"))


async def dies_at(place: str, database_url: str, redis_url: str) -> None:
    worker = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.kit.relay_worker", database_url, redis_url, place
    )
    try:
        assert await worker.wait() == -signal.SIGKILL
    finally:
        if worker.returncode is None:
            worker.kill()
            await worker.wait()


@pytest.mark.parametrize(("place", "moved"), [("before-move", []), ("after-move", [1, 2, 3])])
async def test_a_standby_goes_on_where_a_killed_relay_stopped(  # noqa: PLR0917
    database: Database,
    database_url: str,
    events: EventLog,
    redis: Redis,
    owner: Owner,
    servers: Embedded,
    place: str,
    moved: list[int],
) -> None:
    await append(database, events, "a", range(3))
    async with hub_of(events, redis) as hub, following(hub, "a", after=0) as follower:
        await dies_at(place, database_url, servers.redis_url)
        assert await stored(events, "a") == moved
        assert await unpublished(owner) == 3
        await append(database, events, "a", range(3, 5))

        async with relaying(database, redis):
            taken = await take(follower, 5)
            await until(lambda: _none_left(owner))
        assert [event.payload["n"] for event in taken] == [0, 1, 2, 3, 4]
        assert await stored(events, "a") == [1, 2, 3, 4, 5]
        assert await follower.listener.take() == []


async def _none_left(owner: Owner) -> bool:
    return await unpublished(owner) == 0


async def test_a_commit_that_is_followed_by_a_kill_is_published(
    database: Database, database_url: str, events: EventLog, redis: Redis, servers: Embedded
) -> None:
    async with relaying(database, redis), hub_of(events, redis) as hub, following(hub, "a") as follower:
        await dies_at("after-commit", database_url, servers.redis_url)
        assert [event.seq for event in await take(follower, 3)] == [1, 2, 3]


async def test_fifty_writers_that_commit_when_they_like_make_one_stream(
    database: Database, events: EventLog, redis: Redis
) -> None:
    rng = random.Random(11)
    delays = [rng.uniform(0, 0.02) for _ in range(50)]
    doomed = set(rng.sample(range(50), 10))

    async def writer(number: int) -> None:
        async def work(tx: Tx) -> None:
            await tx.fetch(SLEEP, delays[number])
            await events.append(tx, [Fact("a", "n", {"n": number}), Fact("a", "n", {"n": -number})])
            await tx.fetch(SLEEP, delays[-number])
            if number in doomed:
                raise LookupError

        if number in doomed:
            with pytest.raises(LookupError):
                await database.write(SYSTEM, work)
        else:
            await database.write(SYSTEM, work)

    async with relaying(database, redis), hub_of(events, redis) as hub, following(hub, "a") as follower:
        taking = asyncio.create_task(take(follower, 80))
        await asyncio.gather(*map(writer, range(50)))
        taken = await taking
        # What was rolled back is nowhere: not in the numbers, not among the writers.
        assert [event.seq for event in taken] == list(range(1, 81))
        assert {event.payload["n"] for event in taken} == {
            sign * number for number in set(range(50)) - doomed for sign in (1, -1)
        }
        assert taken == await events.after("a", 0, 100)
        assert await follower.listener.take() == []


async def test_a_stale_relay_that_wakes_up_changes_nothing(database: Database, events: EventLog, redis: Redis) -> None:
    await append(database, events, "a", range(6))
    epoch = (await events.positions([])).epoch
    async with hub_of(events, redis) as hub, following(hub, "a", after=0) as follower:
        async with relaying(database, redis) as relay:
            await take(follower, 6)
            assert not relay.done()
            await until(lambda: _all_stored(events))
        stale: Any = Relay(database, redis)
        old = (await events.after("a", 1, 1))[0]
        await stale._move(
            keys=[stream_key(epoch, "a")], args=[100, 60, CHANNEL, 2, f"{epoch.hex}\na\n", msgspec.json.encode(old)]
        )
        assert await stored(events, "a") == [1, 2, 3, 4, 5, 6]
        await append(database, events, "a", range(6, 7))
        async with relaying(database, redis):
            assert [event.seq for event in await take(follower, 1)] == [7]


async def _all_stored(events: EventLog) -> bool:
    return await stored(events, "a") == [1, 2, 3, 4, 5, 6]


async def test_redis_never_keeps_a_stream_with_a_hole(database: Database, events: EventLog, redis: Redis) -> None:
    await append(database, events, "a", range(2))
    async with relaying(database, redis):
        await until(lambda: _stored(events, [1, 2]))
        epoch = (await events.positions([])).epoch
        # As if Redis had been out of memory for one fact.
        await redis.delete(stream_key(epoch, "a"))
        await redis.xadd(stream_key(epoch, "a"), {"e": b"{}"}, id="1-0")
        await append(database, events, "a", range(2, 4))
        await until(lambda: _stored(events, [3, 4]))


async def _stored(events: EventLog, seqs: list[int]) -> bool:
    return await stored(events, "a") == seqs
