from collections.abc import Callable

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domains.ledger.rules.amounts import COIN
from app.domains.ledger.rules.block import MAX_BLOCK_BYTES, MAX_FUTURE_SECONDS, Block, block_size
from app.domains.ledger.rules.header import HEADER_BYTES, BlockHeader, block_hash, meets_difficulty
from app.domains.ledger.rules.spending import Utxo, check_payment
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
    RULES,
    Chain,
    block_of,
    coinbase,
    payment,
    remined,
    sign,
    wallet,
)

REWARD = 500 * COIN
replace = msgspec.structs.replace


class Scene:
    """A chain of twelve blocks by alice, and a valid thirteenth in which she pays bob, who pays carol at once."""

    def __init__(self) -> None:
        self.chain = Chain()
        self.coins = self.chain.grow(12)
        self.to_bob = payment("alice", self.coins[:1], [("bob", 300 * COIN), ("alice", 199 * COIN)], COIN)
        self.bobs = OutPoint(transaction_hash(self.to_bob), 0)
        self.to_carol = payment("bob", [self.bobs], [("carol", 298 * COIN)], 2 * COIN)
        self.block = self.chain.candidate("alice", [(self.to_bob, "alice"), (self.to_carol, "bob")])

    def with_transactions(self, *transactions: SignedTransaction) -> Block:
        return block_of(self.block.header, transactions)

    def with_payment(self, transaction: Transaction, signer: str) -> Block:
        return self.chain.candidate("alice", [(transaction, signer)])

    def with_header(self, **change: object) -> Block:
        return Block(remined(replace(self.block.header, **change)), self.block.transactions)


@pytest.fixture(scope="module")
def scene() -> Scene:
    return Scene()


def test_a_valid_block_names_what_it_changes(scene: Scene) -> None:
    delta = scene.chain.check(scene.block)
    reward, to_bob, to_carol = map(transaction_hash, (signed.transaction for signed in scene.block.transactions))
    assert delta.block_hash == block_hash(scene.block.header)
    assert delta.transaction_hashes == (reward, to_bob, to_carol)
    assert delta.created == {
        OutPoint(reward, 0): Utxo(wallet("alice"), REWARD + 3 * COIN, 12, True),
        OutPoint(to_bob, 0): Utxo(wallet("bob"), 300 * COIN, 12, False),
        OutPoint(to_bob, 1): Utxo(wallet("alice"), 199 * COIN, 12, False),
        OutPoint(to_carol, 0): Utxo(wallet("carol"), 298 * COIN, 12, False),
    }
    assert delta.spent == {
        scene.coins[0]: Utxo(wallet("alice"), REWARD, 0, True),
        scene.bobs: Utxo(wallet("bob"), 300 * COIN, 12, False),
    }
    assert delta.spenders == {scene.coins[0]: to_bob, scene.bobs: to_carol}
    assert (delta.fee_units, delta.subsidy_units, delta.burned_units) == (3 * COIN, REWARD, 0)


def test_judging_a_block_changes_nothing(scene: Scene) -> None:
    before = dict(scene.chain.utxos)
    assert scene.chain.check(scene.block) == scene.chain.check(scene.block)
    assert scene.chain.utxos == before


def weak_header(header: BlockHeader) -> BlockHeader:
    return next(
        weak
        for weak in (replace(header, nonce=nonce) for nonce in range(1_000))
        if not meets_difficulty(block_hash(weak), header.difficulty_bits)
    )


def resigned(signed: SignedTransaction, signer: str, **change: object) -> SignedTransaction:
    changed = replace(signed.transaction, **change)
    return SignedTransaction(changed, sign(changed, signer))


def paying(scene: Scene, units: int) -> Block:
    reward = SignedTransaction(coinbase("alice", 12, units), b"")
    return scene.with_transactions(reward, *scene.block.transactions[1:])


def swapped(scene: Scene) -> Block:
    reward, to_bob, to_carol = scene.block.transactions
    return scene.with_transactions(reward, to_carol, to_bob)


def padded(scene: Scene) -> Block:
    return Block(scene.block.header, (*scene.block.transactions, scene.block.transactions[-1]))


def doubled(scene: Scene) -> Block:
    # The copy is not the sibling of its original, so the tree is sound and only the list is wrong.
    reward, to_bob, to_carol = scene.block.transactions
    return scene.with_transactions(reward, to_bob, to_carol, to_bob)


def spending_twice(scene: Scene) -> Block:
    rival = payment("alice", scene.coins[:1], [("carol", REWARD)])
    return scene.chain.candidate("alice", [(scene.to_bob, "alice"), (rival, "alice")])


