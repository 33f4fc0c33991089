"""Payments that their senders sign: drafted by Moneta, checked like any other."""

import asyncio
import base64
from datetime import timedelta
from decimal import Decimal
from uuid import uuid4

import msgspec
import pytest

from app.domains.ledger import model
from app.domains.ledger.model import Rejection, TransferCommand, UnsignedTransaction
from app.domains.ledger.rules.transaction import (
    ZERO_WALLET_ID,
    OutPoint,
    Transaction,
    TransactionOutput,
    decode,
    encode,
)
from app.kit.crypto.rsa import sign
from app.kit.errors import IdempotencyKeyReused, InvalidInput
from tests.domains.ledger.scene import MIN_FEE, REWARD, Person, Scene, rsa_key


async def drafted(scene: Scene, sender: Person, command: TransferCommand) -> UnsignedTransaction:
    async with scene.database.snapshot(sender.viewer.scope) as tx:
        return await scene.services.transfers.draft(tx, sender.viewer, command)


async def draft(scene: Scene, sender: Person, recipient: Person, amount: str = "1") -> Transaction:
    command = TransferCommand(recipient_wallet_id=recipient.wallet_id, amount=Decimal(amount))
    return decode((await drafted(scene, sender, command)).encoding)


async def submit(
    scene: Scene, sender: Person, transaction: Transaction, *, key: str | None = None, allow_high_fee: bool = False
) -> str:
    assert sender.key is not None
    encoding = encode(transaction)
    return await scene.services.submissions.submit(
        sender.viewer,
        base64.b64encode(encoding).decode(),
        base64.b64encode(sign(sender.key.private_der, encoding)).decode(),
        key or str(uuid4()),
        allow_high_fee=allow_high_fee,
    )


async def test_a_draft_reserves_nothing_and_says_what_it_costs(scene: Scene) -> None:
    alice, bob = await scene.person(key=rsa_key(0)), await scene.person()
    await scene.mine(alice)
    command = TransferCommand(recipient_wallet_id=bob.wallet_id, amount=Decimal("1.5"))
    unsigned = await drafted(scene, alice, command)
    assert (unsigned.fee, unsigned.change) == (MIN_FEE, REWARD - Decimal("1.5") - MIN_FEE)
    assert await scene.balance(alice) == REWARD
    assert await scene.owner.fetchval("SELECT count(*) FROM utxos WHERE is_spent") == 0


async def test_a_signed_draft_is_accepted_and_confirmed(scene: Scene) -> None:
    alice, bob = await scene.person(key=rsa_key(0)), await scene.person()
    await scene.mine(alice)
    hash_ = await submit(scene, alice, await draft(scene, alice, bob, "7"))
    assert await scene.balance(alice) == REWARD - 7 - MIN_FEE
    assert await scene.facts(bob) == [("transaction.pending", {"hash": hash_})]
    await scene.mine(bob)
    assert await scene.status(hash_) == "confirmed"
    assert await scene.balance(bob) == REWARD + 7 + MIN_FEE
    await scene.assert_books_balance()


async def test_a_known_transaction_is_answered_with_itself(scene: Scene) -> None:
    alice, bob = await scene.person(key=rsa_key(0)), await scene.person()
    await scene.mine(alice)
    payment = await draft(scene, alice, bob)
    hash_ = await submit(scene, alice, payment, key="first")
    assert await submit(scene, alice, payment, key="first") == hash_
    assert await submit(scene, alice, payment, key="second") == hash_
    with pytest.raises(IdempotencyKeyReused):
        await submit(scene, alice, await draft(scene, alice, bob), key="first")
    assert await scene.facts(bob) == [("transaction.pending", {"hash": hash_})]
    assert await scene.balance(alice) == REWARD - 1 - MIN_FEE


async def test_a_fee_above_a_coin_must_be_confirmed(scene: Scene) -> None:
    alice, bob = await scene.person(key=rsa_key(0)), await scene.person()
    await scene.mine(alice)
    command = TransferCommand(recipient_wallet_id=bob.wallet_id, amount=Decimal(1), fee=Decimal("1.00000001"))
    with pytest.raises(model.FeeTooHigh):
        await drafted(scene, alice, command)
    confirmed = msgspec.structs.replace(command, allow_high_fee=True)
    payment = decode((await drafted(scene, alice, confirmed)).encoding)
    with pytest.raises(model.FeeTooHigh):
        await submit(scene, alice, payment, key="k")
    assert await scene.facts(bob) == []
    hash_ = await submit(scene, alice, payment, key="k", allow_high_fee=True)
    assert await submit(scene, alice, payment, key="k") == hash_, "a replay has been accepted"


