"""Technical analysis."""

from datetime import datetime
from decimal import Decimal

import strawberry

from app.domains.market.analysis.model import technical as model
from app.domains.market.analysis.model.technical import AverageKind, Indicator, PatternDirection, Signal
from app.engine.declarations.costs import holds
from app.engine.declarations.nodes import record_type
from app.schema.enums import declare_enum
from app.schema.market.prices.candles import Interval

__all__ = ["Indicator", "TechnicalFindings"]

# The sizes of lists made with numpy and TA-Lib, which the schema does not import. A test compares them.
AVERAGES = 6
MAX_PATTERNS = 305
MOST_LEVELS = 3

NEEDED = "The number of candles that the indicator needs."
TOO_FEW = "Null with fewer candles than `candlesNeeded`."
STILL = "Null with fewer candles than `candlesNeeded`, or if the price did not change."

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

    value: float | None = strawberry.field(description="The index, 0 to 100. " + STILL)
    signal: Signal | None = strawberry.field(
        description="The signal: up to 20 a strong buy, up to 30 a buy, from 70 a sell, from 80 a strong sell. " + STILL
    )
    candles_needed: int = strawberry.field(description=NEEDED)


@record_type(model.Macd)
class MacdReading:
    """Moving average convergence/divergence (12, 26, 9)."""

    line: Decimal | None = strawberry.field(
        name="lineUsd", description="EMA of 12 candles minus EMA of 26 candles, in dollars. " + TOO_FEW
    )
    signal_line: Decimal | None = strawberry.field(
        name="signalLineUsd", description="EMA of `lineUsd` over 9 candles, in dollars. " + TOO_FEW
    )
    histogram: Decimal | None = strawberry.field(
        name="histogramUsd", description="`lineUsd` minus `signalLineUsd`, in dollars. " + TOO_FEW
    )
    signal: Signal | None = strawberry.field(
        description="The signal: a buy if the histogram is above 0, a sell if it is below 0; strong if it"
        " changed its sign within the last 3 candles. " + TOO_FEW
    )
    candles_needed: int = strawberry.field(description=NEEDED)


@record_type(model.Bollinger)
class BollingerReading:
    """Bollinger bands: two standard deviations around the average of 20 closes."""

    upper: Decimal | None = strawberry.field(name="upperUsd", description="The upper band in dollars. " + TOO_FEW)
    middle: Decimal | None = strawberry.field(
        name="middleUsd", description="The average of 20 closes, in dollars. " + TOO_FEW
    )
    lower: Decimal | None = strawberry.field(
        name="lowerUsd", description="The lower band in dollars. May be negative. " + TOO_FEW
    )
    percent_b: float | None = strawberry.field(
        name="positionRatio",
        description="The position of the close between the bands (%B). 0 is the lower band, 1 the upper. " + STILL,
    )
    bandwidth: float | None = strawberry.field(
        name="bandwidthRatio",
        description="The distance between the bands as a fraction of the middle band: 0.1 is 10 percent. " + TOO_FEW,
    )
    signal: Signal | None = strawberry.field(
        description="The signal, by `positionRatio`: up to 0 a strong buy, up to 0.1 a buy, from 0.9 a sell, from 1"
        " a strong sell. " + STILL
    )
    candles_needed: int = strawberry.field(description=NEEDED)


@record_type(model.MovingAverage)
class MovingAverageReading:
    """A moving average of the closes."""

    kind: AverageKind = strawberry.field(description="The weighting of the candles.")
    period: int = strawberry.field(description="The number of candles that are averaged.")
    value: Decimal | None = strawberry.field(name="valueUsd", description="The average in dollars. " + TOO_FEW)
    signal: Signal | None = strawberry.field(
        description="The signal: a buy if the close is above the average by 0.1 percent or more, strong from 5"
        " percent; a sell likewise if it is below. " + TOO_FEW
    )
    candles_needed: int = strawberry.field(description=NEEDED)


@record_type(model.Atr)
class AtrReading:
    """Average true range over 14 candles: how far the price moves within a candle."""

    value: Decimal | None = strawberry.field(
        name="valueUsd", description="The average true range in dollars. " + TOO_FEW
    )
    part_of_price: float | None = strawberry.field(
        name="priceFraction",
        description="The average true range as a fraction of the close: 0.02 is 2 percent. " + TOO_FEW,
    )
    signal: Signal | None = strawberry.field(
        description="The signal: a buy if the last close rose by one range or more, strong from two ranges; a"
        " sell likewise if it fell. " + TOO_FEW
    )
    candles_needed: int = strawberry.field(description=NEEDED)


@record_type(model.Stochastic)
class StochasticReading:
    """Slow stochastic (14, 3, 3)."""

    k: float | None = strawberry.field(
        description="The position of the close in the range of 14 candles, the mean of 3; 0 to 100. " + STILL
    )
    d: float | None = strawberry.field(description="The mean of the last 3 values of `k`, 0 to 100. " + STILL)
    signal: Signal | None = strawberry.field(
        description="The signal: a buy if both are up to 20, strong if `k` is above `d`; a sell if both are"
        " from 80, strong if `k` is below `d`. " + STILL
    )
    candles_needed: int = strawberry.field(description=NEEDED)


