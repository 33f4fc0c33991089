"""Market data from a quote and recent candles."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from app.domains.market.analysis.model.market_data import BasicIndicator, MarketDataFindings
from app.domains.market.analysis.model.technical import Indicator
from app.domains.market.analysis.rules.indicators import Indicators
from app.domains.market.analysis.rules.series import series_of
from app.domains.market.prices.model import Candle
from app.domains.market.tokens.model import Token

BASIC: Final = (Indicator.RSI_14, Indicator.SMA_20, Indicator.SMA_50, Indicator.EMA_12, Indicator.EMA_26)
QUOTED: Final = (
    "volume_24h_usd",
    "volume_24h_aud",
    "change_24h",
    "change_percentage_24h",
    "market_cap_usd",
    "market_cap_aud",
    "high_24h",
    "low_24h",
)
"""The values of a quote besides the price."""


def market_data(token: Token, fine: Sequence[Candle], hourly: Sequence[Candle], now: datetime) -> MarketDataFindings:
    """Returns the findings on a token with a quote; `fine` and `hourly` are its candles of 5 minutes and of an hour."""
    assert token.price_usd is not None
    assert token.price_aud is not None
    assert token.exchange is not None
    assert token.last_updated is not None
    indicators = Indicators(series_of(hourly))
    said = token.change_percentage_24h
    return MarketDataFindings(
        exchange=token.exchange,
        quoted_at=token.last_updated,
        price_usd=token.price_usd,
        price_aud=token.price_aud,
        market_cap_rank=token.market_cap_rank,
        market_cap_usd=token.market_cap_usd,
        volume_24h_usd=token.volume_24h_usd,
        high_24h=token.high_24h,
        low_24h=token.low_24h,
        range_position=range_position(token.price_usd, token.low_24h, token.high_24h),
        change_percentage_1h=change_percentage(token.price_usd, fine, now - timedelta(hours=1)),
        change_percentage_24h=(
            float(said) if said is not None else change_percentage(token.price_usd, hourly, now - timedelta(hours=24))
        ),
        change_percentage_7d=change_percentage(token.price_usd, hourly, now - timedelta(days=7)),
        turnover=_ratio(token.volume_24h_usd, token.market_cap_usd),
        indicators=[BasicIndicator(each, indicators.value(each)) for each in BASIC],
    )


def completeness(token: Token) -> float:
    """Returns the completeness of a quote, from 0 to 1."""
    return sum(getattr(token, name) is not None for name in QUOTED) / len(QUOTED)


def change_percentage(price: Decimal, candles: Sequence[Candle], then: datetime) -> float | None:
    """Returns the change of the price since `then` in per cent; null if no candle closed within its length before."""
    for candle in reversed(candles):
        closed_at = candle.opened_at + candle.interval.length
        if closed_at <= then:
            late = then - closed_at >= candle.interval.length
            return None if late else float(100 * (price - candle.close) / candle.close)
    return None


def range_position(price: Decimal, low: Decimal | None, high: Decimal | None) -> float | None:
    """Returns the position of a price between two others, 0 to 1; null if they are equal or unknown."""
    if low is None or high is None or high <= low:
        return None
    return float(min(max((price - low) / (high - low), Decimal(0)), Decimal(1)))


def _ratio(dividend: Decimal | None, divisor: Decimal | None) -> float | None:
    return None if dividend is None or not divisor else float(dividend / divisor)