@pytest.mark.usefixtures("warm")
async def test_two_hundred_spends_of_one_coin_have_one_winner(scene: Scene) -> None:
    alice, bob = await scene.person(key=rsa_key(0)), await scene.person()
    await scene.mine(alice)
    payment = await draft(scene, alice, bob)
    rivals = [msgspec.structs.replace(payment, memo=str(number)) for number in range(200)]

    outcomes = await asyncio.gather(*(submit(scene, alice, rival) for rival in rivals), return_exceptions=True)

    losers = [outcome for outcome in outcomes if not isinstance(outcome, str)]
    assert len(losers) == 199
    assert {loser.reason for loser in losers if isinstance(loser, model.TransactionRejected)} == {
        Rejection.OUTPUT_NOT_AVAILABLE
    }
    assert await scene.owner.fetchval("SELECT count(*) FROM transactions WHERE status = 'pending'") == 1
    assert await scene.balance(alice) == REWARD - 1 - MIN_FEE
    await scene.assert_books_balance()


async def rejection(scene: Scene, sender: Person, transaction: Transaction) -> Rejection:
    with pytest.raises(model.TransactionRejected) as caught:
        await submit(scene, sender, transaction)
    assert await scene.owner.fetchval("SELECT count(*) FROM transactions WHERE status = 'pending'") == 0
    return caught.value.reason


async def test_every_rule_refuses(scene: Scene) -> None:
    alice, bob, carol = await scene.person(key=rsa_key(0)), await scene.person(), await scene.person()
    await scene.mine(alice)
    await scene.mine(bob)
    good = await draft(scene, alice, bob)
    change = msgspec.structs.replace
    to_carol = TransactionOutput(bytes.fromhex(carol.wallet_id), 1)
    bobs_coin = await scene.owner.fetchval("SELECT transaction_hash FROM utxos WHERE wallet_id = $1", bob.wallet_id)
    now_ms = good.timestamp_ms
    hour_ms = 3_600_000

    bad = {
        change(good, network=b"XXXX"): Rejection.WRONG_NETWORK,
        change(good, sender_wallet_id=bytes.fromhex(bob.wallet_id)): Rejection.NOT_YOURS,
        change(good, outputs=(*good.outputs, to_carol)): Rejection.NOT_ONE_RECIPIENT,
        change(good, outputs=good.outputs[1:]): Rejection.NOT_ONE_RECIPIENT,
        change(good, fee_units=good.fee_units + 1): Rejection.VALUE_NOT_CONSERVED,
        change(good, inputs=(OutPoint(bytes(32), 0),)): Rejection.OUTPUT_NOT_AVAILABLE,
        change(good, inputs=(OutPoint(bytes.fromhex(bobs_coin), 0),)): Rejection.NOT_YOURS,
        change(good, timestamp_ms=now_ms - 24 * hour_ms - 1): Rejection.TIMESTAMP_OUT_OF_RANGE,
        change(good, timestamp_ms=now_ms + 2 * hour_ms + 1): Rejection.TIMESTAMP_OUT_OF_RANGE,
    }
    for transaction, reason in bad.items():
        assert await rejection(scene, alice, transaction) is reason

    coinbase = change(good, sender_wallet_id=ZERO_WALLET_ID, inputs=(), fee_units=0, height=5)
    assert await rejection(scene, alice, coinbase) is Rejection.MALFORMED
    with pytest.raises(model.FeeTooLow):
        await submit(scene, alice, change(good, fee_units=999))
    nobody = TransactionOutput(bytes(31) + b"\x01", good.outputs[0].amount_units)
    stranger = change(good, outputs=(nobody, good.outputs[1]))
    with pytest.raises(model.RecipientNotFound):
        await submit(scene, alice, stranger)
    assert await scene.balance(alice) == REWARD


async def test_only_the_owner_submits_with_their_own_key(scene: Scene) -> None:
    alice, bob = await scene.person(key=rsa_key(0)), await scene.person(key=rsa_key(1))
    await scene.mine(alice)
    payment = await draft(scene, alice, bob)
    assert bob.key is not None
    encoded = base64.b64encode(encode(payment)).decode()
    forged = base64.b64encode(sign(bob.key.private_der, encode(payment))).decode()
    for viewer, reason in ((alice.viewer, Rejection.BAD_SIGNATURE), (bob.viewer, Rejection.NOT_YOURS)):
        with pytest.raises(model.TransactionRejected) as caught:
            await scene.services.submissions.submit(viewer, encoded, forged, "k")
        assert caught.value.reason is reason


