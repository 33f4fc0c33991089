"""Trend following at its averages, and at and around its ADX. Expected numbers are computed by hand."""

from decimal import Decimal

import numpy as np
import pytest

from app.domains.trading.strategies.model import SignalType, TrendFollowing
from app.domains.trading.strategies.rules.trend_following import candles_needed, decide
from tests.domains.market.series import flat_candles, head, walk
from tests.domains.trading.strategies import by_hand
from tests.domains.trading.strategies.windows import HELD, window

CONFIG = TrendFollowing(fast_period=2, slow_period=4, adx_period=2)
BUY, SELL, HOLD = SignalType.BUY, SignalType.SELL, SignalType.HOLD
RISING = walk(120, seed=12)
"""The average of 20 candles is above that of 50."""


def test_it_buys_a_trend_from_the_least_adx_on() -> None:
    strength = Decimal(str(round(by_hand.adx(RISING, 14), 9)))
    nudge = Decimal("1e-9")
    for least, expected in ((strength - nudge, BUY), (strength, BUY), (strength + nudge, HOLD)):
        decision = decide(TrendFollowing(least_adx=least), window(RISING), (), None)
        assert decision.type is expected, least
    assert "but the ADX" in decision.reasoning


def test_its_indicators_are_by_their_definitions() -> None:
    decision = decide(TrendFollowing(), window(RISING), (), None)
    fast, slow = by_hand.emas(RISING.close, 20)[-1], by_hand.emas(RISING.close, 50)[-1]
    expected = {"emaFast": fast, "emaSlow": slow, "adx": by_hand.adx(RISING, 14)}
    assert fast > slow
    assert decision.indicators == pytest.approx(expected, abs=1e-8)


@pytest.mark.parametrize(
    ("closes", "bought", "sold"),
    [
        # The averages of 2 and 4 closes are 94.5 and 95.5, then 96.83 and 96.5.
        ([100.0, 99, 98, 97, 96, 95, 94], HOLD, SELL),
        ([100.0, 99, 98, 97, 96, 95, 94, 98], BUY, HOLD),
        # A level above is no crossing, but a trend.
        ([100.0, 101, 102, 103, 104, 105, 106], BUY, HOLD),
        ([100.0, 101, 102, 103, 104, 105, 106, 101], HOLD, SELL),
        # 100.33 and 100.2 within a billionth of each other and of the price are equal.
        ([100.1] * 12, HOLD, HOLD),
        ([100.0] * 11 + [100.0 + 1e-8], HOLD, HOLD),
    ],
)
def test_it_holds_while_the_fast_average_is_above(closes: list[float], bought: SignalType, sold: SignalType) -> None:
    assert decide(CONFIG, window(closes), (), None).type is bought
    assert decide(CONFIG, window(closes), HELD, None).type is sold


def test_it_sells_in_a_weak_trend_too_and_holds_what_it_has_in_one() -> None:
    strict = TrendFollowing(fast_period=2, slow_period=4, adx_period=2, least_adx=Decimal(99))
    falling = window([100.0, 101, 100, 101, 100, 101, 100])
    assert decide(strict, falling, HELD, None).type is SELL
    rising = window([100.0, 101, 100, 101, 100, 101])
    assert decide(strict, rising, HELD, None).type is HOLD
    assert decide(strict, rising, (), None).type is HOLD


def test_confidence_and_words() -> None:
    rising = flat_candles(np.arange(100.0, 130))
    bought = decide(
        TrendFollowing(fast_period=2, slow_period=4, adx_period=2, least_adx=Decimal(50)), window(rising), (), None
    )
    # Only up: the ADX is 100, one unit beyond 50. The averages lag by a half and one and a half.
    assert bought.confidence == 75
    assert bought.reasoning == (
        "The average of 2 candles, $128.5, is above that of 4, $127.5, and the ADX of 100 is at least 50."
    )
    sold = decide(CONFIG, window([100.0, 101, 102, 103, 104, 105, 106, 101]), HELD, None)
    # 0.6 of 103.1 is 0.58 %: 100 - 50 / 1.58.
    assert sold.confidence == 68
    assert sold.reasoning == "The average of 2 candles, $102.5, is below that of 4, $103.1: the trend has turned."


def test_a_trend_that_stands_still_since_is_not_bought() -> None:
    config = TrendFollowing(fast_period=20, slow_period=40, adx_period=3)
    decision = decide(config, window([*np.arange(100.0, 140), *[140.0] * 5]), (), None)
    assert (decision.type, "adx" in decision.indicators) == (HOLD, False)
    assert decision.reasoning.endswith("but the price stands still.")


@pytest.mark.parametrize("config", [TrendFollowing(), TrendFollowing(adx_period=40)])
def test_one_candle_too_few_holds_and_says_so(config: TrendFollowing) -> None:
    needed = max(config.slow_period, 2 * config.adx_period)
    assert candles_needed(config) == needed
    prices = walk(needed)
    assert "adx" in decide(config, window(prices), (), None).indicators
    decision = decide(config, window(head(prices, needed - 1)), HELD, None)
    assert (decision.type, decision.confidence, decision.indicators) == (HOLD, 1, {})
    assert f"{needed - 1} of the {needed} closed candles" in decision.reasoning
