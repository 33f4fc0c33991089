import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domains.ledger.rules.amounts import COIN
from app.domains.ledger.rules.block import MAX_BLOCK_BYTES, MAX_FUTURE_SECONDS, block_size
from app.domains.ledger.rules.header import HEADER_BYTES, block_hash
from app.domains.ledger.rules.spending import Utxo, check_payment, check_signature
from app.domains.ledger.rules.subsidy import issued_units, subsidy_units
from app.domains.ledger.rules.transaction import (
    ZERO_WALLET_ID,
    OutPoint,
    SignedTransaction,
    Transaction,
    TransactionOutput,
    encode,
    transaction_hash,
)
from app.domains.ledger.rules.violations import RuleBroken, Violation
from tests.domains.ledger.rules.chain import (
    GENESIS_TIME_S,
    KEYS,
    MATURITY_BLOCKS,
    REWARD,
    RULES,
    Chain,
    Example,
    coinbase,
    payment,
    replace,
    sign,
    wallet,
)


def test_a_valid_block_names_what_it_changes(example: Example) -> None:
    delta = example.chain.check(example.block)
    reward, to_bob, to_carol = map(transaction_hash, (signed.transaction for signed in example.block.transactions))
    assert delta.block_hash == block_hash(example.block.header)
    assert delta.transaction_hashes == (reward, to_bob, to_carol)
    assert delta.created == {
        OutPoint(reward, 0): Utxo(wallet("alice"), REWARD + 3 * COIN, 12, True),
        OutPoint(to_bob, 0): Utxo(wallet("bob"), 300 * COIN, 12, False),
        OutPoint(to_bob, 1): Utxo(wallet("alice"), 199 * COIN, 12, False),
        OutPoint(to_carol, 0): Utxo(wallet("carol"), 298 * COIN, 12, False),
    }
    assert delta.spent == {
        example.coins[0]: Utxo(wallet("alice"), REWARD, 0, True),
        example.bobs: Utxo(wallet("bob"), 300 * COIN, 12, False),
    }
    assert delta.spenders == {example.coins[0]: to_bob, example.bobs: to_carol}
    assert (delta.fee_units, delta.subsidy_units, delta.burned_units) == (3 * COIN, REWARD, 0)


def test_judging_a_block_changes_nothing(example: Example) -> None:
    before = dict(example.chain.utxos)
    assert example.chain.check(example.block) == example.chain.check(example.block)
    assert example.chain.utxos == before


def test_a_key_that_is_not_the_senders_is_unknown(example: Example) -> None:
    for keys in ({}, {wallet("alice"): b"a key of another wallet"}):
        with pytest.raises(RuleBroken) as broken:
            check_payment(
                example.to_bob,
                sign(example.to_bob, "alice"),
                utxo=example.chain.utxos.get,
                public_key=keys.get,
                height=12,
                rules=RULES,
            )
        assert broken.value.violation is Violation.UNKNOWN_PUBLIC_KEY


def test_a_payment_is_judged_alone_as_in_a_block(example: Example) -> None:
    def judge(transaction: Transaction, signature: bytes, height: int = 12) -> tuple[Utxo, ...]:
        return check_payment(
            transaction,
            signature,
            utxo=example.chain.utxos.get,
            public_key=KEYS.get,
            height=height,
            rules=RULES,
        )

    assert judge(example.to_bob, sign(example.to_bob, "alice")) == (Utxo(wallet("alice"), REWARD, 0, True),)
    refusals = [
        (example.to_carol, sign(example.to_carol, "bob"), 12, Violation.OUTPUT_NOT_AVAILABLE),
        (example.to_bob, b"forged", 12, Violation.BAD_SIGNATURE),
        (example.to_bob, sign(example.to_bob, "alice"), MATURITY_BLOCKS - 1, Violation.IMMATURE_COINBASE),
        (coinbase("alice", 12, 5), b"", 12, Violation.SECOND_COINBASE),
    ]
    for transaction, signature, height, violation in refusals:
        with pytest.raises(RuleBroken) as broken:
            judge(transaction, signature, height)
        assert broken.value.violation is violation
        assert broken.value.transaction_index is None


def test_a_coinbase_matures_at_its_block_and_not_one_before() -> None:
    chain = Chain()
    first = chain.grow(1)[0]
    chain.grow(MATURITY_BLOCKS - 2)
    spend = payment("alice", [first], [("bob", REWARD)])
    with pytest.raises(RuleBroken) as broken:
        chain.check(chain.candidate("alice", [(spend, "alice")]))
    assert broken.value.violation is Violation.IMMATURE_COINBASE
    chain.grow(1)
    assert first in chain.connect(chain.candidate("alice", [(spend, "alice")])).spent


def test_the_time_limits_themselves(example: Example) -> None:
    for timestamp_s in (GENESIS_TIME_S + 61, example.chain.now_s + MAX_FUTURE_SECONDS):
        assert example.chain.check(example.with_header(timestamp_s=timestamp_s)).fee_units == 3 * COIN


