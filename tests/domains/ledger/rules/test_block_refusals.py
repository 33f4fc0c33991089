from collections.abc import Callable

import pytest

from app.domains.ledger.rules.amounts import COIN
from app.domains.ledger.rules.block import MAX_BLOCK_BYTES, MAX_FUTURE_SECONDS, Block
from app.domains.ledger.rules.header import BlockHeader, block_hash, meets_difficulty
from app.domains.ledger.rules.transaction import (
    OutPoint,
    SignedTransaction,
    transaction_hash,
)
from app.domains.ledger.rules.violations import RuleBroken, Violation
from tests.domains.ledger.rules.chain import (
    GENESIS_TIME_S,
    REWARD,
    Example,
    coinbase,
    payment,
    replace,
    sign,
)


def weak_header(header: BlockHeader) -> BlockHeader:
    return next(
        weak
        for weak in (replace(header, nonce=nonce) for nonce in range(1_000))
        if not meets_difficulty(block_hash(weak), header.difficulty_bits)
    )


def resigned(signed: SignedTransaction, signer: str, **change: object) -> SignedTransaction:
    changed = replace(signed.transaction, **change)
    return SignedTransaction(changed, sign(changed, signer))


def paying(example: Example, units: int) -> Block:
    reward = SignedTransaction(coinbase("alice", 12, units), b"")
    return example.with_transactions(reward, *example.block.transactions[1:])


def swapped(example: Example) -> Block:
    reward, to_bob, to_carol = example.block.transactions
    return example.with_transactions(reward, to_carol, to_bob)


def padded(example: Example) -> Block:
    return Block(example.block.header, (*example.block.transactions, example.block.transactions[-1]))


def doubled(example: Example) -> Block:
    # The copy is not the sibling of its original, so the tree is sound and only the list is wrong.
    reward, to_bob, to_carol = example.block.transactions
    return example.with_transactions(reward, to_bob, to_carol, to_bob)


def spending_twice(example: Example) -> Block:
    rival = payment("alice", example.coins[:1], [("carol", REWARD)])
    return example.chain.candidate("alice", [(example.to_bob, "alice"), (rival, "alice")])


def too_large(example: Example) -> Block:
    reward, *payments = example.block.transactions
    return example.with_transactions(reward, SignedTransaction(payments[0].transaction, bytes(MAX_BLOCK_BYTES)))


def malformed(example: Example) -> Block:
    reward, to_bob, _ = example.block.transactions
    return Block(example.block.header, (reward, replace(to_bob, transaction=replace(to_bob.transaction, memo="\n"))))


def spends_reward_at_once(example: Example) -> Block:
    reward = example.block.transactions[0]
    hasty = payment("alice", [OutPoint(transaction_hash(reward.transaction), 0)], [("bob", REWARD + 3 * COIN)])
    return example.with_transactions(reward, SignedTransaction(hasty, sign(hasty, "alice")))


MUTATIONS: dict[str, tuple[Violation, Callable[[Example], Block]]] = {
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
def test_each_mutation_of_a_valid_block_is_refused_by_name(example: Example, name: str) -> None:
    violation, mutate = MUTATIONS[name]
    with pytest.raises(RuleBroken) as broken:
        example.chain.check(mutate(example))
    assert broken.value.violation is violation


def test_every_violation_but_the_unknown_key_has_a_mutation() -> None:
    assert {violation for violation, _ in MUTATIONS.values()} == set(Violation) - {Violation.UNKNOWN_PUBLIC_KEY}


def test_the_message_says_where(example: Example) -> None:
    with pytest.raises(RuleBroken, match="parent_after_child: transaction 1: spends a later one's output") as broken:
        example.chain.check(swapped(example))
    assert broken.value.transaction_index == 1
