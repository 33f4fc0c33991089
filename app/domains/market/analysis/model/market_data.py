"""The current price of a token, and its changes. Prices are in US dollars unless stated otherwise."""

from datetime import datetime
from decimal import Decimal

import msgspec

from app.domains.market.analysis.model.technical import Indicator


class BasicIndicator(msgspec.Struct, frozen=True):
    """An indicator over hourly candles; null if there are too few."""

    indicator: Indicator
    value: float | None


class MarketDataFindings(msgspec.Struct, frozen=True, kw_only=True):
    """The newest quote, completed from hourly candles. Changes are in per cent; null: not known."""

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
    """The position of the price between the low and the high of 24 hours, from 0 to 1."""
    change_percentage_1h: float | None
    change_percentage_24h: float | None
    change_percentage_7d: float | None
    turnover: float | None
    """The volume of 24 hours divided by the market capitalisation."""
    indicators: list[BasicIndicator]
