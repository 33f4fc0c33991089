"""What strategies measure, over the candles of a window.

Averages are of the distances from the last close, so that a price that stands still is its own average.

Percentages and ratios are rounded to RATIO_DECIMALS: a threshold that decimals meet is met exactly.
"""

import math
from typing import Final

import msgspec

from app.domains.market.analysis.rules.indicators import STILL
from app.domains.market.analysis.rules.series import Floats, Series
from app.domains.trading.strategies.model import WINDOW_CANDLES, Window

RATIO_DECIMALS: Final = 9


def latest(window: Window) -> Window:
    """The window without what is older than its last WINDOW_CANDLES."""
    if len(window.series) <= WINDOW_CANDLES:
        return window
    return msgspec.structs.replace(window, series=last_of(window.series, WINDOW_CANDLES))


def last_of(series: Series, count: int) -> Series:
    """The last candles, at most `count`."""
    return Series(
        series.interval,
        series.times[-count:],
        series.open[-count:],
        series.high[-count:],
        series.low[-count:],
        series.close[-count:],
        series.volume[-count:],
    )


def ratio(value: float) -> float:
    """A ratio or percentage as it is compared."""
    return round(float(value), RATIO_DECIMALS)


def exceeds(one: float, other: float, price: float) -> bool:
    """Whether one price is above another by more than the rounding of floats at this price."""
    return one - other > STILL * price


def rate_of_change(series: Series, period: int) -> float:
    """How far the close is above the close `period` candles before, in percent."""
    return ratio(100 * (series.close[-1] / series.close[-1 - period] - 1))


def mean(prices: Floats) -> float:
    """The simple average, in dollars."""
    last = float(prices[-1])
    return last + math.fsum((prices - last).tolist()) / len(prices)


def deviation(prices: Floats) -> float | None:
    """The standard deviation of these very prices (the population's), in dollars. Null where they stand still."""
    middle = mean(prices)
    found = math.sqrt(math.fsum(((prices - middle) ** 2).tolist()) / len(prices))
    return found if found > STILL * middle else None


def ema(series: Series, period: int) -> Floats:
    """The exponential average of the closes at each candle, in dollars; NaN before the first.

    It begins with the simple average of the first `period` closes; each further close counts 2 / (period + 1).
    """
    from app.domains.market.analysis.rules.talib_binding import talib

    averages: Floats = talib.EMA(series.close, period)
    return averages


def rsi(series: Series, period: int) -> float | None:
    """Wilder's relative strength index of the closes, 0 to 100. Null where the last `period` changes are none."""
    from app.domains.market.analysis.rules.talib_binding import talib

    used = series.close[-period - 1 :]
    if not exceeds(used.max(), used.min(), used[-1]):
        return None
    return _finite(ratio(talib.RSI(series.close, period)[-1]))


def adx(series: Series, period: int) -> float | None:
    """Wilder's average directional index, 0 to 100. Null where the last `period` candles have no range."""
    from app.domains.market.analysis.rules.talib_binding import talib

    high, low, last = series.high[-period:].max(), series.low[-period:].min(), series.close[-1]
    if not exceeds(high, low, last):
        return None
    return _finite(ratio(talib.ADX(series.high, series.low, series.close, period)[-1]))


def atr(series: Series, period: int) -> float:
    """Wilder's average true range, in dollars."""
    from app.domains.market.analysis.rules.talib_binding import talib

    return float(talib.ATR(series.high, series.low, series.close, period)[-1])


def volume_ratio(series: Series, period: int) -> float:
    """The volume of the last candle, divided by the average of the `period` candles before it.

    Infinite where there was none before; 0 where there is none now.
    """
    volumes = series.volume[-period - 1 :]
    largest = float(volumes.max())
    if not volumes[-1]:
        return 0.0
    # As parts of the largest, so that no sum overflows.
    before = math.fsum((volumes[:-1] / largest).tolist()) / period
    return ratio(float(volumes[-1] / largest) / before) if before else math.inf


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
