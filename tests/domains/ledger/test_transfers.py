"""Custodial payments: what they do, what they refuse, and what happens concurrently."""

import asyncio
from datetime import timedelta
from decimal import Decimal
from uuid import uuid4

import pytest

from app.domains.ledger import model
from app.domains.ledger.model import TransferCommand
from app.domains.ledger.rules.transaction import decode
from app.kit.crypto.rsa import verify
from app.kit.errors import IdempotencyKeyReused, InvalidInput
from app.kit.work import Work, working
from tests.domains.ledger.scene import MIN_FEE, REWARD, Person, Scene, rsa_key


def to(recipient: Person, amount: str, **rest: object) -> TransferCommand:
    return TransferCommand(recipient_wallet_id=recipient.wallet_id, amount=Decimal(amount), **rest)  # type: ignore[arg-type]


async def test_a_payment_is_pending_then_confirmed(scene: Scene) -> None:
    alice, bob = await scene.person(), await scene.person()
    await scene.mine(alice)

    hash_ = await scene.services.transfers.transfer(alice.viewer, to(bob, "12.5", memo="cafe\u0301"), "k")

    row = await scene.owner.fetchrow("SELECT * FROM transactions WHERE transaction_hash = $1", hash_)
    assert row is not None
    assert (row["status"], row["amount"], row["fee"], row["memo"]) == ("pending", Decimal("12.5"), MIN_FEE, "caf\u00e9")
    key = await scene.owner.fetchval("SELECT public_key FROM wallets WHERE wallet_id = $1", alice.wallet_id)
    assert verify(key, row["encoding"], row["signature"])
    assert [output.amount_units for output in decode(row["encoding"]).outputs] == [1_250_000_000, 48_749_999_000]
    assert await scene.balance(alice) == REWARD - Decimal("12.5") - MIN_FEE
    assert await scene.balance(bob) == 0
    await scene.assert_books_balance()

    miner = await scene.person()
    await scene.mine(miner)
    assert await scene.status(hash_) == "confirmed"
    assert await scene.balance(bob) == Decimal("12.5")
    assert await scene.balance(miner) == REWARD + MIN_FEE
    await scene.assert_books_balance()


async def test_both_sides_are_notified_and_no_other_wallet(scene: Scene) -> None:
    alice, bob, carol = await scene.person(), await scene.person(), await scene.person()
    await scene.mine(alice)
    before = await scene.facts(alice)
    hash_ = await scene.pay(alice, bob, "1")
    assert (await scene.facts(alice))[len(before) :] == [("transaction.pending", {"hash": hash_})]
    assert await scene.facts(bob) == [("transaction.pending", {"hash": hash_})]
    assert await scene.facts(carol) == []


async def test_a_replay_is_answered_with_the_first_payment(scene: Scene) -> None:
    alice, bob = await scene.person(), await scene.person()
    await scene.mine(alice)
    first = await scene.pay(alice, bob, "1", key="once")
    facts = await scene.facts(bob)
    assert await scene.pay(alice, bob, "1.00", key="once") == first
    with pytest.raises(IdempotencyKeyReused):
        await scene.pay(alice, bob, "2", key="once")
    assert await scene.owner.fetchval("SELECT count(*) FROM transactions WHERE status = 'pending'") == 1
    assert await scene.facts(bob) == facts
    assert await scene.balance(alice) == REWARD - 1 - MIN_FEE


async def test_a_key_belongs_to_its_owner(scene: Scene) -> None:
    alice, bob = await scene.person(), await scene.person()
    await scene.mine(alice)
    await scene.mine(bob)
    assert await scene.pay(alice, bob, "1", key="same") != await scene.pay(bob, alice, "1", key="same")


