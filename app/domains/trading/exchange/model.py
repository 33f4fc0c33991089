"""Records of the exchange: orders as a book takes them, quotes, the outcomes of each operation, and a book's state.

Everything is a whole number. Quantities of coins and amounts of US dollars are in units of 1e-8, prices in units of
1e-12 dollars for a coin, fractions in units of 1e-8, times in milliseconds since 1970.
"""

from enum import StrEnum
from typing import TypeAlias
from uuid import UUID

import msgspec

from app.domains.trading.quantities.model import Side


class Liquidity(StrEnum):
    """Whether an order waited in the book for the other (maker), or met it there (taker)."""

    MAKER = "maker"
    TAKER = "taker"


class OrderType(StrEnum):
    """How the price of an order comes about."""

    MARKET = "market"
    LIMIT = "limit"
    STOP = "stop"
    STOP_LIMIT = "stop_limit"
    TRAILING_STOP = "trailing_stop"


class TimeInForce(StrEnum):
    """For how long an order stays open. A market order never rests, whatever this is."""

    GOOD_TILL_CANCELLED = "gtc"
    IMMEDIATE_OR_CANCEL = "ioc"
    FILL_OR_KILL = "fok"
    GOOD_TILL_DATE = "gtd"


class Reason(StrEnum):
    """Why an order or a change of one was refused, or why an order ended before it was filled."""

    MARKET_CLOSED = "market_closed"
    """There is no price, or it is too old."""
    HALTED = "halted"
    DELISTED = "delisted"
    RENAMED = "renamed"
    INVALID = "invalid"
    """The parts of the order contradict each other, or a number is not positive."""
    TICK = "tick"
    """A price is not a multiple of the tick at its magnitude."""
    TOO_SMALL = "too_small"
    TOO_LARGE = "too_large"
    DUPLICATE = "duplicate"
    UNKNOWN = "unknown"
    """No such order is open."""
    POST_ONLY = "post_only"
    """The order would have taken."""
    REDUCE_ONLY = "reduce_only"
    """There is nothing to reduce."""
    ALREADY_FILLED = "already_filled"
    """As much as the new quantity was filled before."""
    LINKED = "linked"
    """The other exit of the same bracket was filled; or the quantity of one exit alone was to be changed."""
    SELF_TRADE = "self_trade"
    NOT_FILLED_AT_ONCE = "not_filled_at_once"
    """What is left of an immediate-or-cancel order, or a fill-or-kill order that could not be filled whole."""
    NO_DEPTH = "no_depth"
    PROTECTION = "protection"
    """The next price is beyond the order's protection price."""
    EXPIRED = "expired"
    REQUESTED = "requested"
    PORTFOLIO_CLOSED = "portfolio_closed"
    """The portfolio is reset or deleted."""
    TRADING_HALTED = "trading_halted"
    """The user's trading was halted."""
    UNSUPPORTED = "unsupported"
    """The exchange of the account has no such orders."""
    REFUSED = "refused"
    """The exchange of the account did not take it on."""
    NOT_SENT = "not_sent"
    """The exchange of the account never received it, or says so."""
    ENDED = "ended"
    """The exchange of the account ended it, unasked."""
    VANISHED = "vanished"
    """The exchange of the account does not know it any more."""
    DISCONNECTED = "disconnected"
    """The account was disconnected."""
    CANCEL_FAILED = "cancel_failed"
    """The exchange of the account would not cancel it: it is still open."""


