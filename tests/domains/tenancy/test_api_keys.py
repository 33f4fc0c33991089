"""Creating, rotating and revoking keys, and who acts by one."""

import asyncio
from datetime import timedelta

import asyncpg
import msgspec
import pytest

from app.domains.tenancy.api_keys.model import ApiKeyLimitReached, KeyRefused
from app.domains.tenancy.tenants.model.tenants import (
    MemberRole,
    MembersOnly,
    PlanChanges,
    SubscriptionStatus,
    TenantChanges,
    TenantNotActive,
)
from app.kit.db import PUBLIC
from app.kit.errors import Forbidden, IdempotencyKeyReused, InvalidInput, NotFound, ResultDeleted
from tests.domains.tenancy.office import Office
from tests.domains.tenancy.test_isolation import rows

HOUR = timedelta(hours=1)


async def test_who_bears_a_key_acts_in_its_tenant_and_is_no_user(office: Office) -> None:
    id = await office.found()
    made = await office.issue()
    acting = await office.bearing(made.secret)
    assert acting is not None
    assert acting.key is not None
    assert (acting.tenant_id, acting.slug, acting.key.id, acting.livemode) == (id, "acme", made.id, True)
    assert [acting.user_id, acting.membership_id, acting.role] == [None] * 3
    assert acting.key.scopes == {"members:read", "tenant:write"}


async def test_only_a_keyed_hash_of_the_secret_is_stored(office: Office) -> None:
    await office.found()
    secret = str((await office.issue()).secret).rpartition("_")[2]
    stored = str(await office.owner.fetch("SELECT * FROM api_keys"))
    logged = str(await office.owner.fetch("SELECT details FROM audit_logs"))
    hashed = await office.owner.fetchval("SELECT key_hash FROM api_keys")
    assert "[redacted]" in logged
    assert secret not in stored + logged
    assert hashed not in logged
    assert hashed != await office.owner.fetchval("SELECT encode(sha256($1::text::bytea), 'hex')", secret)


@pytest.mark.parametrize("wrong", ["", "x", "mk_live_0123456789abcdef_" + "0" * 64])
async def test_what_is_no_key_of_anybody(office: Office, wrong: str) -> None:
    await office.found()
    await office.issue()
    assert await office.bearing(wrong) is None


async def test_a_wrong_secret_or_that_of_another_key_is_none(office: Office) -> None:
    await office.found()
    one, other = str((await office.issue()).secret), str((await office.issue()).secret)
    mixed = one[:25] + other[25:]
    assert await office.bearing(one[:-1] + ("0" if one[-1] != "0" else "1")) is None
    assert await office.bearing(mixed) is None
    assert await office.bearing(one) is not None


async def test_a_replay_shows_no_secret(office: Office) -> None:
    await office.found()
    acting, new = await office.acting(), {"name": "CI", "scopes": ["*:read"]}
    before = office.keys
    made = await office.issue(acting, **new)
    office.keys = before
    again = await office.issue(acting, **new)
    assert (again.id, again.secret) == (made.id, None)
    office.keys = before
    with pytest.raises(IdempotencyKeyReused):
        await office.issue(acting, name="Other", scopes=["*:read"])
    await office.owner.execute("DELETE FROM api_keys")
    office.keys = before
    with pytest.raises(ResultDeleted):
        await office.issue(acting, **new)


async def test_owners_and_admins_make_keys_and_viewers_and_keys_do_not(office: Office) -> None:
    await office.found()
    bob = await office.join(office.bob, MemberRole.VIEWER)
    with pytest.raises(Forbidden):
        await office.issue(bob)
    made = await office.issue()
    key = await office.bearing(made.secret)
    assert key is not None
    keys, members = office.services.api_keys, office.services.members
    for refused in (
        office.issue(key),
        keys.rotate(key, made.id, HOUR, office.key),
        keys.revoke(key, made.id),
        members.invite(key, "x@example.com", MemberRole.VIEWER, office.key),
        members.transfer(key, bob.held_by),
        office.services.tenants.delete(key),
    ):
        with pytest.raises(MembersOnly):
            await refused


async def test_a_key_changes_what_an_admin_can_while_it_is_good(office: Office) -> None:
    await office.found()
    made = await office.issue()
    key = await office.bearing(made.secret)
    assert key is not None
    await office.services.tenants.update(key, TenantChanges(name="By a key"))
    assert await office.owner.fetchval("SELECT name FROM tenants") == "By a key"
    owner = (await office.acting()).held_by
    with pytest.raises(MembersOnly):
        await office.services.members.remove(key, owner)
    await office.services.api_keys.revoke(await office.acting(), made.id)
    with pytest.raises(NotFound):
        await office.services.tenants.update(key, TenantChanges(name="Other"))


