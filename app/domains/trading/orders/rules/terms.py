"""What decides whether an order can be placed or changed, as it is read."""

from datetime import datetime
from decimal import Decimal
from uuid import UUID

import msgspec


class MarketTerms(msgspec.Struct, frozen=True):
    """What decides whether an order can be placed, beside its portfolio: the market, its user, what is held."""

    is_listed: bool | None
    """Null: there is no such token."""
    is_halted: bool
    is_delisted: bool
    price_usd: Decimal | None
    price_aud: Decimal | None
    quoted_at: datetime | None
    tier: str
    is_user_halted: bool
    duplicate_id: UUID | None
    held: Decimal
    """The coins of the position that are available."""
    other_tokens: int
    """How many other tokens the portfolio holds, or would if its open orders were filled; 0 where it holds this one."""


class OrderToChange(msgspec.Struct, frozen=True):
    """An open order that is about to be changed, and whether an earlier change is still to be decided."""

    id: UUID
    symbol: str
    side: str
    type: str
    time_in_force: str
    expires_at: datetime | None
    post_only: bool
    sells_all: bool
    quantity: Decimal | None
    quote_amount: Decimal | None
    price: Decimal | None
    stop_price: Decimal | None
    trail_amount: Decimal | None
    trail_fraction: Decimal | None
    protection_price: Decimal | None
    taker_fee_fraction: Decimal
    reserve_rate: Decimal | None
    filled_quantity: Decimal
    status: str
    bracket_role: str | None
    bot_id: UUID | None
    is_placed: bool
    is_triggered: bool
    is_changing: bool
