"""A toy chain for the tests: keys that are names, signatures that are hashes, and blocks mined for real."""

from collections.abc import Sequence

import msgspec

from app.domains.ledger.rules.amounts import COIN
from app.domains.ledger.rules.block import Block, BlockDelta, ChainTip, check_block
from app.domains.ledger.rules.difficulty import INITIAL_DIFFICULTY_BITS
from app.domains.ledger.rules.hashing import sha256
from app.domains.ledger.rules.header import BlockHeader, block_hash, mine
from app.domains.ledger.rules.merkle import merkle_root
from app.domains.ledger.rules.spending import ChainRules, Utxo
from app.domains.ledger.rules.subsidy import subsidy_units
from app.domains.ledger.rules.transaction import (
    ZERO_WALLET_ID,
    OutPoint,
    SignedTransaction,
    Transaction,
    TransactionOutput,
    encode,
    transaction_hash,
)

NETWORK = b"MNTA"
REWARD = 500 * COIN
GENESIS_TIME_S = 1_700_000_000
MATURITY_BLOCKS = 3
replace = msgspec.structs.replace


def key(name: str) -> bytes:
    return b"public key of " + name.encode()


def wallet(name: str) -> bytes:
    return sha256(key(name))


def sign(transaction: Transaction, name: str) -> bytes:
    return sha256(key(name) + encode(transaction))


def verify(public_key: bytes, message: bytes, signature: bytes) -> bool:
    return signature == sha256(public_key + message)


RULES = ChainRules(network=NETWORK, verify=verify, coinbase_maturity_blocks=MATURITY_BLOCKS)
KEYS = {wallet(name): key(name) for name in ("alice", "bob", "carol")}


def payment(
    sender: str, inputs: Sequence[OutPoint], outputs: Sequence[tuple[str, int]], fee_units: int = 0, memo: str = ""
) -> Transaction:
    return Transaction(
        network=NETWORK,
        sender_wallet_id=wallet(sender),
        inputs=tuple(inputs),
        outputs=tuple(TransactionOutput(wallet(name), units) for name, units in outputs),
        fee_units=fee_units,
        timestamp_ms=GENESIS_TIME_S * 1000,
        memo=memo,
    )


def coinbase(miner: str, height: int, units: int) -> Transaction:
    return Transaction(
        network=NETWORK,
        sender_wallet_id=ZERO_WALLET_ID,
        inputs=(),
        outputs=(TransactionOutput(wallet(miner), units),) if units else (),
        fee_units=0,
        timestamp_ms=(GENESIS_TIME_S + height) * 1000,
        height=height,
    )


def remined(header: BlockHeader) -> BlockHeader:
    nonce = mine(header, 0, 1_000_000)
    assert nonce is not None
    return replace(header, nonce=nonce)


def block_of(header: BlockHeader, transactions: Sequence[SignedTransaction]) -> Block:
    """`header` over `transactions`, with their root and enough work."""
    root = merkle_root([transaction_hash(signed.transaction) for signed in transactions])
    return Block(remined(replace(header, merkle_root=root)), tuple(transactions))


class Chain:
    """Blocks ten seconds apart, each checked by the rules, over a dict of unspent outputs."""

    def __init__(self) -> None:
        self.utxos: dict[OutPoint, Utxo] = {}
        self.burned_units = 0
        self.tip = ChainTip(
            next_height=0, hash=bytes(32), difficulty_bits=INITIAL_DIFFICULTY_BITS, recent_timestamps_s=()
        )

    @property
    def now_s(self) -> int:
        return GENESIS_TIME_S + 10 * self.tip.next_height

    def candidate(self, miner: str, payments: Sequence[tuple[Transaction, str]] = ()) -> Block:
        """A block for the tip: a coinbase for `miner`, then the payments, each with who signs it."""
        fees = sum(transaction.fee_units for transaction, _ in payments)
        height = self.tip.next_height
        reward = coinbase(miner, height, subsidy_units(height) + fees)
        header = BlockHeader(
            previous_hash=self.tip.hash,
            merkle_root=bytes(32),
            height=height,
            timestamp_s=self.now_s,
            difficulty_bits=self.tip.difficulty_bits,
            nonce=0,
        )
        signed = [SignedTransaction(transaction, sign(transaction, name)) for transaction, name in payments]
        return block_of(header, [SignedTransaction(reward, b""), *signed])

    def check(self, block: Block) -> BlockDelta:
        return check_block(block, self.tip, now_s=self.now_s, utxo=self.utxos.get, public_key=KEYS.get, rules=RULES)

    def connect(self, block: Block) -> BlockDelta:
        delta = self.check(block)
        self.utxos |= delta.created
        for outpoint in delta.spent:
            del self.utxos[outpoint]
        self.burned_units += delta.burned_units
        self.tip = ChainTip(
            next_height=block.header.height + 1,
            hash=block_hash(block.header),
            difficulty_bits=self.tip.difficulty_bits,
            recent_timestamps_s=(*self.tip.recent_timestamps_s, block.header.timestamp_s)[-11:],
        )
        return delta

    def grow(self, blocks: int, miner: str = "alice") -> list[OutPoint]:
        """Outpoints of the coinbases of `blocks` further blocks."""
        return [OutPoint(self.connect(self.candidate(miner)).transaction_hashes[0], 0) for _ in range(blocks)]


class Example:
    """Twelve blocks by alice, and a valid thirteenth in which she pays bob, who pays carol at once."""

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
