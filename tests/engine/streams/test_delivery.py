"""Each subscriber gets each event once and in order, however it reads, and whatever fails meanwhile."""

import asyncio
from collections.abc import Sequence

import pytest
from redis.asyncio import Redis

from app.engine.streams.iterator import Failed
from app.engine.streams.model import Delivery, EndReason, Transport
from app.kit.db import Database
from app.kit.errors import Unavailable
from tests.engine.streams.stage import ALICE, BOB, STREAM, Context, Inbox, stage_of
from tests.engine.support import NOBODY
from tests.pulled_events import iterate
from tests.waiting import until

OWN = "subscription { own { number value } }"


async def test_a_subscriber_that_cannot_take_misses_nothing_and_holds_nobody_up(
    database: Database, redis: Redis
) -> None:
    async with stage_of(database, redis) as stage:
        slow, quick = Inbox(), Inbox()
        subscription = await stage.open(slow)
        await stage.open(quick)
        await stage.append(1)
        await until(lambda: slow.numbers == [1])
        slow.full = True
        await stage.append(*range(2, 60))
        await until(lambda: len(quick.bodies) == 59)
        assert slow.numbers == [1]
        assert (subscription.delivered, subscription.lag) == (1, 58)
        slow.full = False
        subscription.resume()
        await until(lambda: len(slow.bodies) == 59)
        await stage.append(60)
        await until(lambda: len(slow.bodies) == 60)
        assert slow.numbers == quick.numbers == list(range(1, 61))
        assert (subscription.delivered, subscription.lag) == (60, 0)
        assert stage.world.executed == list(range(1, 61))


async def test_refusing_again_and_again_loses_nothing(database: Database, redis: Redis) -> None:
    async with stage_of(database, redis) as stage:

        class Moody(Inbox):
            def deliver(self, deliveries: Sequence[Delivery]) -> bool:
                self.full = not self.full
                return super().deliver(deliveries)

        moody = Moody()
        subscription = await stage.open(moody)
        appending = asyncio.create_task(stage.append(*range(1, 200)))

        async def took_all() -> bool:
            subscription.resume()
            await asyncio.sleep(0)
            return len(moody.bodies) == 199

        await until(took_all)
        await appending
        assert moody.numbers == list(range(1, 200))


async def test_leaving_at_any_moment(database: Database, redis: Redis) -> None:
    async with stage_of(database, redis) as stage:
        stays = Inbox()
        await stage.open(stays)
        appending = asyncio.create_task(stage.append(*range(1, 101)))
        for _ in range(200):
            inbox = Inbox()
            subscription = await stage.open(inbox)
            await asyncio.sleep(0)
            subscription.close(EndReason.COMPLETED)
            subscription.close(EndReason.COMPLETED)
            given = len(inbox.bodies)
            subscription.resume()
            assert len(inbox.bodies) == given
        await appending
        await until(lambda: len(stays.bodies) == 100)
        assert stays.numbers == list(range(1, 101))
        assert len(stage.subscriptions) == 1


async def test_ten_thousand_opened_and_closed_leave_nothing(database: Database, redis: Redis) -> None:
    async with stage_of(database, redis) as stage:
        before = asyncio.all_tasks()
        for round_ in range(100):
            opened = [await stage.open(Inbox(), by=ALICE if n % 2 else BOB) for n in range(90)]
            opened += [await stage.open(Inbox(), OWN, by=ALICE if n % 2 else BOB) for n in range(10)]
            if round_ % 20 == 0:
                await stage.append(round_)
            for subscription in opened:
                subscription.close(EndReason.COMPLETED)
        assert len(stage.subscriptions) == stage.subscriptions.groups == 0
        assert stage.subscriptions.of(ALICE) == []
        await until(lambda: stage.hub.listening == 0)
        await until(lambda: asyncio.all_tasks() <= before)


async def test_an_event_waits_for_a_server_that_is_down(database: Database, redis: Redis) -> None:
    async with stage_of(database, redis) as stage:
        inbox = Inbox()
        await stage.open(inbox)
        stage.world.failures += [Unavailable(), Unavailable()]
        await stage.append(1, 2)
        await until(lambda: len(inbox.bodies) == 2)
        assert inbox.numbers == [1, 2]
        assert not any(b"errors" in body for body in inbox.bodies)


@pytest.mark.plan_fails
async def test_an_event_that_fails_says_so_and_the_next_follows(database: Database, redis: Redis) -> None:
    async with stage_of(database, redis) as stage:
        inbox = Inbox()
        await stage.open(inbox, "subscription { numbers { value } }")
        # Breadth-first and then graphql-core: both paths fail.
        stage.world.failures += [ValueError("secret"), ValueError("secret")]
        await stage.append(1)
        await until(lambda: len(inbox.bodies) == 1)
        await stage.append(2)
        await until(lambda: len(inbox.bodies) == 2)
        assert b"INTERNAL" in inbox.bodies[0]
        assert b"secret" not in inbox.bodies[0]
        assert b'"value":2' in inbox.bodies[1]


async def test_who_may_not_follow_gets_the_reason(database: Database, redis: Redis) -> None:
    async with stage_of(database, redis) as stage:
        stage.world.forbidden.add(ALICE)
        for viewer in (None, ALICE):
            errors = await stage.try_open(Inbox(), OWN, by=viewer)
            assert isinstance(errors, list)
            assert [error["extensions"]["code"] for error in errors] == ["FORBIDDEN"]
        assert stage.subscriptions.groups == 0


