"""Enums of the technical analysis."""

from enum import Enum

import strawberry


@strawberry.enum
class TechnicalSignal(Enum):
    """What an indicator advises; its field says by which rule. Not financial advice."""

    STRONG_BUY = strawberry.enum_value("strong_buy", description="Strongly for buying.")
    BUY = strawberry.enum_value("buy", description="For buying.")
    NEUTRAL = strawberry.enum_value("neutral", description="For neither.")
    SELL = strawberry.enum_value("sell", description="For selling.")
    STRONG_SELL = strawberry.enum_value("strong_sell", description="Strongly for selling.")


@strawberry.enum
class AverageKind(Enum):
    """How an average weighs its candles."""

    SIMPLE = strawberry.enum_value("simple", description="All alike (SMA).")
    EXPONENTIAL = strawberry.enum_value(
        "exponential", description="The newest by 2 / (period + 1), each before it by less (EMA)."
    )


@strawberry.enum
class PatternDirection(Enum):
    """Where a candlestick pattern is held to point."""

    BULLISH = strawberry.enum_value("bullish", description="Upward.")
    BEARISH = strawberry.enum_value("bearish", description="Downward.")
    UNDECIDED = strawberry.enum_value("undecided", description="Neither way: buyers and sellers are even.")


@strawberry.enum
class Indicator(Enum):
    """A number that is told from candles, at the last of them."""

    RSI_14 = strawberry.enum_value("rsi_14", description="Relative strength over 14 candles, 0 to 100.")
    MACD = strawberry.enum_value("macd", description="EMA of 12 candles less EMA of 26, in dollars.")
    MACD_SIGNAL = strawberry.enum_value("macd_signal", description="EMA of MACD over 9 candles, in dollars.")
    MACD_HISTOGRAM = strawberry.enum_value("macd_histogram", description="MACD less its signal line, in dollars.")
    BOLLINGER_UPPER = strawberry.enum_value(
        "bollinger_upper", description="Two deviations over the average of 20 candles, in dollars."
    )
    BOLLINGER_MIDDLE = strawberry.enum_value("bollinger_middle", description="Average of 20 candles, in dollars.")
    BOLLINGER_LOWER = strawberry.enum_value(
        "bollinger_lower", description="Two deviations under the average of 20 candles, in dollars."
    )
    BOLLINGER_PERCENT_B = strawberry.enum_value(
        "bollinger_percent_b", description="Where the close lies between the bands: 0 is the lower, 1 the upper."
    )
    BOLLINGER_BANDWIDTH = strawberry.enum_value(
        "bollinger_bandwidth", description="Distance of the bands as a part of the middle one: 0.1 is 10 per cent."
    )
    SMA_20 = strawberry.enum_value("sma_20", description="Simple average of 20 closes, in dollars.")
    SMA_50 = strawberry.enum_value("sma_50", description="Simple average of 50 closes, in dollars.")
    SMA_200 = strawberry.enum_value("sma_200", description="Simple average of 200 closes, in dollars.")
    EMA_12 = strawberry.enum_value("ema_12", description="Exponential average over 12 closes, in dollars.")
    EMA_26 = strawberry.enum_value("ema_26", description="Exponential average over 26 closes, in dollars.")
    EMA_50 = strawberry.enum_value("ema_50", description="Exponential average over 50 closes, in dollars.")
    ATR_14 = strawberry.enum_value("atr_14", description="Average true range over 14 candles, in dollars.")
    STOCHASTIC_K = strawberry.enum_value("stochastic_k", description="Slow stochastic %K (14, 3), 0 to 100.")
    STOCHASTIC_D = strawberry.enum_value("stochastic_d", description="Slow stochastic %D (3), 0 to 100.")
    ADX_14 = strawberry.enum_value("adx_14", description="Average directional index, 0 to 100: how strong a trend is.")
    PLUS_DI_14 = strawberry.enum_value("plus_di_14", description="Upward movement over 14 candles, 0 to 100.")
    MINUS_DI_14 = strawberry.enum_value("minus_di_14", description="Downward movement over 14 candles, 0 to 100.")
