"""What tenants track, and what Moneta records of what it does itself."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from app.domains.campaigns.analytics.model import MAX_BATCH, NewEvent, ProjectRef
from app.domains.campaigns.participants.model import Participant, ParticipantErased
from app.domains.campaigns.projects.model import ProjectArchived
from app.domains.tenancy.tenants.model.tenants import MemberRole, PlanChanges, SubscriptionStatus, TenantNotActive
from app.kit.db import SYSTEM
from app.kit.errors import Forbidden, IdempotencyKeyReused, InvalidInput, NotFound
from tests.databases import NOON
from tests.domains.campaigns.analytics.park import Park
from tests.domains.campaigns.fair import in_test_mode

DEEP: dict[str, Any] = {"a": {"b": {"c": {"d": {"e": 1}}}}}


async def test_an_event_says_what_when_and_of_whom(park: Park) -> None:
    who, before = await park.fair.participant(), NOON - timedelta(days=6)
    given = {"path": "/é", "deep": {"a": [1, None, 1e308, 2**53 - 1]}, "": {}}
    event = NewEvent(
        type="wallet.connected",
        name="Wallet connected",
        participant_id=who,
        properties=given,
        user_properties={"plan": "x"},
        session_id="visit 1",
        ip_address="192.0.2.7",
        user_agent="Mozilla/5.0",
        occurred_at=before,
    )
    assert await park.track(event, NewEvent(type="x", name="y")) == 2
    newest, found = await park.events()
    assert (found.project_id, found.participant_id, found.source) == (park.project, who, "tenant")
    assert (found.event_type, found.event_name) == ("wallet.connected", "Wallet connected")
    assert (found.given_properties, found.given_user_properties) == (given, {"plan": "x"})
    assert (found.session_id, found.ip_address, found.user_agent) == ("visit 1", "192.0.2.7", "Mozilla/5.0")
    assert (found.occurred_at, found.created_at) == (before, NOON)
    assert (newest.occurred_at, newest.properties, newest.user_properties) == (NOON, {}, {})
    assert (newest.participant_id, newest.session_id, newest.ip_address, newest.user_agent) == (None,) * 4
    assert await park.events(type="x") == [newest]
    assert await park.events(participant_id=who) == [found]
    assert await park.events(since=before + timedelta(seconds=1)) == [newest]


async def test_a_project_is_named_by_its_key_as_well(park: Park) -> None:
    key = await park.owner.fetchval("SELECT key FROM projects")
    event = [NewEvent(type="x", name="y")]
    tracked = await park.fair.services.events.track(park.fair.alice, ProjectRef(key=key), event, "key")
    assert (tracked.project_id, tracked.events) == (park.project, 1)
    with pytest.raises(NotFound):
        await park.fair.services.events.track(park.fair.alice, ProjectRef(key=""), event, "other")


BAD: list[tuple[dict[str, Any], str]] = [
    ({"type": ""}, "type"),
    ({"type": "Joined"}, "type"),
    ({"type": "x" * 101}, "type"),
    ({"name": " "}, "name"),
    ({"name": "x" * 256}, "name"),
    ({"name": "\ud800"}, "name"),
    ({"properties": []}, "properties"),
    ({"properties": {"a": "x" * 10_000_000}}, "properties"),
    ({"properties": {"a": float("nan")}}, "properties"),
    ({"properties": {"a": float("inf")}}, "properties"),
    ({"properties": {"a": 10**5000}}, "properties"),
    ({"properties": DEEP}, "properties"),
    ({"properties": {str(each): each for each in range(65)}}, "properties"),
    ({"user_properties": {"a": "\x00"}}, "user_properties"),
    ({"session_id": "x" * 129}, "session_id"),
    ({"ip_address": "192.0.2"}, "ip_address"),
    ({"ip_address": "fe80::1%eth0"}, "ip_address"),
    ({"user_agent": ""}, "user_agent"),
    ({"occurred_at": NOON + timedelta(microseconds=1)}, "occurred_at"),
    ({"occurred_at": NOON - timedelta(days=7, microseconds=1)}, "occurred_at"),
    ({"occurred_at": NOON.replace(year=1)}, "occurred_at"),
]


@pytest.mark.parametrize(("given", "field"), BAD, ids=[f"{each[1]}-{n}" for n, each in enumerate(BAD)])
async def test_bad_input_is_named_and_nothing_is_recorded(park: Park, given: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        await park.track(NewEvent(type="x", name="y"), NewEvent(**({"type": "x", "name": "y"} | given)))
    assert [each.path for each in refused.value.fields] == [("events", "1", field)]
    assert await park.owner.fetchval("SELECT count(*) FROM analytics_events") == 0
    assert await park.owner.fetchval("SELECT count(*) FROM analytics_inbox") == 0


@pytest.mark.parametrize("number", [0, MAX_BATCH + 1])
async def test_a_batch_has_a_size(park: Park, number: int) -> None:
    events = [NewEvent(type="x", name="y")] * number
    with pytest.raises(InvalidInput) as refused:
        await park.fair.services.events.track(park.fair.alice, ProjectRef(id=park.project), events, "key")
    assert refused.value.path == ("events",)
    assert await park.track(*[NewEvent(type="x", name="y")] * MAX_BATCH) == MAX_BATCH


async def test_who_is_no_participant_of_the_tenant_is_not_found(park: Park) -> None:
    fair, office = park.fair, park.fair.office
    await office.found("other", by=office.bob)
    elsewhere = await office.acting(office.bob, "other")
    for stranger in (uuid4(), await fair.participant(in_test_mode(fair.alice)), await fair.participant(elsewhere)):
        with pytest.raises(NotFound) as refused:
            await park.track(NewEvent(type="x", name="y"), NewEvent(type="x", name="y", participant_id=stranger))
        assert (refused.value.kind, refused.value.path) == (Participant, ("events", "1", "participant_id"))
    assert await park.owner.fetchval("SELECT count(*) FROM analytics_events") == 0


async def test_only_admins_of_the_tenant_track_and_only_in_its_mode(park: Park) -> None:
    fair, office = park.fair, park.fair.office
    viewer = await office.join(office.bob, MemberRole.VIEWER)
    with pytest.raises(Forbidden):
        await park.track(by=viewer)
    await office.found("other", by=office.bob)
    for stranger in (await office.acting(office.bob, "other"), in_test_mode(fair.alice)):
        with pytest.raises(NotFound):
            await park.track(by=stranger)
        assert await park.events(by=stranger) == []
        assert await park.buckets(by=stranger) == []
        assert await park.funnel(by=stranger) is None
    assert await park.events(by=viewer) == []
    await park.track()
    assert len(await park.events(by=viewer)) == 1
    plans = PlanChanges(status=SubscriptionStatus.SUSPENDED)
    await office.services.tenants.update_plan(office.alice, fair.alice.tenant_id, plans)
    with pytest.raises(TenantNotActive):
        await park.track()
    assert len(await park.events(by=viewer)) == 1


async def test_an_archived_project_is_only_read(park: Park) -> None:
    await park.track()
    await park.fair.services.projects.archive(park.fair.alice, park.project)
    with pytest.raises(ProjectArchived):
        await park.track()
    assert len(await park.events()) == 1


async def test_a_key_records_once_whatever_has_become_of_the_time(park: Park) -> None:
    event = NewEvent(type="x", name="y", occurred_at=NOON - timedelta(days=7))
    assert await park.track(event, key="key") == 1
    park.fair.office.clock.advance(timedelta(days=1))
    assert await park.track(event, key="key") == 1
    assert len(await park.events()) == 1
    for changed in ({"name": "z"}, {"properties": {"a": 1}}, {"properties": {"a": float("nan")}}, {"properties": DEEP}):
        with pytest.raises(IdempotencyKeyReused):
            await park.track(
                NewEvent(**({"type": "x", "name": "y", "occurred_at": event.occurred_at} | changed)), key="key"
            )
    with pytest.raises(IdempotencyKeyReused):
        await park.track(event, event, key="key")


async def test_many_at_once_under_one_key_record_once(park: Park) -> None:
    assert await asyncio.gather(*(park.track(key="key") for _ in range(40))) == [1] * 40
    assert len(await park.events()) == 1


async def test_what_moneta_does_is_recorded_where_it_happens(park: Park) -> None:
    who = await park.joined(NOON)
    completion = await park.completed(who, NOON + timedelta(seconds=1))
    await park.points(who, -2, NOON + timedelta(seconds=2))
    await park.change(who, "verification_status = 'verified'")
    await park.change(who, "verification_status = 'rejected'")
    await park.change(who, "verification_status = 'pending'")
    await park.change(who, "points = points, level = 2")
    await park.change(who, "status = 'left', left_at = '2026-11-22T00:00Z'")
    await park.change(who, "status = 'active', left_at = NULL")
    await park.change(who, "status = 'banned', banned_at = '2026-11-23T00:00Z'")
    await park.change(who, "status = 'active', banned_at = NULL")
    found = await park.events()
    assert {each.source for each in found} == {"moneta"}
    assert {each.participant_id for each in found} == {who}
    by_type = {each.event_type: each for each in found}
    assert sorted(each.event_type for each in found) == sorted(
        [
            "participation.joined",
            "task.completed",
            "points.awarded",
            "points.taken",
            "participation.verified",
            "participation.rejected",
            "participation.left",
            "participation.rejoined",
            "participation.banned",
            "participation.unbanned",
        ]
    )
    assert by_type["participation.joined"].occurred_at == NOON
    assert (by_type["task.completed"].event_name, by_type["task.completed"].properties) == (
        "Follow us",
        {"task": "follow"},
    )
    assert by_type["task.completed"].occurred_at == NOON + timedelta(seconds=1)
    assert by_type["points.awarded"].properties == {"points": 5, "reason": "task"}
    assert by_type["points.taken"].properties == {"points": -2, "reason": "correction"}
    assert by_type["participation.left"].occurred_at == NOON.replace(day=22, hour=0)
    # One that is reviewed counts when it is accepted.
    await park.owner.execute("UPDATE task_completions SET status = 'pending' WHERE id = $1", completion)
    assert len(await park.events(type="task.completed")) == 1
    await park.owner.execute(
        "UPDATE task_completions SET status = 'accepted', reviewed_at = $2 WHERE id = $1", completion, NOON
    )
    assert len(await park.events(type="task.completed")) == 2


async def test_what_fails_has_not_happened(park: Park) -> None:
    who = await park.fair.participant()
    async with park.owner.transaction() as _:
        transaction = park.owner.transaction()
        await transaction.start()
        await park.join(who)
        await transaction.rollback()
    assert await park.events() == []
    assert await park.owner.fetchval("SELECT count(*) FROM analytics_inbox") == 0


async def test_where_events_came_from_is_forgotten_after_90_days(park: Park) -> None:
    await park.track(ip_address="192.0.2.7", user_agent="x", properties={"a": 1})
    park.fair.office.clock.advance(timedelta(days=90))
    assert await park.fair.services.events.empty_origins() == "0 events"
    park.fair.office.clock.advance(timedelta(microseconds=1))
    assert await park.fair.services.events.empty_origins() == "1 events"
    [event] = await park.events()
    assert (event.ip_address, event.user_agent, event.properties) == (None, None, {"a": 1})


async def test_an_erased_participant_is_in_no_event_and_what_happened_stays(park: Park) -> None:
    fair = park.fair
    who, other = await park.joined(), await park.joined()
    for each in (who, other):
        await park.track(participant_id=each, properties={"a": 1}, user_properties={"b": 1}, session_id="s")
    redacted = await fair.office.database.write(SYSTEM, lambda tx: fair.services.events.redact(tx, fair.alice, [who]))
    assert redacted == 2
    assert len(await park.events(participant_id=other)) == 2
    assert await park.events(participant_id=who) == []
    tracked = [each for each in await park.events(type="page.opened") if each.participant_id is None]
    assert [(e.properties, e.user_properties, e.session_id) for e in tracked] == [({}, {}, None)]
    assert len(await park.events(type="participation.joined")) == 2


async def test_of_who_was_erased_nothing_is_tracked(park: Park) -> None:
    who, other = await park.fair.participant(), await park.fair.participant()
    await park.fair.services.erasure.erase(park.fair.alice, who)
    named = [NewEvent(type="x", name="y", participant_id=each) for each in (other, who)]
    with pytest.raises(ParticipantErased) as refused:
        await park.track(*named)
    assert refused.value.path == ("events", "1", "participant_id")
    assert await park.events() == []
    assert await park.track(named[0]) == 1


async def test_nothing_is_tracked_while_somebody_is_erased(park: Park) -> None:
    everybody = [await park.fair.participant() for _ in range(20)]
    work = [park.track(participant_id=each, properties={"a": 1}, session_id="s") for each in everybody]
    erasing = [park.fair.services.erasure.erase(park.fair.alice, each) for each in everybody]
    results = await asyncio.gather(
        *(each for both in zip(work, erasing, strict=True) for each in both), return_exceptions=True
    )
    assert {type(each) for each in results[1::2]} == {type(None)}
    assert {type(each) for each in results[::2]} <= {int, ParticipantErased}
    events = await park.events()
    assert len(events) == results.count(1)
    assert {(each.participant_id, str(each.properties), each.session_id) for each in events} <= {(None, "{}", None)}


async def test_a_project_that_is_removed_takes_its_events_along(park: Park) -> None:
    await park.joined()
    await park.track()
    await park.statistics.count()
    await park.track()
    await park.owner.execute("DELETE FROM projects WHERE id = $1", park.project)
    for table in (
        "analytics_events",
        "analytics_inbox",
        "project_statistics",
        "participant_activity",
        "project_retention",
    ):
        assert await park.owner.fetchval(f"SELECT count(*) FROM {table}") == 0, table
