"""A subscription goes on behind a cursor: with no hole, nothing twice, or not at all."""

import asyncio
import random
from uuid import uuid4

import pytest
from redis.asyncio import Redis

from app.engine.declarations.stream_cursors import stream_cursor
from app.kit.db import Database
from tests.databases import Owner
from tests.engine.streams.stage import ALICE, BOB, STREAM, Inbox, stage_of
from tests.waiting import until

OWN = "subscription { own { number cursor } }"
NUMBERS = "subscription { numbers { number } }"


async def test_it_replays_and_goes_on_live(database: Database, redis: Redis) -> None:
    async with stage_of(database, redis) as stage:
        await stage.append(*range(1, 31))
        late = Inbox()
        cursor = stream_cursor(stage.hub.epoch, STREAM, 10)
        await stage.open(late, after=cursor)
        await until(lambda: len(late.bodies) == 20)
        await stage.append(31, 32)
        await until(lambda: len(late.bodies) == 22)
        assert late.numbers == list(range(11, 33))
        assert late.cursors[-1] == stream_cursor(stage.hub.epoch, STREAM, 32)
        assert not late.finished


async def test_before_the_first_event_and_at_the_last(database: Database, redis: Redis) -> None:
    async with stage_of(database, redis) as stage:
        await stage.append(1, 2)
        first, last = Inbox(), Inbox()
        await stage.open(first, after=stream_cursor(stage.hub.epoch, STREAM, 0))
        await stage.open(last, after=stream_cursor(stage.hub.epoch, STREAM, 2))
        await stage.append(3)
        await until(lambda: len(first.bodies) == 3 and len(last.bodies) == 1)
        assert first.numbers == [1, 2, 3]
        assert last.numbers == [3]


async def test_a_stream_that_is_followed_from_its_beginning(database: Database, redis: Redis) -> None:
    async with stage_of(database, redis) as stage:
        await stage.append(*range(1, 31))
        first, second, third = Inbox(), Inbox(), Inbox()
        await stage.open(first, "subscription { whole { number cursor } }")
        await stage.open(second, "subscription { whole(since: 10) { number cursor } }")
        await until(lambda: len(first.numbers) == 30 and len(second.numbers) == 20)
        await stage.append(31)
        await until(lambda: len(first.numbers) == 31 and len(second.numbers) == 21)
        # A cursor counts more than the beginning.
        await stage.open(third, "subscription { whole { number cursor } }", after=first.cursors[28])
        await until(lambda: len(third.numbers) == 2)
    assert (first.numbers, second.numbers, third.numbers) == ([*range(1, 32)], [*range(11, 32)], [30, 31])


async def test_events_that_a_field_does_not_show_are_passed_over(database: Database, redis: Redis) -> None:
    async with stage_of(database, redis) as stage:
        await stage.append(1)
        await stage.append(2, kind="other")
        await stage.append(3)
        inbox = Inbox()
        await stage.open(inbox, after=stream_cursor(stage.hub.epoch, STREAM, 1))
        await until(lambda: len(inbox.bodies) == 1)
        assert inbox.numbers == [3]


async def test_the_seam_between_replay_and_live_a_thousand_times(database: Database, redis: Redis) -> None:
    """Subscribers come back at any place while events are appended: each has every number once, in order."""
    chance = random.Random(7)
    total, subscribers = 400, 1000
    async with stage_of(database, redis) as stage:
        await stage.append(*range(1, 51))

        async def publish() -> None:
            for number in range(51, total + 1):
                await stage.append(number)

        publishing = asyncio.create_task(publish())
        inboxes: list[tuple[int, Inbox]] = []
        for _ in range(subscribers):
            top = await stage.hub.top(STREAM)
            start = chance.randint(max(0, top - 60), top)
            inbox = Inbox()
            inboxes.append((start, inbox))
            await stage.open(inbox, after=stream_cursor(stage.hub.epoch, STREAM, start))
        await publishing
        await until(lambda: all(len(inbox.bodies) >= total - start for start, inbox in inboxes))
        for start, inbox in inboxes:
            assert inbox.numbers == list(range(start + 1, total + 1))
        # Single-flight: whatever was asked for by many, each event was executed about once.
        assert len(stage.world.executed) <= total