@pytest.mark.parametrize(
    ("amount", "rest", "field"),
    [
        ("0", {}, "amount"),
        ("-1", {}, "amount"),
        ("0.000000001", {}, "amount"),
        ("21000001", {}, "amount"),
        ("NaN", {}, "amount"),
        ("1", {"fee": Decimal("-1")}, "fee"),
        ("1", {"memo": "x" * 257}, "memo"),
        ("1", {"memo": "a\x00b"}, "memo"),
    ],
)
async def test_nonsense_is_refused(scene: Scene, amount: str, rest: dict[str, object], field: str) -> None:
    alice, bob = await scene.person(), await scene.person()
    await scene.mine(alice)
    with pytest.raises(InvalidInput) as caught:
        await scene.services.transfers.transfer(alice.viewer, to(bob, amount, **rest), "k")
    assert caught.value.path == (field,)
    assert await scene.balance(alice) == REWARD


async def test_a_fee_has_bounds(scene: Scene) -> None:
    alice, bob = await scene.person(), await scene.person()
    await scene.mine(alice)
    transfer = scene.services.transfers.transfer
    with pytest.raises(model.FeeTooLow) as low:
        await transfer(alice.viewer, to(bob, "1", fee=Decimal("0.00000999")), "k")
    assert low.value.minimum == MIN_FEE
    with pytest.raises(model.FeeTooHigh) as high:
        await transfer(alice.viewer, to(bob, "1", fee=Decimal("1.00000001")), "k")
    assert high.value.maximum == 1
    await transfer(alice.viewer, to(bob, "1", fee=Decimal(1)), "k")
    await transfer(alice.viewer, to(bob, "1", fee=Decimal(2), allow_high_fee=True), "k2")
    assert await scene.balance(alice) == REWARD - 1 - 1 - 1 - 2


async def test_who_may_not_pay(scene: Scene) -> None:
    alice, bob = await scene.person(), await scene.person()
    stranger, external = await scene.person(verified=False), await scene.person(key=rsa_key(0))
    for each in (alice, stranger, external):
        await scene.mine(each)
    with pytest.raises(model.NotVerified):
        await scene.pay(stranger, bob, "1")
    with pytest.raises(model.WalletIsExternal):
        await scene.pay(external, bob, "1")
    with pytest.raises(InvalidInput) as caught:
        await scene.pay(alice, alice, "1")
    assert caught.value.path == ("recipient_wallet_id",)
    with pytest.raises(model.RecipientNotFound):
        await scene.services.transfers.transfer(
            alice.viewer, TransferCommand(recipient_wallet_id="ab" * 32, amount=Decimal(1)), "k"
        )
    assert await scene.owner.fetchval("SELECT count(*) FROM transactions WHERE sender_wallet_id IS NOT NULL") == 0


async def test_what_is_not_there_cannot_be_paid(scene: Scene) -> None:
    alice, bob = await scene.person(), await scene.person()
    await scene.mine(alice)
    with pytest.raises(model.InsufficientFunds) as caught:
        await scene.pay(alice, bob, "500")
    assert caught.value.available == REWARD
    # Bob cannot spend unconfirmed payments to him.
    await scene.pay(alice, bob, "400")
    with pytest.raises(model.InsufficientFunds) as caught:
        await scene.pay(bob, alice, "1")
    assert caught.value.available == 0


async def test_unconfirmed_change_can_be_spent_25_deep(scene: Scene) -> None:
    alice, bob = await scene.person(), await scene.person()
    await scene.mine(alice)
    for _ in range(26):
        await scene.pay(alice, bob, "1")
    assert await scene.owner.fetchval("SELECT max(ancestors) FROM transactions") == 25
    with pytest.raises(model.UnconfirmedChainTooLong):
        await scene.pay(alice, bob, "1")
    await scene.assert_books_balance()
    await scene.mine(bob)
    await scene.pay(alice, bob, "1")
    assert await scene.balance(bob) == REWARD + 26 + 26 * MIN_FEE


