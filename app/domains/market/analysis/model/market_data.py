"""What a token is worth now, and how its price has moved. Prices are in dollars unless they say otherwise."""

from datetime import datetime
from decimal import Decimal

import msgspec

from app.domains.market.analysis.model.technical import Indicator


class BasicIndicator(msgspec.Struct, frozen=True):
    """An indicator over hourly candles; null where there are too few."""

    indicator: Indicator
    value: float | None


class MarketDataFindings(msgspec.Struct, frozen=True, kw_only=True):
    """The newest quote and what hourly candles add to it. Changes are in per cent; null: not enough is known."""

    exchange: str
    quoted_at: datetime
    price_usd: Decimal
    price_aud: Decimal
    market_cap_rank: int | None
    market_cap_usd: Decimal | None
    volume_24h_usd: Decimal | None
    high_24h: Decimal | None
    low_24h: Decimal | None
    range_position: float | None
    """Where the price stands between the low and the high of 24 hours, from 0 to 1."""
    change_percentage_1h: float | None
    change_percentage_24h: float | None
    change_percentage_7d: float | None
    turnover: float | None
    """Dollars traded in 24 hours for each dollar of market capitalisation."""
    indicators: list[BasicIndicator]
