"""Scalping at its crossings, and at and around its volume. Expected numbers are computed by hand."""

from decimal import Decimal

import pytest

from app.domains.trading.strategies.model import Decision, Entry, Scalping, SignalType
from app.domains.trading.strategies.rules.scalping import candles_needed, decide
from tests.domains.market.series import flat_candles, head, walk
from tests.domains.trading.strategies import by_hand
from tests.domains.trading.strategies.windows import HELD, window, with_volumes

CONFIG = Scalping(fast_period=2, slow_period=4)
"""Bought above 1.2 times the average volume."""
BUY, SELL, HOLD = SignalType.BUY, SignalType.SELL, SignalType.HOLD
UP = [100.0, 99, 98, 97, 96, 95, 94, 98]
"""The averages of 2 and 4 closes: 94.5 and 95.5, then 96.83 and 96.5."""
DOWN = [100.0, 101, 102, 103, 104, 105, 106, 101]
"""105.5 and 104.5, then 102.5 and 103.1."""


def at(closes: list[float], volume: float, held: tuple[Entry, ...] = ()) -> Decision:
    """The decision at candles whose volumes are 50 each, and this one at the last."""
    volumes = [50.0] * (len(closes) - 1) + [volume]
    return decide(CONFIG, window(with_volumes(flat_candles(closes), volumes)), held, None)


@pytest.mark.parametrize(
    ("closes", "volume", "expected"),
    [
        (UP, 60.01, BUY),
        (UP, 60, HOLD),
        (UP, 0, HOLD),
        # It has crossed a candle before.
        ([*UP, 99], 1000, HOLD),
        # It has not crossed: 95.67 and 96.1.
        ([*UP[:-1], 97], 1000, BUY),
        ([*UP[:-1], 95], 1000, HOLD),
        # The averages were equal, and are.
        ([100, 100, 100, 100, 100, 101], 1000, BUY),
        ([100.1] * 6, 1000, HOLD),
        (DOWN, 1000, HOLD),
    ],
)
def test_it_buys_an_upward_crossing_on_volume(closes: list[float], volume: float, expected: SignalType) -> None:
    assert at(closes, volume).type is expected


@pytest.mark.parametrize(
    ("closes", "volume", "expected"),
    [
        (DOWN, 1000, SELL),
        (DOWN, 0, SELL),
        ([*DOWN, 100], 1000, HOLD),
        ([*DOWN[:-1], 105], 1000, HOLD),
        ([100, 100, 100, 100, 100, 99], 1000, SELL),
        ([100.1] * 6, 1000, HOLD),
        (UP, 1000, HOLD),
    ],
)
def test_it_sells_a_downward_crossing(closes: list[float], volume: float, expected: SignalType) -> None:
    assert at(closes, volume, HELD).type is expected


def test_confidence_words_and_indicators() -> None:
    bought = at(UP, 120)
    # 2.4 times is one unit beyond 1.2.
    assert bought.confidence == 75
    assert bought.reasoning == (
        "The faster of the average of 2 candles, $96.833, and that of 4, $96.5, crossed above the slower; "
        "the volume is 2.4 times its average, more than 1.2."
    )
    assert bought.indicators == pytest.approx({"emaFast": 96 + 5 / 6, "emaSlow": 96.5, "volumeRatio": 2.4})
    assert at(DOWN, 30, HELD).confidence == 50


def test_volume_after_none_is_as_sure_as_it_gets() -> None:
    candles = window(with_volumes(flat_candles(UP), [0.0] * 7 + [1.0]))
    bought = decide(CONFIG, candles, (), None)
    assert (bought.type, bought.confidence) == (BUY, 100)
    assert "volumeRatio" not in bought.indicators
    assert "there was no volume before" in bought.reasoning


def test_averages_are_by_their_definitions() -> None:
    prices = walk(150, seed=8)
    decision = decide(Scalping(), window(prices), (), None)
    expected = {
        "emaFast": by_hand.emas(prices.close, 5)[-1],
        "emaSlow": by_hand.emas(prices.close, 13)[-1],
        "volumeRatio": prices.volume[-1] / prices.volume[-14:-1].mean(),
    }
    assert decision.indicators == pytest.approx(expected, rel=1e-8)


@pytest.mark.parametrize("config", [Scalping(), Scalping(slow_period=40, volume_ratio=Decimal(1))])
def test_one_candle_too_few_holds_and_says_so(config: Scalping) -> None:
    needed = config.slow_period + 1
    assert candles_needed(config) == needed
    prices = walk(needed)
    assert decide(config, window(prices), (), None).indicators
    decision = decide(config, window(head(prices, needed - 1)), HELD, None)
    assert (decision.type, decision.confidence, decision.indicators) == (HOLD, 1, {})
    assert f"{needed - 1} of the {needed} closed candles" in decision.reasoning