async def test_who_may_not_follow_any_more_gets_no_further_event(database: Database, redis: Redis) -> None:
    async with stage_of(database, redis) as stage:
        alice, bob = Inbox(), Inbox()
        await stage.open(alice, OWN, by=ALICE)
        await stage.open(bob, OWN, by=BOB)
        await stage.append(1, stream=f"own:{ALICE}")
        await until(lambda: alice.numbers == [1])
        stage.world.forbidden.add(ALICE)
        await stage.append(2, stream=f"own:{ALICE}")
        await stage.append(3, stream=f"own:{BOB}")
        await until(lambda: alice.finished and bob.numbers == [3])
        assert alice.codes == ["FORBIDDEN"]
        assert alice.numbers == [1]


async def test_a_subscription_is_ended_by_its_viewer_only(database: Database, redis: Redis) -> None:
    async with stage_of(database, redis) as stage:
        inbox = Inbox()
        subscription = await stage.open(inbox, OWN, by=ALICE)
        assert [each.id for each in stage.subscriptions.of(ALICE)] == [subscription.id]
        assert stage.subscriptions.of(BOB) == []
        assert not stage.subscriptions.end(subscription.id, BOB)
        assert (inbox.finished, inbox.errors) == (False, None)
        assert stage.subscriptions.end(subscription.id, ALICE)
        assert (inbox.finished, inbox.codes, inbox.reasons) == (True, ["STREAM_CLOSED"], ["STREAM_CLOSED"])
        assert not stage.subscriptions.end(subscription.id, ALICE)
        assert subscription.document == "subscription {\n  own {\n    number\n    value\n  }\n}"


async def test_pulled_instead_of_pushed(database: Database, redis: Redis) -> None:
    async with stage_of(database, redis) as stage:
        prepared = stage.prepare("subscription { numbers { number value } }")
        stream = iterate(stage.subscriptions, prepared, Context(stage.world, None), Transport.SSE, NOBODY)
        first = asyncio.ensure_future(anext(stream))
        await until(lambda: len(stage.subscriptions) == 1)
        await stage.append(*range(1, 101))
        taken = [await first]
        while len(taken) < 100:
            taken.append(await anext(stream))
        assert [b'"number":%d,' % n in each.body for n, each in enumerate(taken, 1) if isinstance(each, Delivery)] == [
            True
        ] * 100
        await stream.aclose()
        assert len(stage.subscriptions) == 0
        refused = [
            each
            async for each in iterate(
                stage.subscriptions, stage.prepare(OWN), Context(stage.world, None), Transport.SSE, NOBODY
            )
        ]
        assert [type(each) for each in refused] == [Failed]


async def test_volatile_values_conflate(database: Database, redis: Redis) -> None:
    async with stage_of(database, redis) as stage:
        query = "subscription { latest { number value } }"
        await stage.volatile.publish("latest", "a", 1)
        slow, quick = Inbox(), Inbox()
        subscription = await stage.open(slow, query)
        await stage.open(quick, query)
        await until(lambda: slow.numbers == quick.numbers == [1])
        slow.full = True
        for value in range(2, 30):
            await stage.volatile.publish("latest", "a", value)
            await until(lambda value=value: quick.numbers[-1] == value)  # type: ignore[misc]
        await stage.volatile.publish("latest", "b", 100)
        await until(lambda: quick.numbers[-1] == 100)
        slow.full = False
        subscription.resume()
        assert slow.numbers == [1, 29, 100]
        await stage.volatile.publish("latest", "a", 30)
        await until(lambda: slow.numbers[-1] == 30)
        assert slow.numbers == [1, 29, 100, 30]
        newcomer = Inbox()
        await stage.open(newcomer, query)
        await until(lambda: newcomer.numbers == [100, 30])
        assert stage.hub.listening == 0


async def test_equal_choices_of_a_topic_share_and_others_see_only_theirs(database: Database, redis: Redis) -> None:
    query = "subscription($keys: [String!]!) { chosen(keys: $keys) { number value } }"
    async with stage_of(database, redis) as stage:
        a, again, b, both = inboxes = [Inbox() for _ in range(4)]
        for inbox, keys in zip(inboxes, (["a"], ["a"], ["b"], ["b", "a"]), strict=True):
            await stage.open(inbox, query, variables={"keys": keys})
        assert stage.subscriptions.groups == 3
        for key, number in (("a", 1), ("b", 2), ("c", 3)):
            await stage.volatile.publish("latest", key, number)
        await stage.volatile.publish("latest", "a", 4)
        await until(lambda: both.numbers[-1:] == [4] and a.numbers[-1:] == [4] and b.numbers == [2])
    assert 3 not in both.numbers
    assert a.numbers == again.numbers == [number for number in a.numbers if number in {1, 4}]
    assert set(both.numbers) <= {1, 2, 4}


async def test_the_lag_of_a_stream_is_that_of_its_slowest(database: Database, redis: Redis) -> None:
    async with stage_of(database, redis) as stage:
        slow = Inbox(full=True)
        await stage.open(slow)
        quick = Inbox()
        await stage.open(quick)
        await stage.append(1, 2, 3)
        await until(lambda: len(quick.bodies) == 3)
        assert stage.subscriptions.lag == 3
        assert STREAM == "numbers"


async def test_a_sink_that_fails_is_let_go_and_the_others_are_none_the_worse(database: Database, redis: Redis) -> None:
    async with stage_of(database, redis) as stage:

        class Broken(Inbox):
            def deliver(self, deliveries: Sequence[Delivery]) -> bool:
                raise RuntimeError("the transport is closed")

        broken, sound = Broken(), Inbox()
        await stage.open(broken)
        await stage.open(sound)
        await stage.append(1, 2)
        await until(lambda: len(sound.bodies) == 2)
        assert sound.numbers == [1, 2]
        # It is closed with a reason, where that is still possible: a stream that only falls silent looks alive.
        assert broken.codes == ["INTERNAL"]
        assert len(stage.subscriptions) == 1
