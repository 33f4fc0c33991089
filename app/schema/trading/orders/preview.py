"""What an order would do, and what would refuse it."""

from decimal import Decimal
from typing import Annotated, Any

import strawberry
from graphql.execution.values import get_argument_values

from app.domains.trading.orders import model
from app.domains.trading.services import TradingServices
from app.engine.declarations.arguments import locate
from app.engine.declarations.nodes import key_of
from app.engine.declarations.problems import NotFound, Problem, description_of, kinds_of
from app.kit import errors
from app.schema.context import Info
from app.schema.currencies import Currency
from app.schema.trading.orders.changes import REFUSALS, token_found
from app.schema.trading.orders.inputs import OrderInput
from app.schema.trading.orders.kinds import Reason
from app.schema.trading.portfolios import Portfolio

_REFUSALS = kinds_of(problem for problem in REFUSALS if problem is not NotFound)


@strawberry.type
class OrderPreview:
    """What placing an order now would do at once. What stays open is filled later, or never."""

    refusal: Problem | None = strawberry.field(
        description="The problem that placing it would meet. Null: it would be placed."
    )
    reason: Reason | None = strawberry.field(
        description="Why the exchange would not take it on, or would cancel what is left of it. Null: it would not."
    )
    currency: Currency = strawberry.field(description="The currency of the portfolio.")
    price: Decimal | None = strawberry.field(
        name="priceUsd",
        description="The price of a coin now, in dollars: the middle of the bids and asks of the house. Null if it"
        " quotes nothing.",
    )
    quantity: Decimal = strawberry.field(
        name="filledQuantity", description="The quantity that would be bought or sold at once, in coins."
    )
    average_price: Decimal | None = strawberry.field(
        name="averageFillPriceUsd",
        description="The average price of a coin, in dollars. Null if nothing would be filled at once.",
    )
    quote_quantity: Decimal = strawberry.field(
        name="filledQuoteAmountUsd", description="The dollars that would be paid or received, without the fee."
    )
    fee: Decimal = strawberry.field(name="feeUsd", description="The fee of what would be filled at once, in dollars.")
    total: Decimal = strawberry.field(
        description="What the purchase would cost, or the sale bring, fees included, in the currency of the portfolio."
    )
    slippage_fraction: Decimal | None = strawberry.field(
        description="By how much the average price would be worse than the price now, as a fraction of it: 0.01 is 1"
        " percent; below 0 it would be better. Null if nothing would be filled at once."
    )
    reserved: Decimal = strawberry.field(
        description="What it would reserve: of a purchase cash in the currency of the portfolio, fees included; of a"
        " sale the quantity in coins."
    )
    is_left_open: bool = strawberry.field(
        description="Whether a part of it, or all, would stay open: at its limit, or until its trigger."
    )


@strawberry.type
class PreviewQuery:
    """A preview of an order."""

    @strawberry.field
    async def order_preview(
        self,
        info: Info,
        portfolio_id: Annotated[strawberry.ID, strawberry.argument(description="The global ID of the portfolio.")],
        order: Annotated[OrderInput, strawberry.argument(description="The order, as `placeOrder` takes it.")],
    ) -> OrderPreview:
        """What placing an order in a portfolio of the viewer would do now: what it costs, or what would refuse it.
        Nothing is placed or reserved, and prices move until it is.
        """
        viewer, new = info.context.require_viewer(), order.order()
        id = key_of(portfolio_id, Portfolio)
        previews = info.context.services[TradingServices].previews
        preview = await info.context.reads.external(
            ("order preview", id, new), lambda: token_found(previews.preview(viewer, id, new))
        )
        return _shown(preview, None if preview.refusal is None else _described(info, preview.refusal))


def _described(info: Info, refusal: errors.Problem) -> Any:
    """A refusal as data, at its place in the arguments."""
    raw = info._raw_info
    field = raw.parent_type.fields[raw.field_name]
    locate(refusal, field, get_argument_values(field, raw.field_nodes[0], raw.variable_values))
    return description_of(refusal, _REFUSALS, lambda kind: kind.__name__)


def _shown(preview: model.OrderPreview, refusal: Any) -> OrderPreview:
    return OrderPreview(
        refusal=refusal,
        reason=preview.reason,
        currency=Currency(preview.currency.value),
        price=preview.price,
        quantity=preview.quantity,
        average_price=preview.average_price,
        quote_quantity=preview.quote_quantity,
        fee=preview.fee,
        total=preview.total,
        slippage_fraction=preview.slippage_fraction,
        reserved=preview.reserved,
        is_left_open=preview.rests,
    )
