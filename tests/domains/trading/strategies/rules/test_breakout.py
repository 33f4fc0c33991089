"""Breakouts at and around their channels and their range. Expected numbers are computed by hand."""

from decimal import Decimal

import pytest

from app.domains.trading.strategies.model import Breakout, SignalType
from app.domains.trading.strategies.rules.breakout import candles_needed, decide
from tests.domains.market.series import head, walk
from tests.domains.trading.strategies import by_hand
from tests.domains.trading.strategies.windows import HELD, ohlc, window

CONFIG = Breakout(entry_period=4, exit_period=2, atr_period=2)
BUY, SELL, HOLD = SignalType.BUY, SignalType.SELL, SignalType.HOLD
CHANNEL = [(100.0, 109.0, 99.0, 100.0), (100.0, 105.0, 90.0, 100.0), (100.0, 103.0, 96.0, 100.0), (100, 102, 95, 100)]
"""Of four candles the highest is 109 and the lowest 90; of the last two, 103 and 95."""


@pytest.mark.parametrize(
    ("candle", "expected"),
    [
        ((100, 109, 99, 108.99), HOLD),
        ((100, 109, 99, 109), HOLD),
        ((100, 110, 99, 109.01), BUY),
        # Its own high is none of the channel.
        ((100, 120, 99, 109.01), BUY),
        ((100, 120, 99, 104), HOLD),
    ],
)
def test_it_buys_above_the_highest_before(candle: tuple[float, float, float, float], expected: SignalType) -> None:
    assert decide(CONFIG, window(ohlc([*CHANNEL, candle])), (), None).type is expected


def test_what_was_before_the_channel_does_not_count() -> None:
    older = [(100.0, 500.0, 1.0, 100.0), *CHANNEL]
    assert decide(CONFIG, window(ohlc([*older, (100, 110, 99, 109.01)])), (), None).type is BUY
    assert decide(CONFIG, window(ohlc([*older, (100, 101, 94, 94.99)])), HELD, None).type is SELL


@pytest.mark.parametrize(
    ("candle", "expected"),
    [
        ((100, 101, 94, 95.01), HOLD),
        ((100, 101, 94, 95), HOLD),
        ((100, 101, 94, 94.99), SELL),
        ((100, 101, 50, 97), HOLD),
        ((100, 120, 99, 119), HOLD),
    ],
)
def test_it_sells_below_the_lowest_before(candle: tuple[float, float, float, float], expected: SignalType) -> None:
    assert decide(CONFIG, window(ohlc([*CHANNEL, candle])), HELD, None).type is expected


def test_it_buys_from_the_least_range_on() -> None:
    candles = ohlc([*CHANNEL, (100, 110, 99, 110)])
    # True ranges of 15, 7, 7 and 11: (15 + 7) / 2, then halves with 7 and 11.
    assert by_hand.atr(candles, 2) == 10
    share = Decimal(str(round(10 / 110 * 100, 9)))
    nudge = Decimal("1e-9")
    for least, expected in ((share - nudge, BUY), (share, BUY), (share + nudge, HOLD)):
        config = Breakout(entry_period=4, exit_period=2, atr_period=2, least_atr_percentage=least)
        decision = decide(config, window(candles), (), None)
        assert decision.type is expected, least
    assert decision.reasoning == (
        "The close of $110 is above the highest of 4 candles before, $109, "
        "but the average range is 9.0909% of the price, less than 9.0909%."
    )


def test_confidence_words_and_indicators() -> None:
    bought = decide(CONFIG, window(ohlc([*CHANNEL, (100, 114, 99, 114)])), (), None)
    # The last true range is 15, and the average of it and 9 is 12: 5 of them beyond the channel, 100 - 50 / (1 + 5/12).
    assert bought.confidence == 64
    assert bought.indicators == pytest.approx(
        {"highestHigh": 109, "lowestLow": 95, "atr": 12, "atrPercentage": 1200 / 114}
    )
    assert bought.reasoning == (
        "The close of $114 is above the highest of 4 candles before, $109, "
        "and the average range is 10.526% of the price, at least 0.1%."
    )
    sold = decide(CONFIG, window(ohlc([*CHANNEL, (100, 100, 85, 85)])), HELD, None)
    # 10 beyond the channel, with the same average.
    assert sold.confidence == 72
    assert sold.reasoning == "The close of $85 is below the lowest of 2 candles before, $95."


def test_its_range_is_by_its_definition() -> None:
    prices = walk(150, seed=9)
    found = decide(Breakout(), window(prices), (), None).indicators
    expected = by_hand.atr(prices, 14)
    assert found["atr"] == pytest.approx(expected, rel=1e-9)
    assert found["atrPercentage"] == pytest.approx(100 * expected / prices.close[-1], abs=1e-8)
    assert found["highestHigh"] == max(prices.high[-21:-1])
    assert found["lowestLow"] == min(prices.low[-11:-1])


@pytest.mark.parametrize("price", [1e-12, 0.1, 1e11])
def test_a_price_that_stands_still_breaks_out_of_nothing(price: float) -> None:
    still = window([price] * 50)
    assert decide(Breakout(), still, (), None).type is HOLD
    assert decide(Breakout(), still, HELD, None).type is HOLD


@pytest.mark.parametrize("config", [Breakout(), Breakout(exit_period=30), Breakout(atr_period=40)])
def test_one_candle_too_few_holds_and_says_so(config: Breakout) -> None:
    needed = max(config.entry_period, config.exit_period, config.atr_period) + 1
    assert candles_needed(config) == needed
    prices = walk(needed)
    assert decide(config, window(prices), (), None).indicators
    decision = decide(config, window(head(prices, needed - 1)), HELD, None)
    assert (decision.type, decision.confidence, decision.indicators) == (HOLD, 1, {})
    assert f"{needed - 1} of the {needed} closed candles" in decision.reasoning
