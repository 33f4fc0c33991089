"""Orders. Quantities are coins, prices are dollars a coin, amounts are dollars unless stated otherwise."""

from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from uuid import UUID

import msgspec
from msgspec import UNSET, UnsetType

from app.kit.errors import Problem


class Side(StrEnum):
    """Whether an order buys or sells coins."""

    BUY = "buy"
    SELL = "sell"


class OrderType(StrEnum):
    """How the price of an order comes about."""

    MARKET = "market"
    LIMIT = "limit"
    STOP = "stop"
    STOP_LIMIT = "stop_limit"
    TRAILING_STOP = "trailing_stop"


class TimeInForce(StrEnum):
    """For how long an order stays open."""

    GOOD_TILL_CANCELLED = "gtc"
    IMMEDIATE_OR_CANCEL = "ioc"
    FILL_OR_KILL = "fok"
    GOOD_TILL_DATE = "gtd"


class OrderStatus(StrEnum):
    """What has become of an order. All but PENDING and PARTIAL are final."""

    PENDING = "pending"
    PARTIAL = "partial"
    FILLED = "filled"
    CANCELLED = "cancelled"
    REJECTED = "rejected"
    EXPIRED = "expired"


OPEN = frozenset({OrderStatus.PENDING, OrderStatus.PARTIAL})


class BracketRole(StrEnum):
    """What an order does in a bracket."""

    ENTRY = "entry"
    TAKE_PROFIT = "take_profit"
    STOP_LOSS = "stop_loss"


class Order(msgspec.Struct, frozen=True):
    """An order. `reserved` is in the currency of the portfolio for a buy, in coins for a sell."""

    id: UUID
    user_id: UUID | None
    portfolio_id: UUID
    life: int
    symbol: str
    side: Side
    type: OrderType
    time_in_force: TimeInForce
    expires_at: datetime | None
    post_only: bool
    reduce_only: bool
    quantity: Decimal | None
    quote_amount: Decimal | None
    price: Decimal | None
    stop_price: Decimal | None
    trail_amount: Decimal | None
    trail_fraction: Decimal | None
    protection_price: Decimal | None
    reserved: Decimal
    filled_quantity: Decimal
    filled_quote: Decimal
    average_fill_price: Decimal | None
    fees: Decimal
    status: OrderStatus
    reason: str | None
    mode: str
    exchange: str
    client_order_id: str | None
    bracket_id: UUID | None
    bracket_role: BracketRole | None
    triggered_at: datetime | None
    created_at: datetime
    updated_at: datetime
    filled_at: datetime | None
    cancelled_at: datetime | None


class NewOrder(msgspec.Struct, frozen=True, kw_only=True):
    """An order to place. Exactly one of `quantity` and `quote_amount` is given."""

    symbol: str
    side: Side
    type: OrderType
    quantity: Decimal | None = None
    quote_amount: Decimal | None = None
    price: Decimal | None = None
    stop_price: Decimal | None = None
    trail_amount: Decimal | None = None
    trail_fraction: Decimal | None = None
    time_in_force: TimeInForce = TimeInForce.GOOD_TILL_CANCELLED
    expires_at: datetime | None = None
    post_only: bool = False
    reduce_only: bool = False
    client_order_id: str | None = None


class OrderChanges(msgspec.Struct, frozen=True, kw_only=True):
    """What a replacement changes of an open order. `quantity` is the whole quantity, filled parts included."""

    quantity: Decimal | UnsetType = UNSET
    price: Decimal | UnsetType = UNSET
    stop_price: Decimal | UnsetType = UNSET


class MarketClosed(Problem):
    """The market of this token is closed: its price is too old, or trading is halted."""

    field = "symbol"


class DuplicateClientOrderId(Problem):
    """Another order of this portfolio has this client order ID."""

    field = "client_order_id"


class OrderNotOpen(Problem):
    """The order is no longer open."""


def order_stream(portfolio_id: UUID) -> str:
    """The stream of the orders of a portfolio."""
    return f"orders:{portfolio_id}"


def fill_stream(portfolio_id: UUID) -> str:
    """The stream of the fills of a portfolio."""
    return f"fills:{portfolio_id}"