@pytest.mark.parametrize("text", ["*", "YQ", "é"])
async def test_what_is_not_base64_is_refused(scene: Scene, text: str) -> None:
    alice = await scene.person(key=rsa_key(0))
    with pytest.raises(InvalidInput) as caught:
        await scene.services.submissions.submit(alice.viewer, text, "", "k")
    assert caught.value.path == ("transaction",)


async def test_bytes_that_are_no_transaction_are_refused(scene: Scene) -> None:
    alice = await scene.person(key=rsa_key(0))
    with pytest.raises(model.TransactionRejected) as caught:
        await scene.services.submissions.submit(alice.viewer, "AAAA", "", "k")
    assert caught.value.reason is Rejection.MALFORMED


async def test_an_unconfirmed_payment_cannot_be_passed_on_but_change_can(scene: Scene) -> None:
    alice, bob = await scene.person(key=rsa_key(0)), await scene.person(key=rsa_key(1))
    await scene.mine(alice)
    first = await submit(scene, alice, await draft(scene, alice, bob, "100"))
    second = await submit(scene, alice, await draft(scene, alice, bob, "100"))
    assert await scene.owner.fetchval("SELECT ancestors FROM transactions WHERE transaction_hash = $1", second) == 1

    passed_on = Transaction(
        network=(await draft(scene, alice, bob)).network,
        sender_wallet_id=bytes.fromhex(bob.wallet_id),
        inputs=(OutPoint(bytes.fromhex(first), 0),),
        outputs=(TransactionOutput(bytes.fromhex(alice.wallet_id), 100 * 100_000_000 - 1000),),
        fee_units=1000,
        timestamp_ms=int(scene.clock.now().timestamp() * 1000),
    )
    with pytest.raises(model.TransactionRejected) as caught:
        await submit(scene, bob, passed_on)
    assert caught.value.reason is Rejection.UNCONFIRMED_INPUT
    await scene.mine(alice)
    await submit(scene, bob, passed_on)


async def test_an_immature_reward_cannot_be_spent(scene: Scene) -> None:
    alice, bob = await scene.person(key=rsa_key(0)), await scene.person()
    await scene.mine(alice)
    payment = await draft(scene, alice, bob)
    # The chain's own setting counts, whatever this process was started with.
    await scene.owner.execute("UPDATE blockchain_info SET coinbase_maturity = 3")
    assert await rejection(scene, alice, payment) is Rejection.IMMATURE_COINBASE


async def test_what_was_signed_yesterday_is_still_good(scene: Scene) -> None:
    alice, bob = await scene.person(key=rsa_key(0)), await scene.person()
    await scene.mine(alice)
    payment = await draft(scene, alice, bob)
    scene.clock.advance(timedelta(hours=24))
    await submit(scene, alice, payment)


async def test_a_payment_that_builds_on_too_many_is_refused(scene: Scene) -> None:
    alice, bob = await scene.person(key=rsa_key(0)), await scene.person()
    await scene.mine(alice)
    for _ in range(26):
        last = await draft(scene, alice, bob)
        sent = await submit(scene, alice, last)
    paid, kept = last.outputs
    rest = TransactionOutput(kept.wallet_id, kept.amount_units - paid.amount_units - last.fee_units)
    further = msgspec.structs.replace(last, inputs=(OutPoint(bytes.fromhex(sent), 1),), outputs=(paid, rest))
    with pytest.raises(model.UnconfirmedChainTooLong):
        await submit(scene, alice, further)
    await scene.mine(bob)
    assert await submit(scene, alice, further)


async def test_a_full_mempool_takes_no_submission(scene: Scene) -> None:
    alice, bob = await scene.person(key=rsa_key(0)), await scene.person()
    await scene.mine(alice)
    payment = await draft(scene, alice, bob)
    object.__setattr__(scene.services.mempool, "limit", 1)
    await submit(scene, alice, payment)
    scene.clock.advance(timedelta(seconds=1))
    with pytest.raises(model.MempoolFull):
        await submit(scene, alice, await draft(scene, alice, bob))
    assert await submit(scene, alice, payment), "a replay adds nothing"
