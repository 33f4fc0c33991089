"""Orders and fills as they happen."""

from decimal import Decimal
from typing import Annotated
from uuid import UUID

import msgspec
import strawberry

from app.domains.trading.orders import loaders, model
from app.domains.trading.portfolios import loaders as portfolio_loaders
from app.engine.declarations.computed import from_parent
from app.engine.declarations.nodes import key_of
from app.engine.declarations.relations import related
from app.engine.declarations.stream_events import StreamEvent
from app.engine.declarations.subscriptions import durable
from app.kit.errors import NotFound
from app.kit.events import Event
from app.schema.context import Info
from app.schema.trading.orders.fills import Fill
from app.schema.trading.orders.kinds import OrderStatus, Reason
from app.schema.trading.orders.orders import Order
from app.schema.trading.portfolios import Portfolio

PortfolioId = Annotated[strawberry.ID, strawberry.argument(description="The global ID of the portfolio.")]


@strawberry.type
class OrderUpdateEvent(StreamEvent):
    """An order was placed or changed. Changes of an order that happen at once are one event."""

    order_id: strawberry.Private[UUID]
    status: OrderStatus = strawberry.field(description="What had become of the order.")
    filled_quantity: Decimal = strawberry.field(
        description="The quantity that had been bought or sold until then, in coins."
    )
    reason: Reason | None = strawberry.field(
        description="Why it was not taken on, or ended before it was filled. Null otherwise."
    )
    order: Order | None = related(
        loaders.order_by_id, key="order_id", description="The order as it is now. Null if it is no longer stored."
    )


@strawberry.type
class FillEvent(StreamEvent):
    """An order was filled, or a part of it."""

    filled: strawberry.Private[model.Fill]
    fill: Fill = from_parent(lambda root: root.filled, graphql_type=Fill, description="The fill.")


def _order_event(event: Event) -> OrderUpdateEvent | None:
    _check_is_there(event)
    if event.kind != model.ORDER_CHANGED:
        return None
    fact = msgspec.convert(event.payload, model.OrderFact)
    return OrderUpdateEvent(
        order_id=fact.order_id, status=fact.status, filled_quantity=fact.filled_quantity, reason=fact.reason
    )


def _fill_event(event: Event) -> FillEvent | None:
    _check_is_there(event)
    if event.kind != model.ORDER_FILLED:
        return None
    return FillEvent(filled=msgspec.convert(event.payload, model.Fill))


def _check_is_there(event: Event) -> None:
    """Raises NotFound after the deletion of the portfolio, which ends the subscription."""
    if event.kind == model.PORTFOLIO_DELETED:
        raise NotFound(Portfolio)


async def _own_portfolio(info: Info, portfolio_id: strawberry.ID) -> UUID:
    """The key of a portfolio of the viewer. Raises NotFound."""
    info.context.require_viewer()
    id: UUID = key_of(portfolio_id, Portfolio)
    if await info.context.reads.one(portfolio_loaders.portfolio_by_id, id) is None:
        raise NotFound(Portfolio)
    return id


@strawberry.type
class OrderSubscription:
    """Orders and fills of a portfolio."""

    @durable(OrderUpdateEvent, payload=_order_event, per_s=2.0)
    async def order_updates(self, info: Info, portfolio_id: PortfolioId) -> str:
        """The orders of a portfolio of the viewer as they are placed and change, in order."""
        return model.order_stream(await _own_portfolio(info, portfolio_id))

    @durable(FillEvent, payload=_fill_event, per_s=2.0)
    async def fills(self, info: Info, portfolio_id: PortfolioId) -> str:
        """The fills of a portfolio of the viewer as they happen, in order."""
        return model.fill_stream(await _own_portfolio(info, portfolio_id))
