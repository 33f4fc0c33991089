"""Technical analysis: the readings and signals of the indicators, and the combined signal."""

import math
from collections import Counter
from collections.abc import Sequence
from statistics import fmean

from app.domains.market.analysis.model.technical import (
    Adx,
    Atr,
    AverageKind,
    Bollinger,
    Indicator,
    Macd,
    MovingAverage,
    Rsi,
    Signal,
    Stochastic,
    TechnicalFindings,
    Verdict,
)
from app.domains.market.analysis.rules.dollars import dollars, moment
from app.domains.market.analysis.rules.indicators import CANDLES_NEEDED, STILL, Indicators
from app.domains.market.analysis.rules.levels import levels_of
from app.domains.market.analysis.rules.patterns import patterns_in
from app.domains.market.analysis.rules.series import Series

AVERAGES = {
    Indicator.SMA_20: (AverageKind.SIMPLE, 20),
    Indicator.SMA_50: (AverageKind.SIMPLE, 50),
    Indicator.SMA_200: (AverageKind.SIMPLE, 200),
    Indicator.EMA_12: (AverageKind.EXPONENTIAL, 12),
    Indicator.EMA_26: (AverageKind.EXPONENTIAL, 26),
    Indicator.EMA_50: (AverageKind.EXPONENTIAL, 50),
}

_VOTES = {Signal.STRONG_BUY: 1.0, Signal.BUY: 0.5, Signal.NEUTRAL: 0.0, Signal.SELL: -0.5, Signal.STRONG_SELL: -1.0}


def technical(series: Series) -> TechnicalFindings:
    """Returns the technical analysis of `series`. Nothing is NaN: values that need more candles are null."""
    indicators = Indicators(series)
    rsi, macd, bollinger = _rsi(indicators), _macd(indicators), _bollinger(indicators)
    averages = tuple(_average(indicators, indicator) for indicator in AVERAGES)
    atr, stochastic, adx = _atr(indicators), _stochastic(indicators), _adx(indicators)
    supports, resistances = levels_of(series)
    count = len(series)
    return TechnicalFindings(
        interval=series.interval,
        candles=count,
        missing_candles=series.missing,
        last_opened_at=moment(int(series.times[-1])) if count else None,
        price=dollars(float(series.close[-1])) if count else None,
        verdict=verdict_of(
            [rsi.signal, macd.signal, bollinger.signal, atr.signal, stochastic.signal, adx.signal],
            [average.signal for average in averages],
        ),
        rsi=rsi,
        macd=macd,
        bollinger=bollinger,
        moving_averages=averages,
        atr=atr,
        stochastic=stochastic,
        adx=adx,
        patterns=patterns_in(series),
        supports=supports,
        resistances=resistances,
    )


def verdict_of(oscillators: Sequence[Signal | None], averages: Sequence[Signal | None]) -> Verdict:
    """Combines signals. A strong buy counts 1, a buy 0.5, a sell -0.5, a strong sell -1.

    The score is the mean of two means, of the oscillators and of the averages: the averages are similar to each
    other, and must not outvote the others by their number. From 0.5 it is a strong buy, from 0.1 a buy, and
    likewise below.
    """
    groups = [[signal for signal in group if signal] for group in (oscillators, averages)]
    said = Counter(signal for group in groups for signal in group)
    score = fmean(fmean(_VOTES[signal] for signal in group) for group in groups if group) if said else None
    return Verdict(
        signal=None if score is None else _graded(score, buy=0.1, strong=0.5),
        score=score,
        strong_buy=said[Signal.STRONG_BUY],
        buy=said[Signal.BUY],
        neutral=said[Signal.NEUTRAL],
        sell=said[Signal.SELL],
        strong_sell=said[Signal.STRONG_SELL],
    )


def _graded(value: float, *, buy: float, strong: float) -> Signal:
    """Returns a signal by how far `value` is from 0, above for buying and below for selling."""
    if abs(value) < buy:
        return Signal.NEUTRAL
    if value > 0:
        return Signal.STRONG_BUY if value >= strong else Signal.BUY
    return Signal.STRONG_SELL if value <= -strong else Signal.SELL


