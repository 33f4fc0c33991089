"""Saved recipients."""

import asyncio
from uuid import uuid4

import pytest

from app.domains.ledger.model import BeneficiaryChanges, BeneficiaryExists, RecipientNotFound
from app.kit.errors import IdempotencyKeyReused, InvalidInput, NotFound
from tests.domains.ledger.scene import Scene


async def test_a_beneficiary_is_added_renamed_and_removed(scene: Scene) -> None:
    alice, bob = await scene.person(), await scene.person()
    beneficiaries = scene.services.beneficiaries
    added = await beneficiaries.add(alice.viewer, bob.wallet_id, " Bob Finney ", "", "k")
    assert (added.user_id, added.beneficiary_wallet_id) == (alice.viewer.user_id, bob.wallet_id)
    assert (added.beneficiary_name, added.nickname) == ("Bob Finney", None)
    assert added.created_at == scene.clock.now()
    for changes, names in (
        (BeneficiaryChanges(nickname="Bobby"), ("Bob Finney", "Bobby")),
        (BeneficiaryChanges(), ("Bob Finney", "Bobby")),
        (BeneficiaryChanges(name=None), (None, "Bobby")),
        (BeneficiaryChanges(name=" Rob ", nickname=" "), ("Rob", None)),
    ):
        renamed = await beneficiaries.update(alice.viewer, added.id, changes)
        assert (renamed.id, renamed.beneficiary_name, renamed.nickname) == (added.id, *names)
    await beneficiaries.remove(alice.viewer, added.id)
    with pytest.raises(NotFound):
        await beneficiaries.remove(alice.viewer, added.id)
    with pytest.raises(NotFound):
        await beneficiaries.update(alice.viewer, added.id, BeneficiaryChanges(nickname="Bob"))


async def test_a_wallet_is_saved_once(scene: Scene) -> None:
    alice, bob = await scene.person(), await scene.person()
    add = scene.services.beneficiaries.add
    first = await add(alice.viewer, bob.wallet_id, "Bob", None, "k")
    assert await add(alice.viewer, bob.wallet_id, "Bob", None, "k") == first
    with pytest.raises(IdempotencyKeyReused):
        await add(alice.viewer, bob.wallet_id, "Rob", None, "k")
    with pytest.raises(BeneficiaryExists):
        await add(alice.viewer, bob.wallet_id, "Bob", None, "k2")
    assert await scene.owner.fetchval("SELECT count(*) FROM beneficiaries") == 1


@pytest.mark.usefixtures("warm")
async def test_twenty_at_once_save_one(scene: Scene) -> None:
    alice, bob = await scene.person(), await scene.person()
    add = scene.services.beneficiaries.add
    outcomes = await asyncio.gather(
        *(add(alice.viewer, bob.wallet_id, None, None, str(uuid4())) for _ in range(20)), return_exceptions=True
    )
    assert sum(isinstance(outcome, BeneficiaryExists) for outcome in outcomes) == 19


async def test_what_is_refused(scene: Scene) -> None:
    alice, bob = await scene.person(), await scene.person()
    add = scene.services.beneficiaries.add
    with pytest.raises(RecipientNotFound):
        await add(alice.viewer, "ab" * 32, None, None, "k")
    for name, nickname, field in (("x" * 256, None, "name"), (None, "a\x00b", "nickname"), ("\ud800", None, "name")):
        with pytest.raises(InvalidInput) as caught:
            await add(alice.viewer, bob.wallet_id, name, nickname, "k")
        assert caught.value.path == (field,)
    assert await scene.owner.fetchval("SELECT count(*) FROM beneficiaries") == 0


async def test_another_users_beneficiary_is_not_there(scene: Scene) -> None:
    alice, bob = await scene.person(), await scene.person()
    added = await scene.services.beneficiaries.add(alice.viewer, bob.wallet_id, "Bob", None, "k")
    with pytest.raises(NotFound):
        await scene.services.beneficiaries.update(bob.viewer, added.id, BeneficiaryChanges(name="Mine"))
    with pytest.raises(NotFound):
        await scene.services.beneficiaries.remove(bob.viewer, added.id)
    assert await scene.owner.fetchval("SELECT beneficiary_name FROM beneficiaries") == "Bob"
