"""Points, levels, and what is verified."""

import asyncio
from typing import Any

import asyncpg
import pytest

from app.domains.campaigns.participants.model import Attribute
from app.domains.campaigns.participations.model import (
    Adjustment,
    NotEnoughPoints,
    ParticipationChange,
    PointReason,
    ProjectNotOpen,
    Verification,
    VerificationStatus,
)
from app.domains.campaigns.projects.model import ProjectArchived, ProjectChange
from app.domains.tenancy.tenants.model.tenants import MemberRole
from app.kit.db import SYSTEM
from app.kit.errors import Forbidden, IdempotencyKeyReused, InvalidInput, NotFound
from tests.domains.campaigns.contest import Contest
from tests.domains.campaigns.fair import Fair, in_test_mode


async def test_of_a_hundred_adjustments_at_once_none_is_lost(fair: Fair) -> None:
    contest = await Contest.begin(fair)
    id = await contest.join()
    await asyncio.gather(*(contest.adjust(id, 3 if number % 2 else 5) for number in range(100)))
    row = await contest.row(id)
    assert (row["points"], row["level"], row["next_level_points"]) == (400, 3, 500)
    balances = await fair.office.owner.fetch("SELECT balance FROM point_entries")
    assert max(each[0] for each in balances) == 400
    await contest.assert_sound()
    changes = [each.change for each in await contest.facts()]
    assert (changes.count(ParticipationChange.POINTS), changes.count(ParticipationChange.LEVEL)) == (100, 2)


async def test_nobody_has_less_than_no_points_even_of_many_at_once(fair: Fair) -> None:
    contest = await Contest.begin(fair)
    id = await contest.join()
    await contest.adjust(id, 100)
    done = await asyncio.gather(*(contest.adjust(id, -30) for _ in range(40)), return_exceptions=True)
    refused = [each for each in done if isinstance(each, NotEnoughPoints)]
    assert len(refused) == 37
    row = await contest.row(id)
    assert (row["points"], row["level"], row["next_level_points"]) == (10, 1, 100)
    with pytest.raises(NotEnoughPoints):
        await contest.adjust(id, -11)
    await contest.adjust(id, -10)
    assert (await contest.row(id))["points"] == 0
    await contest.assert_sound()


async def test_an_adjustment_has_a_reason_and_happens_once(fair: Fair) -> None:
    contest, adjust = await Contest.begin(fair), fair.services.points.adjust
    id = await contest.join()
    bonus = Adjustment(7, PointReason.BONUS, " Early bird ")
    entries = {await adjust(fair.alice, id, bonus, "key") for _ in range(3)}
    assert len(entries) == 1
    [row] = await fair.office.owner.fetch("SELECT amount, balance, reason, note, created_by FROM point_entries")
    assert tuple(row) == (7, 7, "bonus", "Early bird", fair.office.alice.user_id)
    with pytest.raises(IdempotencyKeyReused):
        await adjust(fair.alice, id, Adjustment(8, PointReason.BONUS, " Early bird "), "key")
    for wrong in (
        Adjustment(0, PointReason.BONUS, "x"),
        Adjustment(10**10, PointReason.BONUS, "x"),
        Adjustment(1, PointReason.TASK, "x"),
        Adjustment(1, PointReason.BONUS, " "),
    ):
        with pytest.raises(InvalidInput):
            await adjust(fair.alice, id, wrong, fair.office.key)
    await fair.services.projects.archive(fair.alice, contest.project)
    with pytest.raises(ProjectNotOpen):
        await contest.adjust(id, 1)
    await contest.assert_sound()


async def test_entries_never_change(fair: Fair) -> None:
    contest = await Contest.begin(fair)
    await contest.adjust(await contest.join(), 5)
    for sql in ("UPDATE point_entries SET amount = 6", "DELETE FROM point_entries", "TRUNCATE point_entries"):
        for scope in (fair.alice.scope, SYSTEM):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await fair.rows(scope, sql)
    assert await contest.number("SELECT amount FROM point_entries") == 5


