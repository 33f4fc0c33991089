import asyncio
import itertools
from typing import Any

import asyncpg
import msgspec
import pytest
import pytest_asyncio
from redis.asyncio import Redis
from redis.exceptions import ConnectionError as RedisConnectionError

from app.kit import relay as relay_module
from app.kit.db import SYSTEM, Database
from app.kit.events import Event, EventLog, Fact, stream_key
from app.kit.hub import Hub
from app.kit.relay import CHANNEL, STREAM_TTL_S, Relay
from tests.databases import Owner
from tests.engine.support import listening
from tests.kit.event_pipeline import append, cancel, following, hub_of, relaying, take
from tests.waiting import elapse, until

LOCK_HOLDERS = (
    "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND granted"
    " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
)


@pytest_asyncio.fixture
async def events(database: Database, redis: Redis) -> EventLog:
    return EventLog(database, redis)


async def published(owner: Owner) -> bool:
    return not await owner.fetchval("SELECT count(*) FROM events WHERE published_at IS NULL")


async def key_of(redis: Redis, stream: str) -> bytes:
    """Where Redis keeps the stream, in the current epoch."""
    (key,) = await redis.keys(f"moneta:stream:*:{stream}")
    assert isinstance(key, bytes)
    return key


async def stored(redis: Redis, stream: str) -> list[Event]:
    entries: Any = await redis.xrange(await key_of(redis, stream))
    return [msgspec.json.decode(fields[b"e"], type=Event) for _, fields in entries]


async def test_facts_are_moved_in_order(database: Database, events: EventLog, redis: Redis, owner: Owner) -> None:
    await append(database, events, "early", range(3))
    async with relaying(database, redis), redis.pubsub(ignore_subscribe_messages=True) as pubsub:
        await pubsub.subscribe(CHANNEL)
        await asyncio.gather(*(append(database, events, stream, range(20)) for stream in ("a", "b")))
        await until(lambda: published(owner))

        for stream in ("a", "b"):
            moved = await stored(redis, stream)
            assert [event.seq for event in moved] == list(range(1, 21))
            assert [event.payload for event in moved] == [{"n": n} for n in range(20)]
            assert moved == await events.after(stream, 0, 100)
            assert 0 < await redis.ttl(await key_of(redis, stream)) <= STREAM_TTL_S
        assert [event.seq for event in await stored(redis, "early")] == [1, 2, 3]


async def test_a_batch_larger_than_one_is_moved(
    database: Database, events: EventLog, redis: Redis, owner: Owner
) -> None:
    facts = [Fact("a", "n", {"n": n}) for n in range(1234)]
    await database.write(SYSTEM, lambda tx: events.append(tx, facts))
    async with relaying(database, redis):
        await until(lambda: published(owner))
    assert [event.seq for event in await stored(redis, "a")] == list(range(1, 1235))


async def test_a_crash_before_the_move_loses_nothing(
    database: Database, events: EventLog, redis: Redis, owner: Owner, monkeypatch: pytest.MonkeyPatch
) -> None:
    await append(database, events, "a", range(5))
    nowhere = Redis.from_url("redis://127.0.0.1:1")
    with pytest.raises(RedisConnectionError):
        await Relay(database, nowhere)._lead()
    await nowhere.aclose()
    assert await owner.fetchval("SELECT count(*) FROM events WHERE published_at IS NULL") == 5
    await until(lambda: nobody_holds(owner))

    async with relaying(database, redis):
        await until(lambda: published(owner))
    assert [event.seq for event in await stored(redis, "a")] == [1, 2, 3, 4, 5]


async def nobody_holds(owner: Owner) -> bool:
    return not await owner.fetchval(LOCK_HOLDERS)


async def test_a_crash_after_the_move_stores_nothing_twice(
    database: Database, events: EventLog, redis: Redis, owner: Owner
) -> None:
    await append(database, events, "a", range(3))
    async with relaying(database, redis):
        await until(lambda: published(owner))
    # As if the relay had died between Redis and Postgres.
    await owner.execute("UPDATE events SET published_at = NULL")
    await append(database, events, "a", range(3, 5))

    async with relaying(database, redis), redis.pubsub(ignore_subscribe_messages=True) as pubsub:
        await pubsub.subscribe(CHANNEL)
        await until(lambda: published(owner))

    assert [event.seq for event in await stored(redis, "a")] == [1, 2, 3, 4, 5]


async def test_one_relay_is_active_and_another_takes_over(
    database: Database, events: EventLog, redis: Redis, owner: Owner
) -> None:
    async with relaying(database, redis) as first:
        await append(database, events, "a", range(2))
        await until(lambda: published(owner))
        async with relaying(database, redis) as second:
            await append(database, events, "a", range(2, 4))
            await until(lambda: published(owner))
            assert await owner.fetchval(LOCK_HOLDERS) == 1

            first.cancel()
            await asyncio.wait([first])
            await append(database, events, "a", range(4, 8))
            await until(lambda: published(owner))
            assert not second.done()
    assert [event.payload["n"] for event in await stored(redis, "a")] == list(range(8))
    await until(lambda: nobody_holds(owner))


async def test_the_relay_survives_the_loss_of_its_connection(
    database: Database, events: EventLog, redis: Redis, owner: Owner
) -> None:
    async with relaying(database, redis) as relay:
        await append(database, events, "a", range(2))
        await until(lambda: published(owner))
        await owner.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        await append(database, events, "a", range(2, 4))
        await until(lambda: published(owner))
        assert not relay.done()
    assert [event.payload["n"] for event in await stored(redis, "a")] == [0, 1, 2, 3]


