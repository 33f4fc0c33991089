"""Support and resistance by pivots: prices at which the market has turned."""

from itertools import pairwise

import numpy as np

from app.domains.market.analysis.model.technical import PriceLevel
from app.domains.market.analysis.rules.dollars import dollars, moment
from app.domains.market.analysis.rules.series import Floats, Series

SHOULDER = 5
"""A pivot is the extreme of this many candles on either side of it."""
CLUSTER_WIDTH = 0.005
"""Pivots within this fraction of the lowest are one level."""
MOST_LEVELS = 3


def levels_of(series: Series) -> tuple[tuple[PriceLevel, ...], tuple[PriceLevel, ...]]:
    """Returns supports (lows below the last close) and resistances (highs above it), the MOST_LEVELS nearest first.

    A level's price is the mean of its pivots. Both are empty with fewer than 2 * SHOULDER + 1 candles.
    """
    if len(series) < 2 * SHOULDER + 1:
        return (), ()
    last = dollars(float(series.close[-1]))
    supports = [level for level in _clusters(series.low, -series.low, series) if level.price < last]
    resistances = [level for level in _clusters(series.high, series.high, series) if level.price > last]
    return (
        tuple(sorted(supports, key=lambda level: -level.price)[:MOST_LEVELS]),
        tuple(sorted(resistances, key=lambda level: level.price)[:MOST_LEVELS]),
    )


def _clusters(prices: Floats, peaks: Floats, series: Series) -> list[PriceLevel]:
    pivots = _pivots(peaks)
    pivots = pivots[np.argsort(prices[pivots], kind="stable")]
    borders = [0]
    for index in range(1, len(pivots)):
        if prices[pivots[index]] > prices[pivots[borders[-1]]] * (1 + CLUSTER_WIDTH):
            borders.append(index)
    clusters = [pivots[begin:end] for begin, end in pairwise([*borders, len(pivots)])]
    return [
        PriceLevel(dollars(float(np.mean(prices[cluster]))), len(cluster), moment(int(np.max(series.times[cluster]))))
        for cluster in clusters
        if len(cluster)
    ]


def _pivots(peaks: Floats) -> np.ndarray[tuple[int], np.dtype[np.intp]]:
    windows = np.lib.stride_tricks.sliding_window_view(peaks, 2 * SHOULDER + 1)
    # Not below the next ones and above the previous ones: a flat top is one pivot, and a flat market has none.
    before = windows[:, SHOULDER] > windows[:, :SHOULDER].max(axis=1)
    after = windows[:, SHOULDER] >= windows[:, SHOULDER + 1 :].max(axis=1)
    return np.flatnonzero(before & after) + SHOULDER
