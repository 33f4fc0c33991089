"""What portfolios are worth: now, live, and over time."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any
from uuid import UUID

import strawberry

from app.domains.trading.portfolios import loaders, model
from app.domains.trading.services import TradingServices
from app.engine.declarations.costs import holds
from app.engine.declarations.nodes import record_type
from app.kit.errors import NotFound
from app.kit.volatile import Latest
from app.schema.context import Context, Info
from app.schema.currencies import Currency
from app.schema.enums import declare_enum

IN_CURRENCY = "In the currency of the portfolio."
MAX_POINTS = 1000
"""The largest page: a chart reads more at once than other lists."""

declare_enum(
    model.Resolution,
    name="ValueResolution",
    description="How far apart the points of a value's history are.",
    ONE_MINUTE="A minute. Kept for a day.",
    ONE_HOUR="An hour. Kept for 31 days.",
    ONE_DAY="A day. Kept for ever.",
)


@record_type(model.HeldValue)
class Holding:
    """What a portfolio holds of a token, at a moment."""

    symbol: str = strawberry.field(description="The token's symbol.")
    currency: Currency = strawberry.field(description="The currency of the portfolio.")
    quantity: Decimal = strawberry.field(description="The quantity, in coins.")
    price: Decimal | None = strawberry.field(
        description=f"The price of a coin. {IN_CURRENCY} Null if the token has no quote."
    )
    market_value: Decimal | None = strawberry.field(
        description=f"Quantity times price. {IN_CURRENCY} Null if the token has no quote."
    )
    unrealized_pnl: Decimal | None = strawberry.field(
        description=f"Market value less cost. {IN_CURRENCY} Null if the token has no quote."
    )


def _value_field(attribute: str, kind: Any, description: str, **options: Any) -> Any:
    """A field of the value, which is computed once for all its fields."""

    async def resolve(root: "PortfolioValue", info: Info) -> Any:
        return getattr(await root.known(info.context), attribute)

    return strawberry.field(resolver=resolve, graphql_type=kind, description=description, **options)


@strawberry.type
class PortfolioValue:
    """What a portfolio is worth, at the newest quotes. Tokens without a quote are named, and not counted."""

    portfolio_id: strawberry.Private[UUID]
    tick: strawberry.Private[Any] = None
    """A tick as it was published; null: the stored quotes."""
    value: strawberry.Private[model.PortfolioValue | None] = None

    async def known(self, context: Context) -> model.PortfolioValue:
        """The value, from what the portfolio holds now. Raises NotFound."""
        if self.value is not None:
            return self.value
        values = context.services[TradingServices].values
        holdings: Sequence[model.Holding]
        if self.tick is None:
            holdings = await context.reads.many(loaders.holdings_by_portfolio, self.portfolio_id)
        else:
            holdings = await values.watched(context.require_viewer().user_id, self.portfolio_id, self.tick)
        if not holdings:
            raise NotFound(model.Portfolio)
        # All fields wait for the same load, and the first to go on computes for all.
        if self.value is None:
            self.value = values.stored(holdings) if self.tick is None else values.live(holdings, self.tick)
        return self.value

    at: datetime = _value_field("at", datetime, "When it was worth this.")
    currency: Currency = _value_field("currency", Currency, "The currency of the portfolio, and of the amounts.")
    cash: Decimal = _value_field("cash", Decimal, "Cash, what orders have reserved included.", name="cashTotal")
    positions_value: Decimal = _value_field("positions_value", Decimal, "What the quoted tokens are worth.")
    total: Decimal = _value_field("total", Decimal, "Cash, and what the quoted tokens are worth.")
    contributed: Decimal = _value_field(
        "contributed", Decimal, "What this life of the portfolio was given: its opening and deposits, less withdrawals."
    )
    pnl: Decimal = _value_field("pnl", Decimal, "The profit of this life: the total less what was contributed.")
    return_fraction: Decimal | None = _value_field(
        "return_fraction",
        Decimal | None,
        "The profit as a fraction of what was contributed: 0.01 is one percent. Null if nothing was contributed.",
    )
    unquoted_symbols: list[str] = _value_field(
        "unquoted_symbols",
        list[str],
        f"The tokens without a quote, which are not counted. At most {model.MAX_POSITIONS:,}.",
        metadata=holds(model.MAX_POSITIONS),
    )
    holdings: list[Holding] = _value_field(
        "held",
        list[Holding],
        f"What is held of each token, by symbol. At most {model.MAX_POSITIONS:,}.",
        metadata=holds(model.MAX_POSITIONS),
    )


def live_value(latest: Latest, portfolio_id: UUID) -> PortfolioValue:
    """The value of a portfolio at a tick."""
    return PortfolioValue(portfolio_id=portfolio_id, tick=latest.payload)


@record_type(model.ValuePoint)
class PortfolioValuePoint:
    """The first value of a portfolio in a minute, an hour or a day, in UTC. There is one while the portfolio has held
    a token in its life, and for an hour after its cash has changed. Until the next one it is worth the same.
    """

    at: datetime = strawberry.field(description="When the minute, hour or day began.")
    currency: Currency = strawberry.field(description="The currency of the portfolio, and of the amounts.")
    life: int = strawberry.field(description="The life of the portfolio that it belongs to. 1 is the first.")
    value: Decimal = strawberry.field(name="total", description="Cash, and what the quoted tokens were worth.")
    cash: Decimal = strawberry.field(name="cashTotal", description="Cash, what orders had reserved included.")
    contributed: Decimal = strawberry.field(
        description="What this life of the portfolio had been given: its opening and deposits, less withdrawals."
    )
    unquoted: int = strawberry.field(
        name="unquotedCount", description="The number of tokens without a quote, which were not counted."
    )


def point_filters(
    resolution: Annotated[model.Resolution, strawberry.argument(description="How far apart the points are.")],
    since: Annotated[
        datetime | None, strawberry.argument(description="The beginning of the period, inclusive. Null: no limit.")
    ] = None,
    until: Annotated[
        datetime | None, strawberry.argument(description="The end of the period, exclusive. Null: now.")
    ] = None,
) -> dict[str, Any]:
    """The arguments of a value's history."""
    return {"resolution": resolution, "since": since, "until": until}


@record_type(model.PortfolioSummary)
class PortfolioSummary:
    """All portfolios of the viewer together, computed every five minutes."""

    portfolio_count: int = strawberry.field(description="The number of portfolios.")
    total_value_usd: Decimal = strawberry.field(
        description="What they are worth, in dollars. Australian dollars are converted at the newest quote."
    )
    average_return_fraction: Decimal | None = strawberry.field(
        description="The profit of all as a fraction of what all were given, so that a large portfolio counts for more:"
        " 0.01 is one percent. Null if they were given nothing."
    )
    updated_at: datetime = strawberry.field(description="When it was computed that they changed.")
