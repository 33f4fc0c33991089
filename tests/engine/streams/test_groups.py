"""Equal subscriptions are executed once; those of different audiences never share."""

import json
from datetime import datetime
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from redis.asyncio import Redis

from app.engine.execution.engine import Engine
from app.engine.execution.operations import ExecutionPath
from app.kit.db import Database
from app.kit.loaders import Audience
from tests.engine.streams.stage import ALICE, BOB, SCHEMA, STREAM, Inbox, stage_of
from tests.engine.support import LIMITS
from tests.waiting import until


@pytest.mark.parametrize("subscribers", [1, 10, 1000])
async def test_an_event_is_executed_once_however_many_subscribe(
    database: Database, redis: Redis, subscribers: int
) -> None:
    async with stage_of(database, redis) as stage:
        inboxes = [Inbox() for _ in range(subscribers)]
        for inbox in inboxes:
            await stage.open(inbox)
        await stage.append(1, 2, 3)
        await until(lambda: all(len(inbox.bodies) == 3 for inbox in inboxes))
        assert stage.world.executed == [1, 2, 3]
        assert stage.subscriptions.counters.executions == 3
        assert stage.subscriptions.counters.deliveries == 3 * subscribers
        assert stage.subscriptions.groups == 1
        # One encoding as well: they hold the very same bytes.
        assert {id(body) for inbox in inboxes for body in inbox.bodies} == {id(body) for body in inboxes[0].bodies}


async def test_every_event_says_where_it_is_and_when_it_was_appended(database: Database, redis: Redis) -> None:
    async with stage_of(database, redis) as stage:
        inbox = Inbox()
        position = "fragment Position on StreamEvent { cursor at }"
        await stage.open(inbox, f"subscription {{ numbers {{ ...Position value }} }} {position}")
        await stage.append(1, 2)
        await until(lambda: len(inbox.bodies) == 2)
        events = [json.loads(body)["data"]["numbers"] for body in inbox.bodies]
        stored = await stage.events.after(STREAM, 0, 10)
        assert [event["cursor"] for event in events] == inbox.cursors
        assert [datetime.fromisoformat(event["at"]) for event in events] == [event.created_at for event in stored]
        # A fragment on the interface is planned as one on the type is.
        assert stage.engine.paths == {ExecutionPath.BREADTH_FIRST: 2}


async def test_what_means_the_same_is_the_same(database: Database, redis: Redis) -> None:
    async with stage_of(database, redis) as stage:
        cursor_of = Inbox()
        await stage.open(cursor_of)
        await stage.append(1)
        await until(lambda: len(cursor_of.bodies) == 1)
        cursor = cursor_of.cursors[0]
        after = "subscription ($c: Cursor) { numbers(after: $c) { number value cursor } }"
        for by, query, variables in (
            (None, "subscription { numbers { number value cursor } }", None),
            (ALICE, "subscription {\n  # a remark\n  numbers { number, value, cursor }\n}", None),
            (BOB, f'subscription {{ numbers(after: "{cursor}") {{ number value cursor }} }}', None),
            (None, after, {"c": cursor}),
            (None, after, {"c": None}),
            (None, after, None),
        ):
            await stage.open(Inbox(), query, by=by, variables=variables)
        assert stage.subscriptions.groups == 1
        assert len(stage.subscriptions) == 7


async def test_what_differs_is_kept_apart(database: Database, redis: Redis) -> None:
    async with stage_of(database, redis) as stage:
        scaled = "subscription ($s: Int!) { numbers(scale: $s) { number } }"
        for query, variables in (
            ("subscription { numbers { number } }", None),
            ("subscription { numbers { value } }", None),
            ("subscription { n: numbers { number } }", None),
            ("subscription Named { numbers { number } }", None),
            (scaled, {"s": 1}),
            (scaled, {"s": 2}),
        ):
            await stage.open(Inbox(), query, variables=variables)
        assert stage.subscriptions.groups == 6


async def test_a_field_for_the_viewer_is_never_shared_with_another(database: Database, redis: Redis) -> None:
    async with stage_of(database, redis) as stage:
        query = "subscription { numbers { number ...F } } fragment F on Number { seenBy }"
        inboxes: dict[UUID | None, Inbox] = {viewer: Inbox() for viewer in (None, ALICE, BOB)}
        for viewer, inbox in inboxes.items():
            await stage.open(inbox, query, by=viewer)
            await stage.open(Inbox(), query, by=viewer)
        assert stage.subscriptions.groups == 3
        await stage.append(7)
        await until(lambda: all(inbox.bodies for inbox in inboxes.values()))
        for viewer, inbox in inboxes.items():
            assert json.loads(inbox.bodies[0])["data"] == {"numbers": {"number": 7, "seenBy": str(viewer)}}


async def test_what_is_shared_is_executed_as_nobody(database: Database, redis: Redis) -> None:
    async with stage_of(database, redis) as stage:
        prepared = stage.prepare("subscription { numbers { value } }")
        assert prepared.key is not None
        assert prepared.key.audience is Audience.PUBLIC
        prepared = stage.prepare("subscription { numbers { value seenBy } }")
        assert prepared.key is not None
        assert prepared.key.audience is Audience.VIEWER
        prepared = stage.prepare("subscription { own { value } }")
        assert prepared.key is not None
        assert prepared.key.audience is Audience.VIEWER


_FIELDS = st.lists(
    st.sampled_from(["number", "value", "seenBy", "cursor", "...F", "... on Number { seenBy }"]),
    min_size=1,
    unique=True,
)


@given(root=st.sampled_from(["numbers", "own"]), fields=_FIELDS, in_fragment=_FIELDS)
def test_whatever_is_selected_the_audience_is_public_only_without_the_viewer(
    root: str, fields: list[str], in_fragment: list[str]
) -> None:
    in_fragment = [each for each in in_fragment if not each.startswith("...F")] or ["number"]
    fragment = f"fragment F on Number {{ {' '.join(in_fragment)} }}" if "...F" in fields else ""
    prepared = Engine(SCHEMA, LIMITS).prepare(
        f"subscription {{ {root} {{ {' '.join(fields)} }} }} {fragment}", None, None, introspection_allowed=True
    )
    assert not isinstance(prepared, list)
    assert prepared.key is not None
    reached = " ".join(fields) + (" ".join(in_fragment) if "...F" in fields else "")
    expected = Audience.VIEWER if root == "own" or "seenBy" in reached else Audience.PUBLIC
    assert prepared.key.audience is expected
