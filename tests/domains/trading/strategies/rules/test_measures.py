"""Each measure against its definition, and at the ends of what prices and volumes can be."""

import math

import numpy as np
import pytest

from app.domains.market.analysis.rules.series import Floats, Series
from app.domains.trading.strategies.model import WINDOW_CANDLES
from app.domains.trading.strategies.rules import measures
from tests.domains.market.series import flat_candles, head, scaled, walk
from tests.domains.trading.strategies import by_hand
from tests.domains.trading.strategies.windows import window, with_volumes

PERIODS = (2, 3, 14, 100)
SCALES = (2.0**-40, 1.0, 2.0**33)
"""From 10^-12 to 10^11 dollars, about. A power of two, so that the prices are exactly the same ones."""


@pytest.mark.parametrize("period", PERIODS)
@pytest.mark.parametrize("scale", SCALES)
def test_indicators_are_what_their_definitions_say_at_every_magnitude(period: int, scale: float) -> None:
    prices = walk(WINDOW_CANDLES, seed=period)
    found = scaled(prices, scale)
    assert measures.rsi(found, period) == pytest.approx(by_hand.rsi(prices.close, period), abs=1e-8)
    assert measures.adx(found, period) == pytest.approx(by_hand.adx(prices, period), abs=1e-8)
    assert measures.atr(found, period) == pytest.approx(by_hand.atr(prices, period) * scale, rel=1e-9)
    assert measures.ema(found, period)[-1] == pytest.approx(by_hand.emas(prices.close, period)[-1] * scale, rel=1e-9)
    closes = found.close[-period:]
    assert measures.mean(closes) == pytest.approx(float(np.mean(prices.close[-period:])) * scale, rel=1e-12)
    assert measures.deviation(closes) == pytest.approx(float(np.std(prices.close[-period:])) * scale, rel=1e-9)
    expected = 100 * (prices.close[-1] / prices.close[-1 - period] - 1)
    assert measures.rate_of_change(found, period) == pytest.approx(expected, abs=1e-8)


@pytest.mark.parametrize("price", [1e-12, 0.1, 5.0, 1e11])
@pytest.mark.parametrize("count", [3, 7, 20, 100])
def test_a_price_that_stands_still_is_its_average_and_has_no_strength(price: float, count: int) -> None:
    still = flat_candles([price] * (2 * count))
    assert measures.mean(still.close[-count:]) == price
    assert measures.deviation(still.close[-count:]) is None
    assert measures.rsi(still, count) is None
    assert measures.adx(still, count) is None
    assert measures.atr(still, count) == 0
    assert measures.rate_of_change(still, count) == 0


def test_strength_is_known_until_the_last_move_has_left_its_period() -> None:
    assert measures.rsi(flat_candles([4.0] + [5.0] * 14), 14) == pytest.approx(100)
    assert measures.rsi(flat_candles([4.0] + [5.0] * 15), 14) is None
    assert measures.adx(flat_candles([4.0] * 20 + [5.0] * 13), 14) is not None
    assert measures.adx(flat_candles([4.0] * 20 + [5.0] * 14), 14) is None


def test_less_than_a_billionth_of_the_price_is_no_difference() -> None:
    assert measures.exceeds(100.0000002, 100, 100)
    assert not measures.exceeds(100.00000005, 100, 100)
    assert not measures.exceeds(100, 100.0000002, 100)


@pytest.mark.parametrize(
    ("volumes", "ratio"),
    [
        ([9.0, 1.0, 2.0, 3.0, 5.0], 2.5),
        ([9.0, 1.0, 2.0, 3.0, 0.0], 0.0),
        ([9.0, 0.0, 0.0, 0.0, 5.0], math.inf),
        ([9.0, 0.0, 0.0, 0.0, 0.0], 0.0),
        ([0.0, 1.7e308, 1.7e308, 1.7e308, 1.7e308], 1.0),
        ([0.0, 5e-324, 5e-324, 5e-324, 1.7e308], math.inf),
        ([0.0, 0.1, 0.1, 0.1, 0.12], 1.2),
    ],
)
def test_volume_is_compared_with_the_candles_before(volumes: Floats, ratio: float) -> None:
    assert measures.volume_ratio(with_volumes(flat_candles([1.0] * 5), volumes), 3) == ratio


def test_the_window_is_cut_to_its_last_candles() -> None:
    prices = walk(WINDOW_CANDLES + 50)
    cut = measures.latest(window(prices)).series
    assert len(cut) == WINDOW_CANDLES
    for name in ("times", "open", "high", "low", "close", "volume"):
        assert (getattr(cut, name) == getattr(prices, name)[50:]).all(), name
    short: Series = head(prices, WINDOW_CANDLES)
    assert measures.latest(window(short)).series is short
