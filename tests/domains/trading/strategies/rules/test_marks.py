"""What is not called would have marked nothing: the colours of each pattern, against all that TA-Lib marks."""

from collections.abc import Callable, Mapping

import numpy as np
import pytest

from app.domains.market.analysis.rules.patterns import NAMES
from app.domains.market.analysis.rules.series import Floats, Series
from app.domains.market.analysis.rules.talib_binding import talib
from app.domains.trading.strategies.rules.marks import (
    BEARISH,
    BULLISH,
    REACH,
    bearish_at_end,
    bullish_at_end,
    may_mark,
)
from app.domains.trading.strategies.rules.pattern_recognition import DIRECTED, WITHOUT_DIRECTION
from tests.domains.trading.strategies.windows import ohlc

COUNT = 150_000


def coarse(chance: np.random.Generator) -> Series:
    """Candles on a grid: bodies, shadows and gaps that are equal or nothing."""
    opened, close = (chance.integers(21, 32, COUNT).astype(float) for _ in range(2))
    above, below = (chance.integers(0, 4, COUNT) * chance.integers(0, 2, COUNT) for _ in range(2))
    high, low = np.maximum(opened, close) + above, np.minimum(opened, close) - below
    return ohlc(list(zip(opened, high, low, close, strict=True)))


def in_runs(chance: np.random.Generator) -> Series:
    """Candles of which three at a time have one colour, with gaps between them."""
    colour = np.repeat(chance.choice([-1, 1], COUNT // 3), 3)
    body = chance.choice([0.05, 0.5, 1, 2, 4], COUNT) * colour * chance.uniform(0.8, 1.2, COUNT)
    gap = chance.choice([0, -0.3, -0.6, 0.3, 0.6, -1.5, 1.5], COUNT) * body
    return _candles(chance, body, gap)


def mixed(chance: np.random.Generator) -> Series:
    """Candles of all sizes, and gaps."""
    body = chance.choice([0, 0.05, 0.3, 1, 3, 6], COUNT) * chance.choice([-1, 1], COUNT)
    gap = chance.choice([0, 0, 0.1, 0.5, 2, -0.1, -0.5, -2, -1, 1], COUNT) * chance.uniform(0.5, 1.5, COUNT)
    return _candles(chance, body * chance.uniform(0.7, 1.3, COUNT), gap)


def _candles(chance: np.random.Generator, body: Floats, gap: Floats) -> Series:
    close = 1e5 + np.cumsum(body + gap)
    opened = close - body
    above, below = (chance.choice([0, 0, 0.02, 0.3, 2], COUNT) for _ in range(2))
    high, low = np.maximum(opened, close) + above, np.minimum(opened, close) - below
    return ohlc(list(zip(opened, high, low, close, strict=True)))


MARKETS = (coarse, in_runs, mixed)


def test_no_function_marks_a_candle_after_other_colours() -> None:
    seen = set[tuple[str, bool]]()
    for seed, market in enumerate(MARKETS):
        series = market(np.random.default_rng(seed))
        colours = np.where(series.close >= series.open, "w", "b")
        for name in DIRECTED:
            marks = getattr(talib, name)(series.open, series.high, series.low, series.close)
            for is_bullish, rows in ((True, BULLISH), (False, BEARISH)):
                found = np.flatnonzero(marks > 0 if is_bullish else marks < 0)
                ends = {"".join(colours[end - 4 : end + 1]) for end in found}
                if ends:
                    seen.add((name, is_bullish))
                assert all(may_mark(rows.get(name, ()), each) for each in ends), (name, is_bullish)
    never_seen = {(name, side) for side, rows in ((True, BULLISH), (False, BEARISH)) for name in rows} - seen
    # So rare that nobody has seen three of them.
    assert {name for name, _ in never_seen} <= {"CDL3STARSINSOUTH", "CDLMATHOLD"}
    assert BULLISH.keys() | BEARISH.keys() == NAMES.keys() - WITHOUT_DIRECTION


@pytest.mark.parametrize("market", MARKETS)
def test_marks_are_those_of_all_functions(market: Callable[[np.random.Generator], Series]) -> None:
    series = market(np.random.default_rng(11))
    for end in range(200, 1_200):
        part = _first(series, end)
        given = tuple(prices[-REACH:] for prices in (part.open, part.high, part.low, part.close))
        expected = {name: int(getattr(talib, name)(*given)[-1]) for name in DIRECTED}
        if part.high[-1] <= part.low[-1]:
            expected = {}
        assert bullish_at_end(part, DIRECTED) == _above(expected), end
        assert bearish_at_end(part, DIRECTED) == _above({name: -mark for name, mark in expected.items()}), end


def _first(series: Series, count: int) -> Series:
    """The first candles, and no earlier ones than can matter."""
    since = count - 60
    prices = (series.open, series.high, series.low, series.close, series.volume)
    return Series(series.interval, series.times[since:count], *(each[since:count] for each in prices))


def _above(marks: Mapping[str, int]) -> dict[str, int]:
    return {name: mark for name, mark in marks.items() if mark > 0}
