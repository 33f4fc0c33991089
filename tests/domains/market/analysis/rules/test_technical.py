import math
from collections import Counter
from collections.abc import Callable
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given

from app.domains.market.analysis.model.technical import Indicator, Signal, TechnicalFindings
from app.domains.market.analysis.rules.dollars import dollars, moment
from app.domains.market.analysis.rules.indicators import value_of
from app.domains.market.analysis.rules.series import Series
from app.domains.market.analysis.rules.technical import technical, verdict_of
from app.domains.market.prices.model import Interval
from tests.domains.market.series import flat_candles, head, numbers_in, series, walk

RISING = flat_candles(100 * 1.01 ** np.arange(260))
FALLING = flat_candles(100 * 0.99 ** np.arange(260))


def test_findings_are_the_indicators() -> None:
    prices = walk(300)
    found = technical(prices)
    assert (found.interval, found.candles, found.missing_candles) == (Interval.ONE_HOUR, 300, 0)
    assert found.last_opened_at == moment(int(prices.times[-1]))
    assert found.price == dollars(float(prices.close[-1]))
    assert found.rsi.value == value_of(Indicator.RSI_14, prices)
    assert found.macd.line == dollars(value_of(Indicator.MACD, prices))
    assert found.macd.signal_line == dollars(value_of(Indicator.MACD_SIGNAL, prices))
    assert found.macd.histogram == dollars(value_of(Indicator.MACD_HISTOGRAM, prices))
    assert found.bollinger.upper == dollars(value_of(Indicator.BOLLINGER_UPPER, prices))
    assert found.bollinger.middle == dollars(value_of(Indicator.BOLLINGER_MIDDLE, prices))
    assert found.bollinger.lower == dollars(value_of(Indicator.BOLLINGER_LOWER, prices))
    assert [(it.kind.value, it.period) for it in found.moving_averages] == [
        ("simple", 20),
        ("simple", 50),
        ("simple", 200),
        ("exponential", 12),
        ("exponential", 26),
        ("exponential", 50),
    ]
    assert [it.value for it in found.moving_averages] == [
        dollars(value_of(Indicator(name), prices))
        for name in ("sma_20", "sma_50", "sma_200", "ema_12", "ema_26", "ema_50")
    ]
    assert found.atr.value == dollars(value_of(Indicator.ATR_14, prices))
    assert found.atr.part_of_price == (value_of(Indicator.ATR_14, prices) or 0) / prices.close[-1]
    assert (found.stochastic.k, found.stochastic.d) == (
        value_of(Indicator.STOCHASTIC_K, prices),
        value_of(Indicator.STOCHASTIC_D, prices),
    )
    assert (found.adx.value, found.adx.plus_di, found.adx.minus_di) == (
        value_of(Indicator.ADX_14, prices),
        value_of(Indicator.PLUS_DI_14, prices),
        value_of(Indicator.MINUS_DI_14, prices),
    )


def test_a_steady_rise_is_overbought_and_in_trend() -> None:
    found = technical(RISING)
    assert found.rsi.signal is Signal.STRONG_SELL
    assert found.stochastic.signal is Signal.SELL
    assert found.adx.signal is Signal.STRONG_BUY
    # A rise by 1% a candle is a rise by its own true range.
    assert found.atr.signal is Signal.BUY
    assert found.macd.signal is Signal.BUY
    assert found.bollinger.signal is Signal.SELL
    assert [it.signal for it in found.moving_averages] == [
        Signal.STRONG_BUY,
        Signal.STRONG_BUY,
        Signal.STRONG_BUY,
        Signal.STRONG_BUY,
        Signal.STRONG_BUY,
        Signal.STRONG_BUY,
    ]
    # Averages 1; the others (-1 - 0.5 + 1 + 0.5 + 0.5 - 0.5) / 6 = 0.
    assert found.verdict.score == pytest.approx(0.5)
    assert found.verdict.signal is Signal.STRONG_BUY
    counts = found.verdict
    assert (counts.strong_buy, counts.buy, counts.neutral, counts.sell, counts.strong_sell) == (7, 2, 0, 2, 1)


