"""How often it happens, who stays and how far they get: each event counts once, whenever it is counted."""

import asyncio
from datetime import datetime, timedelta
from random import Random
from typing import Any
from uuid import UUID

import pytest

from app.domains.campaigns.analytics.model import Interval, NewEvent
from app.domains.campaigns.analytics.services.statistics import Statistics, span
from app.kit.errors import InvalidInput
from tests.databases import NOON
from tests.domains.campaigns.analytics.park import DAY, Park, numbers
from tests.domains.campaigns.fair import in_test_mode

WEEK = DAY - timedelta(days=5)
"""The Monday of the week."""
HOUR = timedelta(hours=1)


async def test_parts_of_the_calendar_are_there_where_nothing_happened_too(park: Park) -> None:
    who, late = await park.joined(NOON), await park.joined(NOON + HOUR)
    await park.completed(who, NOON + HOUR)
    await park.points(who, -2, NOON + HOUR)
    await park.track(participant_id=late)
    await park.track(participant_id=late)
    await park.track()
    await park.change(late, f"status = 'left', left_at = '{(NOON + 2 * HOUR).isoformat()}'")
    expected = [
        (0, 0, 0, 0, 0, 0, 0),
        (1, 0, 0, 0, 0, 3, 2),
        (1, 0, 1, 0, 3, 0, 2),
        (0, 1, 0, 0, 0, 0, 0),
    ]
    for _ in range(2):
        found = await park.buckets(NOON - HOUR, NOON + 3 * HOUR, Interval.HOUR)
        assert numbers(found) == expected
        assert [each.started_at for each in found] == [NOON - HOUR + n * HOUR for n in range(4)]
        assert [each.ended_at for each in found] == [NOON + n * HOUR for n in range(4)]
        assert numbers(await park.buckets()) == [(2, 1, 1, 0, 3, 3, 2)]
        [week] = await park.buckets(NOON, NOON + HOUR, Interval.WEEK)
        assert (week.started_at, week.ended_at, numbers([week])) == (
            WEEK,
            WEEK + timedelta(days=7),
            [(2, 1, 1, 0, 3, 3, 2)],
        )
        [month] = await park.buckets(NOON, NOON + HOUR, Interval.MONTH)
        assert (month.started_at, month.ended_at) == (DAY.replace(day=1), DAY.replace(month=12, day=1))
        # The same again, once it is counted.
        await park.statistics.count()
        assert await park.owner.fetchval("SELECT count(*) FROM analytics_inbox") == 0
    assert await park.statistics.count() == "0 sums changed"


async def test_what_happens_later_adds_to_what_is_counted(park: Park) -> None:
    who = await park.joined()
    await park.statistics.count()
    await park.track(participant_id=who)
    await park.track(participant_id=await park.joined())
    await park.track(participant_id=who, occurred_at=NOON - timedelta(days=3))
    for _ in range(2):
        assert numbers(await park.buckets()) == [(2, 0, 0, 0, 0, 2, 2)]
        assert numbers(await park.buckets(DAY - timedelta(days=3), DAY)) == [
            (0, 0, 0, 0, 0, 1, 1),
            (0, 0, 0, 0, 0, 0, 0),
            (0, 0, 0, 0, 0, 0, 0),
        ]
        assert numbers(await park.buckets(interval=Interval.WEEK)) == [(2, 0, 0, 0, 0, 3, 2)]
        await park.statistics.count()


async def test_who_had_left_does_not_leave_again_by_a_ban_or_its_end(park: Park) -> None:
    who = await park.joined(NOON)
    left, banned = (NOON + n * HOUR for n in (1, 2))
    await park.change(who, f"status = 'left', left_at = '{left.isoformat()}'")
    await park.change(who, f"status = 'banned', banned_at = '{banned.isoformat()}'")
    await park.change(who, "status = 'left', banned_at = NULL")
    for _ in range(2):
        found = numbers(await park.buckets(NOON, NOON + 3 * HOUR, Interval.HOUR))
        assert [(joins, leaves) for joins, leaves, *_ in found] == [(1, 0), (0, 1), (0, 0)]
        await park.statistics.count()
    assert await park.owner.fetchval("SELECT sum(leaves) FROM project_statistics WHERE interval = 'month'") == 1
    happened = {(each.event_type, each.occurred_at) for each in await park.events()}
    assert happened >= {("participation.left", left), ("participation.left.banned", banned)}
    assert sorted(each for each, _ in happened) == [
        "participation.joined",
        "participation.left",
        "participation.left.banned",
        "participation.left.unbanned",
    ]


