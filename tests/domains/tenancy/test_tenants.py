"""Creating, changing, deleting and restoring tenants."""

import asyncio
from datetime import timedelta

import msgspec
import pytest

from app.domains.tenancy.tenants.model.tenants import (
    MemberRole,
    NewTenant,
    Plan,
    PlanChanges,
    SlugTaken,
    SubscriptionStatus,
    TenantChanges,
    TenantLimitReached,
    TenantNotActive,
    TenantNotDeleted,
)
from app.kit.errors import Forbidden, IdempotencyKeyReused, InvalidInput, NotFound, ResultDeleted
from tests.domains.tenancy.office import Office

DAY = timedelta(days=1)


async def test_who_creates_a_tenant_is_its_owner_on_the_free_plan(office: Office) -> None:
    id = await office.found()
    row = await office.owner.fetchrow("SELECT * FROM tenants WHERE id = $1", id)
    assert row is not None
    limits = (row["max_projects"], row["max_users_per_project"], row["max_api_calls_per_month"])
    assert (row["plan_type"], row["subscription_status"], limits) == ("free", "active", (3, 1000, 10_000))
    acting = await office.acting()
    assert (acting.tenant_id, acting.role, acting.status) == (id, MemberRole.OWNER, SubscriptionStatus.ACTIVE)
    assert await office.services.access.tenancy(office.bob.user_id, "acme", office.bob.client) is None
    assert await office.services.access.tenancy(office.alice.user_id, "nobody", office.alice.client) is None


async def test_a_slug_is_had_once_until_the_tenant_is_removed(office: Office) -> None:
    await office.found()
    with pytest.raises(SlugTaken):
        await office.found(by=office.bob)
    await office.services.tenants.delete(await office.acting())
    with pytest.raises(SlugTaken):
        await office.found(by=office.bob)
    office.clock.advance(30 * DAY)
    assert await office.services.tenants.remove_deleted() == "0 removed"
    office.clock.advance(timedelta(seconds=1))
    assert await office.services.tenants.remove_deleted() == "1 removed"
    await office.found(by=office.bob)


async def test_of_a_hundred_at_once_a_user_owns_as_many_as_allowed(office: Office) -> None:
    office.services.tenants.__dict__["limit"] = 3
    made = await asyncio.gather(*(office.found(f"t-{number}") for number in range(100)), return_exceptions=True)
    refused = [each for each in made if isinstance(each, TenantLimitReached)]
    assert (len(made) - len(refused), len(refused)) == (3, 97)
    assert await office.owner.fetchval("SELECT count(*) FROM tenants") == 3


async def test_of_a_hundred_with_one_slug_one_has_it(office: Office) -> None:
    made = await asyncio.gather(*(office.found() for _ in range(20)), return_exceptions=True)
    assert sum(isinstance(each, SlugTaken) for each in made) == 19


async def test_a_replay_is_the_same_tenant(office: Office) -> None:
    new, tenants = NewTenant(slug="acme", name="Acme", email="a@acme.example"), office.services.tenants
    id = await tenants.create(office.alice, new, "key")
    assert await tenants.create(office.alice, new, "key") == id
    with pytest.raises(IdempotencyKeyReused):
        await tenants.create(office.alice, msgspec.structs.replace(new, name="Other"), "key")
    await office.owner.execute("DELETE FROM tenants")
    with pytest.raises(ResultDeleted):
        await tenants.create(office.alice, new, "key")


