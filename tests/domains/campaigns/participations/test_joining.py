"""Joining and leaving projects, and how many can take part."""

import asyncio
from collections.abc import Awaitable, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from app.domains.campaigns.networks.model import Network
from app.domains.campaigns.participants.model import Attribute, ParticipantChanges
from app.domains.campaigns.participations.model import (
    AlreadyJoined,
    Closed,
    NotBanned,
    NotTakingPart,
    ParticipantBanned,
    ParticipantInactive,
    ParticipationChange,
    ProjectFull,
    ProjectNotOpen,
    Requirement,
    RequirementsNotMet,
)
from app.domains.campaigns.projects.model import ProjectChanges, Requirements
from app.domains.tenancy.tenants.model.tenants import MemberRole, PlanChanges, SubscriptionStatus, TenantNotActive
from app.kit.errors import Forbidden, IdempotencyKeyReused, InvalidInput, NotFound
from tests.domains.campaigns.contest import Contest
from tests.domains.campaigns.fair import Fair, in_test_mode


async def gathered(calls: Sequence[Awaitable[Any]]) -> list[Any]:
    return await asyncio.gather(*calls, return_exceptions=True)


def sorts(done: list[Any]) -> dict[type, int]:
    """How many of each type."""
    kinds = [UUID if isinstance(each, UUID) else type(each) for each in done]
    return {kind: kinds.count(kind) for kind in {*kinds}}


async def test_of_a_hundred_at_once_as_many_join_as_there_is_room_for(fair: Fair) -> None:
    contest = await Contest.begin(fair, max_participants=3)
    people = [await fair.participant() for _ in range(100)]
    done = await gathered([contest.join(each) for each in people])
    assert sorts(done) == {UUID: 3, ProjectFull: 97}
    assert await contest.active() == await contest.number("SELECT count(*) FROM participations") == 3
    await contest.assert_sound()
    assert [each.change for each in await contest.facts()] == [ParticipationChange.JOINED] * 3


async def test_the_limit_is_exact_where_most_join_without_waiting(fair: Fair) -> None:
    """The first 50 share the project, since 100 transactions can be open; from then on each is alone with it."""
    contest = await Contest.begin(fair, max_participants=150)
    people = [await fair.participant() for _ in range(200)]
    done = await gathered([contest.join(each) for each in people])
    assert sorts(done) == {UUID: 150, ProjectFull: 50}
    assert await contest.active() == 150
    assert await contest.number("SELECT count(*) FROM project_counters") > 8
    await contest.assert_sound()


async def test_the_plan_limits_as_the_project_does(fair: Fair) -> None:
    contest = await Contest.begin(fair, max_participants=5)
    plan = PlanChanges(max_participants_per_project=2)
    await fair.office.services.tenants.update_plan(fair.office.alice, fair.alice.tenant_id, plan)
    people = [await fair.participant() for _ in range(40)]
    assert sorts(await gathered([contest.join(each) for each in people])) == {UUID: 2, ProjectFull: 38}
    # The other mode counts apart.
    other = await Contest.begin(fair, in_test_mode(fair.alice))
    await other.join(by=in_test_mode(fair.alice))


async def test_of_a_hundred_calls_at_once_for_one_participant_one_joins(fair: Fair) -> None:
    contest, who = await Contest.begin(fair), await fair.participant()
    assert sorts(await gathered([contest.join(who) for _ in range(100)])) == {UUID: 1, AlreadyJoined: 99}
    assert await contest.active() == 1
    key = fair.services.joining.join
    replays = await gathered([key(fair.alice, contest.key, await fair.participant(), "key") for _ in range(2)])
    assert sorts(replays) == {UUID: 1, IdempotencyKeyReused: 1}
    someone = await fair.participant()
    same = await gathered([key(fair.alice, contest.key, someone, "other") for _ in range(30)])
    assert len({*same}) == 1
    assert await contest.active() == 3
    await contest.assert_sound()


