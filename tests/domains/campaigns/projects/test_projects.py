"""Creating, changing and archiving projects."""

import asyncio
from datetime import timedelta
from decimal import Decimal
from itertools import chain, repeat
from uuid import UUID

import msgspec
import pytest

from app.domains.campaigns.networks.model import Network
from app.domains.campaigns.projects.model import (
    FixedDistribution,
    NewProject,
    NewWallet,
    PointsDistribution,
    ProjectArchived,
    ProjectChanges,
    ProjectLimitReached,
    WalletInUse,
)
from app.domains.tenancy.tenants.model.tenants import MemberRole, PlanChanges, SubscriptionStatus, TenantNotActive
from app.kit.crypto.envelope import Keyring, SealBroken, new_kek
from app.kit.errors import Forbidden, IdempotencyKeyReused, InvalidInput, NotFound, ResultDeleted
from tests.domains.campaigns.fair import ETHEREUM, ETHEREUM_SECRET, SEED, SOLANA, SOLANA_SECRET, Fair, in_test_mode

HUGE = 10**78 - 1


async def test_a_project_is_stored_as_it_was_given(fair: Fair) -> None:
    id = await fair.project(
        network=Network.ETHEREUM,
        token_address=ETHEREUM.lower(),
        token_decimals=36,
        total_supply=HUGE,
        distribution=FixedDistribution(HUGE),
    )
    row = await fair.row("projects", id)
    assert (row["token_address"], row["total_supply"], row["claim_amount"]) == (ETHEREUM, HUGE, HUGE)
    assert (row["tenant_id"], row["livemode"], row["max_claims_per_participant"]) == (fair.alice.tenant_id, True, 1)
    assert str(row["key"]).startswith("proj_")
    assert len(row["key"]) == 17


async def test_of_a_hundred_at_once_a_tenant_has_as_many_as_its_plan(fair: Fair) -> None:
    made = await asyncio.gather(*(fair.project() for _ in range(100)), return_exceptions=True)
    refused = [each for each in made if isinstance(each, ProjectLimitReached)]
    assert (len(made) - len(refused), len(refused)) == (3, 97)
    assert await fair.office.owner.fetchval("SELECT count(*) FROM projects") == 3
    [one, *_] = [each for each in made if isinstance(each, UUID)]
    await fair.services.projects.archive(fair.alice, one)
    await fair.project()
    with pytest.raises(ProjectLimitReached):
        await fair.project()
    # Those for tests count apart.
    await fair.project(in_test_mode(fair.alice))


async def test_a_key_that_is_taken_is_drawn_again(fair: Fair) -> None:
    drawn = chain(repeat("proj_aaaaaaaaaaaa", 3), ["proj_bbbbbbbbbbbb"])
    fair.services.projects.__dict__["new_key"] = lambda: next(drawn)
    first, second = await fair.project(), await fair.project()
    assert [(await fair.row("projects", each))["key"][-1] for each in (first, second)] == ["a", "b"]


async def test_a_replay_is_the_same_project(fair: Fair) -> None:
    wallet = NewWallet(SOLANA, SOLANA_SECRET)
    new = NewProject(name="Drop", network=Network.SOLANA, distribution=FixedDistribution(1), wallet=wallet)
    create = fair.services.projects.create
    id = await create(fair.alice, new, "key")
    assert await create(fair.alice, new, "key") == id
    for other in (
        msgspec.structs.replace(new, wallet=NewWallet(SOLANA)),
        msgspec.structs.replace(new, distribution=FixedDistribution(2)),
    ):
        with pytest.raises(IdempotencyKeyReused):
            await create(fair.alice, other, "key")
    # The key of another tenant, or of the other mode, is another key.
    test = in_test_mode(fair.alice)
    assert await create(test, new, "key") != id
    stored = await fair.office.owner.fetchval("SELECT string_agg(k::text, '') FROM idempotency_keys k")
    assert SOLANA_SECRET not in stored
    await fair.office.owner.execute("DELETE FROM projects")
    with pytest.raises(ResultDeleted):
        await create(fair.alice, new, "key")