def test_a_steady_fall_is_oversold_and_in_trend() -> None:
    found = technical(FALLING)
    assert found.rsi.signal is Signal.STRONG_BUY
    assert found.adx.signal is Signal.STRONG_SELL
    # A fall of 1 per cent of less and less slows down in dollars, and that is what MACD measures.
    assert found.macd.signal is Signal.BUY
    assert {it.signal for it in found.moving_averages} == {Signal.STRONG_SELL}


@pytest.mark.parametrize(
    ("last", "atr", "bollinger"),
    [
        (100.0, Signal.NEUTRAL, Signal.NEUTRAL),
        (103.0, Signal.STRONG_BUY, Signal.STRONG_SELL),
        (97.0, Signal.STRONG_SELL, Signal.STRONG_BUY),
    ],
)
def test_a_leap_breaks_out_of_range_and_bands(last: float, atr: Signal, bollinger: Signal) -> None:
    # To and fro by a dollar, and then the leap from 100 to the last.
    found = technical(flat_candles([100.0, 101.0, 100.0, 99.0] * 20 + [100.0, last]))
    assert (found.atr.signal, found.bollinger.signal) == (atr, bollinger)


def test_macd_is_strong_for_three_candles_after_it_crossed() -> None:
    falling = list(200 - np.arange(60.0))
    turned = [falling[-1] + 3.0 * step for step in range(1, 12)]
    signals = [technical(flat_candles(falling + turned[:count])).macd.signal for count in range(1, 12)]
    first = signals.index(Signal.STRONG_BUY)
    assert set(signals[:first]) <= {Signal.SELL, Signal.STRONG_SELL}
    assert signals[first:] == [Signal.STRONG_BUY] * 3 + [Signal.BUY] * (len(signals) - first - 3)


def test_the_stochastic_is_strong_where_it_has_turned() -> None:
    zigzag = [100.0, 120.0] * 20
    low = technical(flat_candles([*zigzag, *np.linspace(118, 100, 10)])).stochastic
    assert low.k is not None
    assert low.d is not None
    assert (low.k < low.d, low.signal) == (True, Signal.NEUTRAL if low.d > 20 else Signal.BUY)
    turned = technical(flat_candles([*zigzag, *np.linspace(110, 101, 10), 100.5, 100.4, 100.3, 102.0])).stochastic
    assert turned.k is not None
    assert turned.d is not None
    assert 20 >= turned.k > turned.d
    assert turned.signal is Signal.STRONG_BUY


def graded(value: float, strong_sell: float, sell: float, buy: float, strong_buy: float) -> Signal:
    """The signal where the bounds are those at and beyond which it begins, selling under buying."""
    if value <= strong_sell:
        return Signal.STRONG_SELL
    if value <= sell:
        return Signal.SELL
    if value < buy:
        return Signal.NEUTRAL
    return Signal.BUY if value < strong_buy else Signal.STRONG_BUY


def test_signals_follow_the_bounds_that_are_stated() -> None:
    seen: dict[str, set[Signal | None]] = {"rsi": set(), "bollinger": set(), "average": set(), "adx": set()}
    chance = np.random.default_rng(2)
    for seed in range(400):
        drift = chance.uniform(-0.6, 0.6)
        prices = flat_candles(100 * np.exp(0.02 * np.cumsum(chance.normal(drift, 1, 60)) * (seed % 5 + 1) / 5))
        found = technical(prices)
        rsi, bollinger, average, adx = found.rsi, found.bollinger, found.moving_averages[0], found.adx
        assert rsi.signal is graded(-(rsi.value or 0), -80, -70, -30, -20)
        assert bollinger.signal is graded(-(bollinger.percent_b or 0), -1, -0.9, -0.1, 0)
        above = float(prices.close[-1] / np.mean(prices.close[-20:])) - 1
        assert average.signal is graded(above, -0.05, -0.001, 0.001, 0.05)
        leading = (adx.value or 0) * (1 if (adx.plus_di or 0) > (adx.minus_di or 0) else -1)
        assert adx.signal is graded(leading, -40, -20, 20, 40)
        for name, signal in zip(seen, (rsi.signal, bollinger.signal, average.signal, adx.signal), strict=True):
            seen[name].add(signal)
    assert list(seen.values()) == [set(Signal)] * 4


