"""Mean reversion at and around its bands. Expected numbers are computed by hand."""

from decimal import Decimal

import numpy as np
import pytest

from app.domains.trading.strategies.model import MeanReversion, SignalType
from app.domains.trading.strategies.rules.mean_reversion import candles_needed, decide
from tests.domains.market.series import head, walk
from tests.domains.trading.strategies import by_hand
from tests.domains.trading.strategies.windows import HELD, window

CONFIG = MeanReversion(period=10, rsi_period=2)
"""Below two deviations of ten candles, oversold at 30."""
BUY, SELL, HOLD = SignalType.BUY, SignalType.SELL, SignalType.HOLD


@pytest.mark.parametrize(
    ("last", "expected"),
    [
        # Eight at 100 and two at 90: the average is 98, the deviation 4, the lower band 90.
        (90.01, HOLD),
        (90, HOLD),
        (89.99, BUY),
    ],
)
def test_it_buys_below_the_lower_band(last: float, expected: SignalType) -> None:
    assert decide(CONFIG, window([*[100.0] * 8, 90, last]), (), None).type is expected


@pytest.mark.parametrize(
    ("last", "expected"),
    [
        # Three up and seven down: the RSI of ten changes is 30.
        (96.01, HOLD),
        (96, HOLD),
        (95.99, BUY),
    ],
)
def test_it_buys_what_is_oversold(last: float, expected: SignalType) -> None:
    config = MeanReversion(period=10, rsi_period=10)
    assert decide(config, window([100, *[103.0] * 9, last]), (), None).type is expected


@pytest.mark.parametrize(
    ("last", "expected"),
    [
        # The average of 99, 101 and the close.
        (99.99, HOLD),
        (100, SELL),
        (100.01, SELL),
    ],
)
def test_it_sells_from_the_average_on(last: float, expected: SignalType) -> None:
    config = MeanReversion(period=3, rsi_period=2)
    assert decide(config, window([99, 101, last]), HELD, None).type is expected


def test_bands_and_strength_are_by_their_definitions() -> None:
    prices = walk(150, seed=6)
    middle, spread = float(np.mean(prices.close[-20:])), float(np.std(prices.close[-20:]))
    decision = decide(MeanReversion(deviations=Decimal("1.5")), window(prices), (), None)
    assert decision.indicators == pytest.approx(
        {
            "middleBand": middle,
            "lowerBand": middle - 1.5 * spread,
            "upperBand": middle + 1.5 * spread,
            "rsi": by_hand.rsi(prices.close, 14),
        },
        rel=1e-9,
    )


def test_confidence_and_words() -> None:
    # One of ten is three deviations away: half of two beyond it, 100 - 50 / 1.5.
    bought = decide(CONFIG, window([*[100.0] * 9, 90]), (), None)
    assert bought.confidence == 66
    assert bought.reasoning == (
        "The close of $90 is 3 deviations below the average of $99, more than 2, and the RSI of 0 is below 30."
    )
    sold = decide(CONFIG, window([*[100.0] * 9, 110]), HELD, None)
    # Three deviations above: one and a half times two, 100 - 50 / 2.5.
    assert (sold.type, sold.confidence) == (SELL, 80)
    assert sold.reasoning == (
        "The close of $110 is 3 deviations above the average of 10 candles, $101: it has returned."
    )
    held = decide(CONFIG, window([*[100.0] * 9, 90]), HELD, None)
    assert held.reasoning == "The close of $90 is 3 deviations below the average of 10 candles, $99."
    assert (
        "2 deviations below the average, and not more than 2"
        in decide(CONFIG, window([*[100.0] * 8, 90, 90]), (), None).reasoning
    )


@pytest.mark.parametrize("price", [1e-12, 0.1, 1e11])
def test_a_price_that_stands_still_is_at_its_average(price: float) -> None:
    still = window([price] * 50)
    bought, sold = decide(CONFIG, still, (), None), decide(CONFIG, still, HELD, None)
    assert (bought.type, bought.indicators) == (HOLD, {"middleBand": price})
    assert bought.reasoning == "The price has not moved in 10 candles: there are no bands."
    assert (sold.type, sold.confidence) == (SELL, 50)


def test_a_fall_that_stands_still_since_is_not_bought() -> None:
    config = MeanReversion(period=20, rsi_period=2)
    decision = decide(config, window([*[100.0] * 17, 90, 90, 90]), (), None)
    # Three of twenty are the root of 17 / 3 away, 2.38 deviations.
    assert decision.reasoning == (
        "The close of $90 is 2.3805 deviations below the average of $98.5, but it has not moved since."
    )
    assert (decision.type, "rsi" in decision.indicators) == (HOLD, False)


@pytest.mark.parametrize("config", [MeanReversion(), MeanReversion(period=10)])
def test_one_candle_too_few_holds_and_says_so(config: MeanReversion) -> None:
    needed = max(config.period, config.rsi_period + 1)
    assert candles_needed(config) == needed
    prices = walk(needed)
    assert decide(config, window(prices), (), None).indicators
    decision = decide(config, window(head(prices, needed - 1)), HELD, None)
    assert (decision.type, decision.confidence, decision.indicators) == (HOLD, 1, {})
    assert f"{needed - 1} of the {needed} closed candles" in decision.reasoning
