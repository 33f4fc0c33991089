"""The technical analysis in the graph."""

from datetime import datetime
from decimal import Decimal

import strawberry

from app.domains.market.analysis.model import technical as model
from app.domains.market.analysis.model.technical import AverageKind, Indicator, PatternDirection, Signal
from app.engine.limits.extra import holds
from app.engine.nodes import record_type
from app.schema.enums import declare_enum
from app.schema.market.prices.candles import Interval

__all__ = ["Indicator", "TechnicalFindings"]

# What makes these lists needs numpy and TA-Lib, which no graph should load; a test compares the sizes.
AVERAGES = 6
MAX_PATTERNS = 305
MOST_LEVELS = 3

NEEDED = "Candles that it needs."
TOO_FEW = "Null with fewer candles than `candlesNeeded`."
STILL = "Null with fewer candles than `candlesNeeded`, or where the price stood still."

declare_enum(
    Signal,
    name="TechnicalSignal",
    description="The signal of an indicator. The rule is described on its field. Not financial advice.",
    STRONG_BUY="Strong buy.",
    BUY="Buy.",
    NEUTRAL="Neutral.",
    SELL="Sell.",
    STRONG_SELL="Strong sell.",
)
declare_enum(
    AverageKind,
    description="The weighting of a moving average.",
    SIMPLE="Equal weights (SMA).",
    EXPONENTIAL="Exponentially decreasing weights (EMA). The latest candle has the weight 2 / (period + 1).",
)
declare_enum(
    PatternDirection,
    description="The direction that a candlestick pattern indicates.",
    BULLISH="Upward.",
    BEARISH="Downward.",
    UNDECIDED="Neither: buyers and sellers are balanced.",
)
declare_enum(
    Indicator,
    description="A technical indicator, computed from candles at the last of them.",
    RSI_14="Relative strength index over 14 candles, 0 to 100.",
    MACD="EMA of 12 candles minus EMA of 26 candles, in dollars.",
    MACD_SIGNAL="EMA of MACD over 9 candles, in dollars.",
    MACD_HISTOGRAM="MACD minus its signal line, in dollars.",
    BOLLINGER_UPPER="Average of 20 candles plus two standard deviations, in dollars.",
    BOLLINGER_MIDDLE="Average of 20 candles, in dollars.",
    BOLLINGER_LOWER="Average of 20 candles minus two standard deviations, in dollars.",
    BOLLINGER_PERCENT_B="The position of the close between the bands. 0 is the lower band, 1 the upper.",
    BOLLINGER_BANDWIDTH="The distance between the bands as a fraction of the middle band: 0.1 is 10 percent.",
    SMA_20="Simple moving average of 20 closes, in dollars.",
    SMA_50="Simple moving average of 50 closes, in dollars.",
    SMA_200="Simple moving average of 200 closes, in dollars.",
    EMA_12="Exponential moving average of 12 closes, in dollars.",
    EMA_26="Exponential moving average of 26 closes, in dollars.",
    EMA_50="Exponential moving average of 50 closes, in dollars.",
    ATR_14="Average true range over 14 candles, in dollars.",
    STOCHASTIC_K="Slow stochastic %K (14, 3), 0 to 100.",
    STOCHASTIC_D="Slow stochastic %D (3), 0 to 100.",
    ADX_14="Average directional index over 14 candles, 0 to 100: the strength of a trend.",
    PLUS_DI_14="Positive directional indicator over 14 candles, 0 to 100.",
    MINUS_DI_14="Negative directional indicator over 14 candles, 0 to 100.",
)


@record_type(model.Rsi)
class RsiReading:
    """Relative strength index over 14 candles, with Wilder's smoothing."""

    value: float | None = strawberry.field(description="0 to 100. " + STILL)
    signal: Signal | None = strawberry.field(
        description="Up to 20 a strong buy, up to 30 a buy, from 70 a sell, from 80 a strong sell. " + STILL
    )
    candles_needed: int = strawberry.field(description=NEEDED)


