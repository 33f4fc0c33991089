"""Each indicator against numpy written here, and against TA-Lib called by hand.

They agree to 1e-9 of the value, or of the price where the value is a difference of prices.
"""

import functools
import math
import runpy
import sys
import types
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given

from app.domains.market.analysis.model.technical import Indicator
from app.domains.market.analysis.rules import talib_binding
from app.domains.market.analysis.rules.indicators import CANDLES_NEEDED, Indicators, value_of
from app.domains.market.analysis.rules.series import Floats, Series
from app.domains.market.analysis.rules.talib_binding import talib
from tests.domains.market.series import flat_candles, head, scaled, series, walk

CLOSE_TO = 1e-9

OF_PRICE = {
    Indicator.MACD,
    Indicator.MACD_SIGNAL,
    Indicator.MACD_HISTOGRAM,
    Indicator.BOLLINGER_UPPER,
    Indicator.BOLLINGER_MIDDLE,
    Indicator.BOLLINGER_LOWER,
    Indicator.SMA_20,
    Indicator.SMA_50,
    Indicator.SMA_200,
    Indicator.EMA_12,
    Indicator.EMA_26,
    Indicator.EMA_50,
    Indicator.ATR_14,
}


def wilder(values: Floats, period: int) -> float:
    """Wilder's average: the mean of the first `period`, then each by 1/period."""
    average = float(np.mean(values[:period]))
    for value in values[period:]:
        average += (float(value) - average) / period
    return average


def ema(values: Floats, period: int) -> Floats:
    """From the simple mean of the first `period` values on; one value for each from there."""
    averages = [float(np.mean(values[:period]))]
    for value in values[period:]:
        averages.append(averages[-1] + (float(value) - averages[-1]) * 2 / (period + 1))
    return np.array(averages)


def rsi(it: Series) -> float:
    changes = np.diff(it.close)
    gain, loss = wilder(np.maximum(changes, 0), 14), wilder(np.maximum(-changes, 0), 14)
    return 100 - 100 / (1 + gain / loss)


def macd(it: Series) -> tuple[float, float]:
    # The fast average begins with the mean of the 12 closes that end where the slow one's first value does.
    line = ema(it.close[14:], 12) - ema(it.close, 26)
    return float(line[-1]), float(ema(line, 9)[-1])


def bollinger(it: Series) -> tuple[float, float, float]:
    middle, deviation = float(np.mean(it.close[-20:])), float(np.std(it.close[-20:]))
    return middle + 2 * deviation, middle, middle - 2 * deviation


def atr(it: Series) -> float:
    before = it.close[:-1]
    ranges = np.maximum(it.high[1:], before) - np.minimum(it.low[1:], before)
    return wilder(ranges, 14)


def stochastic(it: Series) -> tuple[float, float]:
    def raw(end: int) -> float:
        low, high = it.low[end - 14 : end].min(), it.high[end - 14 : end].max()
        return float(100 * (it.close[end - 1] - low) / (high - low))

    def slow(end: int) -> float:
        return float(np.mean([raw(at) for at in range(end - 2, end + 1)]))

    count = len(it)
    return slow(count), float(np.mean([slow(at) for at in range(count - 2, count + 1)]))


def directional(it: Series) -> tuple[float, float, float]:
    def smoothed(values: Floats) -> Floats:
        """Wilder's running sum: that of the first 13, then less a 14th of itself and more the next."""
        sums = [float(np.sum(values[:13]))]
        for value in values[13:]:
            sums.append(sums[-1] * 13 / 14 + float(value))
        return np.array(sums[1:])

    up, down = np.diff(it.high), -np.diff(it.low)
    true_range = np.maximum(it.high[1:], it.close[:-1]) - np.minimum(it.low[1:], it.close[:-1])
    spread = smoothed(true_range)
    plus = 100 * smoothed(np.where((up > down) & (up > 0), up, 0)) / spread
    minus = 100 * smoothed(np.where((down > up) & (down > 0), down, 0)) / spread
    adx = wilder(100 * np.abs(plus - minus) / (plus + minus), 14)
    return adx, float(plus[-1]), float(minus[-1])


def percent_b(it: Series) -> float:
    upper, _, lower = bollinger(it)
    return float((it.close[-1] - lower) / (upper - lower))


