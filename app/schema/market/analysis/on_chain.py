"""The on-chain analysis in the graph."""

from datetime import datetime
from decimal import Decimal

import strawberry

from app.domains.market.analysis.model import on_chain as model
from app.domains.market.providers.model import chain
from app.engine.limits.extra import holds
from app.engine.nodes import record_type
from app.schema.scalars import BigInt, Hash

LARGEST = 10
"""What a chain is asked for; a test compares it with ours."""


@record_type(chain.ChainTransfer, description="A confirmed payment on a chain.")
class ChainTransfer:
    """A confirmed payment on a chain."""

    transaction_hash: Hash = strawberry.field(description="The transaction's hash.")
    sender_wallet_id: Hash = strawberry.field(description="Whose coins they were.")
    recipient_wallet_id: Hash = strawberry.field(description="Whose they are.")
    amount: Decimal = strawberry.field(description="In coins, without change.")
    block_height: int = strawberry.field(description="Height of its block.")
    confirmed_at: datetime = strawberry.field(description="The block's time.")


def _hash_rate(root: model.OnChainFindings) -> BigInt:
    return BigInt(round(root.hashes_per_s))


@record_type(model.OnChainFindings, description="A chain at its tip, and its last 24 hours. Amounts are in coins.")
class OnChainFindings:
    """A chain at its tip, and its last 24 hours."""

    source: str = strawberry.field(description="Who says so: MONETA_LEDGER is this server's own chain.")
    tip_height: int = strawberry.field(description="Height of the newest block.")
    tip_at: datetime = strawberry.field(description="When it was connected.")
    average_block_time_s: float = strawberry.field(description="Seconds between blocks of late.")
    difficulty_bits: int = strawberry.field(description="Leading zero bits that the next block's hash must have.")
    hashes_per_second: BigInt = strawberry.field(
        resolver=_hash_rate, description="What the difficulty and the time between blocks amount to."
    )
    circulating: Decimal = strawberry.field(description="Coins that exist.")
    total: Decimal = strawberry.field(description="Coins that there can ever be.")
    blocks_24h: int = strawberry.field(description="Blocks of 24 hours.")
    transactions_24h: int = strawberry.field(description="Payments of 24 hours; mined rewards do not count.")
    volume_24h: Decimal = strawberry.field(description="What they paid, without change.")
    volume_24h_usd: Decimal | None = strawberry.field(
        description="The same in dollars at the newest quote; null without one."
    )
    fees_24h: Decimal = strawberry.field(description="Fees of 24 hours.")
    active_wallets_24h: int = strawberry.field(description="Wallets that paid or were paid.")
    large_threshold: Decimal = strawberry.field(description="From how many coins on a transfer is a large one.")
    large_transfers_24h: int = strawberry.field(description="Large transfers of 24 hours.")
    largest_transfers: list[ChainTransfer] = strawberry.field(
        metadata=holds(LARGEST), description="The largest transfers of 24 hours, whatever their size; at most 10."
    )
