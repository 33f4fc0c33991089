"""Placing, changing and cancelling orders."""

from collections.abc import Awaitable
from decimal import Decimal
from typing import Any, TypeVar

import strawberry

from app.domains.market.tokens import model as market
from app.domains.trading.orders import loaders
from app.domains.trading.orders.model import OrderChanges
from app.domains.trading.orders.services.orders import Orders
from app.domains.trading.portfolios import loaders as portfolio_loaders
from app.domains.trading.services import TradingServices
from app.engine.declarations.nodes import key_of
from app.engine.declarations.patches import changeable, changes_of
from app.engine.declarations.problems import (
    IdempotencyKeyReused,
    InvalidInput,
    NotFound,
    ResultDeleted,
    mutation,
)
from app.kit import errors
from app.schema.context import Info
from app.schema.idempotency import IDEMPOTENCY_KEY
from app.schema.trading.changes import InsufficientCash, LiveTradingUnavailable, PortfolioNotOpen
from app.schema.trading.orders.inputs import (
    LIMIT,
    QUANTITY,
    STOP,
    TRAIL_AMOUNT,
    TRAIL_FRACTION,
    OrderInput,
    StopLossInput,
    TakeProfitInput,
    bracket_of,
)
from app.schema.trading.orders.orders import Order
from app.schema.trading.orders.problems import (
    DuplicateClientOrderId,
    InsufficientPosition,
    MarketClosed,
    OrderNotOpen,
    OrderRefused,
    TooManyPositions,
    TradingHalted,
)
from app.schema.trading.portfolios import Portfolio
from app.schema.trading.venues.problems import PlanRequired

T = TypeVar("T")

KEPT = "Omitted: unchanged. Not null."
REFUSALS = (
    InvalidInput,
    NotFound,
    InsufficientCash,
    InsufficientPosition,
    MarketClosed,
    OrderRefused,
    TradingHalted,
    DuplicateClientOrderId,
    TooManyPositions,
    LiveTradingUnavailable,
    PlanRequired,
    PortfolioNotOpen,
)
"""Why an order is not placed."""


@strawberry.input
class PlaceOrderInput:
    """The order to place."""

    portfolio_id: strawberry.ID = strawberry.field(description="The global ID of the portfolio that trades.")
    order: OrderInput = strawberry.field(description="The order.")
    idempotency_key: str = strawberry.field(description=IDEMPOTENCY_KEY)


@strawberry.input
class PlaceBracketInput:
    """The bracket to place: an order that buys, and two that sell what it has bought, of which one cancels the other.
    The exits are placed as the entry is filled, and stay open until they are filled or cancelled.
    """

    portfolio_id: strawberry.ID = strawberry.field(description="The global ID of the portfolio that trades.")
    entry: OrderInput = strawberry.field(description="The order that buys.")
    take_profit: TakeProfitInput = strawberry.field(description="The exit at a profit.")
    stop_loss: StopLossInput = strawberry.field(description="The exit that limits a loss.")
    idempotency_key: str = strawberry.field(description=IDEMPOTENCY_KEY)


@strawberry.input
class CancelOrderInput:
    """The order to cancel."""

    id: strawberry.ID = strawberry.field(description="The global ID of the order.")


@strawberry.input
class CancelAllOrdersInput:
    """The orders to cancel."""

    portfolio_id: strawberry.ID = strawberry.field(description="The global ID of the portfolio.")
    symbol: str | None = strawberry.field(
        default=None, description="The symbol of the only token whose orders are cancelled, in any case. Null: all."
    )


@strawberry.input
class ReplaceOrderInput:
    """Changes to an open order. It keeps its turn in the book only if nothing but a smaller quantity changes."""

    id: strawberry.ID = strawberry.field(description="The global ID of the order.")
    quantity: Decimal | None = changeable(description=f"{QUANTITY} Filled parts are included. {KEPT}")
    price: Decimal | None = changeable(name="priceUsd", description=f"{LIMIT} {KEPT}")
    stop_price: Decimal | None = changeable(name="stopPriceUsd", description=f"{STOP} {KEPT}")
    trail_amount: Decimal | None = changeable(name="trailAmountUsd", description=f"{TRAIL_AMOUNT} {KEPT}")
    trail_fraction: Decimal | None = changeable(description=f"{TRAIL_FRACTION} {KEPT}")
    idempotency_key: str = strawberry.field(description=IDEMPOTENCY_KEY)


@strawberry.type
class PlaceOrderPayload:
    """The order was placed, now or when the idempotency key was first used. The exchange takes it on at once, and
    `orderUpdates` says what becomes of it.
    """

    order: Order = strawberry.field(description="The order as it is now.")


@strawberry.type
class PlaceBracketPayload:
    """The bracket was placed, now or when the idempotency key was first used."""

    entry: Order = strawberry.field(name="entryOrder", description="The order that buys, as it is now.")
    take_profit: Order = strawberry.field(name="takeProfitOrder", description="The exit at a profit, as it is now.")
    stop_loss: Order = strawberry.field(name="stopLossOrder", description="The exit that limits a loss, as it is now.")