REFERENCES: dict[Indicator, Callable[[Series], float]] = {
    Indicator.RSI_14: rsi,
    Indicator.MACD: lambda it: macd(it)[0],
    Indicator.MACD_SIGNAL: lambda it: macd(it)[1],
    Indicator.MACD_HISTOGRAM: lambda it: macd(it)[0] - macd(it)[1],
    Indicator.BOLLINGER_UPPER: lambda it: bollinger(it)[0],
    Indicator.BOLLINGER_MIDDLE: lambda it: bollinger(it)[1],
    Indicator.BOLLINGER_LOWER: lambda it: bollinger(it)[2],
    Indicator.BOLLINGER_PERCENT_B: percent_b,
    Indicator.BOLLINGER_BANDWIDTH: lambda it: (bollinger(it)[0] - bollinger(it)[2]) / bollinger(it)[1],
    Indicator.SMA_20: lambda it: float(np.mean(it.close[-20:])),
    Indicator.SMA_50: lambda it: float(np.mean(it.close[-50:])),
    Indicator.SMA_200: lambda it: float(np.mean(it.close[-200:])),
    Indicator.EMA_12: lambda it: float(ema(it.close, 12)[-1]),
    Indicator.EMA_26: lambda it: float(ema(it.close, 26)[-1]),
    Indicator.EMA_50: lambda it: float(ema(it.close, 50)[-1]),
    Indicator.ATR_14: atr,
    Indicator.STOCHASTIC_K: lambda it: stochastic(it)[0],
    Indicator.STOCHASTIC_D: lambda it: stochastic(it)[1],
    Indicator.ADX_14: lambda it: directional(it)[0],
    Indicator.PLUS_DI_14: lambda it: directional(it)[1],
    Indicator.MINUS_DI_14: lambda it: directional(it)[2],
}


def by_hand(it: Series) -> dict[Indicator, float]:
    """TA-Lib on the bare prices."""
    high, low, close = it.high, it.low, it.close
    line, signal, histogram = talib.MACD(close, fastperiod=12, slowperiod=26, signalperiod=9)
    upper, middle, lower = talib.BBANDS(close, timeperiod=20, nbdevup=2, nbdevdn=2)
    k, d = talib.STOCH(high, low, close, fastk_period=14, slowk_period=3, slowd_period=3)
    arrays = {
        Indicator.RSI_14: talib.RSI(close, timeperiod=14),
        Indicator.MACD: line,
        Indicator.MACD_SIGNAL: signal,
        Indicator.MACD_HISTOGRAM: histogram,
        Indicator.BOLLINGER_UPPER: upper,
        Indicator.BOLLINGER_MIDDLE: middle,
        Indicator.BOLLINGER_LOWER: lower,
        Indicator.SMA_20: talib.SMA(close, timeperiod=20),
        Indicator.SMA_50: talib.SMA(close, timeperiod=50),
        Indicator.SMA_200: talib.SMA(close, timeperiod=200),
        Indicator.EMA_12: talib.EMA(close, timeperiod=12),
        Indicator.EMA_26: talib.EMA(close, timeperiod=26),
        Indicator.EMA_50: talib.EMA(close, timeperiod=50),
        Indicator.ATR_14: talib.ATR(high, low, close, timeperiod=14),
        Indicator.STOCHASTIC_K: k,
        Indicator.STOCHASTIC_D: d,
        Indicator.ADX_14: talib.ADX(high, low, close, timeperiod=14),
        Indicator.PLUS_DI_14: talib.PLUS_DI(high, low, close, timeperiod=14),
        Indicator.MINUS_DI_14: talib.MINUS_DI(high, low, close, timeperiod=14),
    }
    return {indicator: float(values[-1]) for indicator, values in arrays.items()}


def test_every_indicator_has_a_reference() -> None:
    assert set(REFERENCES) == set(CANDLES_NEEDED) == set(Indicator)


@pytest.mark.parametrize("indicator", Indicator)
def test_an_indicator_is_what_its_definition_says(indicator: Indicator) -> None:
    for seed, count in ((1, 500), (2, 250), (3, CANDLES_NEEDED[indicator])):
        prices = walk(count, seed=seed)
        scale = float(prices.close[-1]) if indicator in OF_PRICE else 100
        expected = REFERENCES[indicator](prices)
        assert value_of(indicator, prices) == pytest.approx(expected, rel=CLOSE_TO, abs=CLOSE_TO * scale)


def test_an_indicator_is_what_talib_says() -> None:
    prices = walk(500, seed=4)
    expected = by_hand(prices)
    found = {indicator: value_of(indicator, prices) for indicator in expected}
    assert found == pytest.approx(expected, rel=CLOSE_TO, abs=CLOSE_TO)