@record_type(model.Adx)
class AdxReading:
    """Average directional index over 14 candles: whether there is a trend, and how strong it is."""

    value: float | None = strawberry.field(description="The strength of the trend, 0 to 100. " + STILL)
    plus_di: float | None = strawberry.field(
        name="plusDI", description="The strength of upward movement, 0 to 100. Needs only 15 candles. " + STILL
    )
    minus_di: float | None = strawberry.field(
        name="minusDI", description="The strength of downward movement, 0 to 100. Needs only 15 candles. " + STILL
    )
    signal: Signal | None = strawberry.field(
        description="The signal: with a `value` from 20, a buy if `plusDI` is above `minusDI` and a sell if it"
        " is below, strong from 40; otherwise neutral. " + STILL
    )
    candles_needed: int = strawberry.field(description=NEEDED)


@record_type(model.Pattern)
class CandlestickPattern:
    """A candlestick pattern, as TA-Lib recognizes it."""

    name: str = strawberry.field(description="The name, such as Three white soldiers. One of 61.")
    direction: PatternDirection = strawberry.field(description="The direction that it indicates.")
    opened_at: datetime = strawberry.field(description="When the candle that completed the pattern opened.")


@record_type(model.PriceLevel)
class PriceLevel:
    """A price at which the market has turned. A pivot is the lowest low, or the highest high, among the 5 candles on
    either side of it. Pivots within 0.5 percent are one level.
    """

    price: Decimal = strawberry.field(name="priceUsd", description="The mean of its pivots, in dollars.")
    touches: int = strawberry.field(description="The number of pivots, at least 1.")
    last_touched_at: datetime = strawberry.field(description="When the candle of its latest pivot opened.")


@record_type(model.Verdict)
class TechnicalVerdict:
    """All signals combined. A strong buy counts 1, a buy 0.5, a sell -0.5, a strong sell -1; the score is the mean of
    two means: of the moving averages, and of the other indicators.
    """

    signal: Signal | None = strawberry.field(
        description="The signal, by `score`: from 0.1 a buy, from 0.5 a strong buy, and likewise below 0. Null"
        " if no indicator has a signal."
    )
    score: float | None = strawberry.field(description="The score, -1 to 1. Null if no indicator has a signal.")
    strong_buy: int = strawberry.field(description="The number of indicators, of 12, with the signal STRONG_BUY.")
    buy: int = strawberry.field(description="The number of indicators, of 12, with the signal BUY.")
    neutral: int = strawberry.field(description="The number of indicators, of 12, with the signal NEUTRAL.")
    sell: int = strawberry.field(description="The number of indicators, of 12, with the signal SELL.")
    strong_sell: int = strawberry.field(description="The number of indicators, of 12, with the signal STRONG_SELL.")


@record_type(model.TechnicalFindings)
class TechnicalFindings:
    """Technical analysis of a token's candles. Dollars are rounded to 12 significant digits. Missing candles are
    not filled in: indicators use the candles that exist.
    """

    interval: Interval | None = strawberry.field(description="The length of the candles. Null if there are no candles.")
    candles: int = strawberry.field(name="candleCount", description="The number of candles.")
    missing_candles: int = strawberry.field(
        name="missingCandleCount", description="The number of candles missing between the first and the last."
    )
    last_opened_at: datetime | None = strawberry.field(
        description="When the last candle opened. Null if there are no candles."
    )
    price: Decimal | None = strawberry.field(
        name="priceUsd", description="The close of the last candle, in dollars. Null if there are no candles."
    )
    verdict: TechnicalVerdict = strawberry.field(description="All signals combined.")
    rsi: RsiReading = strawberry.field(description="Relative strength index.")
    macd: MacdReading = strawberry.field(description="Moving average convergence/divergence.")
    bollinger: BollingerReading = strawberry.field(description="Bollinger bands.")
    moving_averages: list[MovingAverageReading] = strawberry.field(
        metadata=holds(AVERAGES), description="SMA of 20, 50 and 200 candles, then EMA of 12, 26 and 50."
    )
    atr: AtrReading = strawberry.field(description="Average true range.")
    stochastic: StochasticReading = strawberry.field(description="Slow stochastic.")
    adx: AdxReading = strawberry.field(description="Average directional index.")
    patterns: list[CandlestickPattern] = strawberry.field(
        metadata=holds(MAX_PATTERNS),
        description=f"The patterns completed by one of the last 5 candles, newest first. At most {MAX_PATTERNS}.",
    )
    supports: list[PriceLevel] = strawberry.field(
        metadata=holds(MOST_LEVELS),
        description=f"At most {MOST_LEVELS} levels of lows below the price, nearest first.",
    )
    resistances: list[PriceLevel] = strawberry.field(
        metadata=holds(MOST_LEVELS),
        description=f"At most {MOST_LEVELS} levels of highs above the price, nearest first.",
    )
