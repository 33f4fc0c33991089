"""Candles and price samples."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any

import strawberry

from app.domains.market.prices import model as prices
from app.domains.market.prices.model import Interval
from app.engine.declarations.computed import from_parent
from app.engine.declarations.nodes import record_type
from app.schema.currencies import Currency
from app.schema.enums import declare_enum

__all__ = [
    "MAX_CANDLES",
    "Candle",
    "Interval",
    "IntervalArgument",
    "PriceSample",
    "candle_filters",
    "sample_filters",
]

MAX_CANDLES = 1000
"""The largest page: a chart reads more at once than other lists."""

declare_enum(
    Interval,
    name="CandleInterval",
    description="The length of a candle. Candles begin at multiples of their length since 1970, in UTC.",
    ONE_MINUTE="One minute.",
    FIVE_MINUTES="Five minutes.",
    ONE_HOUR="One hour.",
    ONE_DAY="One day.",
)

IntervalArgument = Annotated[Interval, strawberry.argument(description="The length of the candles.")]
Since = Annotated[
    datetime | None, strawberry.argument(description="The beginning of the period, inclusive. Null: no limit.")
]
Until = Annotated[datetime | None, strawberry.argument(description="The end of the period, exclusive. Null: now.")]


def _dollars(root: prices.Candle) -> Currency:
    return Currency.USD


@record_type(prices.Candle)
class Candle:
    """Prices over an interval, from quotes received while Moneta was running. Kept for two years."""

    symbol: str = strawberry.field(description="The token's symbol.")
    exchange: str = strawberry.field(description="The source of the prices, such as `simulated` or `coingecko`.")
    interval: Interval = strawberry.field(description="The length of the candle.")
    quote_currency: Currency = from_parent(_dollars, description="The currency of the prices.")
    opened_at: datetime = strawberry.field(description="When the candle begins. It ends where the next one begins.")
    open: Decimal = strawberry.field(description="The first price, in dollars.")
    high: Decimal = strawberry.field(description="The highest price, in dollars.")
    low: Decimal = strawberry.field(description="The lowest price, in dollars.")
    close: Decimal = strawberry.field(description="The last price, in dollars.")
    volume_usd: Decimal = strawberry.field(
        description="The trading volume in dollars, estimated from the quoted 24-hour volume. 0 if none is quoted."
    )


@record_type(prices.PriceSample)
class PriceSample:
    """A quote of a token."""

    symbol: str = strawberry.field(description="The token's symbol.")
    exchange: str = strawberry.field(description="The source of the quote, such as `simulated` or `coingecko`.")
    price_usd: Decimal = strawberry.field(description="The price in dollars.")
    price_aud: Decimal = strawberry.field(description="The price in Australian dollars.")
    volume_24h_usd: Decimal | None = strawberry.field(
        name="volume24hUsd", description="The 24-hour trading volume in dollars. Null if it was not quoted."
    )
    timestamp: datetime = strawberry.field(name="at", description="When the token was quoted.")


def candle_filters(interval: IntervalArgument, since: Since = None, until: Until = None) -> Mapping[str, Any]:
    """The arguments of a list of candles."""
    return {"interval": interval, **sample_filters(since, until)}


def sample_filters(since: Since = None, until: Until = None) -> Mapping[str, Any]:
    """The arguments of a list of samples."""
    return {"since": since, "until": until}