class Order(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """An order as it was asked for. A market order has either a quantity or an amount, every other a quantity."""

    id: UUID
    owner: UUID
    """Two orders of one owner never trade with each other."""
    side: Side
    type: OrderType
    time_in_force: TimeInForce = TimeInForce.GOOD_TILL_CANCELLED
    quantity: int | None = None
    amount: int | None = None
    """The dollars that may be spent, or are to be received at most, without fees."""
    price: int | None = None
    """The limit. Only limit and stop-limit orders have one."""
    stop_price: int | None = None
    trail_amount: int | None = None
    trail_fraction: int | None = None
    protection_price: int | None = None
    """The worst price of an order without a limit. Each buy has one: it is what was reserved for."""
    expires_at: int | None = None
    is_post_only: bool = False
    bound: int | None = None
    """A reduce-only order's: the coins that are there to be reduced. It is accepted for no more. Also what a sale by
    amount may sell."""
    sells_all: bool = False
    """It sells all that is left of a position, which may be less than the minimum."""
    link: UUID | None = None
    """The exits of one bracket have one link, and one quantity: what fills one of them is taken from the others."""


class OpenOrder(msgspec.Struct, gc=False):
    """An order that is open, as a book holds it. Durable: a book is rebuilt from these."""

    order: Order
    left: int
    """The units not yet filled."""
    priority: int
    """Unique in a book; among orders of one price the least is first. It changes when an order loses its turn."""
    is_triggered: bool = False
    """A stop-limit order that has become a limit order."""


class Changes(msgspec.Struct, frozen=True, kw_only=True):
    """What a replacement changes. Null: as before. `quantity` is the whole quantity, filled parts included."""

    quantity: int | None = None
    price: int | None = None
    stop_price: int | None = None
    trail_amount: int | None = None
    trail_fraction: int | None = None
    protection_price: int | None = None


class Quote(msgspec.Struct, frozen=True, gc=False):
    """What the house's ladder is made of."""

    price: int
    volume: int
    """Dollars traded in 24 hours."""
    volatility: int
    """The standard deviation of a day's relative change, as a fraction."""
    at: int


class Take(msgspec.Struct, frozen=True, gc=False):
    """What was taken within a few seconds, and from when on a quote has it again."""

    quantity: int
    until: int


class Consumption(msgspec.Struct, frozen=True, gc=False):
    """What is missing from one side of the house's ladder, the oldest first."""

    takes: tuple[Take, ...] = ()

    @property
    def gone(self) -> int:
        """The units that are missing."""
        return sum(each.quantity for each in self.takes)


class Level(msgspec.Struct, frozen=True, gc=False):
    """A price, and the quantity there."""

    price: int
    quantity: int


class Extreme(msgspec.Struct, frozen=True, gc=False):
    """The best price that trailing stops have seen that were placed with this priority or after."""

    since: int
    price: int


class BookState(msgspec.Struct, frozen=True, kw_only=True):
    """What a book is beside its orders. Durable."""

    venue: str
    symbol: str
    quote: Quote | None = None
    """The quote in force. Null: none, and the market is closed."""
    bids: Consumption = Consumption()
    asks: Consumption = Consumption()
    highs: tuple[Extreme, ...] = ()
    """Of trailing stops that sell."""
    lows: tuple[Extreme, ...] = ()
    """Of trailing stops that buy."""
    next_priority: int = 1
    is_halted: bool = False
    is_delisted: bool = False


class Snapshot(msgspec.Struct, frozen=True):
    """The best levels of both sides, users' orders and the house's ladder together, best first."""

    bids: list[Level]
    asks: list[Level]


class Accepted(msgspec.Struct, frozen=True, gc=False, tag=True):
    """The order was taken on. `quantity` is null for one by amount; it is the bound for one that was bounded."""

    order_id: UUID
    quantity: int | None


class Rested(msgspec.Struct, frozen=True, gc=False, tag=True):
    """The order waits: at its limit, or for its trigger."""

    order_id: UUID
    left: int
    priority: int


class Triggered(msgspec.Struct, frozen=True, gc=False, tag=True):
    """The price reached the stop, which now is a market or a limit order."""

    order_id: UUID
    price: int


class Traded(msgspec.Struct, frozen=True, gc=False, tag=True):
    """One trade. Null in place of an order is the house."""

    taker_id: UUID | None
    maker_id: UUID | None
    taker_side: Side
    price: int
    quantity: int


class Filled(msgspec.Struct, frozen=True, gc=False, tag=True):
    """Final: nothing is left to fill."""

    order_id: UUID


class Cancelled(msgspec.Struct, frozen=True, gc=False, tag=True):
    """Final: what was left will not be filled."""

    order_id: UUID
    reason: Reason


class Rejected(msgspec.Struct, frozen=True, gc=False, tag=True):
    """Final: the order was never taken on."""

    order_id: UUID
    reason: Reason


class Expired(msgspec.Struct, frozen=True, gc=False, tag=True):
    """Final: the order's time is over."""

    order_id: UUID
    reason: Reason = Reason.EXPIRED


class Replaced(msgspec.Struct, frozen=True, gc=False, tag=True):
    """The order was changed. `reason` is LINKED if a fill of the bracket's other exit did that."""

    order_id: UUID
    quantity: int
    left: int
    priority: int
    """As before, if it kept its turn."""
    reason: Reason = Reason.REQUESTED


class Refused(msgspec.Struct, frozen=True, gc=False, tag=True):
    """A command that changed nothing: an open order stays as it is."""

    order_id: UUID
    reason: Reason


Outcome: TypeAlias = (
    Accepted | Rested | Triggered | Traded | Filled | Cancelled | Rejected | Expired | Replaced | Refused
)
FINAL = (Filled, Cancelled, Rejected, Expired)
"""Each order has exactly one of these, and nothing after it."""