def test_the_size_limit_itself(example: Example) -> None:
    reward, to_bob, to_carol = example.block.transactions
    encodings = [encode(signed.transaction) for signed in example.block.transactions]
    # A signature of 65,536 bytes or more has a length of 5 bytes instead of the 1 of an empty one.
    room = MAX_BLOCK_BYTES - block_size(encodings, [reward, replace(to_bob, signature=b""), to_carol]) - 4
    for surplus, violation in ((0, Violation.BAD_SIGNATURE), (1, Violation.BLOCK_TOO_LARGE)):
        filled = replace(to_bob, signature=bytes(room + surplus))
        with pytest.raises(RuleBroken) as broken:
            example.chain.check(example.with_transactions(reward, filled, to_carol))
        assert broken.value.violation is violation


def test_an_overlong_signature_is_bad_before_anybody_checks_it(example: Example) -> None:
    checked: list[int] = []

    def credulous(_key: bytes, _message: bytes, signature: bytes) -> bool:
        checked.append(len(signature))
        return True

    for length in (1, 512):
        check_signature(example.to_bob, b"", bytes(length), KEYS.get, credulous)
    for length in (0, 513):
        with pytest.raises(RuleBroken) as broken:
            check_signature(example.to_bob, b"", bytes(length), KEYS.get, credulous)
        assert broken.value.violation is Violation.BAD_SIGNATURE
    assert checked == [1, 512]


def test_burned_coins_are_never_unspent() -> None:
    chain = Chain()
    first = chain.grow(MATURITY_BLOCKS)[0]
    offering = replace(
        payment("alice", [first], []),
        outputs=(TransactionOutput(ZERO_WALLET_ID, 200 * COIN), TransactionOutput(wallet("alice"), 300 * COIN)),
    )
    delta = chain.connect(chain.candidate("alice", [(offering, "alice")]))
    assert delta.burned_units == 200 * COIN
    assert OutPoint(transaction_hash(offering), 0) not in delta.created
    assert OutPoint(transaction_hash(offering), 1) in delta.created
    assert sum(utxo.amount_units for utxo in chain.utxos.values()) == issued_units(3) - 200 * COIN


def test_a_block_without_any_reward_has_a_coinbase_that_pays_nobody() -> None:
    chain = Chain()
    chain.tip = replace(chain.tip, next_height=36 * 21_000)
    assert subsidy_units(chain.tip.next_height) == 0
    block = chain.candidate("alice")
    assert block.transactions[0].transaction.outputs == ()
    delta = chain.check(block)
    assert delta.created == {}
    assert delta.subsidy_units == 0


def test_two_thousand_ordinary_payments_fit_a_block() -> None:
    inputs = [OutPoint(b"\1" * 32, 0), OutPoint(b"\2" * 32, 1)]
    ordinary = payment("alice", inputs, [("bob", COIN), ("alice", COIN)], 1_000, memo="Thanks for the great lunch!")
    reward = SignedTransaction(coinbase("alice", 12, REWARD), b"")
    signed = [reward, *2_000 * [SignedTransaction(ordinary, bytes(256))]]
    encodings = [encode(each.transaction) for each in signed]
    size = block_size(encodings, signed)
    assert size == HEADER_BYTES + 3 + len(encodings[0]) + 1 + 2_000 * (len(encodings[1]) + 3 + 256)
    assert 990_000 < size <= MAX_BLOCK_BYTES


@settings(max_examples=25)
@given(st.data())
def test_supply_is_subsidies_less_burned_whatever_is_paid(data: st.DataObject) -> None:
    chain = Chain()
    chain.grow(MATURITY_BLOCKS)
    owners = {wallet(name): name for name in ("alice", "bob", "carol")}
    for _ in range(data.draw(st.integers(1, 5), label="blocks")):
        height = chain.tip.next_height
        spendable = [
            outpoint
            for outpoint, utxo in sorted(chain.utxos.items())
            if not utxo.is_coinbase or height - utxo.height >= MATURITY_BLOCKS
        ]
        payments = []
        for outpoint in data.draw(
            st.lists(st.sampled_from(spendable), unique=True, max_size=3) if spendable else st.just([])
        ):
            utxo = chain.utxos[outpoint]
            sender = owners[utxo.wallet_id]
            given_units = data.draw(st.integers(1, utxo.amount_units), label="amount")
            recipient = data.draw(st.sampled_from([*owners, ZERO_WALLET_ID]), label="recipient")
            transaction = replace(
                payment(sender, [outpoint], [], utxo.amount_units - given_units),
                outputs=(TransactionOutput(recipient, given_units),),
            )
            payments.append((transaction, sender))
        chain.connect(chain.candidate("bob", payments))
        in_hand = sum(utxo.amount_units for utxo in chain.utxos.values())
        assert in_hand == issued_units(height) - chain.burned_units