async def test_who_does_something_was_active_then(park: Park) -> None:
    sql = "SELECT last_active_at, updated_at, id FROM participants ORDER BY id"
    who, idle, erased = [await park.joined() for _ in range(3)]
    await park.fair.services.erasure.erase(park.fair.alice, erased)
    before = {row["id"]: row for row in await park.owner.fetch(sql)}
    last = NOON + 3 * HOUR
    await park.completed(who, last)
    await park.completed(who, NOON + HOUR)
    await park.points(idle, 7, last)
    await park.completed(erased, last)
    assert await park.owner.fetchval("SELECT count(*) FROM analytics_inbox WHERE participant_id = $1", erased)
    await park.statistics.count()
    now = {row["id"]: row for row in await park.owner.fetch(sql)}
    assert now[who]["last_active_at"] == last
    assert now[who]["updated_at"] == before[who]["updated_at"]
    assert (now[idle], now[erased]) == (before[idle], before[erased])
    # What happened earlier, or within a minute, moves nothing.
    await park.track(participant_id=who, occurred_at=NOON - HOUR)
    await park.completed(who, last + timedelta(seconds=59))
    await park.statistics.count()
    assert {row["id"]: row for row in await park.owner.fetch(sql)} == now


async def test_a_tenant_can_say_of_itself_what_it_likes(park: Park) -> None:
    """It counts as tracked, and as nothing that Moneta does."""
    who = await park.fair.participant()
    types = ("participation.joined", "participation.left", "task.completed", "points.awarded", "participation.verified")
    await park.track(*(NewEvent(type=each, name="x", participant_id=who, properties={"points": 7}) for each in types))
    for _ in range(2):
        assert numbers(await park.buckets()) == [(0, 0, 0, 0, 0, 5, 1)]
        await park.statistics.count()
    assert await park.retention() == []


async def test_modes_and_projects_count_apart(park: Park) -> None:
    fair = park.fair
    other = await fair.project()
    await park.joined(project=other)
    test = in_test_mode(fair.alice)
    tested = Park(fair, await fair.project(test))
    await tested.track(by=test)
    await park.statistics.count()
    assert numbers(await park.buckets()) == [(0, 0, 0, 0, 0, 0, 0)]
    assert numbers(await Park(fair, other).buckets()) == [(1, 0, 0, 0, 0, 0, 1)]
    assert numbers(await tested.buckets(by=test)) == [(0, 0, 0, 0, 0, 1, 0)]
    assert await tested.buckets() == []


async def test_many_that_count_at_once_count_each_event_once(park: Park, warm: None) -> None:
    who = [await park.joined() for _ in range(5)]
    counting = Statistics(park.fair.office.database, park.fair.office.clock, batch=3)

    async def one(number: int) -> None:
        await park.track(participant_id=who[number % 5], occurred_at=NOON - timedelta(hours=number % 30))

    await asyncio.gather(*(one(n) if n % 2 else counting.count() for n in range(80)))
    await asyncio.gather(*(counting.count() for _ in range(40)))
    days = await park.buckets(DAY - timedelta(days=1), DAY + timedelta(days=1))
    assert sum(each.tracked for each in days) == 40
    assert sum(each.joins for each in days) == 5
    [month] = await park.buckets(interval=Interval.MONTH)
    assert (month.tracked, month.active_participants) == (40, 5)


