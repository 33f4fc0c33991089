"""What matching is asked and what it does, in whole numbers as the exchange has them, and its rows."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, Final, TypeAlias
from uuid import UUID

import msgspec

from app.domains.trading.exchange.model import Changes, Order, Outcome, Quote, Reason

BATCH: Final = 500
"""Commands that are matched in one transaction."""
TRADES_KEPT: Final = 50
"""The newest trades of a token that its topic holds."""
TRADES_TOPIC: Final = "trades"
BOOKS_TOPIC: Final = "books"


class Price(msgspec.Struct, frozen=True):
    """A quote of the feed. `aud` is the price in Australian dollars, in units of 1e-12."""

    quote: Quote
    aud: int
    source: str


class PlaceOrder(msgspec.Struct, frozen=True):
    """An order arrives; for the entry of a bracket with its exits."""

    symbol: str
    order: Order
    exits: tuple[Order, ...] = ()


class Cancel(msgspec.Struct, frozen=True):
    """What is left of an order is to be cancelled."""

    symbol: str
    order_id: UUID
    reason: Reason = Reason.REQUESTED


class Replace(msgspec.Struct, frozen=True):
    """An order is to be changed. `extra` was reserved for that, in units."""

    symbol: str
    order_id: UUID
    changes: Changes
    extra: int = 0


class Prices(msgspec.Struct, frozen=True):
    """A tick, by symbol."""

    prices: Mapping[str, Price]


class Close(msgspec.Struct, frozen=True):
    """All orders of a portfolio have been cancelled: it is to be reset or deleted."""

    portfolio_id: UUID


class Halt(msgspec.Struct, frozen=True):
    """Trading stops, in all books if there is no symbol."""

    symbol: str | None


class Resume(msgspec.Struct, frozen=True):
    """A halt ends. A book that is halted for itself and with all others opens when both have ended."""

    symbol: str | None


class Delist(msgspec.Struct, frozen=True):
    """A token is no longer traded."""

    symbol: str
    reason: Reason


class Relist(msgspec.Struct, frozen=True):
    """A token is traded again, or another one under the same symbol: its book begins anew."""

    symbol: str


Command: TypeAlias = PlaceOrder | Cancel | Replace | Prices | Close | Halt | Resume | Delist | Relist


class Market(msgspec.Struct, frozen=True, gc=False):
    """What the house quoted when something happened. `rate` is Australian dollars for one dollar, in units of 1e-12."""

    bid: int
    ask: int
    at: int
    rate: int
    source: str


class Result(msgspec.Struct, frozen=True):
    """What a command did in one book. `market` is what it was traded at, null if nothing was. Without a command it was
    passed over.
    """

    symbol: str
    command: Command | None
    market: Market | None
    outcomes: list[Outcome]


class InboxRow(msgspec.Struct, frozen=True):
    """A command as it is stored."""

    id: int
    kind: str
    symbol: str | None
    order_id: UUID | None
    portfolio_id: UUID | None
    payload: Any
    created_at: datetime


class OrderRow(msgspec.Struct, frozen=True, gc=False):
    """An order as matching reads it. `owner` is the user, or the portfolio where it has none; `currency` is that of the
    portfolio.
    """

    id: UUID
    owner: UUID
    portfolio_id: UUID
    currency: str
    life: int
    symbol: str
    side: str
    type: str
    time_in_force: str
    expires_at: datetime | None
    post_only: bool
    sells_all: bool
    quantity: Decimal | None
    quote_amount: Decimal | None
    bound: Decimal | None
    price: Decimal | None
    stop_price: Decimal | None
    trail_amount: Decimal | None
    trail_fraction: Decimal | None
    protection_price: Decimal | None
    maker_fee_fraction: Decimal
    taker_fee_fraction: Decimal
    reserve_rate: Decimal | None
    reserved: Decimal
    reserved_for_changes: Decimal
    filled_quantity: Decimal
    filled_quote: Decimal
    fees: Decimal
    status: str
    reason: str | None
    bracket_id: UUID | None
    bracket_role: str | None
    priority: int | None
    triggered_at: datetime | None
    filled_at: datetime | None
    cancelled_at: datetime | None
    bot_id: UUID | None = None


class BookedRow(msgspec.Struct, frozen=True):
    """An order as a book needs it, without what only its settlement needs: a rebuild reads very many."""

    id: UUID
    owner: UUID
    symbol: str
    side: str
    type: str
    time_in_force: str
    expires_at: datetime | None
    post_only: bool
    sells_all: bool
    quantity: Decimal | None
    quote_amount: Decimal | None
    bound: Decimal | None
    price: Decimal | None
    stop_price: Decimal | None
    trail_amount: Decimal | None
    trail_fraction: Decimal | None
    protection_price: Decimal | None
    filled_quantity: Decimal
    bracket_id: UUID | None
    bracket_role: str | None
    priority: int | None
    triggered_at: datetime | None


class BookRow(msgspec.Struct, frozen=True):
    """A book as it is stored."""

    symbol: str
    state: Any
    source: str | None
    price_usd: Decimal | None
    price_aud: Decimal | None
    is_halted_alone: bool


class ExchangeState(msgspec.Struct, frozen=True):
    """Who matches, how far, and whether all trading is halted."""

    epoch: int
    last_number: int
    is_halted: bool


class Trade(msgspec.Struct, frozen=True, gc=False):
    """A trade as everybody sees it."""

    id: UUID
    symbol: str
    price: Decimal
    quantity: Decimal
    taker_side: str
    at: datetime
