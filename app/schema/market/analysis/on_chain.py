"""On-chain analysis."""

from datetime import datetime
from decimal import Decimal

import strawberry

from app.domains.market.analysis.model import on_chain as model
from app.domains.market.providers.model import chain
from app.engine.declarations.computed import from_parent
from app.engine.declarations.costs import holds
from app.engine.declarations.durations import milliseconds_of
from app.engine.declarations.nodes import record_type
from app.schema.scalars import BigInt, Hash, Milliseconds

LARGEST = 10
"""How many transfers a chain is asked for. A test compares it with the ledger."""


@record_type(chain.ChainTransfer)
class ChainTransfer:
    """A confirmed payment on a chain."""

    transaction_hash: Hash = strawberry.field(description="The transaction's hash.")
    sender_wallet_id: Hash = strawberry.field(description="The wallet of the sender.")
    recipient_wallet_id: Hash = strawberry.field(description="The wallet of the recipient.")
    amount: Decimal = strawberry.field(description="The amount in coins, without change.")
    block_height: int = strawberry.field(description="The height of its block.")
    confirmed_at: datetime = strawberry.field(description="When the block was mined.")


def _hash_rate(root: model.OnChainFindings) -> BigInt:
    return BigInt(round(root.hashes_per_s))


@record_type(model.OnChainFindings)
class OnChainFindings:
    """The state of a chain, and its activity in the last 24 hours. Amounts are in coins."""

    source: str = strawberry.field(description="The source of the data. MONETA_LEDGER is this server's own chain.")
    tip_height: int = strawberry.field(description="The height of the latest block.")
    tip_at: datetime = strawberry.field(description="When the latest block was connected.")
    average_block_time_ms: Milliseconds = milliseconds_of(
        "average_block_time_s", description="The recent average time between blocks, in milliseconds."
    )
    difficulty_bits: int = strawberry.field(
        description="The number of leading zero bits that the next block's hash must have."
    )
    hashes_per_second: BigInt = from_parent(
        _hash_rate, description="The hash rate, estimated from the difficulty and the average block time."
    )
    circulating: Decimal = strawberry.field(name="circulatingCoins", description="The number of coins in circulation.")
    total: Decimal = strawberry.field(name="totalCoins", description="The maximum number of coins.")
    blocks_24h: int = strawberry.field(name="blockCount24h", description="The number of blocks in 24 hours.")
    transactions_24h: int = strawberry.field(
        name="transactionCount24h", description="The number of payments in 24 hours, without mining rewards."
    )
    volume_24h: Decimal = strawberry.field(description="The total of these payments in coins, without change.")
    volume_24h_usd: Decimal | None = strawberry.field(
        description="The total of these payments in dollars at the latest quote. Null if there is no quote."
    )
    fees_24h: Decimal = strawberry.field(description="The total of the fees in 24 hours, in coins.")
    active_wallets_24h: int = strawberry.field(
        description="The number of wallets that sent or received a payment in 24 hours."
    )
    large_threshold: Decimal = strawberry.field(description="The minimum amount of a large transfer, in coins.")
    large_transfers_24h: int = strawberry.field(description="The number of large transfers in 24 hours.")
    largest_transfers: list[ChainTransfer] = strawberry.field(
        metadata=holds(LARGEST),
        description="The largest transfers of 24 hours, whether or not they are large. At most 10.",
    )