async def test_levels_follow_the_thresholds_of_the_project(fair: Fair) -> None:
    contest, services = await Contest.begin(fair), fair.services.points
    ids = [await contest.join() for _ in range(5)]
    for number, id in enumerate(ids):
        if number:
            await contest.adjust(id, number * 100)
    await services.set_levels(fair.alice, contest.project, [50, 150, 1000])
    payload: dict[str, Any] = {"project_id": str(contest.project)}
    await services.level(payload)
    await contest.assert_sound()
    assert [(await contest.row(id))["level"] for id in ids] == [1, 2, 3, 3, 3]
    seen = len(await contest.facts())
    await services.level(payload)
    assert len(await contest.facts()) == seen
    await services.set_levels(fair.alice, contest.project, [])
    await services.level(payload)
    await contest.assert_sound()
    assert {(await contest.row(id))["level"] for id in ids} == {1}
    # Who joins has the first threshold ahead; a clone has those of its original.
    await services.set_levels(fair.alice, contest.project, [7])
    assert (await contest.row(await contest.join()))["next_level_points"] == 7
    clone = await Contest.begin(fair, clone_of=contest.project, distribution=None)
    assert (await fair.row("projects", clone.project))["level_thresholds"] == [7]
    changes = [each.change for each in await contest.project_facts()]
    assert changes == [ProjectChange.CHANGED] * 3


async def test_levels_are_right_whatever_happens_at_once(fair: Fair) -> None:
    contest, services = await Contest.begin(fair), fair.services.points
    ids = [await contest.join() for _ in range(10)]
    payload: dict[str, Any] = {"project_id": str(contest.project)}

    async def move(step: int) -> None:
        await services.set_levels(fair.alice, contest.project, [step, step * 3])
        await services.level(payload)

    await asyncio.gather(
        *(contest.adjust(ids[number % 10], 1 + number) for number in range(60)), *(move(each) for each in range(1, 11))
    )
    await services.level(payload)
    await contest.assert_sound()


async def test_who_sets_levels_is_an_admin_of_the_tenant(fair: Fair) -> None:
    contest, set_levels = await Contest.begin(fair), fair.services.points.set_levels
    viewer = await fair.office.join(fair.office.bob, MemberRole.VIEWER)
    for by, problem in ((viewer, Forbidden), (in_test_mode(fair.alice), NotFound)):
        with pytest.raises(problem):
            await set_levels(by, contest.project, [1])
    for wrong in ([0], [2, 1], [1, 1], list(range(1, 101)), [10**15 + 1]):
        with pytest.raises(InvalidInput):
            await set_levels(fair.alice, contest.project, wrong)
    await fair.services.projects.archive(fair.alice, contest.project)
    with pytest.raises(ProjectArchived):
        await set_levels(fair.alice, contest.project, [1])


async def test_what_is_verified_is_decided_again_and_the_log_has_all_of_it(fair: Fair) -> None:
    contest, verify = await Contest.begin(fair), fair.services.participations.verify
    id = await contest.join()
    data = (Attribute("passport", "P1"),)
    await verify(fair.alice, id, Verification(VerificationStatus.REJECTED, data, "Blurred"), "1")
    await verify(fair.alice, id, Verification(VerificationStatus.VERIFIED, data), "2")
    row = await fair.row("participation_reviews", id, "participation_id")
    assert (row["verification_data"], row["verification_note"]) == ('{"passport": "P1"}', None)
    assert (row["reviewed_by"], row["reviewed_at"]) == (fair.office.alice.user_id, fair.office.clock.now())
    assert (await contest.row(id))["verification_status"] == "verified"
    log = await fair.office.owner.fetch(
        "SELECT details -> 'new' ->> 'verification_status', user_id FROM audit_logs"
        " WHERE resource_type = 'participations' ORDER BY seq"
    )
    assert [tuple(each) for each in log] == [(status, fair.office.alice.user_id) for status in ("rejected", "verified")]
    texts = await fair.office.owner.fetchval("SELECT string_agg(details::text, '') FROM audit_logs")
    assert "P1" not in texts
    for wrong in (Attribute("1", "x"), Attribute("x", "\x00")):
        with pytest.raises(InvalidInput):
            await verify(fair.alice, id, Verification(VerificationStatus.VERIFIED, (wrong,)), "3")
    viewer = await fair.office.join(fair.office.bob, MemberRole.VIEWER)
    with pytest.raises(Forbidden):
        await verify(viewer, id, Verification(VerificationStatus.VERIFIED), "4")
    with pytest.raises(NotFound):
        await verify(in_test_mode(fair.alice), id, Verification(VerificationStatus.VERIFIED), "4")


async def test_what_was_counted_is_announced_once(fair: Fair) -> None:
    contest, announce = await Contest.begin(fair), fair.services.points.announce
    other = await Contest.begin(fair)
    for _ in range(5):
        await contest.join()
    assert await announce() == 1
    assert await announce() == 0
    [fact] = await contest.project_facts()
    assert (fact.change, fact.participants, fact.completions) == (ProjectChange.COUNTED, 5, 0)
    assert await other.project_facts() == []
    # Who joins while it is announced is announced afterwards.
    await asyncio.gather(*(contest.join() for _ in range(20)), *(announce() for _ in range(10)))
    await announce()
    assert (await contest.project_facts())[-1].participants == 25