def _rsi(indicators: Indicators) -> Rsi:
    value = indicators.value(Indicator.RSI_14)
    signal = None if value is None else _graded(50 - value, buy=20, strong=30)
    return Rsi(value, signal, CANDLES_NEEDED[Indicator.RSI_14])


def _macd(indicators: Indicators) -> Macd:
    line, average, histogram = (
        indicators.value(indicator) for indicator in (Indicator.MACD, Indicator.MACD_SIGNAL, Indicator.MACD_HISTOGRAM)
    )
    signal = None
    if histogram is not None:
        signal = _macd_signal(indicators, histogram)
    return Macd(dollars(line), dollars(average), dollars(histogram), signal, CANDLES_NEEDED[Indicator.MACD])


def _macd_signal(indicators: Indicators, histogram: float) -> Signal:
    if abs(histogram) < STILL * float(indicators.series.close[-1]):
        return Signal.NEUTRAL
    earlier = [float(value) for value in indicators.macd[2][-4:-1] if math.isfinite(value)]
    crossed = any(value * histogram <= 0 for value in earlier)
    if histogram > 0:
        return Signal.STRONG_BUY if crossed else Signal.BUY
    return Signal.STRONG_SELL if crossed else Signal.SELL


def _bollinger(indicators: Indicators) -> Bollinger:
    upper, middle, lower, percent_b, bandwidth = (
        indicators.value(indicator)
        for indicator in (
            Indicator.BOLLINGER_UPPER,
            Indicator.BOLLINGER_MIDDLE,
            Indicator.BOLLINGER_LOWER,
            Indicator.BOLLINGER_PERCENT_B,
            Indicator.BOLLINGER_BANDWIDTH,
        )
    )
    signal = None if percent_b is None else _graded(0.5 - percent_b, buy=0.4, strong=0.5)
    needed = CANDLES_NEEDED[Indicator.BOLLINGER_UPPER]
    return Bollinger(dollars(upper), dollars(middle), dollars(lower), percent_b, bandwidth, signal, needed)


def _average(indicators: Indicators, indicator: Indicator) -> MovingAverage:
    kind, period = AVERAGES[indicator]
    value = indicators.value(indicator)
    signal = None
    if value is not None:
        signal = _graded(float(indicators.series.close[-1]) / value - 1, buy=0.001, strong=0.05)
    return MovingAverage(kind, period, dollars(value), signal, CANDLES_NEEDED[indicator])


def _atr(indicators: Indicators) -> Atr:
    value = indicators.value(Indicator.ATR_14)
    if value is None:
        return Atr(None, None, None, CANDLES_NEEDED[Indicator.ATR_14])
    before, last = (float(close) for close in indicators.series.close[-2:])
    signal = _graded((last - before) / value, buy=1, strong=2) if value > STILL * last else Signal.NEUTRAL
    return Atr(dollars(value), value / last, signal, CANDLES_NEEDED[Indicator.ATR_14])


def _stochastic(indicators: Indicators) -> Stochastic:
    k, d = indicators.value(Indicator.STOCHASTIC_K), indicators.value(Indicator.STOCHASTIC_D)
    needed = CANDLES_NEEDED[Indicator.STOCHASTIC_K]
    if k is None or d is None:
        return Stochastic(None, None, None, needed)
    signal = Signal.NEUTRAL
    if max(k, d) <= 20:
        signal = Signal.STRONG_BUY if k > d else Signal.BUY
    elif min(k, d) >= 80:
        signal = Signal.STRONG_SELL if k < d else Signal.SELL
    return Stochastic(k, d, signal, needed)


def _adx(indicators: Indicators) -> Adx:
    value, plus, minus = (
        indicators.value(indicator) for indicator in (Indicator.ADX_14, Indicator.PLUS_DI_14, Indicator.MINUS_DI_14)
    )
    signal = None
    if value is not None and plus is not None and minus is not None:
        leaning = (plus > minus) - (plus < minus)
        signal = _graded(leaning * value, buy=20, strong=40)
    return Adx(value, plus, minus, signal, CANDLES_NEEDED[Indicator.ADX_14])
