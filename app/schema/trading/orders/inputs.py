"""What clients give of an order."""

from datetime import datetime
from decimal import Decimal

import msgspec
import strawberry

from app.domains.trading.orders.model import PRICE_LIMIT, QUANTITY_LIMIT, NewBracket, NewOrder
from app.schema.trading.orders.kinds import OrderType, Side, TimeInForce
from app.schema.trading.orders.orders import CLIENT_ORDER_ID

QUANTITY = f"The quantity in coins, more than 0 and less than {QUANTITY_LIMIT:,f}, with at most 8 decimals."
_PRICE = f"in dollars for a coin: more than 0 and less than {PRICE_LIMIT:,f}, with at most five significant digits"
LIMIT = f"The limit, {_PRICE}."
STOP = f"The price that triggers the order, {_PRICE}."
TRAIL_AMOUNT = (
    f"How far the price may turn, in dollars for a coin: more than 0 and less than {PRICE_LIMIT:,f}, with at most 12"
    " decimals."
)
TRAIL_FRACTION = (
    "How far the price may turn, as a fraction of the best price: between 0 and 1, with at most 8 decimals; 0.05 is 5"
    " percent."
)


@strawberry.input(one_of=True)
class MarketOrderInput:
    """How much to trade at once, at the best prices. Set exactly one field."""

    quantity: Decimal | None = strawberry.field(default=strawberry.UNSET, description=QUANTITY)
    quote_amount: Decimal | None = strawberry.field(
        name="quoteAmountUsd",
        default=strawberry.UNSET,
        description=f"The dollars to spend, or to receive, without the fee: more than 0 and less than"
        f" {QUANTITY_LIMIT:,f}, with at most 8 decimals.",
    )


@strawberry.input
class LimitOrderInput:
    """How much to trade at a limit or better."""

    quantity: Decimal = strawberry.field(description=QUANTITY)
    price: Decimal = strawberry.field(name="priceUsd", description=LIMIT)
    post_only: bool | None = strawberry.field(
        default=None,
        description="Whether to cancel the order rather than to fill it on arrival, so that it pays the fee of a maker."
        " Null: false.",
    )


@strawberry.input
class StopOrderInput:
    """How much to trade as soon as the price reaches a stop price."""

    quantity: Decimal = strawberry.field(description=QUANTITY)
    stop_price: Decimal = strawberry.field(name="stopPriceUsd", description=STOP)


@strawberry.input
class StopLimitOrderInput:
    """How much to trade at a limit or better as soon as the price reaches a stop price."""

    quantity: Decimal = strawberry.field(description=QUANTITY)
    stop_price: Decimal = strawberry.field(name="stopPriceUsd", description=STOP)
    price: Decimal = strawberry.field(name="priceUsd", description=LIMIT)


@strawberry.input(one_of=True)
class TrailInput:
    """How far the price may turn. Set exactly one field."""

    trail_amount: Decimal | None = strawberry.field(
        name="amountUsd", default=strawberry.UNSET, description=TRAIL_AMOUNT
    )
    trail_fraction: Decimal | None = strawberry.field(
        name="fraction",
        default=strawberry.UNSET,
        description=TRAIL_FRACTION,
    )


@strawberry.input
class TrailingStopOrderInput:
    """How much to trade as soon as the price turns."""

    quantity: Decimal = strawberry.field(description=QUANTITY)
    trail: TrailInput = strawberry.field(
        description="How far the price may turn from the best one since the order was placed."
    )


@strawberry.input(one_of=True)
class OrderTypeInput:
    """How much to trade, and how its price comes about. Set exactly one field."""

    market: MarketOrderInput | None = strawberry.field(
        default=strawberry.UNSET, description="At the best prices that there are, at once."
    )
    limit: LimitOrderInput | None = strawberry.field(default=strawberry.UNSET, description="At a limit or better.")
    stop: StopOrderInput | None = strawberry.field(
        default=strawberry.UNSET, description="A market order as soon as the price reaches a stop price."
    )
    stop_limit: StopLimitOrderInput | None = strawberry.field(
        default=strawberry.UNSET, description="A limit order as soon as the price reaches a stop price."
    )
    trailing_stop: TrailingStopOrderInput | None = strawberry.field(
        default=strawberry.UNSET, description="A market order as soon as the price turns by a trail."
    )


@strawberry.input
class OrderInput:
    """An order to buy or sell coins for dollars."""

    symbol: str = strawberry.field(description="The token's symbol, in any case.")
    side: Side = strawberry.field(description="Whether to buy or to sell coins.")
    type: OrderTypeInput = strawberry.field(description="How much to trade, and how its price comes about.")
    time_in_force: TimeInForce | None = strawberry.field(
        default=None,
        description="How long it stays open. Null: GOOD_TILL_DATE if there is `expiresAt`, otherwise"
        " GOOD_TILL_CANCELLED.",
    )
    expires_at: datetime | None = strawberry.field(
        default=None,
        description="When it expires. Required with GOOD_TILL_DATE, and not allowed otherwise.",
    )
    reduce_only: bool | None = strawberry.field(
        default=None, description="Whether it may only reduce a position. Null: false."
    )
    client_order_id: str | None = strawberry.field(
        default=None, description=f"The client's own name of it: {CLIENT_ORDER_ID} Null: none."
    )

    def order(self) -> NewOrder:
        """The order to place."""
        implied = TimeInForce.GOOD_TILL_CANCELLED if self.expires_at is None else TimeInForce.GOOD_TILL_DATE
        common = NewOrder(
            symbol=self.symbol,
            side=self.side,
            type=OrderType.MARKET,
            time_in_force=self.time_in_force or implied,
            expires_at=self.expires_at,
            reduce_only=bool(self.reduce_only),
            client_order_id=self.client_order_id,
        )
        return msgspec.structs.replace(common, **_terms(self.type))


def _terms(given: OrderTypeInput) -> dict[str, object]:
    """The type of an order, and its quantity and prices."""
    if market := given.market:
        return {
            "type": OrderType.MARKET,
            **_given(market),
        }
    if limit := given.limit:
        return {
            "type": OrderType.LIMIT,
            "quantity": limit.quantity,
            "price": limit.price,
            "post_only": bool(limit.post_only),
        }
    if stop := given.stop:
        return {"type": OrderType.STOP, **vars(stop)}
    if stop_limit := given.stop_limit:
        return {"type": OrderType.STOP_LIMIT, **vars(stop_limit)}
    assert given.trailing_stop, "one of them is given"
    trailing = given.trailing_stop
    return {"type": OrderType.TRAILING_STOP, "quantity": trailing.quantity, **_given(trailing.trail)}


def _given(one_of: object) -> dict[str, object]:
    """The field of a `@oneOf` input that is set."""
    return {name: value for name, value in vars(one_of).items() if value is not strawberry.UNSET}


@strawberry.input
class TakeProfitInput:
    """The exit of a bracket at a profit: a limit order."""

    take_profit_price: Decimal = strawberry.field(name="priceUsd", description=LIMIT)


@strawberry.input
class StopLossInput:
    """The exit of a bracket that limits a loss: a stop, or a stop-limit order."""

    stop_loss_stop_price: Decimal = strawberry.field(name="stopPriceUsd", description=STOP)
    stop_loss_price: Decimal | None = strawberry.field(
        name="priceUsd", default=None, description=f"{LIMIT} Null: none, and it sells at any price."
    )


def bracket_of(entry: OrderInput, take_profit: TakeProfitInput, stop_loss: StopLossInput) -> NewBracket:
    """The bracket to place."""
    return NewBracket(entry=entry.order(), **vars(take_profit), **vars(stop_loss))
