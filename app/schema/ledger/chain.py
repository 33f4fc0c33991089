"""The chain as a whole: its state and its blocks."""

from datetime import datetime
from decimal import Decimal

import strawberry

from app.domains.ledger import loaders, model
from app.domains.ledger.streams import CHAIN_STREAM
from app.engine.declarations.audience import computed_for
from app.engine.declarations.computed import from_parent
from app.engine.declarations.durations import milliseconds_of
from app.engine.declarations.nodes import record_type
from app.engine.declarations.pages import Connection
from app.engine.declarations.relations import paged, related
from app.kit.loaders import Audience
from app.schema.context import Info
from app.schema.ledger.blocks import Block
from app.schema.ledger.filters import BlockFilter, TransactionFilter, TransactionOrderBy
from app.schema.ledger.transactions import Transaction
from app.schema.scalars import BigInt, Hash, Milliseconds


def _network(root: model.ChainState) -> str:
    return root.network.hex()


@record_type(model.ChainState)
class Chain:
    """The state of the chain at its tip. Amounts are in coins."""

    tip_height: int = strawberry.field(name="height", description="The height of the tip.")
    tip_hash: Hash = strawberry.field(description="The hash of the tip.")
    tip: Block = related(loaders.block_by_hash, key="tip_hash", description="The newest block.")
    total_coins: Decimal = strawberry.field(description="The most coins that there can ever be: 21,000,000.")
    circulating_coins: Decimal = strawberry.field(description="The coins that were mined so far, without burned ones.")
    burned_coins: Decimal = strawberry.field(description="The coins that can no longer be spent.")
    total_transactions: BigInt = strawberry.field(
        description="The number of confirmed transactions, including coinbases."
    )
    total_blocks: int = strawberry.field(description="The number of blocks, including genesis.")
    current_difficulty: int = strawberry.field(
        description="The number of leading zero bits that the hash of the next block must have."
    )
    average_block_time_ms: Milliseconds = milliseconds_of(
        "average_block_time",
        description="The average time between blocks in the last retarget interval, in milliseconds. The target is"
        " 10,000.",
    )
    halving_height: int = strawberry.field(description="The height of the next block whose subsidy is halved.")
    current_halving_number: int = strawberry.field(description="The number of halvings so far.")
    coinbase_maturity: int = strawberry.field(
        description="The number of confirmations that a reward needs before it can be spent."
    )
    network: str = from_parent(
        _network,
        description="The chain's four magic bytes in hex. They are part of the encoding of every transaction.",
    )
    updated_at: datetime = strawberry.field(description="When the tip was connected.")


@strawberry.type
class ChainQuery:
    """The chain."""

    blocks: Connection[Block] = paged(
        loaders.blocks,
        stream=lambda _: CHAIN_STREAM,
        filter=BlockFilter,
        description="The blocks of the chain, newest first.",
    )
    transactions: Connection[Transaction] = paged(
        loaders.transactions,
        filter=TransactionFilter,
        order_by=TransactionOrderBy,
        description="All transactions, including pending and failed ones, newest first.",
    )

    @strawberry.field(metadata=computed_for(Audience.PUBLIC), graphql_type=Chain | None)
    async def chain(self, info: Info) -> model.ChainState | None:
        """The state of the chain. Null before the first block."""
        states = await info.context.reads.many(loaders.chain_states, True)
        return states[0] if states else None