async def test_more_coins_than_inputs(scene: Scene) -> None:
    alice, bob = await scene.person(), await scene.person()
    await scene.mine(alice)
    reward = await scene.owner.fetchval("SELECT transaction_hash FROM utxos WHERE wallet_id = $1", alice.wallet_id)
    # Three hundred coins of one, in place of three hundred payments and their blocks.
    await scene.owner.execute("UPDATE utxos SET amount = 1, is_coinbase = false WHERE transaction_hash = $1", reward)
    await scene.owner.execute(
        "INSERT INTO utxos (transaction_hash, output_index, wallet_id, amount, block_height)"
        " SELECT $1, n, $2, 1, 0 FROM generate_series(1, 299) n",
        reward,
        alice.wallet_id,
    )
    await scene.owner.execute("UPDATE wallet_balances SET balance = 300 WHERE wallet_id = $1", alice.wallet_id)
    with pytest.raises(model.TooManyCoins) as caught:
        await scene.pay(alice, bob, "299")
    assert caught.value.payable == 256 - MIN_FEE
    await scene.services.transfers.transfer(alice.viewer, to(bob, str(256 - MIN_FEE)), "k")
    assert await scene.balance(alice) == 44
    await scene.assert_books_balance()


@pytest.mark.usefixtures("warm")
async def test_two_hundred_spends_of_one_coin_have_one_winner(scene: Scene) -> None:
    alice, bob = await scene.person(), await scene.person()
    await scene.mine(alice)
    whole = str(REWARD - MIN_FEE)

    outcomes = await asyncio.gather(*(scene.pay(alice, bob, whole) for _ in range(200)), return_exceptions=True)

    assert sum(isinstance(outcome, str) for outcome in outcomes) == 1
    losers = [outcome for outcome in outcomes if not isinstance(outcome, str)]
    assert {type(loser) for loser in losers} == {model.InsufficientFunds}
    assert len(losers) == 199
    assert await scene.owner.fetchval("SELECT count(*) FROM transactions WHERE status = 'pending'") == 1
    assert await scene.balance(alice) == 0
    await scene.assert_books_balance()


@pytest.mark.usefixtures("warm")
async def test_a_hundred_replays_at_once_pay_once(scene: Scene) -> None:
    alice, bob = await scene.person(), await scene.person()
    await scene.mine(alice)
    hashes = await asyncio.gather(*(scene.pay(alice, bob, "1", key="once") for _ in range(100)))
    assert len(set(hashes)) == 1
    assert await scene.balance(alice) == REWARD - 1 - MIN_FEE


@pytest.mark.usefixtures("warm")
async def test_payments_back_and_forth_at_once(scene: Scene) -> None:
    people = [await scene.person() for _ in range(4)]
    for person in people:
        await scene.mine(person, 2)
    payments = [
        scene.pay(sender, recipient, "3")
        for _ in range(5)
        for sender in people
        for recipient in people
        if sender is not recipient
    ]
    *outcomes, block = await asyncio.gather(*payments, scene.mine(people[0]), return_exceptions=True)
    assert isinstance(block, model.Block)
    assert [outcome for outcome in outcomes if not isinstance(outcome, str)] == []
    await scene.assert_books_balance()
    await scene.mine(people[0])
    await scene.assert_books_balance()
    total = sum([await scene.balance(person) for person in people])
    assert total == await scene.owner.fetchval("SELECT circulating_coins FROM blockchain_info")


async def test_a_transfer_takes_six_statements(scene: Scene) -> None:
    alice, bob = await scene.person(), await scene.person()
    await scene.mine(alice)
    await scene.pay(alice, bob, "1")
    with working(Work()) as work:
        await scene.pay(alice, bob, "1")
    # The key is claimed, the payer locked and read, the payment stored, the result kept, the facts appended.
    assert work.statements == 6


async def test_a_full_mempool_takes_nothing(scene: Scene) -> None:
    alice, bob = await scene.person(), await scene.person()
    await scene.mine(alice)
    object.__setattr__(scene.services.mempool, "limit", 2)
    await scene.pay(alice, bob, "1")
    await scene.pay(alice, bob, "1")
    scene.clock.advance(timedelta(seconds=1))
    with pytest.raises(model.MempoolFull):
        await scene.pay(alice, bob, "1")
    await scene.mine(bob)
    await scene.pay(alice, bob, "1", key=str(uuid4()))