@pytest.mark.parametrize("seed", range(3))
async def test_sums_are_what_the_events_say(park: Park, seed: int) -> None:
    """Whatever happens in whatever order, and however it is counted in between."""
    chance = Random(seed)
    counting = Statistics(park.fair.office.database, park.fair.office.clock, batch=chance.randint(1, 9))
    who = [await park.joined(NOON - timedelta(hours=chance.randint(0, 150))) for _ in range(6)]
    for _ in range(40):
        each, at = chance.choice(who), NOON - timedelta(minutes=chance.randint(0, 60 * 160))
        match chance.randint(0, 3):
            case 0:
                await park.completed(each, at, chance.randint(1, 9))
            case 1:
                await counting.count()
            case _:
                await park.track(participant_id=chance.choice([each, None]), occurred_at=at)
    for interval in Interval:
        found = {each.started_at: each for each in await park.buckets(NOON - timedelta(days=8), NOON + HOUR, interval)}
        assert _counted(found.values()) == await _expected(park, interval)
    await counting.count()
    for interval in Interval:
        found = {each.started_at: each for each in await park.buckets(NOON - timedelta(days=8), NOON + HOUR, interval)}
        assert _counted(found.values()) == await _expected(park, interval)


def _counted(found: Any) -> dict[datetime, tuple[int, ...]]:
    return {
        each.started_at: (each.joins, each.completions, each.points, each.tracked, each.active_participants)
        for each in found
        if each.joins or each.completions or each.points or each.tracked
    }


async def _expected(park: Park, interval: Interval) -> dict[datetime, tuple[int, ...]]:
    """Straight from the events."""
    rows = await park.owner.fetch(
        "SELECT date_trunc($1, occurred_at, 'UTC') AS at, count(*) FILTER (WHERE event_type = 'participation.joined'),"
        " count(*) FILTER (WHERE event_type = 'task.completed'),"
        " coalesce(sum((properties ->> 'points')::int), 0)::int, count(*) FILTER (WHERE source = 'tenant'),"
        " count(DISTINCT participant_id) FILTER (WHERE event_type <> 'points.awarded')"
        " FROM analytics_events GROUP BY 1",
        interval,
    )
    return {row[0]: tuple(row)[1:] for row in rows}