@record_type(model.Macd)
class MacdReading:
    """Moving average convergence and divergence (12, 26, 9)."""

    line: Decimal | None = strawberry.field(description="EMA of 12 candles less EMA of 26, in dollars. " + TOO_FEW)
    signal_line: Decimal | None = strawberry.field(description="EMA of `line` over 9, in dollars. " + TOO_FEW)
    histogram: Decimal | None = strawberry.field(description="`line` less `signalLine`, in dollars. " + TOO_FEW)
    signal: Signal | None = strawberry.field(
        description="A buy where the histogram is over 0, a sell where it is under; strong where it changed sides "
        "within the last 3 candles. " + TOO_FEW
    )
    candles_needed: int = strawberry.field(description=NEEDED)


@record_type(model.Bollinger)
class BollingerReading:
    """Bollinger bands: 2 deviations round the average of 20 closes."""

    upper: Decimal | None = strawberry.field(description="Upper band in dollars. " + TOO_FEW)
    middle: Decimal | None = strawberry.field(description="Average of 20 closes, in dollars. " + TOO_FEW)
    lower: Decimal | None = strawberry.field(description="Lower band in dollars; may be under 0. " + TOO_FEW)
    percent_b: float | None = strawberry.field(
        description="Where the close lies between the bands: 0 is the lower, 1 the upper. " + STILL
    )
    bandwidth: float | None = strawberry.field(
        description="Distance of the bands as a part of the middle one: 0.1 is 10 per cent. " + TOO_FEW
    )
    signal: Signal | None = strawberry.field(
        description="By `percentB`: up to 0 a strong buy, up to 0.1 a buy, from 0.9 a sell, from 1 a strong sell. "
        + STILL
    )
    candles_needed: int = strawberry.field(description=NEEDED)


@record_type(model.MovingAverage)
class MovingAverageReading:
    """A moving average of the closes."""

    kind: AverageKind = strawberry.field(description="How it weighs its candles.")
    period: int = strawberry.field(description="Candles that it is over.")
    value: Decimal | None = strawberry.field(description="The average in dollars. " + TOO_FEW)
    signal: Signal | None = strawberry.field(
        description="A buy where the close is 0.1 per cent or more over it, strong from 5 per cent; a sell likewise "
        "under it. " + TOO_FEW
    )
    candles_needed: int = strawberry.field(description=NEEDED)


@record_type(model.Atr)
class AtrReading:
    """Average true range over 14 candles: how far the price goes within one."""

    value: Decimal | None = strawberry.field(description="In dollars. " + TOO_FEW)
    part_of_price: float | None = strawberry.field(description="As a part of the close: 0.02 is 2 per cent. " + TOO_FEW)
    signal: Signal | None = strawberry.field(
        description="A buy where the last close rose by one range or more, strong from two; a sell where it fell so. "
        + TOO_FEW
    )
    candles_needed: int = strawberry.field(description=NEEDED)


@record_type(model.Stochastic)
class StochasticReading:
    """Slow stochastic (14, 3, 3)."""

    k: float | None = strawberry.field(
        description="Where the close lies in the range of 14 candles, mean of 3; 0 to 100. " + STILL
    )
    d: float | None = strawberry.field(description="Mean of the last 3 of `k`, 0 to 100. " + STILL)
    signal: Signal | None = strawberry.field(
        description="Both up to 20 a buy, strong where `k` is over `d`; both from 80 a sell, strong where `k` is "
        "under `d`. " + STILL
    )
    candles_needed: int = strawberry.field(description=NEEDED)


@record_type(model.Adx)
class AdxReading:
    """Average directional index over 14 candles: whether there is a trend."""

    value: float | None = strawberry.field(description="How strong the trend is, 0 to 100. " + STILL)
    plus_di: float | None = strawberry.field(
        name="plusDI", description="How strong upward movement is, 0 to 100; needs 15 candles only. " + STILL
    )
    minus_di: float | None = strawberry.field(
        name="minusDI", description="How strong downward movement is, 0 to 100; needs 15 candles only. " + STILL
    )
    signal: Signal | None = strawberry.field(
        description="With a `value` from 20, a buy where `plusDI` is over `minusDI` and a sell where it is under; "
        "strong from 40; otherwise neutral. " + STILL
    )
    candles_needed: int = strawberry.field(description=NEEDED)


