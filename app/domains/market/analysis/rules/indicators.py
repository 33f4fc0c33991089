"""Indicators by TA-Lib.

Averages with memory (EMA, MACD, RSI, ATR, ADX) begin at the first candle of the series; give at least 250 candles for
values that agree with those of other programs. The moving average of MACD and the EMA begin with a simple average.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from app.domains.market.analysis.model.technical import Indicator
from app.domains.market.analysis.rules.series import Floats, Series

RSI_PERIOD = 14
MACD_PERIODS = (12, 26, 9)
BOLLINGER_PERIOD = 20
BOLLINGER_DEVIATIONS = 2.0
ATR_PERIOD = 14
STOCHASTIC_PERIODS = (14, 3, 3)
ADX_PERIOD = 14

# A price that has moved by less than this fraction has not moved: the rest is the rounding of floats.
STILL = 1e-9

CANDLES_NEEDED: dict[Indicator, int] = {
    Indicator.RSI_14: RSI_PERIOD + 1,
    Indicator.MACD: 34,
    Indicator.MACD_SIGNAL: 34,
    Indicator.MACD_HISTOGRAM: 34,
    Indicator.BOLLINGER_UPPER: BOLLINGER_PERIOD,
    Indicator.BOLLINGER_MIDDLE: BOLLINGER_PERIOD,
    Indicator.BOLLINGER_LOWER: BOLLINGER_PERIOD,
    Indicator.BOLLINGER_PERCENT_B: BOLLINGER_PERIOD,
    Indicator.BOLLINGER_BANDWIDTH: BOLLINGER_PERIOD,
    Indicator.SMA_20: 20,
    Indicator.SMA_50: 50,
    Indicator.SMA_200: 200,
    Indicator.EMA_12: 12,
    Indicator.EMA_26: 26,
    Indicator.EMA_50: 50,
    Indicator.ATR_14: ATR_PERIOD + 1,
    Indicator.STOCHASTIC_K: 18,
    Indicator.STOCHASTIC_D: 18,
    Indicator.ADX_14: 2 * ADX_PERIOD,
    Indicator.PLUS_DI_14: ADX_PERIOD + 1,
    Indicator.MINUS_DI_14: ADX_PERIOD + 1,
}
"""The minimum number of candles for each indicator."""


def value_of(indicator: Indicator, series: Series) -> float | None:
    """Returns the indicator at the last candle.

    Averages, bands, MACD and ATR are in dollars; RSI, stochastic, ADX and DI go from 0 to 100; percent b is 0 at the
    lower band and 1 at the upper; the bandwidth is a fraction of the middle band.

    Null with fewer candles than CANDLES_NEEDED; and of RSI, stochastic, ADX and percent b also if the price does
    not move in a whole window, because they divide by its movement.
    """
    return Indicators(series).value(indicator)


@dataclass(frozen=True)
class Indicators:
    """The indicators of a series, each calculated on first use."""

    series: Series

    def value(self, indicator: Indicator) -> float | None:
        """The indicator at the last candle; see `value_of`."""
        if len(self.series) < CANDLES_NEEDED[indicator]:
            return None
        value = _CALCULATED[indicator](self)
        return value if math.isfinite(value) else None

    def _stands_still(self, highs: Floats, lows: Floats) -> bool:
        return bool((highs - lows < STILL * self.series.close[-1]).any())

    def rsi(self) -> float:
        """Relative strength index, 0 to 100."""
        from app.domains.market.analysis.rules.talib_binding import talib

        window = self.series.close[-RSI_PERIOD - 1 :]
        if self._stands_still(window.max(), window.min()):
            return math.nan
        return float(talib.RSI(self.series.close, RSI_PERIOD)[-1])

    @cached_property
    def macd(self) -> tuple[Floats, Floats, Floats]:
        """Line, signal line and histogram at every candle, in dollars; NaN at the first 33."""
        from app.domains.market.analysis.rules.talib_binding import talib

        return talib.MACD(self.series.close, *MACD_PERIODS)

    @cached_property
    def bollinger(self) -> tuple[float, float, float]:
        """Upper, middle and lower band, in dollars."""
        from app.domains.market.analysis.rules.talib_binding import talib

        # Only the window: running sums would keep the rounding errors of much higher earlier prices.
        bands = talib.BBANDS(
            self.series.close[-BOLLINGER_PERIOD:], BOLLINGER_PERIOD, BOLLINGER_DEVIATIONS, BOLLINGER_DEVIATIONS
        )
        upper, middle, lower = (float(band[-1]) for band in bands)
        return upper, middle, lower

    def percent_b(self) -> float:
        """The position of the close between the bands: 0 is the lower, 1 the upper."""
        upper, middle, lower = self.bollinger
        if upper - lower < STILL * middle:
            return math.nan
        return (float(self.series.close[-1]) - lower) / (upper - lower)

    def bandwidth(self) -> float:
        """The distance of the bands as a fraction of the middle."""
        upper, middle, lower = self.bollinger
        return (upper - lower) / middle

    def sma(self, period: int) -> float:
        """Simple average of the last closes, in dollars."""
        from app.domains.market.analysis.rules.talib_binding import talib

        return float(talib.SMA(self.series.close[-period:], period)[-1])

    def ema(self, period: int) -> float:
        """Exponential average of the closes, in dollars."""
        from app.domains.market.analysis.rules.talib_binding import talib

        return float(talib.EMA(self.series.close, period)[-1])

    def atr(self) -> float:
        """Average true range, in dollars."""
        from app.domains.market.analysis.rules.talib_binding import talib

        return float(talib.ATR(self.series.high, self.series.low, self.series.close, ATR_PERIOD)[-1])

    @cached_property
    def stochastic(self) -> tuple[float, float]:
        """Slow %K and %D, 0 to 100; NaN where one of the windows behind them has no range."""
        from app.domains.market.analysis.rules.talib_binding import talib

        window, slowing, signal = STOCHASTIC_PERIODS
        used = window + slowing + signal - 2
        highs = np.lib.stride_tricks.sliding_window_view(self.series.high[-used:], window).max(axis=1)
        lows = np.lib.stride_tricks.sliding_window_view(self.series.low[-used:], window).min(axis=1)
        if self._stands_still(highs, lows):
            return math.nan, math.nan
        candles = self.series.high[-used:], self.series.low[-used:], self.series.close[-used:]
        k, d = talib.STOCH(*candles, fastk_period=window, slowk_period=slowing, slowd_period=signal)
        return float(k[-1]), float(d[-1])

    @cached_property
    def directional(self) -> tuple[float, float, float]:
        """ADX, +DI and -DI, 0 to 100; NaN where the last window has no range."""
        from app.domains.market.analysis.rules.talib_binding import talib

        series = self.series
        if self._stands_still(series.high[-ADX_PERIOD:].max(), series.low[-ADX_PERIOD:].min()):
            return math.nan, math.nan, math.nan
        candles = series.high, series.low, series.close
        adx = float(talib.ADX(*candles, ADX_PERIOD)[-1]) if len(self.series) >= 2 * ADX_PERIOD else math.nan
        plus, minus = talib.PLUS_DI(*candles, ADX_PERIOD), talib.MINUS_DI(*candles, ADX_PERIOD)
        return adx, float(plus[-1]), float(minus[-1])


_CALCULATED: dict[Indicator, Callable[[Indicators], float]] = {
    Indicator.RSI_14: Indicators.rsi,
    Indicator.MACD: lambda it: float(it.macd[0][-1]),
    Indicator.MACD_SIGNAL: lambda it: float(it.macd[1][-1]),
    Indicator.MACD_HISTOGRAM: lambda it: float(it.macd[2][-1]),
    Indicator.BOLLINGER_UPPER: lambda it: it.bollinger[0],
    Indicator.BOLLINGER_MIDDLE: lambda it: it.bollinger[1],
    Indicator.BOLLINGER_LOWER: lambda it: it.bollinger[2],
    Indicator.BOLLINGER_PERCENT_B: Indicators.percent_b,
    Indicator.BOLLINGER_BANDWIDTH: Indicators.bandwidth,
    Indicator.SMA_20: lambda it: it.sma(20),
    Indicator.SMA_50: lambda it: it.sma(50),
    Indicator.SMA_200: lambda it: it.sma(200),
    Indicator.EMA_12: lambda it: it.ema(12),
    Indicator.EMA_26: lambda it: it.ema(26),
    Indicator.EMA_50: lambda it: it.ema(50),
    Indicator.ATR_14: Indicators.atr,
    Indicator.STOCHASTIC_K: lambda it: it.stochastic[0],
    Indicator.STOCHASTIC_D: lambda it: it.stochastic[1],
    Indicator.ADX_14: lambda it: it.directional[0],
    Indicator.PLUS_DI_14: lambda it: it.directional[1],
    Indicator.MINUS_DI_14: lambda it: it.directional[2],
}