async def test_of_a_hundred_at_once_a_tenant_has_as_many_as_allowed(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.domains.tenancy.api_keys.services.keys.MAX_KEYS", 10)
    await office.found()
    acting = await office.acting()
    made = await asyncio.gather(*(office.issue(acting) for _ in range(100)), return_exceptions=True)
    assert sum(isinstance(each, ApiKeyLimitReached) for each in made) == 90
    assert await office.owner.fetchval("SELECT count(*) FROM api_keys") == 10
    await office.owner.execute("UPDATE api_keys SET revoked_at = now() WHERE id = (SELECT id FROM api_keys LIMIT 1)")
    await office.issue(acting)


async def test_a_key_expires_at_its_moment(office: Office) -> None:
    await office.found()
    made = await office.issue(expires_at=office.clock.now() + HOUR)
    key = await office.bearing(made.secret)
    assert key is not None
    assert key.key is not None
    assert key.key.expires_at == office.clock.now() + HOUR
    assert await office.services.api_keys.living([key.held_by]) == {key.held_by: office.clock.now() + HOUR}
    office.clock.advance(HOUR - timedelta(microseconds=1))
    assert await office.bearing(made.secret) is not None
    office.clock.advance(timedelta(microseconds=1))
    assert await office.bearing(made.secret) is None
    assert await office.services.api_keys.living([key.held_by]) == {}
    with pytest.raises(NotFound):
        await office.services.tenants.update(key, TenantChanges(name="Other"))


async def test_after_a_rotation_the_secret_before_is_good_for_the_overlap(office: Office) -> None:
    await office.found()
    made, alice = await office.issue(), await office.acting()
    before = await office.bearing(made.secret)
    assert before is not None
    rotated = await office.services.api_keys.rotate(alice, made.id, HOUR, "rotation")
    again = await office.services.api_keys.rotate(alice, made.id, HOUR, "rotation")
    assert again.secret is None
    assert await office.ended() == [str(before.held_by)]
    old, new = await office.bearing(made.secret), await office.bearing(rotated.secret)
    assert old is not None
    assert new is not None
    assert old.key is not None
    assert new.key is not None
    assert (old.key.expires_at, new.key.expires_at) == (office.clock.now() + HOUR, None)
    assert len({before.held_by, old.held_by, new.held_by}) == 3
    assert (await office.services.api_keys.living([before.held_by, old.held_by, new.held_by])).keys() == {
        old.held_by, new.held_by,
    }  # fmt: skip
    office.clock.advance(HOUR)
    assert await office.bearing(made.secret) is None
    assert await office.bearing(rotated.secret) is not None
    assert (await office.services.api_keys.living([old.held_by, new.held_by])).keys() == {new.held_by}


async def test_without_an_overlap_the_secret_before_is_no_longer_good(office: Office) -> None:
    await office.found()
    made, alice = await office.issue(), await office.acting()
    rotated = await office.services.api_keys.rotate(alice, made.id, timedelta(0), office.key)
    assert await office.bearing(made.secret) is None
    last = await office.services.api_keys.rotate(alice, made.id, HOUR, office.key)
    assert await office.bearing(made.secret) is None
    assert await office.bearing(rotated.secret) is not None
    with pytest.raises(InvalidInput):
        await office.services.api_keys.rotate(alice, made.id, timedelta(days=8), office.key)
    await office.services.api_keys.revoke(alice, made.id)
    for secret in (made.secret, rotated.secret, last.secret):
        assert await office.bearing(secret) is None
    with pytest.raises(NotFound):
        await office.services.api_keys.rotate(alice, made.id, HOUR, office.key)


async def test_a_revoked_key_is_over_and_closes_what_is_open(office: Office) -> None:
    await office.found()
    made, alice = await office.issue(), await office.acting()
    key = await office.bearing(made.secret)
    assert key is not None
    await office.services.api_keys.revoke(alice, made.id)
    assert await office.ended() == [str(key.held_by)]
    assert await office.bearing(made.secret) is None
    assert await office.services.api_keys.living([key.held_by]) == {}
    with pytest.raises(NotFound):
        await office.services.api_keys.revoke(alice, made.id)


async def test_a_key_is_used_from_its_networks_alone(office: Office) -> None:
    await office.found()
    made = await office.issue(allowed_cidrs=["192.0.2.0/24", "2001:db8::/32"])
    for ip in ("192.0.2.9", "2001:db8::9"):
        assert await office.bearing(made.secret, ip) is not None
    for wrong in ("198.51.100.1", "2001:db9::1", None):
        with pytest.raises(KeyRefused):
            await office.bearing(made.secret, wrong)
    # Who does not know the secret learns nothing of the networks.
    wrong_secret = str(made.secret)[:25] + "0" * 64
    assert await office.bearing(wrong_secret, "198.51.100.1") is None


async def test_keys_of_a_tenant_that_is_suspended_cancelled_or_deleted(office: Office) -> None:
    id = await office.found()
    made, tenants = await office.issue(), office.services.tenants
    key = await office.bearing(made.secret)
    assert key is not None
    await tenants.update_plan(office.alice, id, PlanChanges(status=SubscriptionStatus.SUSPENDED))
    assert await office.ended() == [str(key.held_by)]
    with pytest.raises(KeyRefused):
        await office.bearing(made.secret)
    assert await office.services.api_keys.living([key.held_by]) == {}
    assert await rows(office, key.scope, "SELECT FROM tenants") == 0
    await tenants.update_plan(office.alice, id, PlanChanges(status=SubscriptionStatus.CANCELLED))
    cancelled = await office.bearing(made.secret)
    assert cancelled is not None
    assert await rows(office, cancelled.scope, "SELECT FROM tenants") == 1
    with pytest.raises(TenantNotActive):
        await tenants.update(cancelled, TenantChanges(name="Other"))
    await tenants.delete(await office.acting())
    assert str(key.held_by) in await office.ended()
    assert await office.bearing(made.secret) is None
    assert await rows(office, key.scope, "SELECT FROM tenants") == 0


async def test_a_key_sees_its_tenant_and_its_mode_and_nothing_else(office: Office) -> None:
    await office.found()
    await office.found("other", by=office.bob)
    alice = await office.acting()
    testing = msgspec.structs.replace(alice, livemode=False)
    live, test = await office.issue(), await office.issue(testing)
    await office.issue(await office.acting(office.bob, "other"))
    assert [str(each.secret)[:8] for each in (live, test)] == ["mk_live_", "mk_test_"]
    a, t = await office.bearing(live.secret), await office.bearing(test.secret)
    assert a is not None
    assert t is not None
    assert (a.livemode, t.livemode) == (True, False)
    for table, number in {"tenants": 1, "tenant_members": 1, "api_keys": 1, "users": 0, "portfolios": 0}.items():
        for scope in (a.scope, t.scope):
            assert await rows(office, scope, f"SELECT FROM {table}") == number, table
    assert await rows(office, a.scope, f"SELECT FROM api_keys WHERE id = '{live.id}'") == 1
    assert await rows(office, t.scope, f"SELECT FROM api_keys WHERE id = '{test.id}'") == 1
    for scope in (alice.scope, testing.scope):
        assert await rows(office, scope, "SELECT FROM api_keys") == 1
    with pytest.raises(NotFound):
        await office.services.api_keys.revoke(alice, test.id)


@pytest.mark.parametrize(
    "over",
    [
        "UPDATE api_keys SET expires_at = created_at + interval '1 second'",
        "UPDATE api_keys SET revoked_at = now()",
        "UPDATE tenants SET deleted_at = now()",
        "UPDATE tenants SET subscription_status = 'suspended'",
        "DELETE FROM api_keys",
    ],
)
async def test_a_transaction_sees_nothing_once_its_key_is_over(office: Office, over: str) -> None:
    await office.found()
    key = await office.bearing((await office.issue()).secret)
    assert key is not None
    assert await rows(office, key.scope, "SELECT FROM tenant_members") == 1
    await office.owner.execute(over)
    for table in ("tenants", "tenant_members", "api_keys", "tenant_invitations"):
        assert await rows(office, key.scope, f"SELECT FROM {table}") == 0


async def test_a_key_does_not_open_another_tenant_or_mode(office: Office) -> None:
    await office.found()
    other = await office.found("other", by=office.bob)
    key = await office.bearing((await office.issue()).secret)
    assert key is not None
    for forged in ({"tenant_id": other}, {"livemode": False}):
        scope = msgspec.structs.replace(key.scope, **forged)
        for table in ("tenants", "tenant_members", "api_keys"):
            assert await rows(office, scope, f"SELECT FROM {table}") == 0
    # A key in the scope of a member adds nothing to it.
    scope = msgspec.structs.replace(key.scope, tenant_id=other, user_id=office.bob.user_id)
    assert await rows(office, scope, "SELECT FROM api_keys") == 0


@pytest.mark.parametrize("table", ["api_keys", "tenant_api_calls"])
async def test_nobody_but_moneta_writes(office: Office, table: str) -> None:
    await office.found()
    made = await office.issue()
    key = await office.bearing(made.secret)
    assert key is not None
    assert key.key is not None
    await office.services.calls.charge(key, key.key)
    await office.services.calls.flush()
    before = await office.owner.fetch(f"SELECT * FROM {table}")
    assert len(before) == 1
    for scope in (key.scope, (await office.acting()).scope, office.bob.scope, PUBLIC):
        assert await rows(office, scope, f"UPDATE {table} SET tenant_id = tenant_id") == 0
        assert await rows(office, scope, f"DELETE FROM {table}") == 0
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await rows(office, scope, f"INSERT INTO {table} (tenant_id) VALUES ('{key.tenant_id}')")
    assert await office.owner.fetch(f"SELECT * FROM {table}") == before


async def test_a_key_that_ended_long_ago_is_removed(office: Office) -> None:
    await office.found()
    revoked, kept = await office.issue(), await office.issue()
    await office.issue(expires_at=office.clock.now() + HOUR)
    await office.services.api_keys.revoke(await office.acting(), revoked.id)
    office.clock.advance(timedelta(days=90) + 2 * HOUR)
    await office.services.api_keys.remove_old()
    assert [row["id"] for row in await office.owner.fetch("SELECT id FROM api_keys")] == [kept.id]
