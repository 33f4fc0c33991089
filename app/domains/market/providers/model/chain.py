"""A chain as the market sees it. The market does not import the ledger: an adapter presents it as `Chain`."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Protocol

import msgspec


class ChainTransfer(msgspec.Struct, frozen=True):
    """A confirmed payment. `position` grows in the order of confirmation, and is unique.

    `amount` is in coins, without change. Mined rewards are not transfers.
    """

    position: int
    transaction_hash: str
    sender_wallet_id: str
    recipient_wallet_id: str
    amount: Decimal
    block_height: int
    confirmed_at: datetime


class ChainActivity(msgspec.Struct, frozen=True, kw_only=True):
    """The state of a chain at its tip, and its activity since `since`. Amounts are in coins."""

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
    """A few, the largest first."""


class Chain(Protocol):
    """A chain whose activity can be read."""

    @property
    def source(self) -> str:
        """Its name as a source, such as MONETA_LEDGER."""
        ...

    @property
    def symbol(self) -> str:
        """The token of the chain."""
        ...

    async def activity(self, since: datetime, large: Decimal) -> ChainActivity | None:
        """Returns the activity since a time; transfers from `large` coins on are large. None before the first block."""
        ...

    async def transactions_after(self, seq: int, limit: int) -> list[ChainTransfer]:
        """Returns up to `limit` confirmed payments after this position, in order; 0 begins with the first."""
        ...

    async def position(self) -> int:
        """Returns the current position: all payments confirmed so far are before it, all later ones after it."""
        ...