def too_large(scene: Scene) -> Block:
    reward, *payments = scene.block.transactions
    return scene.with_transactions(reward, SignedTransaction(payments[0].transaction, bytes(MAX_BLOCK_BYTES)))


def malformed(scene: Scene) -> Block:
    reward, to_bob, _ = scene.block.transactions
    return Block(scene.block.header, (reward, replace(to_bob, transaction=replace(to_bob.transaction, memo="\n"))))


def spends_reward_at_once(scene: Scene) -> Block:
    reward = scene.block.transactions[0]
    hasty = payment("alice", [OutPoint(transaction_hash(reward.transaction), 0)], [("bob", REWARD + 3 * COIN)])
    return scene.with_transactions(reward, SignedTransaction(hasty, sign(hasty, "alice")))


MUTATIONS: dict[str, tuple[Violation, Callable[[Scene], Block]]] = {
    "unknown version": (
        Violation.MALFORMED_HEADER,
        lambda s: Block(replace(s.block.header, version=2), s.block.transactions),
    ),
    "height too low": (Violation.WRONG_HEIGHT, lambda s: s.with_header(height=11)),
    "height too high": (Violation.WRONG_HEIGHT, lambda s: s.with_header(height=13)),
    "another parent": (Violation.WRONG_PREVIOUS_HASH, lambda s: s.with_header(previous_hash=b"\1" * 32)),
    "easier": (Violation.WRONG_DIFFICULTY, lambda s: s.with_header(difficulty_bits=2)),
    "harder": (Violation.WRONG_DIFFICULTY, lambda s: s.with_header(difficulty_bits=4)),
    "no work": (
        Violation.TOO_LITTLE_WORK,
        lambda s: Block(weak_header(s.block.header), s.block.transactions),
    ),
    "at the median": (Violation.TIME_TOO_OLD, lambda s: s.with_header(timestamp_s=GENESIS_TIME_S + 60)),
    "from the future": (
        Violation.TIME_TOO_NEW,
        lambda s: s.with_header(timestamp_s=s.chain.now_s + MAX_FUTURE_SECONDS + 1),
    ),
    "another root": (Violation.MERKLE_ROOT_MISMATCH, lambda s: s.with_header(merkle_root=b"\1" * 32)),
    "one left out": (
        Violation.MERKLE_ROOT_MISMATCH,
        lambda s: Block(s.block.header, s.block.transactions[:-1]),
    ),
    "padded": (Violation.MUTATED_MERKLE_TREE, padded),
    "no transactions": (Violation.EMPTY_BLOCK, lambda s: Block(s.block.header, ())),
    "payment first": (
        Violation.FIRST_NOT_COINBASE,
        lambda s: s.with_transactions(*s.block.transactions[1:], s.block.transactions[0]),
    ),
    "two coinbases": (
        Violation.SECOND_COINBASE,
        lambda s: s.with_transactions(*s.block.transactions, SignedTransaction(coinbase("bob", 12, 1), b"")),
    ),
    "coinbase of another height": (
        Violation.WRONG_COINBASE_HEIGHT,
        lambda s: s.with_transactions(
            SignedTransaction(coinbase("alice", 13, REWARD + 3 * COIN), b""), *s.block.transactions[1:]
        ),
    ),
    "coinbase takes one unit more": (Violation.WRONG_COINBASE_AMOUNT, lambda s: paying(s, REWARD + 3 * COIN + 1)),
    "coinbase leaves one unit": (Violation.WRONG_COINBASE_AMOUNT, lambda s: paying(s, REWARD + 3 * COIN - 1)),
    "coinbase forgets the fees": (Violation.WRONG_COINBASE_AMOUNT, lambda s: paying(s, REWARD)),
    "signed coinbase": (
        Violation.SIGNED_COINBASE,
        lambda s: Block(s.block.header, (replace(s.block.transactions[0], signature=b"\1"), *s.block.transactions[1:])),
    ),
    "too large": (Violation.BLOCK_TOO_LARGE, too_large),
    "same transaction again": (Violation.DUPLICATE_TRANSACTION, doubled),
    "output of nowhere": (
        Violation.OUTPUT_NOT_AVAILABLE,
        lambda s: s.with_payment(payment("alice", [OutPoint(b"\1" * 32, 0)], [("bob", 1)]), "alice"),
    ),
    "output index of nowhere": (
        Violation.OUTPUT_NOT_AVAILABLE,
        lambda s: s.with_payment(payment("alice", [replace(s.coins[0], output_index=1)], [("bob", 1)]), "alice"),
    ),
    "spent twice": (Violation.SPENT_TWICE_IN_BLOCK, spending_twice),
    "child before parent": (Violation.PARENT_AFTER_CHILD, swapped),
    "immature": (
        Violation.IMMATURE_COINBASE,
        lambda s: s.with_payment(payment("alice", [s.coins[10]], [("bob", REWARD)]), "alice"),
    ),
    "reward spent in its own block": (Violation.IMMATURE_COINBASE, spends_reward_at_once),
    "another's coin": (
        Violation.WRONG_OWNER,
        lambda s: s.with_payment(payment("bob", s.coins[:1], [("bob", REWARD)]), "bob"),
    ),
    "another's signature": (
        Violation.BAD_SIGNATURE,
        lambda s: s.with_payment(payment("alice", s.coins[:1], [("bob", REWARD)]), "bob"),
    ),
    "no signature": (
        Violation.BAD_SIGNATURE,
        lambda s: s.with_transactions(*s.block.transactions[:2], replace(s.block.transactions[2], signature=b"")),
    ),
    "overlong signature": (
        Violation.BAD_SIGNATURE,
        lambda s: s.with_transactions(
            *s.block.transactions[:2], replace(s.block.transactions[2], signature=bytes(513))
        ),
    ),
    "gives more than it spends": (
        Violation.VALUE_NOT_CONSERVED,
        lambda s: s.with_payment(payment("alice", s.coins[:1], [("bob", REWARD)], fee_units=1), "alice"),
    ),
    "gives less than it spends": (
        Violation.VALUE_NOT_CONSERVED,
        lambda s: s.with_payment(payment("alice", s.coins[:1], [("bob", REWARD - 1)]), "alice"),
    ),
    "another network": (
        Violation.WRONG_NETWORK,
        lambda s: s.with_transactions(
            *s.block.transactions[:2], resigned(s.block.transactions[2], "bob", network=b"TEST")
        ),
    ),
    "malformed": (Violation.MALFORMED_TRANSACTION, malformed),
}


