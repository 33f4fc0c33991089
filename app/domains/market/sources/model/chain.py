"""What the market is told of a chain. It knows no ledger: whoever has one adapts it to `Chain`."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Protocol

import msgspec


class ChainTransfer(msgspec.Struct, frozen=True):
    """A confirmed payment. `position` grows in the order of confirmation, and is never given twice.

    `amount` is in coins, without change. Mined rewards are no transfers.
    """

    position: int
    transaction_hash: str
    sender_wallet_id: str
    recipient_wallet_id: str
    amount: Decimal
    block_height: int
    confirmed_at: datetime


class ChainActivity(msgspec.Struct, frozen=True, kw_only=True):
    """A chain at its tip, and what has happened on it since `since`. Amounts are in coins."""

    since: datetime
    tip_height: int
    tip_at: datetime
    average_block_time_s: float
    difficulty_bits: int
    hashes_per_s: float
    circulating: Decimal
    total: Decimal
    blocks: int
    transactions: int
    """Payments, without mined rewards."""
    volume: Decimal
    fees: Decimal
    active_wallets: int
    """Wallets that paid or were paid."""
    large_transfers: int
    largest_transfers: Sequence[ChainTransfer]
    """The largest first, a handful."""


class Chain(Protocol):
    """A chain that tells what happens on it."""

    @property
    def source(self) -> str:
        """Its name as a source, such as MONETA_LEDGER."""
        ...

    @property
    def symbol(self) -> str:
        """The token that moves on it."""
        ...

    async def activity(self, since: datetime, large: Decimal) -> ChainActivity | None:
        """What has happened since; transfers from `large` coins on count as large. None before the first block."""
        ...

    async def transactions_after(self, seq: int, limit: int) -> list[ChainTransfer]:
        """Up to `limit` confirmed payments behind this position, in order; 0 begins with the first."""
        ...

    async def position(self) -> int:
        """Where the chain stands: no payment confirmed so far is behind it, every later one is."""
        ...
