"""Indicators written out from their definitions: what the tests of strategies expect."""

import numpy as np

from app.domains.market.analysis.rules.series import Floats, Series


def wilder(values: Floats, period: int) -> float:
    """Wilder's average: the mean of the first `period`, then each by 1 / period."""
    average = float(np.mean(values[:period]))
    for value in values[period:]:
        average += (float(value) - average) / period
    return average


def emas(closes: Floats, period: int) -> list[float]:
    """The exponential average from the first `period` closes on, one value for each from there."""
    averages = [float(np.mean(closes[:period]))]
    for close in closes[period:]:
        averages.append(averages[-1] + (float(close) - averages[-1]) * 2 / (period + 1))
    return averages


def rsi(closes: Floats, period: int) -> float:
    changes = np.diff(closes)
    gain, loss = wilder(np.maximum(changes, 0), period), wilder(np.maximum(-changes, 0), period)
    return 100 * gain / (gain + loss)


def true_ranges(it: Series) -> Floats:
    before = it.close[:-1]
    return np.maximum(it.high[1:], before) - np.minimum(it.low[1:], before)


def atr(it: Series, period: int) -> float:
    return wilder(true_ranges(it), period)


def adx(it: Series, period: int) -> float:
    def smoothed(values: Floats) -> Floats:
        """Wilder's running sum: that of the first period - 1, then less a part of itself and more the next."""
        sums = [float(np.sum(values[: period - 1]))]
        for value in values[period - 1 :]:
            sums.append(sums[-1] * (period - 1) / period + float(value))
        return np.array(sums[1:])

    up, down = np.diff(it.high), -np.diff(it.low)
    spread = smoothed(true_ranges(it))
    plus = 100 * smoothed(np.where((up > down) & (up > 0), up, 0)) / spread
    minus = 100 * smoothed(np.where((down > up) & (down > 0), down, 0)) / spread
    return wilder(100 * np.abs(plus - minus) / (plus + minus), period)
