"""Wallets and the keys that Moneta holds for them."""

import base64
import secrets
from decimal import Decimal
from functools import partial

import pytest

from app.domains.ledger import loaders, model
from app.domains.ledger.services.keys import Keys
from app.kit.crypto.envelope import Keyring, SealBroken, UnknownKey
from app.kit.crypto.rsa import fingerprint, sign, verify
from app.kit.db import PUBLIC, Database, Tx
from app.kit.errors import InvalidInput
from app.kit.lists import page_request
from app.kit.reads import Reads
from tests.domains.ledger.scene import MIN_FEE, REWARD, Person, Scene, rsa_key
from tests.statements import statement


async def stored_key(scene: Scene, person: Person) -> model.WalletKey:
    row = await scene.owner.fetchrow(
        "SELECT wallet_id, user_id, kek_id, wrapped_key, ciphertext FROM wallet_keys WHERE wallet_id = $1",
        person.wallet_id,
    )
    assert row is not None
    return model.WalletKey(*row)


async def test_a_custodial_wallet_is_named_by_its_key_which_is_sealed(scene: Scene) -> None:
    alice = await scene.person()
    wallet = await scene.owner.fetchrow("SELECT public_key, custody FROM wallets WHERE wallet_id = $1", alice.wallet_id)
    assert wallet is not None
    assert wallet["custody"] == "custodial"
    assert fingerprint(wallet["public_key"]) == alice.wallet_id
    assert await scene.balance(alice) == 0
    key = await stored_key(scene, alice)
    private_der = scene.services.keys.open(key)
    assert private_der not in key.ciphertext
    assert verify(wallet["public_key"], b"message", sign(private_der, b"message"))


async def test_a_key_moved_to_another_row_does_not_open(scene: Scene) -> None:
    alice, bob = await scene.person(), await scene.person()
    stolen = replace_wallet(await stored_key(scene, alice), bob)
    with pytest.raises(SealBroken):
        scene.services.keys.open(stolen)


def replace_wallet(key: model.WalletKey, person: Person) -> model.WalletKey:
    return model.WalletKey(person.wallet_id, person.viewer.user_id, key.kek_id, key.wrapped_key, key.ciphertext)


async def test_an_external_wallet_has_no_key_here(scene: Scene) -> None:
    alice = await scene.person(key=rsa_key(0))
    assert alice.wallet_id == fingerprint(rsa_key(0).public_der)
    assert await scene.owner.fetchval("SELECT custody FROM wallets") == "external"
    assert await scene.owner.fetchval("SELECT count(*) FROM wallet_keys") == 0


async def test_a_public_key_has_one_wallet(scene: Scene) -> None:
    await scene.person(key=rsa_key(0))
    with pytest.raises(model.PublicKeyTaken) as caught:
        await scene.person(key=rsa_key(0))
    assert caught.value.path == ("public_key",)
    assert await scene.owner.fetchval("SELECT count(*) FROM wallets") == 1