async def test_a_relay_cancelled_at_any_moment_frees_its_lock(database: Database, redis: Redis, owner: Owner) -> None:
    for turns in range(40):
        task = asyncio.create_task(Relay(database, redis).run())
        await elapse(turns * 0.0002)
        await cancel(task)
    await until(lambda: nobody_holds(owner))
    assert database.pool.get_size() == database.pool.get_idle_size()


async def test_a_key_of_another_kind_holds_nothing_up(
    database: Database, events: EventLog, redis: Redis, owner: Owner
) -> None:
    epoch = (await events.positions([])).epoch
    await redis.set(stream_key(epoch, "a"), "no stream")
    async with relaying(database, redis):
        await append(database, events, "a", range(3))
        await append(database, events, "b", range(3))
        await until(lambda: published(owner))
        assert [event.seq for event in await stored(redis, "a")] == [1, 2, 3]
        assert [event.seq for event in await stored(redis, "b")] == [1, 2, 3]


async def date_back(redis: Redis, stream: str, count: int, fields: dict[bytes, bytes]) -> None:
    """The oldest of a stream's entries, as they look when it is late, or as an earlier release left them."""
    key = await key_of(redis, stream)
    entries: Any = await redis.xrange(key)
    await redis.delete(key)
    for number, (id, held) in enumerate(entries):
        kept: Any = {b"e": held[b"e"]} | fields if number < count else held
        await redis.xadd(key, kept, id=id)
    await redis.expire(key, STREAM_TTL_S)


async def seconds(redis: Redis) -> int:
    now: Any = await redis.time()
    return int(now[0])


@pytest.mark.parametrize("past", [*itertools.product([0, 1, 99, 100, 101, 249, 250], [True, False])], ids=str)
async def test_what_is_old_leaves_a_stream_that_goes_on(
    database: Database, events: EventLog, redis: Redis, owner: Owner, past: tuple[int, bool]
) -> None:
    old, dated = past
    await database.write(SYSTEM, lambda tx: events.append(tx, [Fact("a", "n", {"n": n}) for n in range(250)]))
    async with relaying(database, redis):
        await until(lambda: published(owner))
        late = str(await seconds(redis) - STREAM_TTL_S).encode()
        await date_back(redis, "a", old, {b"t": late} if dated else {})
        await append(database, events, "a", range(250, 251))
        await until(lambda: published(owner))
        assert [event.seq for event in await stored(redis, "a")] == list(range(old + 1, 252))
        assert 0 < await redis.ttl(await key_of(redis, "a")) <= STREAM_TTL_S


async def test_what_is_young_stays(database: Database, events: EventLog, redis: Redis, owner: Owner) -> None:
    await append(database, events, "a", range(3))
    async with relaying(database, redis):
        await until(lambda: published(owner))
        await date_back(redis, "a", 3, {b"t": str(await seconds(redis) - STREAM_TTL_S // 2).encode()})
        await append(database, events, "a", range(3, 4))
        await until(lambda: published(owner))
        assert [event.seq for event in await stored(redis, "a")] == [1, 2, 3, 4]


async def test_nothing_is_left_of_what_nobody_writes_and_it_is_read_all_the_same(
    database: Database, events: EventLog, redis: Redis, owner: Owner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relay_module, "STREAM_TTL_S", 1)
    async with relaying(database, redis), hub_of(events, redis) as hub:
        for stream in ("a", "b"):
            await append(database, events, stream, range(5))
        await until(lambda: published(owner))
        # An epoch that has ended is written no more.
        await events.renew_epoch()
        await append(database, events, "a", range(5, 7))
        await until(lambda: published(owner))

        async def gone() -> bool:
            return await redis.keys("moneta:*") == []

        await until(gone)
        await until(lambda: hub_knows(hub, events))
        async with following(hub, "a", after=0) as follower:
            assert [event.payload["n"] for event in await take(follower, 7)] == list(range(7))
        async with following(hub, "b", after=3) as follower:
            assert [event.seq for event in await take(follower, 2)] == [4, 5]


async def hub_knows(hub: Hub, events: EventLog) -> bool:
    return hub.epoch == (await events.positions([])).epoch


async def test_a_place_that_redis_has_forgotten_is_gone_on_from(
    database: Database, events: EventLog, redis: Redis, owner: Owner
) -> None:
    await append(database, events, "a", range(20))
    async with relaying(database, redis):
        await until(lambda: published(owner))
        await date_back(redis, "a", 15, {})
        await append(database, events, "a", range(20, 22))
        await until(lambda: published(owner))
        assert [event.seq for event in await stored(redis, "a")] == list(range(16, 23))
        async with hub_of(events, redis, memory_limit=1) as hub:
            for after in (0, 14, 15, 16, 21):
                async with following(hub, "a", after=after) as follower:
                    taken = await take(follower, 22 - after)
                    assert [event.seq for event in taken] == list(range(after + 1, 23))


async def test_a_connection_that_is_lost_half_way_through_an_answer_interrupts_and_is_no_defect(
    database: Database, events: EventLog, redis: Redis, owner: Owner, monkeypatch: pytest.MonkeyPatch
) -> None:
    move, lost = Relay._move_batch, list[str]()

    async def loses_one(relay: Relay, session: Any) -> int:
        if not lost:
            lost.append("answer")
            raise asyncpg.InternalClientError("got result for unknown protocol state 0")
        return await move(relay, session)

    monkeypatch.setattr(relay_module, "STANDBY_S", 0.0)
    monkeypatch.setattr(Relay, "_move_batch", loses_one)
    await append(database, events, "a", range(3))
    with listening() as logs:
        async with relaying(database, redis):
            await until(lambda: published(owner))
    assert [each["event"] for each in logs if each["event"] in {"relay.interrupted", "relay.failed"}] == [
        "relay.interrupted"
    ]
    assert [event.seq for event in await stored(redis, "a")] == [1, 2, 3]