def test_no_candles_find_nothing_and_say_what_is_needed() -> None:
    found = technical(flat_candles([]))
    assert (found.interval, found.candles, found.price, found.last_opened_at) == (None, 0, None, None)
    assert numbers_in(found) == []
    assert (found.verdict.signal, found.verdict.score, found.verdict.strong_buy) == (None, None, 0)
    assert (found.patterns, found.supports, found.resistances) == ((), (), ())
    readings: list[Any] = [found.rsi, found.macd, found.bollinger, *found.moving_averages, found.atr, found.stochastic]
    readings.append(found.adx)
    assert [it.candles_needed for it in readings] == [15, 34, 20, 20, 50, 200, 12, 26, 50, 15, 18, 28]
    assert {it.signal for it in readings} == {None}


def test_each_indicator_speaks_from_the_candle_that_it_needs() -> None:
    prices = walk(260)
    picks: list[Callable[[TechnicalFindings], tuple[Signal | None, int]]] = [
        lambda it: (it.rsi.signal, it.rsi.candles_needed),
        lambda it: (it.macd.signal, it.macd.candles_needed),
        lambda it: (it.bollinger.signal, it.bollinger.candles_needed),
        lambda it: (it.moving_averages[2].signal, it.moving_averages[2].candles_needed),
        lambda it: (it.atr.signal, it.atr.candles_needed),
        lambda it: (it.stochastic.signal, it.stochastic.candles_needed),
        lambda it: (it.adx.signal, it.adx.candles_needed),
    ]
    for pick in picks:
        needed = pick(technical(prices))[1]
        assert pick(technical(head(prices, needed - 1)))[0] is None
        assert pick(technical(head(prices, needed)))[0] is not None


@pytest.mark.parametrize(
    ("oscillators", "averages", "score", "signal"),
    [
        ([], [], None, None),
        ([None], [None, None], None, None),
        ([Signal.STRONG_BUY], [], 1, Signal.STRONG_BUY),
        ([Signal.STRONG_BUY, None], [Signal.NEUTRAL] * 6, 0.5, Signal.STRONG_BUY),
        ([Signal.BUY, Signal.NEUTRAL], [Signal.NEUTRAL], 0.125, Signal.BUY),
        ([Signal.BUY], [Signal.SELL] * 6, 0, Signal.NEUTRAL),
        ([Signal.NEUTRAL] * 3, [Signal.SELL], -0.25, Signal.SELL),
        ([Signal.STRONG_SELL], [Signal.STRONG_SELL], -1, Signal.STRONG_SELL),
    ],
)
def test_the_verdict_weighs_two_groups_alike(
    oscillators: list[Signal | None], averages: list[Signal | None], score: float | None, signal: Signal | None
) -> None:
    verdict = verdict_of(oscillators, averages)
    assert (verdict.score, verdict.signal) == (score, signal)
    said = Counter(it for it in [*oscillators, *averages] if it)
    counts = [verdict.strong_buy, verdict.buy, verdict.neutral, verdict.sell, verdict.strong_sell]
    assert counts == [said[it] for it in Signal]


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (1234567.890123456, "1234567.89012"),
        (1e11, "100000000000"),
        (1e12, "1000000000000"),
        (1.23456789012345e-9, "0.000000001234567890"),
        (-0.0, "0"),
        (1e-30, "0"),
        (-2.5, "-2.5"),
    ],
)
def test_dollars_have_twelve_digits_and_eighteen_decimals(value: float, shown: str) -> None:
    assert format(dollars(value), "f") == shown


@given(series())
def test_findings_are_finite_and_survive_json(prices: Series) -> None:
    found = technical(prices)
    assert all(math.isfinite(number) for number in numbers_in(found))
    assert msgspec.convert(msgspec.to_builtins(found), TechnicalFindings) == found
    assert msgspec.json.decode(msgspec.json.encode(found), type=TechnicalFindings) == found
    assert all(level.price < (found.price or 0) for level in found.supports)
    assert all(level.price > (found.price or 0) for level in found.resistances)
