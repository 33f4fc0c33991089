"""Momentum at and around its thresholds. Expected numbers are computed by hand."""

import pytest

from app.domains.trading.strategies.model import Momentum, SignalType
from app.domains.trading.strategies.rules.momentum import candles_needed, decide
from tests.domains.market.series import head, walk
from tests.domains.trading.strategies import by_hand
from tests.domains.trading.strategies.windows import HELD, window

CONFIG = Momentum(period=2, rsi_period=2)
"""Above 2 % within two candles, overbought at 80."""
BUY, SELL, HOLD = SignalType.BUY, SignalType.SELL, SignalType.HOLD


@pytest.mark.parametrize(
    ("closes", "expected"),
    [
        # Down by 1 and up by 2.99 to 3.01: the RSI is 75, the change is 1.99 to 2.01 %.
        ([100, 99, 101.99], HOLD),
        ([100, 99, 102], HOLD),
        ([100, 99, 102.01], BUY),
        # 1 % in decimals that floats do not have.
        ([0.01, 0.0098, 0.0102], HOLD),
        # Up by 8 and down by 2: the RSI is 80.
        ([100, 108, 106.1], HOLD),
        ([100, 108, 106], HOLD),
        ([100, 108, 105.9], BUY),
        ([100, 99, 90], HOLD),
    ],
)
def test_it_buys_above_the_threshold_and_below_overbought(closes: list[float], expected: SignalType) -> None:
    assert decide(CONFIG, window(closes), (), None).type is expected


@pytest.mark.parametrize(
    ("closes", "expected"),
    [
        ([100, 101, 100.01], HOLD),
        ([100, 101, 100], HOLD),
        ([100, 101, 99.99], SELL),
        ([100, 108, 106.1], SELL),
        ([100, 108, 106], HOLD),
        ([100, 108, 105.9], HOLD),
        ([100, 100, 100], HOLD),
    ],
)
def test_it_sells_when_the_rise_is_over_or_overbought(closes: list[float], expected: SignalType) -> None:
    assert decide(CONFIG, window(closes), HELD, None).type is expected


def test_indicators_are_by_their_definitions() -> None:
    prices = walk(120, seed=5)
    decision = decide(Momentum(), window(prices), (), None)
    assert decision.indicators == pytest.approx(
        {
            "rateOfChangePercentage": 100 * (prices.close[-1] / prices.close[-13] - 1),
            "rsi": by_hand.rsi(prices.close, 14),
        },
        abs=1e-8,
    )


def test_confidence_and_words() -> None:
    bought = decide(CONFIG, window([100, 98, 103]), (), None)
    # Half a threshold beyond it: 100 - 50 / 1.5. Five up, two down.
    assert bought.confidence == 66
    assert bought.reasoning == (
        "Over 2 candles the price changed by 3%, more than 2%, and the RSI of 71.429 is below 80."
    )
    sold = decide(CONFIG, window([100, 101, 98]), HELD, None)
    assert (sold.confidence, sold.reasoning) == (75, "Over 2 candles the price changed by -2%: the rise is over.")
    overbought = decide(CONFIG, window([100, 109, 108]), HELD, None)
    # An RSI of 90 is half of what is left above 80.
    assert overbought.confidence == 66
    assert overbought.reasoning == ("Over 2 candles the price changed by 8%; the RSI of 90 is above 80: overbought.")


def test_a_rise_that_stands_still_since_is_not_bought() -> None:
    decision = decide(Momentum(period=5, rsi_period=2), window([100, 100, 110, 110, 110, 110]), (), None)
    assert decision.type is HOLD
    assert decision.indicators == {"rateOfChangePercentage": 10}
    assert decision.reasoning == "Over 5 candles the price changed by 10%, but not in the last 2."


@pytest.mark.parametrize("config", [Momentum(), Momentum(period=30), Momentum(rsi_period=20)])
def test_one_candle_too_few_holds_and_says_so(config: Momentum) -> None:
    needed = max(config.period, config.rsi_period) + 1
    assert candles_needed(config) == needed
    prices = walk(needed)
    assert decide(config, window(prices), (), None).indicators
    decision = decide(config, window(head(prices, needed - 1)), HELD, None)
    assert (decision.type, decision.confidence, decision.indicators) == (HOLD, 1, {})
    assert f"{needed - 1} of the {needed} closed candles" in decision.reasoning
