"""What goes wrong in one place stays there: no group is left for dead, and no value is passed over for good."""

import asyncio
from collections.abc import Sequence
from typing import Any

import msgspec
import pytest
from redis.asyncio import Redis

from app.engine.declarations.stream_cursors import stream_cursor
from app.engine.declarations.subscriptions import Opened
from app.engine.execution.engine import Engine
from app.engine.execution.failures import TimedOut
from app.engine.execution.operations import Prepared, RequestContext
from app.engine.streams.model import Delivery, EndReason
from app.engine.streams.subscription import State, Subscription
from app.kit.db import SYSTEM, Database
from app.kit.errors import ResyncRequired, Unavailable
from app.kit.event_history import StreamHeads
from app.kit.events import Fact
from app.kit.hub import Hub
from tests.databases import Owner
from tests.engine.streams.stage import ALICE, STREAM, Inbox, Stage, stage_of
from tests.engine.support import listening
from tests.waiting import until

LATEST = "subscription { latest { number value } }"


async def append_unreadable(stage: Stage) -> None:
    """A fact that the payload function of `numbers` fails at."""
    fact = Fact(STREAM, "n", {"other": 2})
    await stage.world.database.write(SYSTEM, lambda tx: stage.events.append(tx, [fact]))


async def test_a_caller_that_finds_out_that_the_epoch_is_new_is_served(
    database: Database, redis: Redis, owner: Owner
) -> None:
    async with stage_of(database, redis) as stage:
        await stage.append(1)
        await owner.execute("UPDATE event_epoch SET epoch = gen_random_uuid()")
        inbox = Inbox()
        await stage.open(inbox)
        await stage.append(2)
        await until(lambda: bool(inbox.bodies))
        assert inbox.numbers == [2]
        assert stage.subscriptions.groups == 1