async def test_many_who_come_back_at_once_cost_one_execution_of_each_event(database: Database, redis: Redis) -> None:
    async with stage_of(database, redis) as stage:
        await stage.append(*range(1, 21))
        inboxes = [Inbox() for _ in range(500)]
        cursor = stream_cursor(stage.hub.epoch, STREAM, 5)
        await asyncio.gather(*(stage.open(inbox, after=cursor) for inbox in inboxes))
        await until(lambda: all(len(inbox.bodies) == 15 for inbox in inboxes))
        assert sorted(stage.world.executed) == list(range(6, 21))
        assert stage.subscriptions.counters.replays == 500


@pytest.mark.parametrize("cursor", ["nonsense", "ä", "A" * 22, "A" * 200])
async def test_what_is_no_cursor_asks_for_a_resync(database: Database, redis: Redis, cursor: str) -> None:
    async with stage_of(database, redis) as stage:
        await stage.append(1)
        errors = await stage.try_open(
            Inbox(), "subscription ($a: Cursor) { numbers(after: $a) { number } }", variables={"a": cursor}
        )
        assert isinstance(errors, list)
        assert [error["extensions"]["code"] for error in errors] == ["RESYNC_REQUIRED"]
        assert stage.subscriptions.counters.resyncs == 1
        assert stage.subscriptions.groups == 0


async def test_a_cursor_of_another_stream_of_the_future_or_of_another_life(database: Database, redis: Redis) -> None:
    async with stage_of(database, redis) as stage:
        await stage.append(1, 2, 3)
        await stage.append(1, 2, 3, stream=f"own:{BOB}")
        epoch = stage.hub.epoch
        for cursor in (
            stream_cursor(epoch, f"own:{BOB}", 1),
            stream_cursor(epoch, STREAM, 4),
            stream_cursor(epoch, STREAM, 2**63),
            stream_cursor(uuid4(), STREAM, 1),
        ):
            for query, by in ((NUMBERS, None), (OWN, ALICE)):
                errors = await stage.try_open(Inbox(), query, by=by, after=cursor)
                assert isinstance(errors, list), cursor
                assert [error["extensions"]["code"] for error in errors] == ["RESYNC_REQUIRED"]


async def test_a_place_further_back_than_is_replayed(database: Database, redis: Redis) -> None:
    async with stage_of(database, redis, replay_limit=5) as stage:
        await stage.append(*range(1, 11))
        within, beyond = Inbox(), Inbox()
        await stage.open(within, after=stream_cursor(stage.hub.epoch, STREAM, 5))
        errors = await stage.try_open(beyond, NUMBERS, after=stream_cursor(stage.hub.epoch, STREAM, 4))
        assert isinstance(errors, list)
        await until(lambda: len(within.bodies) == 5)
        assert beyond.bodies == []


async def test_a_place_whose_events_are_gone(database: Database, redis: Redis, owner: Owner) -> None:
    async with stage_of(database, redis) as stage:
        await stage.append(*range(1, 11))
        # Before Redis loses them, all must have been moved there: what is moved later, Redis would still have.
        await until(lambda: all_are_moved(owner))
        await redis.flushall()
        await owner.execute("DELETE FROM events WHERE stream = $1 AND seq <= 5", STREAM)
        lost, kept = Inbox(), Inbox()
        await stage.open(lost, after=stream_cursor(stage.hub.epoch, STREAM, 2))
        await stage.open(kept, after=stream_cursor(stage.hub.epoch, STREAM, 5))
        await until(lambda: lost.finished and len(kept.bodies) == 5)
        assert lost.codes == ["RESYNC_REQUIRED"]
        assert lost.bodies == []
        assert kept.numbers == [6, 7, 8, 9, 10]
        assert len(stage.subscriptions) == 1


async def all_are_moved(owner: Owner) -> bool:
    return not await owner.fetchval("SELECT count(*) FROM events WHERE published_at IS NULL")


async def test_a_new_epoch_ends_what_is_open(database: Database, redis: Redis, owner: Owner) -> None:
    async with stage_of(database, redis) as stage:
        await stage.append(1)
        inbox = Inbox()
        await stage.open(inbox)
        await stage.append(2)
        await until(lambda: inbox.numbers == [2])
        await owner.execute("UPDATE event_epoch SET epoch = gen_random_uuid()")
        await until(lambda: inbox.finished)
        assert inbox.codes == ["RESYNC_REQUIRED"]
        assert stage.subscriptions.groups == 0
        # Who reads anew goes on.
        again = Inbox()
        await stage.open(again)
        await stage.append(3)
        await until(lambda: again.numbers == [3])
