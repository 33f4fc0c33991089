"""A block worth judging, for the tests to accept or to break."""

import msgspec

from app.domains.ledger.rules.amounts import COIN
from app.domains.ledger.rules.block import Block
from app.domains.ledger.rules.transaction import (
    OutPoint,
    SignedTransaction,
    Transaction,
    transaction_hash,
)
from tests.domains.ledger.rules.chain import (
    Chain,
    block_of,
    payment,
    remined,
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