@pytest.mark.parametrize("name", MUTATIONS)
def test_each_mutation_of_a_valid_block_is_refused_by_name(scene: Scene, name: str) -> None:
    violation, mutate = MUTATIONS[name]
    with pytest.raises(RuleBroken) as broken:
        scene.chain.check(mutate(scene))
    assert broken.value.violation is violation


def test_every_violation_but_the_unknown_key_has_a_mutation() -> None:
    assert {violation for violation, _ in MUTATIONS.values()} == set(Violation) - {Violation.UNKNOWN_PUBLIC_KEY}


def test_a_key_that_is_not_the_senders_is_unknown(scene: Scene) -> None:
    for keys in ({}, {wallet("alice"): b"a key of another wallet"}):
        with pytest.raises(RuleBroken) as broken:
            check_payment(
                scene.to_bob,
                sign(scene.to_bob, "alice"),
                utxo=scene.chain.utxos.get,
                public_key=keys.get,
                height=12,
                rules=RULES,
            )
        assert broken.value.violation is Violation.UNKNOWN_PUBLIC_KEY


def test_the_message_says_where(scene: Scene) -> None:
    with pytest.raises(RuleBroken, match="parent_after_child: transaction 1: spends a later one's output") as broken:
        scene.chain.check(swapped(scene))
    assert broken.value.transaction_index == 1


def test_a_payment_is_judged_alone_as_in_a_block(scene: Scene) -> None:
    def judge(transaction: Transaction, signature: bytes, height: int = 12) -> tuple[Utxo, ...]:
        return check_payment(
            transaction,
            signature,
            utxo=scene.chain.utxos.get,
            public_key=KEYS.get,
            height=height,
            rules=RULES,
        )

    assert judge(scene.to_bob, sign(scene.to_bob, "alice")) == (Utxo(wallet("alice"), REWARD, 0, True),)
    refusals = [
        (scene.to_carol, sign(scene.to_carol, "bob"), 12, Violation.OUTPUT_NOT_AVAILABLE),
        (scene.to_bob, b"forged", 12, Violation.BAD_SIGNATURE),
        (scene.to_bob, sign(scene.to_bob, "alice"), MATURITY_BLOCKS - 1, Violation.IMMATURE_COINBASE),
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


def test_the_time_limits_themselves(scene: Scene) -> None:
    for timestamp_s in (GENESIS_TIME_S + 61, scene.chain.now_s + MAX_FUTURE_SECONDS):
        assert scene.chain.check(scene.with_header(timestamp_s=timestamp_s)).fee_units == 3 * COIN


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


@settings(max_examples=25, deadline=None)
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