@record_type(model.Pattern)
class CandlestickPattern:
    """A candlestick pattern, as TA-Lib finds it."""

    name: str = strawberry.field(description="Its name, such as Three white soldiers; one of 61.")
    direction: PatternDirection = strawberry.field(description="Where it is held to point.")
    opened_at: datetime = strawberry.field(description="When the candle opened that completed it.")


@record_type(model.PriceLevel)
class PriceLevel:
    """A price at which the market has turned: a pivot is the lowest low, or highest high, of the 5 candles on either
    side of it, and pivots within 0.5 per cent are one level.
    """

    price: Decimal = strawberry.field(description="Mean of its pivots, in dollars.")
    touches: int = strawberry.field(description="How many pivots it has, at least 1.")
    last_touched_at: datetime = strawberry.field(description="When the candle of its newest pivot opened.")


@record_type(model.Verdict)
class TechnicalVerdict:
    """All signals together. A strong buy counts 1, a buy 0.5, a sell -0.5, a strong sell -1; the score is the mean of
    two means, of the moving averages and of the others.
    """

    signal: Signal | None = strawberry.field(
        description="By `score`: from 0.1 a buy, from 0.5 a strong buy, and likewise under 0. Null: no indicator has a "
        "signal."
    )
    score: float | None = strawberry.field(description="-1 to 1. Null: no indicator has a signal.")
    strong_buy: int = strawberry.field(description="Indicators that say STRONG_BUY, of 12.")
    buy: int = strawberry.field(description="Indicators that say BUY, of 12.")
    neutral: int = strawberry.field(description="Indicators that say NEUTRAL, of 12.")
    sell: int = strawberry.field(description="Indicators that say SELL, of 12.")
    strong_sell: int = strawberry.field(description="Indicators that say STRONG_SELL, of 12.")


@record_type(model.TechnicalFindings)
class TechnicalFindings:
    """Technical analysis of a token's candles. Dollars are rounded to 12 significant digits. A candle that is missing
    is not made up: indicators count candles as they come.
    """

    interval: Interval | None = strawberry.field(description="How long the candles are. Null without candles.")
    candles: int = strawberry.field(description="How many there are.")
    missing_candles: int = strawberry.field(description="How many are missing between the first and the last.")
    last_opened_at: datetime | None = strawberry.field(description="When the last one opened. Null without candles.")
    price: Decimal | None = strawberry.field(description="Its close in dollars. Null without candles.")
    verdict: TechnicalVerdict = strawberry.field(description="All signals together.")
    rsi: RsiReading = strawberry.field(description="Relative strength index.")
    macd: MacdReading = strawberry.field(description="Moving average convergence and divergence.")
    bollinger: BollingerReading = strawberry.field(description="Bollinger bands.")
    moving_averages: list[MovingAverageReading] = strawberry.field(
        metadata=holds(AVERAGES), description="SMA of 20, 50 and 200 candles, then EMA of 12, 26 and 50."
    )
    atr: AtrReading = strawberry.field(description="Average true range.")
    stochastic: StochasticReading = strawberry.field(description="Slow stochastic.")
    adx: AdxReading = strawberry.field(description="Average directional index.")
    patterns: list[CandlestickPattern] = strawberry.field(
        metadata=holds(MAX_PATTERNS),
        description=f"Patterns completed by one of the last 5 candles, the newest first; at most {MAX_PATTERNS}.",
    )
    supports: list[PriceLevel] = strawberry.field(
        metadata=holds(MOST_LEVELS),
        description=f"Up to {MOST_LEVELS} levels of lows under the price, the nearest first.",
    )
    resistances: list[PriceLevel] = strawberry.field(
        metadata=holds(MOST_LEVELS),
        description=f"Up to {MOST_LEVELS} levels of highs over the price, the nearest first.",
    )