async def test_who_leaves_makes_room_and_has_their_points_when_they_join_again(fair: Fair) -> None:
    contest, who = await Contest.begin(fair, max_participants=1), await fair.participant()
    id = await contest.join(who)
    await contest.adjust(id, 120)
    leave = fair.services.participations.leave
    left = await gathered([leave(fair.alice, id, f"leave-{number}") for number in range(40)])
    assert sorts(left) == {UUID: 1, NotTakingPart: 39}
    row = await contest.row(id)
    assert (row["status"], row["points"], row["left_at"]) == ("left", 120, fair.office.clock.now())
    other = await contest.join()
    with pytest.raises(ProjectFull):
        await contest.join(who)
    await leave(fair.alice, other, fair.office.key)
    assert await contest.join(who) == id
    row = await contest.row(id)
    assert (row["status"], row["points"], row["level"], row["left_at"]) == ("active", 120, 2, None)
    await contest.assert_sound()


async def test_a_ban_stays_and_makes_room(fair: Fair) -> None:
    contest, who = await Contest.begin(fair, max_participants=1), await fair.participant()
    id, services = await contest.join(who), fair.services.participations
    banned = await gathered([services.ban(fair.alice, id, "Spam", f"ban-{number}") for number in range(40)])
    assert sorts(banned) == {UUID: 1, ParticipantBanned: 39}
    assert await contest.active() == 0
    row = await fair.row("participation_reviews", id, "participation_id")
    assert (row["ban_reason"], row["banned_by"]) == ("Spam", fair.office.alice.user_id)
    for refused in (contest.join(who), services.leave(fair.alice, id, fair.office.key)):
        with pytest.raises(ParticipantBanned):
            await refused
    other = await contest.join()
    with pytest.raises(ProjectFull):
        await fair.services.joining.unban(fair.alice, id, fair.office.key)
    await services.leave(fair.alice, other, fair.office.key)
    unbanned = await gathered([fair.services.joining.unban(fair.alice, id, f"un-{number}") for number in range(40)])
    assert sorts(unbanned) == {UUID: 1, NotBanned: 39}
    assert ((await contest.row(id))["status"], await contest.active()) == ("active", 1)
    # Who had left is not there again only because a ban ends.
    await services.ban(fair.alice, other, "Spam", fair.office.key)
    assert await contest.active() == 1
    await fair.services.joining.unban(fair.alice, other, fair.office.key)
    assert (await contest.row(other))["status"] == "left"
    await contest.assert_sound()


async def test_a_user_joins_a_public_project_as_the_participant_that_they_are(fair: Fair) -> None:
    contest, bob = await Contest.begin(fair), fair.office.bob
    done = await gathered([contest.join(by=bob) for _ in range(40)])
    assert sorts(done) == {UUID: 1, AlreadyJoined: 39}
    participant = (await fair.office.owner.fetch("SELECT * FROM participants"))[0]
    assert (participant["user_id"], participant["is_verified"]) == (bob.user_id, False)
    second = await Contest.begin(fair)
    id = await second.join(by=bob)
    assert (await second.row(id))["participant_id"] == participant["id"]
    linked = [each.change for each in await second.facts(participant["id"])]
    assert linked == [ParticipationChange.JOINED]
    assert await contest.number("SELECT count(*) FROM participants") == 1
    with pytest.raises(NotFound):
        await fair.services.participations.leave(fair.office.alice, id, "leave")
    assert await fair.services.participations.leave(bob, id, "leave") == id


async def test_a_user_joins_nothing_that_they_do_not_see(fair: Fair) -> None:
    bob, update = fair.office.bob, fair.services.projects.update
    private = await Contest.begin(fair, is_public=False)
    paused = await Contest.begin(fair)
    await update(fair.alice, paused.project, ProjectChanges(is_active=False))
    test = await Contest.begin(fair, in_test_mode(fair.alice))
    archived = await Contest.begin(fair)
    await fair.services.projects.archive(fair.alice, archived.project)
    for each in (private, paused, test, archived):
        with pytest.raises(NotFound):
            await each.join(by=bob)
    with pytest.raises(NotFound):
        await fair.services.joining.join(bob, "proj_000000000000", None, "key")
    assert await private.number("SELECT count(*) FROM participants") == 0
    open_one = await Contest.begin(fair)
    status = PlanChanges(status=SubscriptionStatus.SUSPENDED)
    await fair.office.services.tenants.update_plan(fair.office.alice, fair.alice.tenant_id, status)
    with pytest.raises(NotFound):
        await open_one.join(by=bob)


