"""Who belongs to a tenant: invited, changed, and gone."""

import asyncio
from datetime import timedelta

import pytest

from app.domains.tenancy.tenants.model.members import (
    INVITATION_TTL,
    AlreadyMember,
    InvitationInvalid,
    InvitationLimitReached,
    LastOwner,
)
from app.domains.tenancy.tenants.model.tenants import (
    MemberRole,
    PlanChanges,
    SubscriptionStatus,
    Tenancy,
    TenantNotActive,
)
from app.domains.tenancy.tenants.services import members as members_module
from app.kit.errors import Forbidden, InvalidInput, NotFound, ResultDeleted
from tests.domains.tenancy.office import Office

OWNER, ADMIN, VIEWER = MemberRole.OWNER, MemberRole.ADMIN, MemberRole.VIEWER


async def two_owners(office: Office) -> tuple[Tenancy, Tenancy]:
    await office.found()
    return await office.acting(), await office.join(office.bob, OWNER)


async def test_an_invitation_is_accepted_once_and_in_time(office: Office) -> None:
    await office.found()
    members, alice = office.services.members, await office.acting()
    await members.invite(alice, " Bob@Example.com ", VIEWER, office.key)
    token = await office.token()
    office.clock.advance(INVITATION_TTL)
    with pytest.raises(InvitationInvalid):
        await members.accept(office.bob, token)
    await members.invite(alice, "bob@example.com", ADMIN, office.key)
    for stale in (token, "nonsense", ""):
        with pytest.raises(InvitationInvalid):
            await members.accept(office.bob, stale)
    token = await office.token()
    outcomes = await asyncio.gather(*(members.accept(office.bob, token) for _ in range(10)), return_exceptions=True)
    assert sum(isinstance(each, InvitationInvalid) for each in outcomes) == 9
    assert (await office.acting(office.bob)).role is ADMIN
    assert await office.owner.fetchval("SELECT count(*) FROM tenant_invitations") == 1


async def test_a_member_uses_up_no_invitation(office: Office) -> None:
    await office.found()
    await office.services.members.invite(await office.acting(), "x@example.com", VIEWER, office.key)
    with pytest.raises(AlreadyMember):
        await office.services.members.accept(office.alice, await office.token())
    await office.services.members.accept(office.bob, await office.token())


@pytest.mark.parametrize("status", [SubscriptionStatus.SUSPENDED, SubscriptionStatus.CANCELLED])
async def test_nobody_enters_a_tenant_that_is_not_active_but_it_is_handed_over(
    office: Office, status: SubscriptionStatus
) -> None:
    id = await office.found()
    alice, bob, members = await office.acting(), await office.join(office.bob, ADMIN), office.services.members
    await members.remove(alice, bob.held_by)
    await members.invite(alice, "bob@example.com", VIEWER, office.key)
    token = await office.token()
    await office.services.tenants.update_plan(office.alice, id, PlanChanges(status=status))
    with pytest.raises(TenantNotActive):
        await members.accept(office.bob, token)
    assert await office.owner.fetchval("SELECT count(*) FROM tenant_members") == 1
    await office.services.tenants.update_plan(office.alice, id, PlanChanges(status=SubscriptionStatus.ACTIVE))
    # It was not used up.
    next_owner = await members.accept(office.bob, token)
    await office.services.tenants.update_plan(office.alice, id, PlanChanges(status=status))
    await members.transfer(alice, next_owner)
    assert (await office.acting(office.bob)).role is OWNER


async def test_a_replay_sends_no_second_mail(office: Office) -> None:
    await office.found()
    alice, members = await office.acting(), office.services.members
    id = await members.invite(alice, "x@example.com", VIEWER, "key")
    assert await members.invite(alice, "x@example.com", VIEWER, "key") == id
    assert await office.owner.fetchval("SELECT count(*) FROM pgqueuer WHERE entrypoint = 'accounts.mail'") == 1


async def test_a_replay_of_an_invitation_that_was_removed_says_so(office: Office) -> None:
    await office.found()
    alice, members = await office.acting(), office.services.members
    await members.invite(alice, "x@example.com", VIEWER, "key")
    await office.owner.execute("DELETE FROM tenant_invitations")
    with pytest.raises(ResultDeleted):
        await members.invite(alice, "x@example.com", VIEWER, "key")