async def test_who_is_on_the_way_into_a_group_that_ends_joins_the_next(
    database: Database, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with stage_of(database, redis) as stage:
        first, second = Inbox(), Inbox()
        await stage.open(first)
        # The second comes from a process that is ahead, so its place is looked up; meanwhile the group ends.
        looking, found = asyncio.Event(), asyncio.Event()

        async def slow_top(_: StreamHeads, stream: str) -> int:
            looking.set()
            await found.wait()
            return 1

        with monkeypatch.context() as patch:
            patch.setattr(StreamHeads, "of", slow_top)
            opening = asyncio.create_task(stage.open(second, after=stream_cursor(stage.hub.epoch, STREAM, 1)))
            await looking.wait()
        group = next(iter(stage.subscriptions._entry_of))
        group.finish(ResyncRequired())
        assert first.finished
        await stage.append(1)
        found.set()
        await opening
        await stage.append(2)
        await until(lambda: bool(second.bodies))
        assert second.numbers == [2]
        assert stage.subscriptions.groups == 1
        stage.subscriptions.stop()
        assert stage.subscriptions.groups == 0
        assert stage.hub.listening == 0


async def test_an_event_that_cannot_be_shown_fails_alone(database: Database, redis: Redis) -> None:
    async with stage_of(database, redis) as stage:
        inbox, late = Inbox(), Inbox()
        await stage.open(inbox)
        await stage.append(1)
        await append_unreadable(stage)
        await stage.append(3)
        await until(lambda: len(inbox.bodies) == 3)
        unshown = b'{"errors":[{"message":"Internal error.","extensions":{"code":"INTERNAL"}}],"data":null}'
        assert inbox.bodies[1] == unshown
        assert inbox.cursors == [stream_cursor(stage.hub.epoch, STREAM, seq) for seq in (1, 2, 3)]
        # Who comes back to the place before it gets past it, too.
        await stage.open(late, after=inbox.cursors[0])
        await until(lambda: len(late.bodies) == 2)
        assert late.bodies == inbox.bodies[1:]


async def test_the_latest_value_waits_for_a_server_that_is_down(database: Database, redis: Redis) -> None:
    async with stage_of(database, redis) as stage:
        inbox = Inbox()
        await stage.open(inbox, LATEST)
        stage.world.failures += [Unavailable("gone"), Unavailable("gone")]
        await stage.volatile.publish("latest", "a", 1)
        await until(lambda: bool(inbox.bodies))
        assert inbox.numbers == [1]
        newcomer = Inbox()
        await stage.open(newcomer, LATEST)
        assert newcomer.numbers == [1]


async def test_a_slow_authorisation_delays_and_does_not_end(
    database: Database, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with stage_of(database, redis) as stage:
        inbox = Inbox()
        await stage.open(inbox, "subscription { own { number } }", by=ALICE)
        refusals: list[Exception] = [TimedOut(), Unavailable("gone")]
        open_stream = Engine.open_stream

        async def slow(self: Engine, prepared: Prepared, context: RequestContext) -> Opened:
            if refusals:
                raise refusals.pop()
            return await open_stream(self, prepared, context)

        monkeypatch.setattr(Engine, "open_stream", slow)
        await stage.append(1, stream=f"own:{ALICE}")
        await until(lambda: bool(inbox.bodies) or inbox.finished)
        assert inbox.numbers == [1]
        assert refusals == []


async def test_a_sink_may_close_its_subscription_while_it_is_handed_an_event(database: Database, redis: Redis) -> None:
    async with stage_of(database, redis) as stage:

        class Closing(Inbox):
            subscription: Subscription

            def deliver(self, deliveries: Sequence[Delivery]) -> bool:
                self.subscription.close(EndReason.COMPLETED)
                return False

        closing, sound = Closing(), Inbox()
        closing.subscription = await stage.open(closing)
        await stage.open(sound)
        await stage.append(1, 2)
        await until(lambda: len(sound.bodies) == 2)
        assert sound.numbers == [1, 2]
        assert not closing.subscription.is_open
        assert len(stage.subscriptions) == 1


async def test_every_subscriber_is_finished_though_one_cannot_be(
    database: Database, redis: Redis, owner: Owner
) -> None:
    async with stage_of(database, redis) as stage:

        class Gone(Inbox):
            def finish(self, errors: list[dict[str, Any]]) -> None:
                raise RuntimeError("the transport is closed")

        inboxes = [Inbox(), Gone(), Inbox()]
        for inbox in inboxes:
            await stage.open(inbox)
        await owner.execute("UPDATE event_epoch SET epoch = gen_random_uuid()")
        await until(lambda: len(stage.subscriptions) == 0)
        assert [inbox.codes for inbox in inboxes] == [["RESYNC_REQUIRED"], [], ["RESYNC_REQUIRED"]]
        assert stage.subscriptions.groups == 0


async def test_a_volatile_group_that_is_woken_before_it_has_begun_does_not_fail(
    database: Database, redis: Redis
) -> None:
    async with stage_of(database, redis) as stage:
        await stage.volatile.publish("latest", "a", 1)
        inbox = Inbox()
        with listening() as logs:
            await stage.open(inbox, LATEST)
            await until(lambda: bool(inbox.bodies))
        assert inbox.numbers == [1]
        assert [log["event"] for log in logs if log["log_level"] == "error"] == []


async def test_the_document_that_is_shown_defines_the_variables_of_its_fragments(
    database: Database, redis: Redis
) -> None:
    async with stage_of(database, redis) as stage:
        query = (
            "subscription ($s: Boolean!, $c: Cursor) { numbers(after: $c) { ...F } }"
            "fragment F on Number { number @skip(if: $s) }"
        )
        subscription = await stage.open(Inbox(), query, variables={"s": False})
        assert subscription.document.startswith("subscription ($s: Boolean!) {\n  numbers {")
        assert await stage.open(Inbox(), subscription.document, variables={"s": False})
        assert stage.subscriptions.groups == 1


async def test_who_comes_from_a_process_that_is_ahead_waits_until_we_are_there(
    database: Database, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with stage_of(database, redis) as stage:
        here, ahead = Inbox(), Inbox()
        subscription = await stage.open(here)

        async def look_away(_: Hub) -> None:
            pass

        # Redis reports nothing, and Postgres is not asked yet.
        with monkeypatch.context() as deaf:
            deaf.setattr(Hub, "_hear", lambda *_: None)
            deaf.setattr(Hub, "_check", look_away)
            await stage.append(1)
            comer = await stage.open(ahead, after=stream_cursor(stage.hub.epoch, STREAM, 1))
            assert (subscription.position, comer.position) == (0, 1)
            assert comer.state is State.REPLAYING
        await stage.append(2)
        await until(lambda: bool(here.bodies and ahead.bodies) and comer.state is State.LIVE)
        await stage.append(3)
        await until(lambda: len(here.bodies) == 3 and len(ahead.bodies) == 2)
        assert (here.numbers, ahead.numbers) == ([1, 2, 3], [2, 3])


async def test_subscribing_to_a_server_that_hangs_is_given_up(
    database: Database, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with stage_of(database, redis) as stage:
        stage.engine.limits = msgspec.structs.replace(stage.engine.limits, timeout_s=0.05)

        async def hang(*_: object, **__: object) -> None:
            await asyncio.Event().wait()

        monkeypatch.setattr(Hub, "listen", hang)
        errors = await stage.try_open(Inbox(), "subscription { numbers { number } }")
        assert isinstance(errors, list)
        assert [error["extensions"]["code"] for error in errors] == ["MAINTENANCE"]
        assert stage.subscriptions.groups == len(stage.subscriptions) == 0