async def test_owners_and_admins_change_a_tenant_and_viewers_do_not(office: Office) -> None:
    await office.found()
    bob = await office.join(office.bob, MemberRole.VIEWER)
    tenants, changes = office.services.tenants, TenantChanges(name="  Acme & Sons ", website_url="https://acme.example")
    with pytest.raises(Forbidden):
        await tenants.update(bob, changes)
    await office.services.members.update(await office.acting(), bob.held_by, MemberRole.ADMIN)
    await tenants.update(bob, changes)
    row = await office.owner.fetchrow("SELECT name, email, settings FROM tenants")
    assert row is not None
    settings = msgspec.json.decode(row["settings"])
    assert (row["name"], row["email"]) == ("Acme & Sons", "office@acme.example")
    assert settings == {"website_url": "https://acme.example", "time_zone": "UTC"}
    await tenants.update(bob, TenantChanges(website_url=None, billing_email="bills@acme.example"))
    row = await office.owner.fetchrow("SELECT billing_email, settings FROM tenants")
    assert row is not None
    assert (row["billing_email"], msgspec.json.decode(row["settings"])) == ("bills@acme.example", {"time_zone": "UTC"})


@pytest.mark.parametrize("status", [SubscriptionStatus.SUSPENDED, SubscriptionStatus.CANCELLED])
async def test_what_is_not_active_is_read_and_not_changed(office: Office, status: SubscriptionStatus) -> None:
    id = await office.found()
    bob = await office.join(office.bob, MemberRole.ADMIN)
    await office.services.tenants.update_plan(office.alice, id, PlanChanges(status=status))
    acting = await office.acting()
    assert acting.status is status
    # The one who acts may have been authenticated before.
    for each in (acting, bob):
        with pytest.raises(TenantNotActive):
            await office.services.tenants.update(each, TenantChanges(name="Other"))
        with pytest.raises(TenantNotActive):
            await office.services.members.invite(each, "x@example.com", MemberRole.VIEWER, office.key)
    await office.services.members.remove(bob, bob.held_by)
    await office.services.tenants.delete(acting)


async def test_a_plan_brings_its_limits_but_for_those_that_are_agreed_on(office: Office) -> None:
    id = await office.found()
    tenants = office.services.tenants
    await tenants.update_plan(office.bob, id, PlanChanges(plan=Plan.PRO, max_projects=7))
    sql = "SELECT plan_type, max_projects, max_users_per_project, max_api_calls_per_month FROM tenants"
    assert tuple(await office.owner.fetchrow(sql) or ()) == ("pro", 7, 100_000, 1_000_000)
    await tenants.update_plan(office.bob, id, PlanChanges(subscription_id="sub_1"))
    assert tuple(await office.owner.fetchrow(sql) or ()) == ("pro", 7, 100_000, 1_000_000)
    await tenants.update_plan(office.bob, id, PlanChanges(plan=Plan.FREE))
    assert tuple(await office.owner.fetchrow(sql) or ()) == ("free", 3, 1_000, 10_000)
    with pytest.raises(InvalidInput):
        await tenants.update_plan(office.bob, id, PlanChanges(max_projects=-1))


async def test_only_an_owner_deletes_a_tenant_and_restores_it_within_thirty_days(office: Office) -> None:
    id = await office.found()
    bob = await office.join(office.bob, MemberRole.ADMIN)
    alice, tenants = await office.acting(), office.services.tenants
    with pytest.raises(Forbidden):
        await tenants.delete(bob)
    with pytest.raises(TenantNotDeleted):
        await tenants.restore(office.alice, "acme")
    await tenants.delete(alice)
    assert await office.ended() == sorted(str(each.held_by) for each in (alice, bob))
    with pytest.raises(NotFound):
        await tenants.update(alice, TenantChanges(name="Other"))
    assert await office.services.access.tenancy(office.alice.user_id, "acme", office.alice.client) is None
    with pytest.raises(NotFound):
        await tenants.restore(office.bob, "acme")
    office.clock.advance(30 * DAY - timedelta(seconds=1))
    assert await tenants.restore(office.alice, "acme") == id
    assert (await office.acting()).membership_id == alice.held_by
    await tenants.delete(alice)
    office.clock.advance(30 * DAY)
    with pytest.raises(NotFound):
        await tenants.restore(office.alice, "acme")
