"""Candlestick patterns, and the levels at which the price has turned."""

from decimal import Decimal

import numpy as np

from app.domains.market.analysis.model.technical import Pattern, PatternDirection
from app.domains.market.analysis.rules.dollars import moment
from app.domains.market.analysis.rules.levels import levels_of
from app.domains.market.analysis.rules.patterns import NAMES, patterns_in
from app.domains.market.analysis.rules.series import Series
from app.domains.market.analysis.rules.talib_binding import talib
from app.domains.market.prices.model import Interval
from tests.domains.market.series import BEGIN_S, flat_candles, head


def drawn(candles: list[tuple[float, float, float, float]]) -> Series:
    """Quiet candles of a slow fall, and then these: open, high, low, close."""
    quiet = [(130.0 - at, 130.6 - at, 128.4 - at, 129.0 - at) for at in range(25)]
    opened, high, low, close = np.array(quiet + candles).T.copy()
    count = len(opened)
    times = BEGIN_S + 3600 * np.arange(count, dtype=np.int64)
    return Series(Interval.ONE_HOUR, times, opened, high, low, close, np.ones(count))


def test_every_pattern_of_talib_has_a_name() -> None:
    functions = {name for name in dir(talib) if name.startswith("CDL")}
    assert set(NAMES) == {name for name in functions if not name.endswith("_Stream")}
    assert len(set(NAMES.values())) == len(NAMES)


def test_a_bullish_engulfing_is_found_when_it_is_complete() -> None:
    prices = drawn([(105.0, 105.2, 102.8, 103.0), (102.5, 106.5, 102.4, 106.0)])
    at = moment(int(prices.times[-1]))
    assert Pattern("Engulfing", PatternDirection.BULLISH, at) in patterns_in(prices)
    assert "Engulfing" not in {pattern.name for pattern in patterns_in(head(prices, len(prices) - 1))}


def test_a_pattern_is_found_for_five_candles_and_newest_first() -> None:
    after = [(106.0 - step, 106.6 - step, 104.4 - step, 105.0 - step) for step in range(5)]
    prices = drawn([(105.0, 105.2, 102.8, 103.0), (102.5, 106.5, 102.4, 106.0), *after])
    assert "Engulfing" in {pattern.name for pattern in patterns_in(head(prices, len(prices) - 1))}
    found = patterns_in(prices)
    assert "Engulfing" not in {pattern.name for pattern in found}
    assert [pattern.opened_at for pattern in found] == sorted((it.opened_at for it in found), reverse=True)


def test_a_doji_is_undecided_and_a_candle_without_a_range_is_none() -> None:
    prices = drawn([(105.0, 106.0, 104.0, 105.0)])
    doji = [pattern for pattern in patterns_in(prices) if pattern.name == "Doji"]
    assert doji == [Pattern("Doji", PatternDirection.UNDECIDED, moment(int(prices.times[-1])))]
    assert patterns_in(flat_candles([5.0] * 50)) == ()


def test_levels_are_where_the_price_turned_on_either_side_of_it() -> None:
    up, down = list(np.linspace(100, 110, 8)), list(np.linspace(110, 100, 8))
    prices = flat_candles([*up, *down[1:], *up[1:], *down[1:], *np.linspace(100, 105, 6)[1:]])
    supports, resistances = levels_of(prices)
    assert [(level.price, level.touches) for level in supports] == [(Decimal(100), 2)]
    assert [(level.price, level.touches) for level in resistances] == [(Decimal(110), 2)]
    assert resistances[0].last_touched_at == moment(int(prices.times[21]))
    assert levels_of(head(prices, 10)) == ((), ())


def test_pivots_close_together_are_one_level_and_three_at_most_are_shown() -> None:
    peaks = [110.0, 110.4, 112.0, 114.0, 116.0]
    closes = [100.0]
    for peak in peaks:
        closes += [*np.linspace(100, peak, 8)[1:], *np.linspace(peak, 100, 8)[1:]]
    _, resistances = levels_of(flat_candles(closes))
    assert [(level.price, level.touches) for level in resistances] == [
        (Decimal("110.2"), 2),
        (Decimal(112), 1),
        (Decimal(114), 1),
    ]
