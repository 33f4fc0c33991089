"""Orders and their fills. Quantities are coins, prices dollars a coin, amounts dollars if nothing else is said."""

from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Final
from uuid import UUID

import msgspec
from msgspec import UNSET, UnsetType

from app.domains.trading.exchange.model import Liquidity, OrderType, Reason, TimeInForce
from app.domains.trading.journal.model import Currency
from app.domains.trading.portfolios.model import Mode
from app.domains.trading.quantities.model import Side
from app.kit.changes import Changes
from app.kit.errors import Problem

QUANTITY_LIMIT: Final = Decimal(10) ** 12
"""Quantities and amounts are less than this."""
PRICE_LIMIT: Final = Decimal(10) ** 12

INTERNAL: Final = "internal"
"""The venue of paper portfolios: Moneta's own exchange."""


class OrderStatus(StrEnum):
    """What has become of an order. All but PENDING and PARTIAL are final."""

    PENDING = "pending"
    PARTIAL = "partial"
    FILLED = "filled"
    CANCELLED = "cancelled"
    REJECTED = "rejected"
    EXPIRED = "expired"


OPEN: Final = frozenset({OrderStatus.PENDING, OrderStatus.PARTIAL})


class BracketRole(StrEnum):
    """What an order does in a bracket."""

    ENTRY = "entry"
    TAKE_PROFIT = "take_profit"
    STOP_LOSS = "stop_loss"


class Order(msgspec.Struct, frozen=True):
    """An order. `reserved` is in the currency of the portfolio for a buy, in coins for a sell."""

    id: UUID
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
    reason: Reason | None
    mode: Mode
    exchange: str
    client_order_id: str | None
    bracket_id: UUID | None
    bracket_role: BracketRole | None
    triggered_at: datetime | None
    created_at: datetime
    updated_at: datetime
    filled_at: datetime | None
    cancelled_at: datetime | None

    @property
    def client_key(self) -> str:
        """What it is found by through the client's own ID."""
        return f"{self.portfolio_id}:{self.client_order_id}"


class Fill(msgspec.Struct, frozen=True, gc=False):
    """A fill of an order. Without a counter order the house was on the other side. Never changed."""

    id: UUID
    trade_id: UUID
    order_id: UUID
    portfolio_id: UUID
    life: int
    symbol: str
    side: Side
    quantity: Decimal
    price: Decimal
    quote_quantity: Decimal
    fee: Decimal
    liquidity: Liquidity
    counter_order_id: UUID | None
    quote_bid: Decimal
    quote_ask: Decimal
    quote_at: datetime
    currency: Currency
    fx_rate: Decimal | None
    fx_source: str | None
    fx_at: datetime | None
    entry_id: int
    created_at: datetime


class TradeHistoryEntry(msgspec.Struct, frozen=True):
    """A fill as an entry of a history of trades. The status is what the order has become since."""

    id: UUID
    portfolio_id: UUID
    life: int
    exchange: str
    symbol: str
    type: OrderType
    side: Side
    amount: Decimal
    price: Decimal
    fee: Decimal
    liquidity: Liquidity
    order_id: UUID
    status: OrderStatus
    created_at: datetime


class MarketHalt(msgspec.Struct, frozen=True):
    """Nobody trades this token. Null: any token."""

    id: UUID
    symbol: str | None
    reason: str
    created_at: datetime


class UserHalt(msgspec.Struct, frozen=True):
    """A user does not trade."""

    id: UUID
    user_id: UUID
    reason: str
    created_at: datetime


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


class NewBracket(msgspec.Struct, frozen=True, kw_only=True):
    """An entry that buys, and two exits that sell what it fills: whichever is filled cancels the other.

    The take profit is a limit order. The stop loss is a stop, or a stop-limit order if it has a limit.
    """

    entry: NewOrder
    take_profit_price: Decimal
    stop_loss_stop_price: Decimal
    stop_loss_price: Decimal | None = None


class OrderChanges(Changes, frozen=True, kw_only=True):
    """What a replacement changes of an open order. `quantity` is the whole quantity, filled parts included."""

    quantity: Decimal | UnsetType = UNSET
    price: Decimal | UnsetType = UNSET
    stop_price: Decimal | UnsetType = UNSET
    trail_amount: Decimal | UnsetType = UNSET
    trail_fraction: Decimal | UnsetType = UNSET


