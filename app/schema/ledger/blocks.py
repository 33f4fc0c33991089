"""Blocks of the chain."""

from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated

import strawberry

from app.domains.ledger import loaders, model
from app.domains.ledger.streams import CHAIN_STREAM
from app.engine.declarations.audience import computed_for
from app.engine.declarations.cursors import Cursor
from app.engine.declarations.nodes import Node, key_of, node_type
from app.engine.declarations.pages import Connection
from app.engine.declarations.relations import paged, related
from app.engine.declarations.subscriptions import durable
from app.kit.errors import NotFound
from app.kit.events import Event
from app.kit.loaders import Audience
from app.schema.context import Info
from app.schema.scalars import BigInt, Hash

if TYPE_CHECKING:
    from app.schema.ledger.transactions import Transaction
    from app.schema.ledger.wallets import Wallet

BLOCK_KIND = "block.connected"


async def tip_height(info: Info) -> int | None:
    """Returns the height of the newest block; None before the first. One statement a request."""
    states = await info.context.reads.many(loaders.chain_states, True)
    return states[0].tip_height if states else None


async def _confirmations(root: model.Block, info: Info) -> int:
    tip = await tip_height(info)
    # The tip is read apart from the block, so the block may be newer.
    return max((tip or 0) - root.height, 0) + 1


@node_type(by=loaders.block_by_id)
class Block(Node):
    """A block of the chain. Public. A connected block is final."""

    height: int = strawberry.field(description="The number of blocks below this one. 0 is genesis.")
    block_hash: Hash = strawberry.field(
        name="hash",
        description="The double SHA-256 of the 92-byte header. It begins with the zero bits of the proof of work.",
    )
    previous_hash: Hash = strawberry.field(description="The hash of the previous block; zeros in genesis.")
    version: int = strawberry.field(description="The version of the header's format.")
    merkle_root: Hash = strawberry.field(description="The root of the merkle tree over the hashes of the transactions.")
    timestamp: datetime = strawberry.field(
        name="minedAt",
        description="When the block was mined, in whole seconds; at most a minute ahead of the database's clock.",
    )
    difficulty: int = strawberry.field(description="The number of leading zero bits that the hash must have, 1 to 255.")
    nonce: BigInt = strawberry.field(description="The number that the miner found, 0 to 2^63 - 1.")
    miner_reward: Decimal = strawberry.field(
        description="The amount that the coinbase pays, in coins: the subsidy and the fees."
    )
    fees: Decimal = strawberry.field(
        description="The fees of the transactions, in coins. They are part of `minerReward`."
    )
    transaction_count: int = strawberry.field(description="The number of transactions, including the coinbase.")
    size_bytes: int = strawberry.field(description="The size in bytes, at most 1,000,000.")
    confirmations: int = strawberry.field(
        resolver=_confirmations,
        metadata=computed_for(Audience.PUBLIC),
        description="The number of blocks from this one to the tip, including both; at least 1.",
    )
    miner: Annotated["Wallet", strawberry.lazy("app.schema.ledger.wallets")] = related(
        loaders.wallet_by_id, key="miner_wallet_id", description="The wallet that mined the block."
    )
    previous: "Block | None" = related(
        loaders.block_by_hash, key="previous_hash", description="The previous block. Null for genesis."
    )
    next: "Block | None" = related(
        loaders.block_by_previous_hash, key="block_hash", description="The next block. Null at the tip."
    )
    transactions: Connection[Annotated["Transaction", strawberry.lazy("app.schema.ledger.transactions")]] = paged(
        loaders.transactions_by_block,
        key="height",
        description="The transactions of the block in order, the coinbase first.",
    )


@strawberry.input(one_of=True)
class BlockBy:
    """Identifies a block in one of these ways."""

    height: int | None = strawberry.field(default=strawberry.UNSET, description="The height; 0 is genesis.")
    hash: Hash | None = strawberry.field(default=strawberry.UNSET, description="The hash.")
    id: strawberry.ID | None = strawberry.field(default=strawberry.UNSET, description="The global ID.")


@strawberry.type
class BlockEvent:
    """A block was connected."""

    cursor: Cursor = strawberry.field(description="The position in the stream of blocks.")
    block_hash: strawberry.Private[str]
    block: Block = related(loaders.block_by_hash, key="block_hash", description="The connected block.")


def _block_event(event: Event, cursor: Cursor) -> BlockEvent | None:
    if event.kind != BLOCK_KIND:
        return None
    return BlockEvent(cursor=cursor, block_hash=event.payload["hash"])


@strawberry.type
class BlockQuery:
    """A single block."""

    @strawberry.field(metadata=computed_for(Audience.PUBLIC), graphql_type=Block | None)
    async def block(
        self, info: Info, by: Annotated[BlockBy, strawberry.argument(description="Identifies the block.")]
    ) -> model.Block | None:
        """A block. Null if there is none."""
        reads = info.context.reads
        if isinstance(by.height, int):
            return await reads.one(loaders.block_by_height, by.height)
        if isinstance(by.hash, str):
            return await reads.one(loaders.block_by_hash, by.hash)
        try:
            return await reads.one(loaders.block_by_id, key_of(str(by.id), Block))
        except NotFound:
            return None


@strawberry.type
class BlockSubscription:
    """The stream of blocks."""

    @durable(BlockEvent, payload=_block_event, audience=Audience.PUBLIC, per_s=0.5)
    async def new_block(self) -> str:
        """Each block when it is connected, in order. Public."""
        return CHAIN_STREAM