@pytest.mark.parametrize("indicator", Indicator)
def test_one_candle_too_few_gives_no_value(indicator: Indicator) -> None:
    prices = walk(260)
    needed = CANDLES_NEEDED[indicator]
    assert value_of(indicator, head(prices, needed)) is not None
    assert value_of(indicator, head(prices, needed - 1)) is None
    assert value_of(indicator, head(prices, 0)) is None


@pytest.mark.parametrize("factor", [1e-11, 1e-9, 1e9])
def test_indicators_follow_the_scale_of_the_price(factor: float) -> None:
    prices = walk(300)
    at_scale = scaled(prices, factor)
    for indicator in Indicator:
        expected = (value_of(indicator, prices) or 0) * (factor if indicator in OF_PRICE else 1)
        assert value_of(indicator, at_scale) == pytest.approx(expected, rel=1e-6), indicator


def test_a_fall_of_long_ago_leaves_nothing_in_averages_and_bands() -> None:
    crashed = flat_candles([1e11] * 30 + [1e-3] * 20 + [1.5e-3])
    assert value_of(Indicator.SMA_20, crashed) == pytest.approx(1e-3 + 0.5e-3 / 20, rel=CLOSE_TO)
    assert value_of(Indicator.BOLLINGER_UPPER, crashed) == pytest.approx(bollinger(crashed)[0], rel=CLOSE_TO)


def test_a_price_that_stands_still_has_no_strength_and_no_place_in_its_range() -> None:
    still = flat_candles([5.0] * 300)
    undefined = {
        Indicator.RSI_14,
        Indicator.BOLLINGER_PERCENT_B,
        Indicator.STOCHASTIC_K,
        Indicator.STOCHASTIC_D,
        Indicator.ADX_14,
        Indicator.PLUS_DI_14,
        Indicator.MINUS_DI_14,
    }
    zero = {
        Indicator.MACD,
        Indicator.MACD_SIGNAL,
        Indicator.MACD_HISTOGRAM,
        Indicator.BOLLINGER_BANDWIDTH,
        Indicator.ATR_14,
    }
    for indicator in Indicator:
        expected = None if indicator in undefined else pytest.approx(0.0 if indicator in zero else 5.0, abs=1e-12)
        assert value_of(indicator, still) == expected, indicator


def test_a_price_that_stopped_has_no_strength_left_over() -> None:
    stopped = flat_candles([4.0] + [5.0] * 14)
    assert value_of(Indicator.RSI_14, stopped) == pytest.approx(100)
    assert value_of(Indicator.RSI_14, flat_candles([4.0] + [5.0] * 15)) is None


def test_monotone_prices_are_at_the_ends_of_the_scales() -> None:
    rising, falling = flat_candles(np.arange(100.0, 400.0)), flat_candles(np.arange(400.0, 100.0, -1))
    assert value_of(Indicator.RSI_14, rising) == pytest.approx(100)
    assert value_of(Indicator.RSI_14, falling) == pytest.approx(0, abs=1e-9)
    assert value_of(Indicator.STOCHASTIC_K, rising) == pytest.approx(100)
    assert value_of(Indicator.STOCHASTIC_K, falling) == pytest.approx(0, abs=1e-9)
    assert value_of(Indicator.ADX_14, rising) == pytest.approx(100)
    assert value_of(Indicator.ATR_14, rising) == pytest.approx(1)
    assert value_of(Indicator.SMA_20, rising) == pytest.approx(399 - 9.5)


@given(series())
def test_an_indicator_is_finite_or_null(prices: Series) -> None:
    indicators = Indicators(prices)
    for indicator in Indicator:
        value = indicators.value(indicator)
        assert value is None or math.isfinite(value), indicator
        if indicator in {Indicator.RSI_14, Indicator.STOCHASTIC_K, Indicator.STOCHASTIC_D, Indicator.ADX_14}:
            assert value is None or -1e-6 <= value <= 100 + 1e-6, indicator


def test_the_other_binding_is_taken_where_talib_has_no_wheel(monkeypatch: pytest.MonkeyPatch) -> None:
    usual, other = types.ModuleType("talib._ta_lib"), types.ModuleType("pytafast")

    def bare() -> None: ...

    # As TA-Lib does where pandas is installed.
    vars(usual).update(RSI=functools.wraps(bare)(lambda: None), __TA_FUNCTION_NAMES__=["RSI"])
    monkeypatch.setitem(sys.modules, "talib._ta_lib", usual)
    monkeypatch.setitem(sys.modules, "pytafast", other)
    assert runpy.run_path(talib_binding.__file__)["talib"].RSI is bare
    monkeypatch.setitem(sys.modules, "talib._ta_lib", None)
    assert runpy.run_path(talib_binding.__file__)["talib"] is other
