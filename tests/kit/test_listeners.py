"""Offsets in a stream: where they continue, what reads they cost, and when they cannot be resumed from."""

import asyncio
import tracemalloc
from typing import Any

import pytest
import pytest_asyncio
from redis.asyncio import Redis

from app.kit import event_ring
from app.kit import hub as hub_module
from app.kit.db import Database
from app.kit.errors import ResyncRequired
from app.kit.events import EventLog, stream_key
from app.kit.relay import CHANNEL
from app.kit.sql import Query
from tests.databases import Owner
from tests.kit.event_pipeline import append, following, hub_of, relaying, take
from tests.waiting import until

LATER = 3600.0


@pytest_asyncio.fixture
async def events(database: Database, redis: Redis) -> EventLog:
    return EventLog(database, redis)


async def subscribed(redis: Redis) -> bool:
    return dict(await redis.pubsub_numsub(CHANNEL)) == {CHANNEL.encode(): 1}


class Bell:
    """Counts how often it was rung."""

    def __init__(self) -> None:
        self.rung = 0

    def __call__(self) -> None:
        self.rung += 1


class Counted:
    """Counts the statements that a database was asked to run, by name."""

    def __init__(self, database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
        self.names: list[str] = []
        fetch = database.fetch

        async def counted(query: Query[Any], *args: object) -> Any:
            self.names.append(query.name)
            return await fetch(query, *args)

        monkeypatch.setattr(database, "fetch", counted)


async def xranges(redis: Redis) -> int:
    stats = await redis.info("commandstats")
    return int(stats["cmdstat_xrange"]["calls"]) if "cmdstat_xrange" in stats else 0


async def moved(owner: Owner) -> bool:
    return not await owner.fetchval("SELECT count(*) FROM events WHERE published_at IS NULL")


async def test_a_take_hands_out_at_most_what_was_asked_for(database: Database, events: EventLog, redis: Redis) -> None:
    await append(database, events, "a", range(10))
    async with hub_of(events, redis) as hub:
        listener = await hub.listen("a", Bell(), after=2)
        assert (listener.stream, listener.last, listener.top) == ("a", 2, 10)
        taken = [[event.seq for event in await listener.take(3)] for _ in range(4)]
        assert taken == [[3, 4, 5], [6, 7, 8], [9, 10], []]
        listener.close()
        await append(database, events, "a", range(10, 11))
        hub.check_soon()
        assert await hub.top("a") == 11
        assert await listener.take() == []


async def test_a_listener_at_the_head_is_notified_only_of_new_events(
    database: Database, events: EventLog, redis: Redis
) -> None:
    await append(database, events, "a", range(3))
    async with hub_of(events, redis) as hub:
        now, then = Bell(), Bell()
        listener, behind = await hub.listen("a", now), await hub.listen("a", then, after=1)
        assert (listener.last, behind.last, now.rung, then.rung) == (3, 1, 0, 0)
        await until(lambda: then.rung > 0)
        assert now.rung == 0
        assert await listener.take() == []
        await append(database, events, "a", range(3, 4))
        async with relaying(database, redis):
            await until(lambda: now.rung > 0)
        assert [event.seq for event in await listener.take()] == [4]


async def test_a_thousand_that_resume_at_one_offset_read_once(
    database: Database, events: EventLog, redis: Redis, owner: Owner, monkeypatch: pytest.MonkeyPatch
) -> None:
    await append(database, events, "a", range(50))
    async with relaying(database, redis):
        await until(lambda: moved(owner))
    monkeypatch.setattr(hub_module, "TOP_CHECK_S", LATER)
    async with hub_of(events, redis) as hub:
        await until(lambda: subscribed(redis))
        # A check was asked for when the subscription stood.
        await until(lambda: not hub._check_due.is_set())
        statements, commands = Counted(database, monkeypatch), await xranges(redis)
        listeners = await asyncio.gather(*(hub.listen("a", Bell(), after=10) for _ in range(1000)))
        taken = await asyncio.gather(*(listener.take() for listener in listeners))
        assert {tuple(event.seq for event in events_) for events_ in taken} == {tuple(range(11, 51))}
        assert [name for name in statements.names if name != "epoch_and_positions"] == []
        assert statements.names.count("epoch_and_positions") <= 2
        assert await xranges(redis) - commands == 1

        # Who comes later finds it in memory.
        late = await hub.listen("a", Bell(), after=30)
        assert [event.seq for event in await late.take()] == list(range(31, 51))
        assert await hub.history("a", 48, 10) == await events.after("a", 48, 10)
        assert await xranges(redis) - commands == 1
        assert statements.names.count("events_and_top") == 0


async def test_what_redis_does_not_hold_is_read_once_from_postgres(
    database: Database, events: EventLog, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    await append(database, events, "a", range(50))
    async with hub_of(events, redis) as hub:
        statements = Counted(database, monkeypatch)
        read = await asyncio.gather(*(hub.history("a", 20, 10) for _ in range(100)))
        assert {tuple(event.seq for event in events_) for events_ in read} == {tuple(range(21, 31))}
        assert statements.names.count("events_and_top") == 1
        assert await hub.history("a", 50, 10) == []


async def test_redis_is_used_only_if_it_has_the_very_next_fact(
    database: Database, events: EventLog, redis: Redis, owner: Owner
) -> None:
    await append(database, events, "a", range(10))
    async with relaying(database, redis), hub_of(events, redis) as hub:
        await until(lambda: moved(owner))
        await redis.xtrim(stream_key(hub.epoch, "a"), maxlen=4, approximate=False)
        assert [event.seq for event in await hub.history("a", 2, 100)] == list(range(3, 11))
        await redis.xdel(stream_key(hub.epoch, "a"), "9-0")
        assert [event.seq for event in await hub.history("a", 6, 100)] == [7, 8]
        assert [event.seq for event in await hub.history("a", 8, 100)] == [9, 10]


async def test_what_was_trimmed_asks_for_a_resync(
    database: Database, events: EventLog, redis: Redis, owner: Owner
) -> None:
    await append(database, events, "a", range(10))
    await owner.execute("DELETE FROM events WHERE seq <= 5")
    async with hub_of(events, redis) as hub:
        cut, whole = await hub.listen("a", Bell(), after=4), await hub.listen("a", Bell(), after=5)
        with pytest.raises(ResyncRequired):
            await cut.take()
        assert cut.last == 4
        assert [event.seq for event in await whole.take()] == [6, 7, 8, 9, 10]
        with pytest.raises(ResyncRequired):
            await hub.history("a", 0, 10)
        await owner.execute("DELETE FROM events")
        assert await hub.history("a", 10, 10) == []


@pytest.mark.parametrize("after", [4, 2**40])
async def test_a_place_that_nobody_was_given_asks_for_a_resync(
    database: Database, events: EventLog, redis: Redis, after: int
) -> None:
    await append(database, events, "a", range(3))
    async with hub_of(events, redis) as hub:
        bell = Bell()
        listener = await hub.listen("a", bell, after=after)
        await until(lambda: bell.rung == 1)
        with pytest.raises(ResyncRequired):
            await listener.take()
        with pytest.raises(ResyncRequired):
            await hub.history("a", after, 10)


async def test_a_new_epoch_ends_every_listener_of_the_old_one(
    database: Database, events: EventLog, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hub_module, "TOP_CHECK_S", LATER)
    await append(database, events, "a", range(3))
    async with relaying(database, redis), hub_of(events, redis) as hub:
        await until(lambda: subscribed(redis))
        bell = Bell()
        listener, other = await hub.listen("a", bell), await hub.listen("b", Bell())
        before = hub.epoch
        renewed = await events.renew_epoch()
        # A message contains the epoch of its fact, so the hub checks.
        await append(database, events, "unheard", range(1))
        await until(lambda: hub.epoch == renewed)
        assert before != renewed
        assert bell.rung == 1
        for ended in (listener, other):
            with pytest.raises(ResyncRequired):
                await ended.take()
        assert hub._budget.free == event_ring.TOTAL_BYTES

        async with following(hub, "a") as follower:
            await append(database, events, "a", range(3, 5))
            assert [event.seq for event in await take(follower, 2)] == [4, 5]
        assert hub.listening == 2
        listener.close()
        other.close()
        assert (hub.listening, hub._streams) == (0, {})


async def test_a_stream_that_went_back_ends_its_listeners(
    database: Database, events: EventLog, redis: Redis, owner: Owner
) -> None:
    await append(database, events, "a", range(5))
    async with hub_of(events, redis) as hub:
        bell = Bell()
        listener = await hub.listen("a", bell, after=5)
        # A copy of the files was put back, and nobody said so.
        await owner.execute("DELETE FROM events WHERE seq > 3; UPDATE event_streams SET seq = 3")
        hub.check_soon()
        await until(lambda: bell.rung == 1)
        with pytest.raises(ResyncRequired):
            await listener.take()


async def test_twenty_thousand_listeners_are_cheap(database: Database, events: EventLog, redis: Redis) -> None:
    async with relaying(database, redis), hub_of(events, redis) as hub:
        await until(lambda: subscribed(redis))
        bell, tasks = Bell(), len(asyncio.all_tasks())
        tracemalloc.start()
        try:
            before = tracemalloc.get_traced_memory()[0]
            listeners = [
                listener
                for _ in range(10)
                for listener in await asyncio.gather(*(hub.listen("a", bell) for _ in range(2000)))
            ]
            assert (tracemalloc.get_traced_memory()[0] - before) / len(listeners) < 400
        finally:
            tracemalloc.stop()
        assert hub.listening == 20_000
        # The hub has its own, which come and go; a listener has none that stays.
        await until(lambda: len(asyncio.all_tasks()) <= tasks)

        await append(database, events, "a", range(1))
        await until(lambda: bell.rung >= 20_000)
        taken = await asyncio.gather(*(listener.take() for listener in listeners))
        assert [[event.seq for event in events_] for events_ in taken] == [[1]] * 20_000
        for listener in listeners:
            listener.close()
        assert (hub.listening, hub._streams) == (0, {})
