"""Blocks and the chain that they make."""

from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated

import strawberry

from app.domains.ledger import loaders, model
from app.engine.audience import computed_for
from app.engine.nodes import Node, node_type, record_type
from app.engine.pages import Connection
from app.engine.relations import paged, related
from app.kit.loaders import Audience
from app.schema.context import Info
from app.schema.scalars import BigInt, Hash

if TYPE_CHECKING:
    from app.schema.ledger.transactions import Transaction
    from app.schema.ledger.wallets import Wallet


async def tip_height(info: Info) -> int | None:
    """Height of the newest block; None before the first. One statement a request."""
    states = await info.context.reads.many(loaders.chain_states, True)
    return states[0].tip_height if states else None


async def _confirmations(root: model.Block, info: Info) -> int:
    tip = await tip_height(info)
    # The tip is read apart from the block, so the block may be newer.
    return max((tip or 0) - root.height, 0) + 1


@node_type(by=loaders.block_by_id, description="A block of the chain. Public; final once connected.")
class Block(Node):
    """A block of the chain."""

    height: int = strawberry.field(description="Blocks below it; 0 is genesis.")
    block_hash: Hash = strawberry.field(
        name="hash", description="Double SHA-256 of the 92-byte header; it begins with the zeros that work bought."
    )
    previous_hash: Hash = strawberry.field(description="Hash of the block below; zeros in genesis.")
    version: int = strawberry.field(description="Of the header's format.")
    merkle_root: Hash = strawberry.field(description="Root of the merkle tree over the transactions' hashes.")
    timestamp: datetime = strawberry.field(
        description="When it was mined, in whole seconds; at most a minute ahead of the database's clock."
    )
    difficulty: int = strawberry.field(description="Leading zero bits that the hash had to have, 1 to 255.")
    nonce: BigInt = strawberry.field(description="The number that the miner found, 0 to 2^63 - 1.")
    miner_reward: Decimal = strawberry.field(description="What the coinbase pays, in coins: subsidy and fees.")
    fees: Decimal = strawberry.field(description="Fees of the block's transactions, in coins; part of `minerReward`.")
    transaction_count: int = strawberry.field(description="Transactions in it, the coinbase among them.")
    size_bytes: int = strawberry.field(description="Size in bytes, at most 1,000,000.")
    confirmations: int = strawberry.field(
        resolver=_confirmations,
        metadata=computed_for(Audience.PUBLIC),
        description="Blocks from this one to the tip, both counted; at least 1.",
    )
    miner: Annotated["Wallet", strawberry.lazy("app.schema.ledger.wallets")] = related(
        loaders.wallet_by_id, key="miner_wallet_id", description="The wallet that mined it."
    )
    previous: "Block | None" = related(
        loaders.block_by_hash, key="previous_hash", description="The block below; null for genesis."
    )
    next: "Block | None" = related(
        loaders.block_by_previous_hash, key="block_hash", description="The block above; null at the tip."
    )
    transactions: Connection[Annotated["Transaction", strawberry.lazy("app.schema.ledger.transactions")]] = paged(
        loaders.transactions_by_block, key="height", description="Its transactions in order, the coinbase first."
    )


def _network(root: model.ChainState) -> str:
    return root.network.hex()


@record_type(model.ChainState, description="The chain as a whole, at its tip. Amounts are in coins.")
class Chain:
    """The chain as a whole."""

    tip_height: int = strawberry.field(name="height", description="Height of the tip.")
    tip_hash: Hash = strawberry.field(description="Hash of the tip.")
    tip: Block = related(loaders.block_by_hash, key="tip_hash", description="The newest block.")
    total_coins: Decimal = strawberry.field(description="Coins there can ever be at most: 21,000,000.")
    circulating_coins: Decimal = strawberry.field(description="Coins mined so far and not burned.")
    burned_coins: Decimal = strawberry.field(description="Coins that nobody can spend any more.")
    total_transactions: BigInt = strawberry.field(description="Confirmed transactions, coinbases among them.")
    total_blocks: int = strawberry.field(description="Blocks, genesis among them.")
    current_difficulty: int = strawberry.field(description="Leading zero bits that the next block's hash must have.")
    average_block_time: Decimal = strawberry.field(
        name="averageBlockTimeS", description="Seconds between blocks, over the last retarget interval; 10 is aimed at."
    )
    halving_height: int = strawberry.field(description="Height of the next block whose subsidy is halved.")
    current_halving_number: int = strawberry.field(description="Halvings so far.")
    coinbase_maturity: int = strawberry.field(description="Confirmations before a reward can be spent.")
    network: str = strawberry.field(
        resolver=_network, description="The chain's four magic bytes, in hex: part of every transaction's encoding."
    )
    updated_at: datetime = strawberry.field(description="When the tip was connected.")