@pytest.mark.parametrize("text", ["", "nonsense", "-----BEGIN PRIVATE KEY-----"])
async def test_a_bad_public_key_is_refused(scene: Scene, text: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        await scene.services.wallets.prepare(text)
    assert caught.value.path == ("public_key",)


async def test_rotation_rewraps_all_and_can_be_taken_up_again(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.kit.rewrapping.BATCH", 2)
    old, new = (base64.b64encode(secrets.token_bytes(32)).decode() for _ in range(2))
    object.__setattr__(scene.services.keys, "keyring", Keyring.parse(f"old:{old}"))
    people = [await scene.person() for _ in range(5)]
    before = {person.wallet_id: await stored_key(scene, person) for person in people}
    private = {person.wallet_id: scene.services.keys.open(before[person.wallet_id]) for person in people}
    keys = Keys(scene.database, scene.clock, Keyring.parse(f"new:{new},old:{old}"))

    interrupted = keys.rotate()
    assert await anext(interrupted) == model.KeyRotation(2, 5)
    await interrupted.aclose()
    assert [step async for step in keys.rotate()] == [model.KeyRotation(2, 3), model.KeyRotation(3, 3)]
    assert [step async for step in keys.rotate()] == []

    alone = Keys(scene.database, scene.clock, Keyring.parse(f"new:{new}"))
    for person in people:
        key = await stored_key(scene, person)
        assert key.kek_id == "new"
        assert key.ciphertext == before[person.wallet_id].ciphertext
        assert alone.open(key) == private[person.wallet_id]


async def test_rotation_without_the_old_key_changes_nothing(scene: Scene) -> None:
    alice = await scene.person()
    before = await stored_key(scene, alice)
    keys = Keys(scene.database, scene.clock, Keyring.generate("other"))
    with pytest.raises(UnknownKey):
        await anext(keys.rotate())
    assert await stored_key(scene, alice) == before


async def test_nobody_sees_what_is_anothers(scene: Scene, database: Database) -> None:
    alice, bob = await scene.person(), await scene.person()
    await scene.mine(alice)
    await scene.services.beneficiaries.add(alice.viewer, bob.wallet_id, "Bob", None, "k")
    for scope, seen in ((alice.viewer.scope, 1), (bob.viewer.scope, 0), (PUBLIC, 0)):
        for table in ("wallet_keys", "wallet_balances", "beneficiaries"):
            async with database.snapshot(scope) as tx:
                rows = await tx.fetch(
                    statement("", "", f"SELECT user_id FROM {table} WHERE user_id = $1"), alice.viewer.user_id
                )
            assert len(rows) == seen, (table, scope)
        reads = Reads(database, scope)
        try:
            assert (await reads.one(loaders.balance_by_wallet, alice.wallet_id) is not None) == bool(seen)
            assert (await reads.one(loaders.pending_by_wallet, alice.wallet_id) is not None) == bool(seen)
            page = await reads.page(loaders.utxos_by_wallet, alice.wallet_id, page_request(loaders.utxos_by_wallet, 10))
            assert len(page.records) == seen
            assert await reads.count(loaders.utxos_by_wallet, alice.wallet_id, ()) == seen
        finally:
            await reads.aclose()


async def test_a_user_cannot_write_the_chain(scene: Scene, database: Database) -> None:
    alice = await scene.person()
    await scene.mine(alice)
    for sql in (
        "UPDATE utxos SET amount = 1000000",
        "UPDATE transactions SET amount = 1000000",
        "DELETE FROM blocks",
        "UPDATE wallets SET user_id = gen_random_uuid()",
        "UPDATE blockchain_info SET circulating_coins = 0",
    ):
        update = statement("", "", sql)
        assert await database.write(alice.viewer.scope, partial(Tx.execute, statement=update)) == 0, sql


async def test_pending_shows_unconfirmed_payments(scene: Scene) -> None:
    alice, bob = await scene.person(), await scene.person()
    await scene.mine(alice, 2)
    await scene.pay(alice, bob, "10")

    async def pending(person: Person) -> tuple[Decimal, Decimal, Decimal]:
        reads = Reads(scene.database, person.viewer.scope)
        try:
            found = await reads.one(loaders.pending_by_wallet, person.wallet_id)
        finally:
            await reads.aclose()
        assert found is not None
        return found.incoming, found.outgoing, found.immature

    none = Decimal(0)
    assert await pending(alice) == (none, 10 + MIN_FEE, none)
    assert await pending(bob) == (Decimal(10), none, none)
    await scene.owner.execute("UPDATE blockchain_info SET coinbase_maturity = 2")
    await scene.mine(bob)
    assert await pending(alice) == (none, none, none)
    assert await pending(bob) == (none, none, REWARD + MIN_FEE)
    assert await scene.balance(bob) == 10