async def test_a_project_is_joined_while_it_is_open(fair: Fair) -> None:
    contest, clock = await Contest.begin(fair), fair.office.clock
    update, start = fair.services.projects.update, clock.now() + timedelta(days=1)
    end = start + timedelta(days=1)
    await update(fair.alice, contest.project, ProjectChanges(starts_at=start, ends_at=end))
    for advance, expected in ((1, None), (1, Closed.ENDED)):
        if expected is None:
            with pytest.raises(ProjectNotOpen) as early:
                await contest.join()
            assert early.value.closed is Closed.NOT_STARTED
        clock.advance(timedelta(days=advance))
        if expected is None:
            await contest.join()
            continue
        with pytest.raises(ProjectNotOpen) as late:
            await contest.join()
        assert late.value.closed is expected
    for change, reason in (
        (update(fair.alice, contest.project, ProjectChanges(is_active=False)), Closed.PAUSED),
        (fair.services.projects.archive(fair.alice, contest.project), Closed.ARCHIVED),
    ):
        await change
        with pytest.raises(ProjectNotOpen) as refused:
            await contest.join()
        assert refused.value.closed is reason
    assert await contest.active() == 1


async def test_what_a_project_requires_is_met_by_who_joins(fair: Fair) -> None:
    required = Requirements(
        verified_only=True, wallet_required=True, min_account_age_ms=3_600_000, allowed_countries=("AT",)
    )
    contest = await Contest.begin(fair, network=Network.SOLANA, requirements=required)
    who = await fair.participant(attributes=(Attribute("country", "DE"),))
    with pytest.raises(RequirementsNotMet) as refused:
        await contest.join(who)
    assert refused.value.requirements == [*Requirement]
    changes = ParticipantChanges(is_verified=True, attributes=(Attribute("country", "AT"),))
    await fair.services.participants.update(fair.alice, who, changes)
    fair.office.clock.advance(timedelta(hours=1))
    with pytest.raises(RequirementsNotMet) as refused:
        await contest.join(who)
    assert refused.value.requirements == [Requirement.WALLET]
    await fair.services.participants.update(fair.alice, who, ParticipantChanges(is_active=False))
    with pytest.raises(ParticipantInactive):
        await contest.join(who)
    assert await contest.active() == 0
    assert await contest.number("SELECT count(*) FROM participations") == 0
    assert await contest.facts() == []
    # In Moneta's own ledger every user has a wallet.
    own = await Contest.begin(fair, requirements=Requirements(wallet_required=True))
    await own.join(by=fair.office.bob)
    with pytest.raises(RequirementsNotMet):
        await own.join()


async def test_tenants_write_about_their_own_in_their_mode(fair: Fair) -> None:
    contest, who = await Contest.begin(fair), await fair.participant()
    id, services, joining = await contest.join(who), fair.services.participations, fair.services.joining
    viewer = await fair.office.join(fair.office.bob, MemberRole.VIEWER)
    await fair.office.found("other", by=fair.office.bob)
    other = await fair.office.acting(fair.office.bob, "other")
    for by, problem in ((viewer, Forbidden), (other, NotFound), (in_test_mode(fair.alice), NotFound)):
        for refused in (
            joining.join(by, contest.key, who, fair.office.key),
            services.leave(by, id, fair.office.key),
            services.ban(by, id, "Spam", fair.office.key),
            joining.unban(by, id, fair.office.key),
            contest.adjust(id, 5, by),
        ):
            with pytest.raises(problem):
                await refused
    for each in (other, in_test_mode(fair.alice)):
        with pytest.raises(NotFound):
            await contest.join(await fair.participant(each))
    with pytest.raises(InvalidInput):
        await services.ban(fair.alice, id, " ", fair.office.key)
    status = PlanChanges(status=SubscriptionStatus.CANCELLED)
    await fair.office.services.tenants.update_plan(fair.office.alice, fair.alice.tenant_id, status)
    for late in (contest.join(who), services.leave(fair.alice, id, "leave"), contest.adjust(id, 5)):
        with pytest.raises(TenantNotActive):
            await late
    row = await contest.row(id)
    assert (row["status"], row["points"]) == ("active", 0)