async def test_a_clone_has_what_its_original_has_but_for_wallet_and_times(fair: Fair) -> None:
    ends_at = fair.office.clock.now() + timedelta(days=1)
    id = await fair.project(
        network=Network.SOLANA, distribution=PointsDistribution(2, 9), ends_at=ends_at, wallet=NewWallet(SOLANA)
    )
    clone = await fair.project(name="Again", clone_of=id, distribution=None)
    row = await fair.row("projects", clone)
    assert (row["name"], row["network"], row["claim_amount"], row["ends_at"]) == ("Again", "solana", 9, None)
    assert await fair.office.owner.fetchval("SELECT count(*) FROM project_wallets") == 1
    with pytest.raises(NotFound):
        await fair.project(in_test_mode(fair.alice), clone_of=id)
    await fair.office.found("other", by=fair.office.bob)
    with pytest.raises(NotFound):
        await fair.project(await fair.office.acting(fair.office.bob, "other"), clone_of=id)


async def test_owners_and_admins_change_projects_of_their_own_tenant(fair: Fair) -> None:
    id, projects = await fair.project(), fair.services.projects
    bob = await fair.office.join(fair.office.bob, MemberRole.VIEWER)
    for refused in (
        fair.project(bob),
        projects.update(bob, id, ProjectChanges(name="Other")),
        projects.set_wallet(bob, id, None),
        projects.archive(bob, id),
    ):
        with pytest.raises(Forbidden):
            await refused
    await fair.office.found("other", by=fair.office.bob)
    for other in (await fair.office.acting(fair.office.bob, "other"), in_test_mode(fair.alice)):
        for absent in (
            projects.update(other, id, ProjectChanges(name="Other")),
            projects.set_wallet(other, id, None),
            projects.archive(other, id),
        ):
            with pytest.raises(NotFound):
                await absent
    assert (await fair.row("projects", id))["name"] == "Drop"


async def test_an_update_fits_together_with_what_it_leaves(fair: Fair) -> None:
    now, projects = fair.office.clock.now(), fair.services.projects
    id = await fair.project(starts_at=now, total_supply=5)
    for changes, field in (
        (ProjectChanges(ends_at=now), "ends_at"),
        (ProjectChanges(total_supply=4), "total_supply"),
        (ProjectChanges(distribution=FixedDistribution(6)), "total_supply"),
        (ProjectChanges(token_address=SOLANA), "token_address"),
        (ProjectChanges(nulls=("name",)), "name"),
    ):
        with pytest.raises(InvalidInput) as refused:
            await projects.update(fair.alice, id, changes)
        assert refused.value.path == (field,)
    await projects.update(fair.alice, id, ProjectChanges(total_supply=None, distribution=FixedDistribution(6)))
    row = await fair.row("projects", id)
    assert (row["total_supply"], row["claim_amount"], row["starts_at"]) == (None, Decimal(6), now)


async def test_decimals_are_fixed_once_something_was_paid(fair: Fair) -> None:
    id, projects = await fair.project(), fair.services.projects
    await projects.update(fair.alice, id, ProjectChanges(token_decimals=18))
    await fair.office.owner.execute("UPDATE projects SET total_distributed = 1, total_claims = 1")
    with pytest.raises(InvalidInput):
        await projects.update(fair.alice, id, ProjectChanges(token_decimals=9))
    await projects.update(fair.alice, id, ProjectChanges(token_decimals=18, name="Same"))


async def test_what_was_archived_is_not_changed(fair: Fair) -> None:
    id, projects = await fair.project(), fair.services.projects
    await projects.archive(fair.alice, id)
    for refused in (
        projects.update(fair.alice, id, ProjectChanges(name="Other")),
        projects.set_wallet(fair.alice, id, None),
        projects.archive(fair.alice, id),
    ):
        with pytest.raises(ProjectArchived):
            await refused
    assert (await fair.row("projects", id))["archived_at"] == fair.office.clock.now()
    await fair.project(clone_of=id)


