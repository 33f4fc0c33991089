"""The enums of orders."""

from app.domains.trading.exchange.model import Liquidity, OrderType, Reason, TimeInForce
from app.domains.trading.orders.model import BracketRole, OrderStatus
from app.domains.trading.quantities.model import Side
from app.schema.enums import declare_enum

__all__ = ["BracketRole", "Liquidity", "OrderStatus", "OrderType", "Reason", "Side", "TimeInForce"]

declare_enum(Side, name="OrderSide", BUY="Coins are bought for cash.", SELL="Coins are sold for cash.")
declare_enum(
    OrderType,
    description="How the price of an order comes about.",
    MARKET="At the best prices that there are, at once. What they do not fill is cancelled.",
    LIMIT="At its limit or better.",
    STOP="A market order as soon as the price reaches the stop price.",
    STOP_LIMIT="A limit order as soon as the price reaches the stop price.",
    TRAILING_STOP="A market order as soon as the price turns by the trail from its best since the order was placed.",
)
declare_enum(
    TimeInForce,
    description="How long an order stays open. A market order is never open for long, whatever this is.",
    GOOD_TILL_CANCELLED="Until it is filled or cancelled.",
    IMMEDIATE_OR_CANCEL="What is not filled at once is cancelled.",
    FILL_OR_KILL="It is filled as a whole at once, or cancelled.",
    GOOD_TILL_DATE="Until it is filled or cancelled, or expires.",
)
declare_enum(
    OrderStatus,
    description="What has become of an order. PENDING and PARTIAL are open, all others are final.",
    PENDING="Open, and nothing of it is filled.",
    PARTIAL="Open, and a part of it is filled.",
    FILLED="Filled completely, or as far as its quote amount or its position allowed.",
    CANCELLED="Cancelled before it was filled. A part may be filled.",
    REJECTED="Not taken on by the exchange.",
    EXPIRED="Expired before it was filled. A part may be filled.",
)
declare_enum(
    BracketRole,
    description="What an order does in a bracket.",
    ENTRY="It buys what the exits sell.",
    TAKE_PROFIT="It sells at a profit, and cancels the stop loss as far as it is filled.",
    STOP_LOSS="It sells to limit a loss, and cancels the take profit as far as it is filled.",
)
declare_enum(
    Liquidity,
    description="Whether an order added liquidity to the book, or removed it. Fees differ.",
    MAKER="The order waited in the book.",
    TAKER="The order met another that waited, or a quote of the house.",
)
declare_enum(
    Reason,
    name="OrderReason",
    description="Why an order was not taken on, or was cancelled or expired. More may be added.",
    MARKET_CLOSED="There is no price of the token, or it is too old.",
    HALTED="Trading in the token, or in all tokens, is halted.",
    DELISTED="The token is no longer traded.",
    RENAMED="The token has another symbol now.",
    INVALID="Parts of the order contradict each other.",
    TICK="A price is not a multiple of the tick: prices have five significant digits.",
    TOO_SMALL="It is worth less than the minimum of one dollar.",
    TOO_LARGE="It is larger than what the exchange can count.",
    DUPLICATE="The exchange has it already.",
    UNKNOWN="The exchange has no such open order.",
    POST_ONLY="It is post-only, and would have been filled at once.",
    REDUCE_ONLY="It is reduce-only, and there is nothing to reduce.",
    ALREADY_FILLED="As much as the new quantity was filled before.",
    LINKED="Another order of the same bracket decided it.",
    SELF_TRADE="It would have traded with another order of the same user.",
    NOT_FILLED_AT_ONCE="It could not be filled at once, as its time in force demands.",
    NO_DEPTH="There was nothing left to trade with.",
    PROTECTION="The next price was beyond its protection price.",
    EXPIRED="It expired.",
    REQUESTED="The user cancelled it.",
    PORTFOLIO_CLOSED="The portfolio was reset or deleted.",
    TRADING_HALTED="Trading was halted.",
    UNSUPPORTED="The exchange of the account has no such orders.",
    REFUSED="The exchange of the account did not take it on. `Order.exchangeOrder` says why.",
    NOT_SENT="It did not reach the exchange of the account.",
    ENDED="The exchange of the account ended it.",
    VANISHED="The exchange of the account does not know it any more, or cannot be asked.",
    DISCONNECTED="The account was disconnected.",
    CANCEL_FAILED="The exchange of the account would not cancel it. It is still open, and is tried again.",
)
