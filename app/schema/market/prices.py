"""Prices over time: candles and samples."""

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any

import strawberry

from app.domains.market.prices import model as prices
from app.engine.nodes import record_type
from app.kit.errors import InvalidInput
from app.schema.market.enums import Interval

MAX_CANDLES = 1000
"""A chart wants more at once than a list of things does."""

From = Annotated[
    datetime | None,
    strawberry.argument(name="from", description="None that is before; null: as far back as there are any."),
]
To = Annotated[
    datetime | None, strawberry.argument(name="to", description="None that is at this moment or after; null: to now.")
]


@record_type(prices.Candle)
class Candle:
    """Prices over an interval. Kept for two years, of all that was quoted while Moneta ran."""

    symbol: str = strawberry.field(description="The token's symbol.")
    exchange: str = strawberry.field(description="Who quoted the prices, such as `simulated` or `coingecko`.")
    interval: Interval = strawberry.field(description="How long it is.")
    opened_at: datetime = strawberry.field(description="When it begins; it ends where the next begins.")
    open: Decimal = strawberry.field(description="First price in it, in dollars.")
    high: Decimal = strawberry.field(description="Highest price, in dollars.")
    low: Decimal = strawberry.field(description="Lowest price, in dollars.")
    close: Decimal = strawberry.field(description="Last price, in dollars.")
    volume_usd: Decimal = strawberry.field(
        description="Dollars traded in it, reckoned from the volume of 24 hours that is quoted; 0 where none is."
    )


@record_type(prices.PriceSample)
class PriceSample:
    """What a token was quoted at."""

    symbol: str = strawberry.field(description="The token's symbol.")
    exchange: str = strawberry.field(description="Who quoted it, such as `simulated` or `coingecko`.")
    price_usd: Decimal = strawberry.field(description="Dollars for one token.")
    price_aud: Decimal = strawberry.field(description="Australian dollars for one token.")
    volume_24h_usd: Decimal | None = strawberry.field(
        name="volume24hUsd", description="Dollars traded in the 24 hours before; null: nobody said."
    )
    timestamp: datetime = strawberry.field(description="When it was quoted.")


def candle_filters(
    interval: Annotated[Interval, strawberry.argument(description="How long the candles are.")],
    since: From = None,
    until: To = None,
) -> tuple[Any, ...]:
    """The arguments of a list of candles."""
    return interval.value, *sample_filters(since, until)


def sample_filters(since: From = None, until: To = None) -> tuple[Any, ...]:
    """The arguments of a list of samples."""
    if since is not None and until is not None and since >= until:
        raise InvalidInput("from", "`from` must be before `to`.")
    return since, until
