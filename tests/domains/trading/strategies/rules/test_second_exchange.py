"""The second exchange of the simulated market is behind the first, and away from it, the same way each time."""

import hashlib
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given

from app.domains.market.analysis.rules.series import Series
from app.domains.trading.exchange.rules.rounding import is_on_tick
from app.domains.trading.quantities.rules import PRICE_SCALE, units_of
from app.domains.trading.strategies.rules.second_exchange import difference, elsewhere
from tests.domains.market.series import BEGIN_S, flat_candles, head, series, walk

HOUR_S = 3600
EVERY_S = 8 * HOUR_S
FIRST_S = BEGIN_S // EVERY_S * EVERY_S
"""A time that a number is drawn at."""


def drawn(symbol: str, time_s: int) -> int:
    """A number of -0.8 % to 0.8 %, in parts of 10^8."""
    digest = hashlib.sha256(f"{symbol} {time_s}".encode()).hexdigest()
    return int(digest[:16], 16) % 1_600_001 - 800_000


def test_differences_go_evenly_from_one_draw_to_the_next() -> None:
    one, other = drawn("BTC", FIRST_S), drawn("BTC", FIRST_S + EVERY_S)
    found = [difference("BTC", FIRST_S + hour * HOUR_S, HOUR_S) for hour in range(9)]
    assert found == pytest.approx([one + (other - one) * hour / 8 for hour in range(9)], abs=1)
    assert (found[0], found[8]) == (one, other)


def test_differences_are_within_bounds_last_and_cross_zero_now_and_then() -> None:
    for symbol in ("BTC", "ETH", "DOGE"):
        found = np.array([difference(symbol, BEGIN_S + hour * HOUR_S, HOUR_S) for hour in range(4000)])
        assert abs(found).max() <= 800_000
        assert abs(found).max() > 700_000
        assert abs(found.mean()) < 100_000
        assert np.corrcoef(found[:-1], found[1:])[0, 1] > 0.9
        crossings = int((np.sign(found[:-1]) != np.sign(found[1:])).sum())
        assert 100 < crossings < 400
        # What pays for an entry at 0.5 %, with half the spread.
        assert 0.05 < (found > 550_000).mean() < 0.2


def test_tokens_differ() -> None:
    assert difference("BTC", FIRST_S, HOUR_S) != difference("ETH", FIRST_S, HOUR_S)


def test_it_is_one_candle_behind_with_its_own_spread() -> None:
    prices = flat_candles([100.0, 200.0, 50.0])
    found = elsewhere("BTC", prices)
    assert found is not None
    assert found.exchange == "simulated-2"
    middle = 200 * (1 + difference("BTC", int(prices.times[-1]), HOUR_S) / 1e8)
    # Rounded to five digits, away from the middle.
    assert float(found.bid) == pytest.approx(middle * 0.9995, abs=0.01)
    assert float(found.ask) == pytest.approx(middle * 1.0005, abs=0.01)
    assert float(found.bid) <= middle * 0.9995 < middle * 1.0005 <= float(found.ask)


def test_only_the_last_two_candles_count() -> None:
    prices = walk(50)
    last = Series(
        prices.interval,
        *(getattr(prices, name)[-2:] for name in ("times", "open", "high", "low", "close", "volume")),
    )
    assert elsewhere("BTC", prices) == elsewhere("BTC", last)


def test_without_the_candle_before_it_does_not_quote() -> None:
    assert elsewhere("BTC", head(walk(5), 1)) is None
    assert elsewhere("BTC", head(walk(5), 0)) is None
    assert elsewhere("BTC", flat_candles([1.0, 2.0, 3.0, 4.0], missing=[2])) is None
    assert elsewhere("BTC", flat_candles([1.0, 2.0, 3.0, 4.0], missing=[1])) is not None


@pytest.mark.parametrize(
    ("price", "is_quoted"), [(1e-12, False), (1e-9, True), (1.0, True), (1e11, True), (9.99999e11, False)]
)
def test_it_quotes_where_there_is_room_for_a_bid_and_an_ask(price: float, is_quoted: bool) -> None:
    # At a time whose difference is near zero.
    times = [hour for hour in range(2000) if abs(difference("BTC", BEGIN_S + hour * HOUR_S, HOUR_S)) < 10_000]
    prices = flat_candles([price] * (times[0] + 1) if times[0] else [])
    assert (elsewhere("BTC", prices) is not None) == is_quoted


@given(series(most=10))
def test_what_it_quotes_is_on_ticks_and_never_crossed(prices: Series) -> None:
    if (found := elsewhere("BTC", prices)) is None:
        return
    assert Decimal(0) < found.bid < found.ask < 10**12
    assert is_on_tick(units_of(found.bid, PRICE_SCALE))
    assert is_on_tick(units_of(found.ask, PRICE_SCALE))
    assert elsewhere("BTC", prices) == found
