"""Series for the tests: from closes, at random, and whatever Hypothesis thinks of."""

from collections.abc import Sequence
from decimal import Decimal

import msgspec
import numpy as np
from hypothesis import strategies as st
from numpy.typing import ArrayLike

from app.domains.market.analysis.rules.series import Series
from app.domains.market.prices.model import Interval

BEGIN_S = 1_760_400_000
"""A midnight."""


def flat_candles(closes: ArrayLike, interval: Interval = Interval.ONE_HOUR, missing: Sequence[int] = ()) -> Series:
    """Candles that open and close at the same price, without those of the indices `missing`."""
    close = np.asarray(closes, dtype=np.float64)
    step_s = int(interval.length.total_seconds())
    times = BEGIN_S + step_s * np.arange(len(close), dtype=np.int64)
    kept = np.ones(len(close), dtype=bool)
    kept[list(missing)] = False
    close, times = close[kept], times[kept]
    return Series(interval if len(close) else None, times, close, close, close, close, np.ones(len(close)))


def walk(count: int = 500, *, seed: int = 7, deviation: float = 0.01, price: float = 100.0) -> Series:
    """Hourly candles of geometric Brownian motion, with shadows; each opens where the one before closed."""
    chance = np.random.default_rng(seed)
    close = price * np.exp(np.cumsum(chance.normal(0, deviation, count)))
    opened = np.concatenate([[price], close[:-1]])
    high = np.maximum(opened, close) * (1 + chance.uniform(0, deviation, count))
    low = np.minimum(opened, close) * (1 - chance.uniform(0, deviation, count))
    times = BEGIN_S + 3600 * np.arange(count, dtype=np.int64)
    return Series(Interval.ONE_HOUR, times, opened, high, low, close, chance.uniform(0, 1e6, count))


def scaled(series: Series, factor: float) -> Series:
    """The same candles at prices `factor` times as high."""
    opened, high, low, close = (factor * it for it in (series.open, series.high, series.low, series.close))
    return Series(series.interval, series.times, opened, high, low, close, series.volume)


def head(series: Series, count: int) -> Series:
    """The first candles."""
    opened, high, low, close = (it[:count] for it in (series.open, series.high, series.low, series.close))
    return Series(
        series.interval if count else None, series.times[:count], opened, high, low, close, series.volume[:count]
    )


_prices = st.one_of(
    st.floats(1e-12, 9e11),
    st.sampled_from([1e-12, 1e-9, 1.0, 1.0 + 2**-52, 100.0, 1e11]),
    st.floats(99, 101),
)


@st.composite
def series(draw: st.DrawFn, most: int = 260) -> Series:
    """Any series that `series_of` would make: still or wild, of any length, with gaps."""
    count = draw(st.integers(0, most))
    palette = np.array(draw(st.lists(st.tuples(_prices, _prices, _prices, _prices), min_size=1, max_size=12)))
    chance = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    # Most candles are of a few kinds, so that prices also stand still for long.
    candles = palette[np.sort(chance.integers(0, len(palette), count))]
    if draw(st.booleans()):
        candles = chance.permutation(candles)
    low, high = (candles.min(axis=1), candles.max(axis=1)) if count else (np.empty(0), np.empty(0))
    interval = draw(st.sampled_from(Interval))
    step_s = int(interval.length.total_seconds())
    steps = np.cumsum(chance.choice([1, 1, 1, 1, 1, 1, 1, 9], count)) if draw(st.booleans()) else np.arange(count)
    times = BEGIN_S + step_s * steps.astype(np.int64)
    volume = chance.choice([0.0, 1.0, 1e12], count)
    return Series(interval if count else None, times, candles[:, 0], high, low, candles[:, 1], volume)


def numbers_in(value: object) -> list[float]:
    """Every float and Decimal in a findings struct."""
    if isinstance(value, msgspec.Struct):
        return [number for name in value.__struct_fields__ for number in numbers_in(getattr(value, name))]
    if isinstance(value, tuple):
        return [number for item in value for number in numbers_in(item)]
    return [float(value)] if isinstance(value, float | Decimal) else []
