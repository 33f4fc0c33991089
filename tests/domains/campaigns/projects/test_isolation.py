"""Row-level security: what members and others see of projects, whatever the statement."""

import asyncpg
import msgspec
import pytest

from app.domains.campaigns.networks.model import Network
from app.domains.campaigns.projects.model import NewWallet, ProjectChanges
from app.domains.tenancy.tenants.model.tenants import MemberRole, PlanChanges, SubscriptionStatus
from app.kit.db import PUBLIC, SYSTEM, Scope
from tests.domains.campaigns.fair import SOLANA, SOLANA_SECRET, Fair, in_test_mode

TABLES = ("projects", "project_wallets", "project_wallet_keys")
WALLET = NewWallet(SOLANA, SOLANA_SECRET)


async def test_members_see_what_is_theirs_in_the_mode_in_which_they_act(fair: Fair) -> None:
    office = fair.office
    await fair.project(network=Network.SOLANA, wallet=WALLET, is_public=False)
    await fair.project(in_test_mode(fair.alice), network=Network.SOLANA, wallet=WALLET)
    await fair.project(in_test_mode(fair.alice))
    bob = await office.join(office.bob, MemberRole.VIEWER)
    await office.found("other", by=office.bob)
    elsewhere = await office.acting(office.bob, "other")
    foreign = Scope(user_id=office.bob.user_id, tenant_id=elsewhere.tenant_id)
    test, nobody = in_test_mode(fair.alice).scope, Scope(tenant_id=fair.alice.tenant_id)
    seen = {
        "projects": {fair.alice.scope: 1, bob.scope: 1, test: 2, SYSTEM: 3},
        "project_wallets": {fair.alice.scope: 1, bob.scope: 1, test: 1, SYSTEM: 2},
        "project_wallet_keys": {fair.alice.scope: 0, bob.scope: 0, test: 0, SYSTEM: 2},
    }
    for table, scopes in seen.items():
        for scope in (elsewhere.scope, foreign, nobody, office.alice.scope, PUBLIC):
            assert await fair.rows(scope, f"SELECT FROM {table}") == 0, (table, scope)
        for scope, count in scopes.items():
            assert await fair.rows(scope, f"SELECT FROM {table}") == count, (table, scope)


async def test_everybody_sees_a_public_project_while_it_and_its_tenant_are_active(fair: Fair) -> None:
    id = await fair.project(network=Network.SOLANA, wallet=WALLET)
    projects, tenants, owner = fair.services.projects, fair.office.services.tenants, fair.office.owner

    async def seen() -> int:
        assert await fair.rows(PUBLIC, "SELECT FROM project_wallets") == 0
        return await fair.rows(PUBLIC, "SELECT FROM projects")

    async def stand(status: SubscriptionStatus) -> None:
        await tenants.update_plan(fair.office.alice, fair.alice.tenant_id, PlanChanges(status=status))

    assert await seen() == 1
    for changes in (ProjectChanges(is_active=False), ProjectChanges(is_public=False)):
        await projects.update(fair.alice, id, changes)
        assert await seen() == 0
        await projects.update(fair.alice, id, ProjectChanges(is_active=True, is_public=True))
        assert await seen() == 1
    for status in (SubscriptionStatus.SUSPENDED, SubscriptionStatus.CANCELLED):
        await stand(status)
        assert await seen() == 0
        await stand(SubscriptionStatus.ACTIVE)
    await tenants.delete(fair.alice)
    assert await seen() == 0
    await tenants.restore(fair.office.alice, "acme")
    assert await seen() == 1
    await owner.execute("UPDATE projects SET archived_at = now()")
    assert await seen() == 0
    # What is for tests is for nobody else.
    await fair.project(in_test_mode(fair.alice))
    assert await seen() == 0


@pytest.mark.parametrize("table", TABLES)
async def test_nobody_but_moneta_writes(fair: Fair, table: str) -> None:
    await fair.project(network=Network.SOLANA, wallet=WALLET)
    before = await fair.office.owner.fetch(f"SELECT * FROM {table}")
    assert before
    for scope in (fair.alice.scope, fair.office.alice.scope, PUBLIC):
        assert await fair.rows(scope, f"UPDATE {table} SET created_at = now()") == 0
        assert await fair.rows(scope, f"DELETE FROM {table}") == 0
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await fair.rows(scope, f"INSERT INTO {table} SELECT (jsonb_populate_record(NULL::{table}, '{{}}')).*")
    assert await fair.office.owner.fetch(f"SELECT * FROM {table}") == before


@pytest.mark.parametrize(
    "column",
    [
        "token_decimals = 37",
        "claim_amount = 0",
        "total_claims = -1",
        "total_distributed = -1",
        "key = 'proj_x'",
        "starts_at = now(), ends_at = now()",
        "network = 'solana', token_address = '0x'",
        "livemode = false",
        "total_supply = 1",
    ],
)
async def test_the_database_refuses_what_no_project_is(fair: Fair, column: str) -> None:
    await fair.project(network=Network.SOLANA, wallet=WALLET)
    with pytest.raises((asyncpg.CheckViolationError, asyncpg.ForeignKeyViolationError)):
        await fair.office.owner.execute(f"UPDATE projects SET {column}")


async def test_a_tenant_that_is_removed_takes_its_projects_with_it(fair: Fair) -> None:
    await fair.project(network=Network.SOLANA, wallet=WALLET)
    await fair.office.owner.execute("DELETE FROM tenants")
    for table in TABLES:
        assert await fair.office.owner.fetchval(f"SELECT count(*) FROM {table}") == 0


def test_a_tenancy_reads_in_its_mode(fair: Fair) -> None:
    assert msgspec.structs.replace(fair.alice.scope, livemode=False) == in_test_mode(fair.alice).scope
