"""The market data in the graph."""

from datetime import datetime
from decimal import Decimal

import strawberry

from app.domains.market.analysis.model import market_data as model
from app.engine.limits.extra import holds
from app.engine.nodes import record_type
from app.schema.market.analysis.technical import Indicator

# What makes these lists needs numpy and TA-Lib, which no graph should load; a test compares the sizes.
BASIC = 5

UNKNOWN = "Null: not enough is known."


@record_type(model.BasicIndicator)
class BasicIndicator:
    """An indicator over hourly candles."""

    indicator: Indicator = strawberry.field(description="Which.")
    value: float | None = strawberry.field(description="At the last candle, in its own unit. Null: too few candles.")


@record_type(model.MarketDataFindings)
class MarketDataFindings:
    """The newest quote, and what candles add to it."""

    exchange: str = strawberry.field(description="Who quotes: `simulated`, `coingecko` or `coinmarketcap`.")
    quoted_at: datetime = strawberry.field(description="When.")
    price_usd: Decimal = strawberry.field(description="Dollars for one token.")
    price_aud: Decimal = strawberry.field(description="Australian dollars for one token.")
    market_cap_rank: int | None = strawberry.field(description="1 is the largest; null where it is not listed.")
    market_cap_usd: Decimal | None = strawberry.field(description="Market capitalisation in dollars. " + UNKNOWN)
    volume_24h_usd: Decimal | None = strawberry.field(description="Dollars traded in 24 hours. " + UNKNOWN)
    high_24h: Decimal | None = strawberry.field(description="Highest price of 24 hours, in dollars. " + UNKNOWN)
    low_24h: Decimal | None = strawberry.field(description="Lowest price of 24 hours, in dollars. " + UNKNOWN)
    range_position: float | None = strawberry.field(
        description="Where the price stands between `low24h` and `high24h`, 0 to 1. " + UNKNOWN
    )
    change_percentage_1h: float | None = strawberry.field(description="Change in an hour, in per cent. " + UNKNOWN)
    change_percentage_24h: float | None = strawberry.field(description="Change in 24 hours, in per cent. " + UNKNOWN)
    change_percentage_7d: float | None = strawberry.field(description="Change in seven days, in per cent. " + UNKNOWN)
    turnover: float | None = strawberry.field(
        description="Dollars traded in 24 hours for each dollar of market capitalisation. " + UNKNOWN
    )
    indicators: list[BasicIndicator] = strawberry.field(
        metadata=holds(BASIC), description="The basic ones: RSI_14, SMA_20, SMA_50, EMA_12 and EMA_26."
    )