@strawberry.type
class CancelOrderPayload:
    """The exchange was asked to cancel what is left of the order. Until it has, the order may still be filled:
    `orderUpdates` says which came first.
    """

    order: Order = strawberry.field(description="The order as it is now.")


@strawberry.type
class CancelAllOrdersPayload:
    """The exchange was asked to cancel what is left of the orders. Until it has, they may still be filled."""

    portfolio: Portfolio = strawberry.field(description="The portfolio as it is now.")
    count: int = strawberry.field(
        name="orderCount", description="The number of open orders that it was asked to cancel."
    )


@strawberry.type
class ReplaceOrderPayload:
    """The exchange was asked to change the order, now or when the idempotency key was first used. Until it has, the
    order may still be filled as it was: `orderUpdates` says which came first.
    """

    order: Order = strawberry.field(description="The order as it is now.")


@strawberry.type
class OrderMutation:
    """Changes to the viewer's orders."""

    @mutation(PlaceOrderPayload, *REFUSALS, ResultDeleted, IdempotencyKeyReused)
    async def place_order(self, info: Info, input: PlaceOrderInput) -> Any:
        """Places an order. It reserves what it may cost: the cash of a purchase at its limit or protection price, fees
        included, or the coins of a sale.
        """
        viewer, portfolio_id = info.context.require_viewer(), key_of(input.portfolio_id, Portfolio)
        place = _orders(info).place(viewer, portfolio_id, input.order.order(), input.idempotency_key)
        id = await token_found(place)
        return PlaceOrderPayload(order=await _read(info, id))

    @mutation(
        PlaceBracketPayload,
        *(each for each in REFUSALS if each is not InsufficientPosition),
        ResultDeleted,
        IdempotencyKeyReused,
    )
    async def place_bracket(self, info: Info, input: PlaceBracketInput) -> Any:
        """Places an order that buys, and two that sell what it has bought: one at a profit, one to limit a loss.
        Whichever is filled cancels the other.
        """
        viewer, portfolio_id = info.context.require_viewer(), key_of(input.portfolio_id, Portfolio)
        new = bracket_of(input.entry, input.take_profit, input.stop_loss)
        place = _orders(info).place_bracket(viewer, portfolio_id, new, input.idempotency_key)
        placed = await token_found(place)
        return PlaceBracketPayload(
            entry=await _read(info, placed.entry_id),
            take_profit=await _read(info, placed.take_profit_id),
            stop_loss=await _read(info, placed.stop_loss_id),
        )

    @mutation(CancelOrderPayload, NotFound, OrderNotOpen)
    async def cancel_order(self, info: Info, input: CancelOrderInput) -> Any:
        """Cancels what is left of an order."""
        id = key_of(input.id, Order)
        await _orders(info).cancel(info.context.require_viewer(), id)
        return CancelOrderPayload(order=await _read(info, id))

    @mutation(CancelAllOrdersPayload, NotFound)
    async def cancel_all_orders(self, info: Info, input: CancelAllOrdersInput) -> Any:
        """Cancels what is left of all open orders of a portfolio, or of those in one token."""
        viewer, portfolio_id = info.context.require_viewer(), key_of(input.portfolio_id, Portfolio)
        count = await _orders(info).cancel_all(viewer, portfolio_id, input.symbol)
        portfolio: Any = await info.context.reads.one(portfolio_loaders.portfolio_by_id, portfolio_id)
        return CancelAllOrdersPayload(portfolio=portfolio, count=count)

    @mutation(
        ReplaceOrderPayload,
        InvalidInput,
        NotFound,
        InsufficientCash,
        InsufficientPosition,
        MarketClosed,
        OrderNotOpen,
        OrderRefused,
        TradingHalted,
        PlanRequired,
        PortfolioNotOpen,
        ResultDeleted,
        IdempotencyKeyReused,
    )
    async def replace_order(self, info: Info, input: ReplaceOrderInput) -> Any:
        """Changes what is left of an open order, in one step: it is never missing from the book in between."""
        viewer, id = info.context.require_viewer(), key_of(input.id, Order)
        changed = await _orders(info).replace(viewer, id, changes_of(input, OrderChanges), input.idempotency_key)
        return ReplaceOrderPayload(order=await _read(info, changed))


def _orders(info: Info) -> Orders:
    return info.context.services[TradingServices].orders


async def token_found(work: Awaitable[T]) -> T:
    """What placing an order returns. A token that there is not is not found as a portfolio is not: a union has one
    member for both.
    """
    try:
        return await work
    except market.TokenNotFound as unknown:
        raise errors.NotFound(market.Token, unknown.message, path=unknown.path) from None


async def _read(info: Info, id: Any) -> Any:
    return await info.context.reads.one(loaders.order_by_id, id)
