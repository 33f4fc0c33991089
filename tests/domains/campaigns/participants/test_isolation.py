"""Row-level security: who sees participants, whatever the statement."""

import asyncpg
import pytest

from app.domains.campaigns.networks.model import Network
from app.domains.campaigns.participants.model import NamedWallet
from app.domains.tenancy.tenants.model.tenants import MemberRole
from app.kit.db import PUBLIC, SYSTEM, Scope
from tests.domains.campaigns.fair import SOLANA, Fair, in_test_mode

TABLES = ("participants", "participant_wallets", "wallet_challenges", "participant_links")
WALLETS = (NamedWallet(Network.SOLANA, SOLANA),)


async def fill(fair: Fair) -> None:
    for each in (fair.alice, in_test_mode(fair.alice), in_test_mode(fair.alice)):
        id = await fair.participant(each, wallets=WALLETS)
        await fair.services.proofs.start(each, id, Network.SOLANA)
        await fair.services.proofs.issue_link(each, id)


async def test_members_see_what_is_theirs_in_the_mode_in_which_they_act(fair: Fair) -> None:
    office = fair.office
    await fill(fair)
    bob = await office.join(office.bob, MemberRole.VIEWER)
    await office.found("other", by=office.bob)
    elsewhere = await office.acting(office.bob, "other")
    test, nobody = in_test_mode(fair.alice).scope, Scope(tenant_id=fair.alice.tenant_id)
    for table in TABLES:
        shown = table in {"participants", "participant_wallets"}
        for scope in (elsewhere.scope, nobody, office.alice.scope, PUBLIC):
            assert await fair.rows(scope, f"SELECT FROM {table}") == 0, (table, scope)
        for scope, count in {fair.alice.scope: 1, bob.scope: 1, test: 2}.items():
            assert await fair.rows(scope, f"SELECT FROM {table}") == count * shown, (table, scope)
        assert await fair.rows(SYSTEM, f"SELECT FROM {table}") == 3


async def test_a_user_sees_the_participant_that_they_are_linked_to(fair: Fair) -> None:
    await fair.participant(wallets=WALLETS)
    id = await fair.participant(wallets=WALLETS)
    link = await fair.services.proofs.issue_link(fair.alice, id)
    assert await fair.services.proofs.link(fair.office.bob, link.token) == id
    for table, key in (("participants", "id"), ("participant_wallets", "participant_id")):
        assert await fair.rows(fair.office.bob.scope, f"SELECT FROM {table}") == 1
        assert await fair.rows(fair.office.bob.scope, f"SELECT FROM {table} WHERE {key} = '{id}'") == 1
        assert await fair.rows(fair.office.alice.scope, f"SELECT FROM {table}") == 0


@pytest.mark.parametrize("table", TABLES)
async def test_nobody_but_moneta_writes(fair: Fair, table: str) -> None:
    await fill(fair)
    before = await fair.office.owner.fetch(f"SELECT * FROM {table}")
    assert before
    for scope in (fair.alice.scope, fair.office.alice.scope, PUBLIC):
        assert await fair.rows(scope, f"UPDATE {table} SET livemode = livemode") == 0
        assert await fair.rows(scope, f"DELETE FROM {table}") == 0
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await fair.rows(scope, f"INSERT INTO {table} (livemode) VALUES (true)")
    assert await fair.office.owner.fetch(f"SELECT * FROM {table}") == before


async def test_a_referral_is_within_a_tenant_and_a_mode(fair: Fair) -> None:
    await fair.office.found("other", by=fair.office.bob)
    bob = await fair.office.acting(fair.office.bob, "other")
    ids = [await fair.participant(each) for each in (fair.alice, in_test_mode(fair.alice), bob)]
    for one, other in ((0, 1), (0, 2), (0, 0)):
        with pytest.raises((asyncpg.ForeignKeyViolationError, asyncpg.CheckViolationError)):
            await fair.office.owner.execute(
                "UPDATE participants SET referred_by = $2 WHERE id = $1", ids[one], ids[other]
            )


async def test_a_tenant_that_is_removed_takes_its_participants_with_it(fair: Fair) -> None:
    await fill(fair)
    await fair.office.owner.execute("DELETE FROM tenants")
    for table in TABLES:
        assert await fair.office.owner.fetchval(f"SELECT count(*) FROM {table}") == 0