class PlacedBracket(msgspec.Struct, frozen=True):
    """The orders of a bracket that was placed."""

    entry_id: UUID
    take_profit_id: UUID
    stop_loss_id: UUID


class OrderPreview(msgspec.Struct, frozen=True, kw_only=True):
    """What placing an order now would do at once. What rests, or waits for its trigger, is filled later or never.

    `refusal` is the problem that placing would raise, and `reason` why the exchange would refuse the order or cancel
    what is left of it: both null if it would be filled, or rest. `total` is what a purchase costs and a sale brings,
    fees included, and `reserved` what the order would reserve at first; both are in `currency`, `reserved` of a sale in
    coins. `slippage_fraction` is how much worse the average price is than the house's price; below 0 it is better.
    """

    refusal: Problem | None = None
    reason: Reason | None = None
    currency: Currency
    quantity: Decimal = Decimal(0)
    average_price: Decimal | None = None
    quote_quantity: Decimal = Decimal(0)
    fee: Decimal = Decimal(0)
    total: Decimal = Decimal(0)
    slippage_fraction: Decimal | None = None
    reserved: Decimal = Decimal(0)
    price: Decimal | None = None
    """The house's price: the middle of its bids and asks. Null: there is none."""
    rests: bool = False
    """Whether something of it would stay open: at its limit, or until its trigger."""


class OrderBookLevel(msgspec.Struct, frozen=True):
    """A price, and the coins that are bought or sold there."""

    price: Decimal
    quantity: Decimal


class OrderBookSnapshot(msgspec.Struct, frozen=True):
    """The best prices of a book, users' orders and the house's together, best first.

    `number` is that of the last command that the book met; 0: none. `quoted_at` is null while the house quotes nothing.
    """

    symbol: str
    bids: list[OrderBookLevel]
    asks: list[OrderBookLevel]
    quoted_at: datetime | None
    is_halted: bool
    number: int


class OrderFact(msgspec.Struct, frozen=True):
    """What `order_stream` says of an order: as it was then. Several changes at once are one fact."""

    order_id: UUID
    status: OrderStatus
    filled_quantity: Decimal
    reason: Reason | None


class MarketClosed(Problem):
    """The market of this token is closed: there is no price, it is too old, or trading is halted."""

    field = "symbol"

    def __init__(self, reason: Reason) -> None:
        super().__init__("The market of this token is closed.")
        self.reason = reason


class OrderRefused(Problem):
    """The exchange would not take the order on."""

    def __init__(self, reason: Reason, message: str) -> None:
        super().__init__(message)
        self.reason = reason


class InsufficientPosition(Problem):
    """There are fewer coins to sell."""

    field = "quantity"

    def __init__(self, available: Decimal, symbol: str) -> None:
        super().__init__(f"{available:f} {symbol} are available.")
        self.available = available
        self.symbol = symbol


class DuplicateClientOrderId(Problem):
    """Another order of this portfolio has this client order ID."""

    field = "client_order_id"

    def __init__(self, order_id: UUID) -> None:
        super().__init__("Another order of this portfolio has this client order ID.")
        self.order_id = order_id


class OrderNotOpen(Problem):
    """The order is no longer open."""


class TradingHalted(Problem):
    """Trading is halted for this user."""


class TooManyPositions(Problem):
    """The portfolio holds as many tokens as it can."""

    def __init__(self, limit: int) -> None:
        super().__init__(f"A portfolio holds at most {limit} tokens in one life.")
        self.limit = limit


ORDER_CHANGED: Final = "order"
ORDER_FILLED: Final = "fill"
PORTFOLIO_DELETED: Final = "deleted"


def order_stream(portfolio_id: UUID) -> str:
    """The stream of the orders of a portfolio. Its facts are of the kind `order` and carry an OrderFact; the last is of
    the kind `deleted`.
    """
    return f"orders:{portfolio_id}"


def fill_stream(portfolio_id: UUID) -> str:
    """The stream of the fills of a portfolio. Its facts are of the kind `fill` and carry a Fill; the last is of the
    kind `deleted`.
    """
    return f"fills:{portfolio_id}"