async def test_an_end_between_two_batches_counts_nothing_twice(park: Park, monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(6):
        await park.track()
    counting = Statistics(park.fair.office.database, park.fair.office.clock, batch=2)
    database, write = park.fair.office.database, park.fair.office.database.write
    calls = 0

    async def killed(*args: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == 2:

            async def cut(tx: Any) -> Any:
                await args[1](tx)
                raise ConnectionError

            return await write(args[0], cut)
        return await write(*args)

    monkeypatch.setattr(database, "write", killed)
    with pytest.raises(ConnectionError):
        await counting.count()
    assert numbers(await park.buckets()) == [(0, 0, 0, 0, 0, 6, 0)]
    await counting.count()
    assert numbers(await park.buckets()) == [(0, 0, 0, 0, 0, 6, 0)]
    assert await park.owner.fetchval("SELECT sum(tracked) FROM project_statistics WHERE interval = 'hour'") == 6


async def test_who_was_active_is_forgotten_once_nothing_of_that_time_can_come(park: Park) -> None:
    who = await park.joined(DAY)
    await park.statistics.count()
    kept = "SELECT count(*) FROM participant_activity"
    assert await park.owner.fetchval(kept) == 4
    clock = park.fair.office.clock
    clock.advance(DAY + HOUR + timedelta(days=8) - clock.now())
    assert await park.statistics.forget() == "1 rows removed"
    await park.track(participant_id=who, occurred_at=clock.now() - timedelta(days=7))
    clock.advance(timedelta(days=40))
    # As long as there is something to count, of its time nothing is forgotten.
    assert await park.statistics.forget() == "1 rows removed"
    await park.statistics.count()
    assert await park.statistics.forget() == "4 rows removed"
    assert await park.owner.fetchval(kept) == 0
    [month] = await park.buckets(interval=Interval.MONTH)
    assert month.active_participants == 1


async def test_retention_is_by_the_week_in_which_they_first_joined(park: Park) -> None:
    first, second = WEEK - timedelta(days=14), WEEK - timedelta(days=7)
    early = [await park.joined(first + timedelta(days=n)) for n in range(4)]
    late = await park.joined(second)
    for who, at in [(early[0], second), (early[0], second), (early[1], second), (early[0], WEEK), (late, WEEK)]:
        await park.completed(who, at + HOUR)
        await park.statistics.count()
    await park.change(early[2], "status = 'left', left_at = now()")
    await park.track(participant_id=await park.fair.participant())
    await park.statistics.count()
    shown = [(e.joined_week, e.week, e.joined, e.active, e.share) for e in await park.retention()]
    assert shown == [
        (second, 1, 1, 1, 1.0),
        (second, 0, 1, 1, 1.0),
        (first, 2, 4, 1, 0.25),
        (first, 1, 4, 2, 0.5),
        (first, 0, 4, 4, 1.0),
    ]


async def test_who_joins_again_stays_in_the_week_in_which_they_first_did(park: Park) -> None:
    before = WEEK - timedelta(days=7)
    who = await park.joined(before)
    await park.change(who, f"status = 'left', left_at = '{before.isoformat()}'")
    await park.change(who, "status = 'active', left_at = NULL")
    await park.owner.execute("UPDATE analytics_inbox SET occurred_at = $1 WHERE kind = 'participation.rejoined'", NOON)
    await park.statistics.count()
    assert [(e.joined_week, e.week, e.active) for e in await park.retention()] == [(before, 1, 1), (before, 0, 1)]
    [week] = await park.buckets(before, before + HOUR, Interval.WEEK)
    assert (week.joins, week.leaves) == (1, 1)


async def test_the_funnel_counts_who_has_done_all_steps_before(park: Park) -> None:
    await park.owner.execute("UPDATE projects SET level_thresholds = '{5,10}'")

    async def someone(*, completes: bool, is_verified: bool, level: int) -> UUID:
        who = await park.joined()
        if completes:
            await park.completed(who)
            await park.completed(who, NOON + HOUR)
        status = "verified" if is_verified else "rejected"
        await park.change(who, f"verification_status = '{status}', level = {level}")
        return who

    empty = await park.funnel()
    assert empty is not None
    assert (empty.joined, empty.completed, empty.verified, empty.level_counts) == (0, 0, 0, [0, 0])
    await someone(completes=False, is_verified=True, level=3)
    await someone(completes=True, is_verified=False, level=3)
    await someone(completes=True, is_verified=True, level=1)
    await someone(completes=True, is_verified=True, level=2)
    gone = await someone(completes=True, is_verified=True, level=3)
    await park.change(gone, "status = 'left', left_at = now()")
    await park.joined(project=await park.fair.project())
    found = await park.funnel()
    assert found is not None
    assert (found.joined, found.completed, found.verified, found.level_counts) == (5, 4, 3, [2, 1])


@pytest.mark.parametrize(
    ("since", "until", "interval", "field"),
    [
        (DAY, DAY + timedelta(hours=1000), Interval.HOUR, "until"),
        (DAY, DAY + timedelta(days=1000), Interval.DAY, "until"),
        (DAY.replace(year=1999), DAY, Interval.MONTH, "since"),
        (DAY, DAY.replace(year=2100), Interval.MONTH, "until"),
        (DAY.replace(year=1), DAY.replace(year=9999), Interval.HOUR, "since"),
    ],
)
def test_there_are_only_so_many_parts_at_once(since: datetime, until: datetime, interval: Interval, field: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        span(since, until, interval)
    assert refused.value.path == (field,)
    assert span(DAY, DAY + timedelta(hours=999), Interval.HOUR)


async def test_the_most_parts_are_as_many_as_there_can_be(park: Park) -> None:
    since = NOON + timedelta(minutes=59)
    until = since + timedelta(hours=999)
    assert len(await park.buckets(since, until, Interval.HOUR)) == 1000
    years = await park.buckets(DAY.replace(year=2024), DAY, Interval.MONTH)
    assert len(years) == 25
    assert years[1].started_at == datetime.fromisoformat("2024-12-01T00:00Z")
