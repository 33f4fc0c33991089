"""Candlestick patterns in falling and rising markets. Which are complete was looked up in their definitions."""

from typing import TypeAlias

import numpy as np
import pytest

from app.domains.market.analysis.rules.patterns import NAMES
from app.domains.market.analysis.rules.series import Series
from app.domains.trading.strategies.model import PatternRecognition, SignalType
from app.domains.trading.strategies.rules.pattern_recognition import (
    CONTINUATIONS,
    REVERSALS,
    WITHOUT_DIRECTION,
    candles_needed,
    decide,
)
from tests.domains.market.series import flat_candles, head, scaled, walk
from tests.domains.trading.strategies.windows import HELD, ohlc, window

Candle: TypeAlias = tuple[float, float, float, float]

CONFIG = PatternRecognition()
BUY, SELL, HOLD = SignalType.BUY, SignalType.SELL, SignalType.HOLD


def falling(*candles: Candle) -> Series:
    """Quiet candles from 130 down to 105, and then these."""
    return ohlc([*((130.0 - at, 130.6 - at, 128.4 - at, 129.0 - at) for at in range(25)), *candles])


def rising(*candles: Candle) -> Series:
    """Quiet candles from 70 up to 95, and then these."""
    return ohlc([*((70.0 + at, 71.6 + at, 69.4 + at, 71.0 + at) for at in range(25)), *candles])


BLACK: Candle = (105.0, 105.2, 102.8, 103.0)
WHITE: Candle = (102.5, 106.5, 102.4, 106.0)
"""It opens below the black one, closes above it, and is long: a bullish engulfing and a belt hold."""
SAME_OPEN: Candle = (103.0, 106.5, 102.4, 106.0)
"""It engulfs at one end only: TA-Lib gives 80."""
LONG_WHITE: Candle = (95.0, 98.0, 95.0, 98.0)
"""Without shadows: a marubozu, and a belt hold."""
LONG_BLACK: Candle = (104.0, 104.0, 101.0, 101.0)


@pytest.mark.parametrize(
    ("candles", "bought", "sold", "names"),
    [
        (falling(BLACK, WHITE), BUY, HOLD, {"beltHold": 100, "engulfing": 100}),
        (falling((105.0, 105.6, 103.4, 104.0)), HOLD, HOLD, {}),
        (rising(LONG_WHITE), BUY, HOLD, {"closingMarubozu": 100, "marubozu": 100}),
        # The same candles after the other trend: reversals do not continue, and continuations do not reverse.
        (falling((104.0, 107.0, 104.0, 107.0)), BUY, HOLD, {"beltHold": 100, "engulfing": 100}),
        (rising((96.0, 96.1, 92.0, 96.05)), HOLD, SELL, {"hangingMan": -100}),
        (falling(LONG_BLACK), HOLD, SELL, {"beltHold": -100, "closingMarubozu": -100, "marubozu": -100}),
        (rising((95, 96.6, 94.4, 96.0), (96.5, 96.6, 93, 94)), HOLD, SELL, {"beltHold": -100, "engulfing": -100}),
        # TA-Lib marks a gravestone doji with 100 wherever it is; after a rise it is a shooting star.
        (rising((96, 99, 95.98, 96.0)), HOLD, SELL, {"shootingStar": -100}),
        (falling((104, 107, 103.98, 104.0)), BUY, HOLD, {"invertedHammer": 100}),
        # The same place without a range is nothing; with one it is a harami cross.
        (falling(LONG_BLACK, (102.3, 102.8, 102.2, 102.5)), BUY, HOLD, {"harami": 100, "haramiCross": 100}),
        (falling(LONG_BLACK, (102.5, 102.5, 102.5, 102.5)), HOLD, HOLD, {}),
    ],
)
def test_it_trades_patterns_that_fit_the_trend(
    candles: Series, bought: SignalType, sold: SignalType, names: dict[str, float]
) -> None:
    found = {side: decide(CONFIG, window(candles), held, None) for side, held in ((BUY, ()), (SELL, HELD))}
    assert (found[BUY].type, found[SELL].type) == (bought, sold)
    average = float(np.mean(candles.close[-20:]))
    for side, decision in found.items():
        expected = {"sma": average} | (names if decision.type is side else {})
        assert decision.indicators == pytest.approx(expected), side


def test_a_pattern_counts_from_the_least_strength_on() -> None:
    candles = window(falling(BLACK, SAME_OPEN))
    for least, expected in ((79, BUY), (80, BUY), (81, HOLD)):
        assert decide(PatternRecognition(least_strength=least), candles, (), None).type is expected, least
    black = window(rising((94.0, 96.2, 93.8, 96.0), (96.0, 97.0, 92.5, 93.0)))
    for least, expected in ((80, SELL), (81, HOLD)):
        assert decide(PatternRecognition(least_strength=least), black, HELD, None).type is expected, least


def test_what_is_also_bearish_is_not_bought() -> None:
    candles = window(falling((104.5, 105.7, 104.5, 105.0), (106.0, 107.8, 105.8, 107.0)))
    decision = decide(CONFIG, candles, (), None)
    assert decision.type is HOLD
    assert decision.reasoning == "Bullish at the last candle: Belt hold; but bearish: Hikkake."
    assert decision.indicators == {"sma": 112.75, "beltHold": 100, "hikkake": -100}


def test_confidence_and_words() -> None:
    bought = decide(CONFIG, window(falling(BLACK, WHITE)), (), None)
    # Two patterns are one unit more than one.
    assert bought.confidence == 75
    assert bought.reasoning == (
        "Bullish reversal at the last candle: Belt hold, Engulfing. "
        "The close of $106 is below the average of 20 candles, $112.6."
    )
    assert decide(PatternRecognition(least_strength=80), window(falling(BLACK, SAME_OPEN)), (), None).confidence == 50
    sold = decide(CONFIG, window(falling(LONG_BLACK)), HELD, None)
    # Three: 100 - 50 / 3.
    assert sold.confidence == 83
    assert sold.reasoning.startswith(
        "Bearish at the last candle: Belt hold, Closing marubozu, Marubozu. The close of $101"
    )


def test_patterns_are_the_same_at_every_magnitude() -> None:
    for scale in (2.0**-46, 2.0**30):
        decision = decide(CONFIG, window(scaled(falling(BLACK, WHITE), scale)), (), None)
        assert (decision.type, decision.confidence) == (BUY, 75)


def test_a_close_at_the_average_has_no_trend() -> None:
    for price in (1e-12, 0.1, 1e11):
        for held in ((), HELD):
            decision = decide(CONFIG, window(flat_candles([price] * 60)), held, None)
            assert (decision.type, decision.indicators) == (HOLD, {"sma": price})


def test_every_pattern_reverses_or_continues_or_has_no_direction() -> None:
    kinds = [*REVERSALS, *CONTINUATIONS, *WITHOUT_DIRECTION]
    assert sorted(kinds) == sorted(NAMES)


@pytest.mark.parametrize(("period", "needed"), [(20, 20), (50, 50), (2, 15)])
def test_one_candle_too_few_holds_and_says_so(period: int, needed: int) -> None:
    config = PatternRecognition(trend_period=period)
    assert candles_needed(config) == needed
    prices = walk(needed)
    assert decide(config, window(prices), (), None).indicators
    decision = decide(config, window(head(prices, needed - 1)), HELD, None)
    assert (decision.type, decision.confidence, decision.indicators) == (HOLD, 1, {})
    assert f"{needed - 1} of the {needed} closed candles" in decision.reasoning
