"""Market data."""

from datetime import datetime
from decimal import Decimal

import strawberry

from app.domains.market.analysis.model import market_data as model
from app.engine.declarations.costs import holds
from app.engine.declarations.nodes import record_type
from app.schema.market.analysis.technical import Indicator

# The sizes of lists made with numpy and TA-Lib, which the schema does not import. A test compares them.
BASIC = 5

UNKNOWN = "Null if there is not enough data."


@record_type(model.BasicIndicator)
class BasicIndicator:
    """An indicator over hourly candles."""

    indicator: Indicator = strawberry.field(description="The indicator.")
    value: float | None = strawberry.field(
        description="The value at the last candle, in its own unit. Null if there are too few candles."
    )


@record_type(model.MarketDataFindings)
class MarketDataFindings:
    """The latest quote, and figures computed from candles."""

    exchange: str = strawberry.field(
        description="The source of the quote: `simulated`, `coingecko` or `coinmarketcap`."
    )
    quoted_at: datetime = strawberry.field(description="When the token was quoted.")
    price_usd: Decimal = strawberry.field(description="The price in dollars.")
    price_aud: Decimal = strawberry.field(description="The price in Australian dollars.")
    market_cap_rank: int | None = strawberry.field(
        description="The rank by market capitalization. 1 is the largest. Null if the token is no longer listed."
    )
    market_cap_usd: Decimal | None = strawberry.field(description="The market capitalization in dollars. " + UNKNOWN)
    volume_24h_usd: Decimal | None = strawberry.field(description="The 24-hour trading volume in dollars. " + UNKNOWN)
    high_24h: Decimal | None = strawberry.field(
        name="high24hUsd", description="The highest price of 24 hours, in dollars. " + UNKNOWN
    )
    low_24h: Decimal | None = strawberry.field(
        name="low24hUsd", description="The lowest price of 24 hours, in dollars. " + UNKNOWN
    )
    range_position: float | None = strawberry.field(
        name="rangePositionFraction",
        description="The position of the price between `low24hUsd` and `high24hUsd`, 0 to 1. " + UNKNOWN,
    )
    change_percentage_1h: float | None = strawberry.field(
        description="The price change of one hour in percent. " + UNKNOWN
    )
    change_percentage_24h: float | None = strawberry.field(
        description="The 24-hour price change in percent. " + UNKNOWN
    )
    change_percentage_7d: float | None = strawberry.field(description="The 7-day price change in percent. " + UNKNOWN)
    turnover: float | None = strawberry.field(
        name="turnoverRatio", description="The 24-hour trading volume divided by the market capitalization. " + UNKNOWN
    )
    indicators: list[BasicIndicator] = strawberry.field(
        metadata=holds(BASIC), description="The basic indicators: RSI_14, SMA_20, SMA_50, EMA_12 and EMA_26."
    )
