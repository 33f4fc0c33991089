"""Candles as arrays: the input of every rule about prices.

Gaps are not filled. Where candles are missing, indicators use the candles that there are, as chart programs do; returns
are only between candles at the given distance, so that none covers a longer time.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from app.domains.market.prices.model import PRICE_LIMIT, Candle, Interval

Floats: TypeAlias = NDArray[np.float64]

_LEAST_PRICE = 1e-12


class MalformedSeries(ValueError):
    """The candles are not one valid series of one token."""


@dataclass(frozen=True, eq=False)
class Series:
    """Candles of one token and one interval, oldest first, each array with one value for each candle.

    Prices are those that the columns hold, from 10^-12 to under 10^12 dollars: their ratios and squares are finite.
    """

    interval: Interval | None
    """Null for a series without candles."""
    times: NDArray[np.int64]
    """The opening time of each candle, in seconds since 1970."""
    open: Floats
    high: Floats
    low: Floats
    close: Floats
    volume: Floats
    """The volume in dollars."""

    def __len__(self) -> int:
        return len(self.times)

    @property
    def step_s(self) -> int:
        """The length of a candle in seconds; 0 for a series without candles."""
        return int(self.interval.length.total_seconds()) if self.interval else 0

    @property
    def missing(self) -> int:
        """The number of missing candles between the first and the last."""
        return int((self.times[-1] - self.times[0]) // self.step_s + 1 - len(self)) if len(self) else 0

    def log_returns(self, steps: int = 1) -> Floats:
        """Returns log returns over `steps` candles, for each candle; NaN without a candle that far ahead.

        The value at i is from the close of i to the close of the candle that opened `steps` later.
        """
        if not len(self):
            return np.empty(0)
        wanted = self.times + steps * self.step_s
        ahead = np.minimum(np.searchsorted(self.times, wanted), len(self) - 1)
        logs = np.log(self.close)
        return np.where(self.times[ahead] == wanted, logs[ahead] - logs, np.nan)


def series_of(candles: Sequence[Candle]) -> Series:
    """Returns the series of `candles`, given in any order. Raises MalformedSeries.

    Invalid are: several symbols or intervals, two candles of the same time, a price that is not a number that
    the columns hold, a volume that is not a number from 0, and a high or low inside open and close.
    """
    if len({(candle.symbol, candle.interval) for candle in candles}) > 1:
        raise MalformedSeries("candles of several tokens or intervals")
    ordered = sorted(candles, key=lambda candle: candle.opened_at)
    times = np.array([candle.opened_at.timestamp() for candle in ordered], dtype=np.float64).astype(np.int64)
    if len(times) > 1 and not np.diff(times).all():
        raise MalformedSeries("two candles of the same time")
    opened, high, low, close, volume = (
        np.array([getattr(candle, name) for candle in ordered], dtype=np.float64)
        for name in ("open", "high", "low", "close", "volume_usd")
    )
    for prices in (opened, high, low, close):
        if not ((prices >= _LEAST_PRICE) & (prices < float(PRICE_LIMIT))).all():
            raise MalformedSeries("a price that is not a number from 10^-12 to 10^12")
    if not (np.isfinite(volume) & (volume >= 0)).all():
        raise MalformedSeries("a volume that is not a number from 0")
    if (high < np.maximum(opened, close)).any() or (low > np.minimum(opened, close)).any():
        raise MalformedSeries("a high or low inside open and close")
    interval = ordered[0].interval if ordered else None
    return Series(interval, times, opened, high, low, close, volume)