async def test_only_so_many_invitations_are_open(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(members_module, "MAX_INVITATIONS", 3)
    await office.found()
    alice, members = await office.acting(), office.services.members
    sent = (members.invite(alice, f"x{number}@example.com", VIEWER, office.key) for number in range(20))
    outcomes = await asyncio.gather(*sent, return_exceptions=True)
    assert sum(isinstance(each, InvitationLimitReached) for each in outcomes) == 17
    again = next(number for number, each in enumerate(outcomes) if not isinstance(each, BaseException))
    await members.invite(alice, f"x{again}@example.com", ADMIN, office.key)
    with pytest.raises(InvalidInput):
        await members.invite(alice, "nobody", VIEWER, office.key)


@pytest.mark.parametrize(("role", "may"), [(ADMIN, {ADMIN, VIEWER}), (VIEWER, set())])
async def test_only_owners_make_owners(office: Office, role: MemberRole, may: set[MemberRole]) -> None:
    await office.found()
    alice, bob, members = await office.acting(), await office.join(office.bob, role), office.services.members
    for invited in MemberRole:
        if invited in may:
            await members.invite(bob, f"{invited}@example.com", invited, office.key)
        else:
            with pytest.raises(Forbidden):
                await members.invite(bob, f"{invited}@example.com", invited, office.key)
    with pytest.raises(Forbidden):
        await members.update(bob, bob.held_by, OWNER)
    with pytest.raises(Forbidden):
        await members.update(bob, alice.held_by, VIEWER)
    with pytest.raises(Forbidden):
        await members.remove(bob, alice.held_by)
    with pytest.raises(Forbidden):
        await members.transfer(bob, bob.held_by)
    assert await office.roles() == sorted([OWNER, role])


async def test_what_was_taken_away_is_gone_for_who_was_authenticated_before(office: Office) -> None:
    alice, bob = await two_owners(office)
    members = office.services.members
    await members.update(alice, bob.held_by, VIEWER)
    with pytest.raises(Forbidden):
        await members.update(bob, bob.held_by, OWNER)
    await members.remove(alice, bob.held_by)
    assert await office.ended() == [str(bob.held_by)]
    with pytest.raises(NotFound):
        await members.remove(bob, bob.held_by)
    assert await members.living([alice.held_by, bob.held_by]) == {alice.held_by}


async def test_the_last_owner_stays(office: Office) -> None:
    await office.found()
    alice, members = await office.acting(), office.services.members
    for change in (members.remove(alice, alice.held_by), members.update(alice, alice.held_by, ADMIN)):
        with pytest.raises(LastOwner):
            await change
    await members.update(alice, alice.held_by, OWNER)
    assert await office.roles() == [OWNER]


@pytest.mark.parametrize("how", ["leave", "step down", "remove each other"])
async def test_of_two_owners_who_go_at_once_one_stays(office: Office, warm: None, how: str) -> None:
    alice, bob = await two_owners(office)
    members = office.services.members
    match how:
        case "leave":
            changes = [members.remove(each, each.held_by) for each in (alice, bob)]
        case "step down":
            changes = [members.update(each, each.held_by, VIEWER) for each in (alice, bob)]
        case _:
            changes = [members.remove(alice, bob.held_by), members.remove(bob, alice.held_by)]
    outcomes = await asyncio.gather(*changes, return_exceptions=True)
    assert sum(each is None for each in outcomes) == 1, outcomes
    assert (await office.roles()).count(OWNER) == 1


async def test_ownership_is_handed_over(office: Office) -> None:
    await office.found()
    alice, bob, members = await office.acting(), await office.join(office.bob, VIEWER), office.services.members
    await members.transfer(alice, bob.held_by)
    assert (await office.acting()).role is ADMIN
    assert (await office.acting(office.bob)).role is OWNER
    with pytest.raises(Forbidden):
        await members.transfer(alice, bob.held_by)
    with pytest.raises(Forbidden):
        await members.transfer(bob, bob.held_by)


async def test_members_of_another_tenant_are_not_found(office: Office) -> None:
    await office.found()
    await office.found("other", by=office.bob)
    alice, bob = await office.acting(), await office.acting(office.bob, "other")
    members = office.services.members
    for change in (
        members.remove(alice, bob.held_by),
        members.update(alice, bob.held_by, VIEWER),
        members.transfer(alice, bob.held_by),
    ):
        with pytest.raises(NotFound):
            await change


async def test_invitations_are_removed_long_after_they_expired(office: Office) -> None:
    await office.found()
    await office.services.members.invite(await office.acting(), "x@example.com", VIEWER, office.key)
    for days, left in ((30, 1), (8, 0)):
        office.clock.advance(timedelta(days=days))
        await office.services.members.remove_invitations()
        assert await office.owner.fetchval("SELECT count(*) FROM tenant_invitations") == left
