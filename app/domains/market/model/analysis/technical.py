"""What the technical analysis finds."""

from datetime import datetime
from decimal import Decimal
from enum import StrEnum

import msgspec


class Indicator(StrEnum):
    """A number that is told from candles."""

    RSI_14 = "rsi_14"
    MACD = "macd"
    MACD_SIGNAL = "macd_signal"
    MACD_HISTOGRAM = "macd_histogram"
    BOLLINGER_UPPER = "bollinger_upper"
    BOLLINGER_MIDDLE = "bollinger_middle"
    BOLLINGER_LOWER = "bollinger_lower"
    BOLLINGER_PERCENT_B = "bollinger_percent_b"
    BOLLINGER_BANDWIDTH = "bollinger_bandwidth"
    SMA_20 = "sma_20"
    SMA_50 = "sma_50"
    SMA_200 = "sma_200"
    EMA_12 = "ema_12"
    EMA_26 = "ema_26"
    EMA_50 = "ema_50"
    ATR_14 = "atr_14"
    STOCHASTIC_K = "stochastic_k"
    STOCHASTIC_D = "stochastic_d"
    ADX_14 = "adx_14"
    PLUS_DI_14 = "plus_di_14"
    MINUS_DI_14 = "minus_di_14"


class Signal(StrEnum):
    """What an indicator advises."""

    STRONG_BUY = "strong_buy"
    BUY = "buy"
    NEUTRAL = "neutral"
    SELL = "sell"
    STRONG_SELL = "strong_sell"


class Reading(msgspec.Struct, frozen=True):
    """An indicator at the last candle. Both are null where it cannot be told."""

    indicator: Indicator
    value: float | None
    signal: Signal | None
    candles_needed: int


class PatternDirection(StrEnum):
    """Where a candlestick pattern is held to point."""

    BULLISH = "bullish"
    BEARISH = "bearish"
    UNDECIDED = "undecided"


class Pattern(msgspec.Struct, frozen=True):
    """A candlestick pattern, and when the candle opened that completed it."""

    name: str
    direction: PatternDirection
    opened_at: datetime


class PriceLevel(msgspec.Struct, frozen=True):
    """A price at which the market has turned: how often, and when last."""

    price: Decimal
    touches: int
    last_touched_at: datetime
