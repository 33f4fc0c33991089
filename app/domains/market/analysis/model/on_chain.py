"""Activity on the chain of a token. Amounts are in coins."""

from datetime import datetime
from decimal import Decimal

import msgspec

from app.domains.market.sources.model.chain import ChainTransfer


class OnChainFindings(msgspec.Struct, frozen=True, kw_only=True):
    """The chain at its tip, and its last 24 hours."""

    source: str
    tip_height: int
    tip_at: datetime
    average_block_time_s: float
    difficulty_bits: int
    hashes_per_s: float
    """The hash rate that follows from the difficulty and the time between blocks."""
    circulating: Decimal
    total: Decimal
    blocks_24h: int
    transactions_24h: int
    volume_24h: Decimal
    volume_24h_usd: Decimal | None
    """At the newest quote; null if there is none."""
    fees_24h: Decimal
    active_wallets_24h: int
    large_threshold: Decimal
    large_transfers_24h: int
    """Transfers of at least the threshold."""
    largest_transfers: list[ChainTransfer]
    """The largest of 24 hours, whatever their size; at most ten."""
