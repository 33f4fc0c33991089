"""Row-level security: what members and others see of a tenant, whatever the statement."""

import asyncpg
import msgspec
import pytest

from app.domains.tenancy.tenants.model.tenants import MemberRole
from app.kit.db import PUBLIC, SYSTEM, Scope
from tests.domains.tenancy.office import Office
from tests.statements import statement

TABLES = ("tenants", "tenant_members", "tenant_invitations")


async def rows(office: Office, scope: Scope, sql: str) -> int:
    return await office.database.write(scope, lambda tx: tx.execute(statement("tried", "", sql)))


async def test_a_tenant_is_seen_by_its_members_and_its_data_where_it_is_named(office: Office) -> None:
    await office.found()
    await office.found("other", by=office.bob)
    alice, bob = await office.acting(), await office.acting(office.bob, "other")
    await office.services.members.invite(alice, "x@example.com", MemberRole.VIEWER, office.key)
    foreign = msgspec.structs.replace(bob, tenant_id=alice.tenant_id)
    seen = {
        "tenants": {alice.scope: 1, office.alice.scope: 1, bob.scope: 1, foreign.scope: 1, PUBLIC: 0, SYSTEM: 2},
        # One's own membership is seen whatever is named.
        "tenant_members": {alice.scope: 1, office.alice.scope: 1, bob.scope: 1, foreign.scope: 1, PUBLIC: 0, SYSTEM: 2},
        "tenant_invitations": {alice.scope: 1, office.alice.scope: 0, bob.scope: 0, foreign.scope: 0, PUBLIC: 0},
    }
    for table, scopes in seen.items():
        for scope, count in scopes.items():
            assert await rows(office, scope, f"SELECT FROM {table}") == count, (table, scope)
    of_acme = f"WHERE tenant_id = '{alice.tenant_id}'"
    for scope in (bob.scope, foreign.scope, PUBLIC, Scope(tenant_id=alice.tenant_id)):
        assert await rows(office, scope, f"SELECT FROM tenant_members {of_acme}") == 0
        assert await rows(office, scope, f"SELECT FROM tenants WHERE id = '{alice.tenant_id}'") == 0


@pytest.mark.parametrize("table", TABLES)
async def test_nobody_but_moneta_writes(office: Office, table: str) -> None:
    await office.found()
    alice = await office.acting()
    await office.services.members.invite(alice, "x@example.com", MemberRole.VIEWER, office.key)
    before = await office.owner.fetch(f"SELECT * FROM {table}")
    for scope in (alice.scope, office.alice.scope, office.bob.scope, PUBLIC):
        assert await rows(office, scope, f"UPDATE {table} SET id = id") == 0
        assert await rows(office, scope, f"DELETE FROM {table}") == 0
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await rows(office, scope, f"INSERT INTO {table} SELECT (jsonb_populate_record(NULL::{table}, '{{}}')).*")
    assert await office.owner.fetch(f"SELECT * FROM {table}") == before


async def test_invitations_are_for_owners_and_admins(office: Office) -> None:
    await office.found()
    alice, bob = await office.acting(), await office.join(office.bob, MemberRole.VIEWER)
    await office.services.members.invite(alice, "x@example.com", MemberRole.VIEWER, office.key)
    count = "SELECT FROM tenant_invitations WHERE accepted_at IS NULL"
    assert await rows(office, bob.scope, count) == 0
    await office.services.members.update(alice, bob.held_by, MemberRole.ADMIN)
    assert await rows(office, bob.scope, count) == 1


async def test_a_deleted_tenant_has_no_data_for_anybody(office: Office) -> None:
    await office.found()
    alice, bob = await office.acting(), await office.join(office.bob, MemberRole.VIEWER)
    assert await rows(office, bob.scope, "SELECT FROM tenant_members") == 2
    await office.services.tenants.delete(alice)
    for each in (alice, bob):
        assert await rows(office, each.scope, "SELECT FROM tenant_members") == 1, "their own"
    await office.services.tenants.restore(office.alice, "acme")
    await office.services.members.remove(alice, bob.held_by)
    assert await rows(office, bob.scope, "SELECT FROM tenant_members") == 0
