import asyncio
import itertools
import random

import pytest
import pytest_asyncio
from redis.asyncio import Redis

from app.kit.db import SYSTEM, Database, Tx
from app.kit.events import WAKE_CHANNEL, EventLog, Fact
from tests.databases import Owner
from tests.waiting import HANG_S


@pytest_asyncio.fixture
async def events(database: Database, redis: Redis) -> EventLog:
    return EventLog(database, redis)


async def test_facts_are_numbered_in_the_order_given(database: Database, events: EventLog) -> None:
    facts = [Fact("b", "x", {"n": 1}), Fact("a", "x", {"n": 2}), Fact("b", "y", {"n": 3}), Fact("b", "z", {"n": 4})]
    await database.write(SYSTEM, lambda tx: events.append(tx, facts))
    await database.write(SYSTEM, lambda tx: events.append(tx, [Fact("b", "last", {})]))

    b = await events.after("b", 0, 10)
    assert [(event.seq, event.kind) for event in b] == [(1, "x"), (2, "y"), (3, "z"), (4, "last")]
    assert b[0].payload == {"n": 1}
    assert [(event.seq, event.payload) for event in await events.after("a", 0, 10)] == [(1, {"n": 2})]
    assert [event.seq for event in await events.after("b", 2, 1)] == [3]
    assert (await events.positions(["a", "b", "never"])).seqs == {"a": 1, "b": 4, "never": 0}


async def test_an_empty_append_does_nothing(database: Database, events: EventLog, owner: Owner) -> None:
    await database.write(SYSTEM, lambda tx: events.append(tx, []))
    assert await owner.fetchval("SELECT count(*) FROM event_streams") == 0


async def test_fifty_writers_leave_no_gap_and_keep_the_order_of_commit(
    database: Database, events: EventLog, owner: Owner
) -> None:
    streams = ("s:1", "s:2", "s:3")
    commit_order: dict[str, list[int]] = {stream: [] for stream in streams}
    rng = random.Random(7)
    choices = [rng.sample(streams, rng.randint(1, 3)) for _ in range(50)]
    doomed = {writer for writer in range(50) if writer % 5 == 0}

    async def writer(number: int) -> None:
        async def work(tx: Tx) -> None:
            await events.append(tx, [Fact(stream, "written", {"writer": number}) for stream in choices[number]])
            if number in doomed:
                raise LookupError
            # The streams' locks are held from here to the commit: nobody else is between this line and it.
            for stream in choices[number]:
                commit_order[stream].append(number)

        try:
            await database.write(SYSTEM, work)
        except LookupError:
            assert number in doomed

    await asyncio.gather(*(writer(number) for number in range(50)))

    for stream in streams:
        stored = await events.after(stream, 0, 100)
        assert [event.seq for event in stored] == list(range(1, len(stored) + 1))
        assert [event.payload["writer"] for event in stored] == commit_order[stream]
        assert {event.payload["writer"] for event in stored} == {
            number for number in range(50) if number not in doomed and stream in choices[number]
        }
    ids = [
        row["id"]
        for stream in streams
        for row in await owner.fetch("SELECT id FROM events WHERE stream = $1 ORDER BY seq", stream)
    ]
    runs = [list(run) for run in itertools.pairwise(ids)]
    assert sum(second < first for first, second in runs) <= len(streams) - 1


async def test_times_keep_the_order_of_a_stream(database: Database, events: EventLog) -> None:
    """A transaction that began first may append last."""
    begun, appended = asyncio.Event(), asyncio.Event()

    async def slow(tx: Tx) -> None:
        await events.append(tx, [Fact("b", "before", {})])
        begun.set()
        await appended.wait()
        await events.append(tx, [Fact("a", "second", {}), Fact("a", "third", {})])

    async with asyncio.TaskGroup() as group:
        group.create_task(database.write(SYSTEM, slow))
        await begun.wait()
        await database.write(SYSTEM, lambda tx: events.append(tx, [Fact("a", "first", {})]))
        appended.set()

    stored = await events.after("a", 0, 10)
    assert [event.kind for event in stored] == ["first", "second", "third"]
    times = [event.created_at for event in stored]
    assert times == sorted(times)


async def test_a_rollback_leaves_no_trace(database: Database, events: EventLog, owner: Owner) -> None:
    async def work(tx: Tx) -> None:
        await events.append(tx, [Fact("a", "x", {})])
        raise LookupError

    with pytest.raises(LookupError):
        await database.write(SYSTEM, work)

    assert await owner.fetchval("SELECT count(*) FROM events") == 0
    assert (await events.positions(["a"])).seqs == {"a": 0}


async def test_the_relay_is_woken_by_a_commit_and_not_by_a_rollback(
    database: Database, events: EventLog, redis: Redis
) -> None:
    async with redis.pubsub() as pubsub:
        await pubsub.subscribe(WAKE_CHANNEL)
        assert (await pubsub.get_message(timeout=HANG_S) or {})["type"] == "subscribe"

        async def fail(tx: Tx) -> None:
            await events.append(tx, [Fact("a", "x", {})])
            raise LookupError

        with pytest.raises(LookupError):
            await database.write(SYSTEM, fail)
        await database.write(SYSTEM, lambda tx: events.append(tx, [Fact("a", "x", {})]))
        assert events._wake.ringing is not None
        await events._wake.ringing
        await redis.publish(WAKE_CHANNEL, b"end")

        heard = [await pubsub.get_message(timeout=HANG_S) for _ in range(2)]
        assert [message and message["data"] for message in heard] == [b"", b"end"]


async def test_a_dead_redis_fails_no_write(database: Database, caplog: pytest.LogCaptureFixture) -> None:
    nowhere = Redis.from_url("redis://127.0.0.1:1")
    events = EventLog(database, nowhere)
    await database.write(SYSTEM, lambda tx: events.append(tx, [Fact("a", "x", {})]))
    assert events._wake.ringing is not None
    await events._wake.ringing
    assert (await events.positions(["a"])).seqs == {"a": 1}
    assert "never retrieved" not in caplog.text
    await nowhere.aclose()


def test_no_stream_has_a_line_break_in_its_name() -> None:
    with pytest.raises(ValueError, match="line break"):
        Fact("two\nlines", "kind", {})