async def test_a_tenant_that_is_suspended_changes_nothing(fair: Fair) -> None:
    id, status = await fair.project(), PlanChanges(status=SubscriptionStatus.SUSPENDED)
    await fair.office.services.tenants.update_plan(fair.office.alice, fair.alice.tenant_id, status)
    for refused in (fair.project(), fair.services.projects.archive(fair.alice, id)):
        with pytest.raises(TenantNotActive):
            await refused


async def test_a_wallet_serves_one_project(fair: Fair) -> None:
    wallet, projects = NewWallet(ETHEREUM.lower(), ETHEREUM_SECRET), fair.services.projects
    id = await fair.project(network=Network.ETHEREUM, wallet=wallet)
    for address in (ETHEREUM, ETHEREUM.lower()):
        with pytest.raises(WalletInUse):
            await fair.project(network=Network.ETHEREUM, wallet=NewWallet(address))
    await fair.office.found("other", by=fair.office.bob)
    bob = await fair.office.acting(fair.office.bob, "other")
    with pytest.raises(WalletInUse):
        await fair.project(bob, network=Network.ETHEREUM, wallet=wallet)
    await fair.project(in_test_mode(fair.alice), network=Network.ETHEREUM, wallet=wallet)
    # Itself again, without its key; and then another.
    await projects.set_wallet(fair.alice, id, NewWallet(ETHEREUM))
    assert (await fair.row("project_wallets", id, "project_id"))["has_key"] is False
    assert await fair.services.project_wallets.key_of(fair.alice, id) is None
    await projects.set_wallet(fair.alice, id, None)
    await fair.project(bob, network=Network.ETHEREUM, wallet=wallet)
    for bad in (NewWallet(SOLANA), NewWallet(ETHEREUM, "22" * 32)):
        with pytest.raises(InvalidInput):
            await projects.set_wallet(fair.alice, id, bad)


async def test_a_private_key_is_sealed_for_its_project_and_rotated(fair: Fair) -> None:
    wallets, wallet = fair.services.project_wallets, NewWallet(SOLANA, SOLANA_SECRET)
    id = await fair.project(network=Network.SOLANA, wallet=wallet)
    found = await wallets.key_of(fair.alice, id)
    assert found is not None
    assert found.secret == SEED
    assert SOLANA_SECRET not in repr(wallet)
    row = await fair.row("project_wallet_keys", id, "project_id")
    assert SEED not in row["ciphertext"]
    logged = await fair.office.owner.fetchval("SELECT string_agg(a::text, '') FROM audit_logs a")
    assert row["ciphertext"].hex() not in logged
    assert SOLANA_SECRET not in logged
    assert await wallets.key_of(in_test_mode(fair.alice), id) is None
    kek = new_kek("k2")
    both = Keyring.parse(kek)
    both._ciphers |= wallets.keyring._ciphers
    wallets.__dict__["keyring"] = both
    assert [count async for count in wallets.rotate()] == [1]
    assert [count async for count in wallets.rotate()] == []
    wallets.__dict__["keyring"] = Keyring.parse(kek)
    again = await wallets.key_of(fair.alice, id)
    assert again is not None
    assert again.secret == SEED
    other = await fair.project(network=Network.SOLANA)
    await fair.office.owner.execute(
        "INSERT INTO project_wallets SELECT $1, tenant_id, livemode, network, 'x' || left(address, 40), true, now()"
        " FROM project_wallets",
        other,
    )
    await fair.office.owner.execute(
        "INSERT INTO project_wallet_keys SELECT $1, tenant_id, livemode, kek_id, wrapped_key, ciphertext, now()"
        " FROM project_wallet_keys",
        other,
    )
    with pytest.raises(SealBroken):
        await wallets.key_of(fair.alice, other)
