"""The findings of the technical analysis."""

from datetime import datetime
from decimal import Decimal
from enum import StrEnum

import msgspec

from app.domains.market.prices.model import Interval


class Indicator(StrEnum):
    """An indicator that is calculated from candles."""

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
    """The signal of an indicator."""

    STRONG_BUY = "strong_buy"
    BUY = "buy"
    NEUTRAL = "neutral"
    SELL = "sell"
    STRONG_SELL = "strong_sell"


class Rsi(msgspec.Struct, frozen=True):
    """Relative strength index, 0 to 100. Null values cannot be calculated from the candles."""

    value: float | None
    signal: Signal | None
    candles_needed: int


class Macd(msgspec.Struct, frozen=True):
    """Moving average convergence and divergence, in dollars."""

    line: Decimal | None
    signal_line: Decimal | None
    histogram: Decimal | None
    signal: Signal | None
    candles_needed: int


class Bollinger(msgspec.Struct, frozen=True):
    """Bollinger bands in dollars; `percent_b` is 0 at the lower and 1 at the upper, `bandwidth` a part of `middle`."""

    upper: Decimal | None
    middle: Decimal | None
    lower: Decimal | None
    percent_b: float | None
    bandwidth: float | None
    signal: Signal | None
    candles_needed: int


class AverageKind(StrEnum):
    """How an average weights its candles."""

    SIMPLE = "simple"
    EXPONENTIAL = "exponential"


class MovingAverage(msgspec.Struct, frozen=True):
    """Average of the closes, in dollars."""

    kind: AverageKind
    period: int
    value: Decimal | None
    signal: Signal | None
    candles_needed: int


class Atr(msgspec.Struct, frozen=True):
    """Average true range: in dollars, and as a part of the price."""

    value: Decimal | None
    part_of_price: float | None
    signal: Signal | None
    candles_needed: int


class Stochastic(msgspec.Struct, frozen=True):
    """Slow stochastic, 0 to 100."""

    k: float | None
    d: float | None
    signal: Signal | None
    candles_needed: int


class Adx(msgspec.Struct, frozen=True):
    """The strength of the trend, and of upward and downward movement, each 0 to 100."""

    value: float | None
    plus_di: float | None
    minus_di: float | None
    signal: Signal | None
    candles_needed: int


class PatternDirection(StrEnum):
    """The direction that a candlestick pattern indicates."""

    BULLISH = "bullish"
    BEARISH = "bearish"
    UNDECIDED = "undecided"


class Pattern(msgspec.Struct, frozen=True):
    """A candlestick pattern, and the opening time of the candle that completed it."""

    name: str
    direction: PatternDirection
    opened_at: datetime


class PriceLevel(msgspec.Struct, frozen=True):
    """A price in dollars at which the market has turned, how often, and when last."""

    price: Decimal
    touches: int
    last_touched_at: datetime


class Verdict(msgspec.Struct, frozen=True):
    """All signals together: a score from -1 to 1, and the number of each signal. Null: there is no signal."""

    signal: Signal | None
    score: float | None
    strong_buy: int
    buy: int
    neutral: int
    sell: int
    strong_sell: int


class TechnicalFindings(msgspec.Struct, frozen=True):
    """Technical analysis of a series of candles.

    Prices and differences of prices are Decimals of dollars with 12 significant digits; they are calculated in floats.
    Interval, time and price are null for a series without candles.
    """

    interval: Interval | None
    candles: int
    missing_candles: int
    last_opened_at: datetime | None
    price: Decimal | None
    verdict: Verdict
    rsi: Rsi
    macd: Macd
    bollinger: Bollinger
    moving_averages: tuple[MovingAverage, ...]
    atr: Atr
    stochastic: Stochastic
    adx: Adx
    patterns: tuple[Pattern, ...]
    supports: tuple[PriceLevel, ...]
    resistances: tuple[PriceLevel, ...]
