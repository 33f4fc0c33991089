"""What holds of every strategy, configured however, at whatever prices."""

import math
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import get_args

import msgspec
import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from app.domains.market.analysis.rules.series import Series
from app.domains.market.prices.model import Interval
from app.domains.trading.strategies.model import (
    WINDOW_CANDLES,
    Arbitrage,
    Config,
    Dca,
    DcaState,
    Entry,
    Grid,
    GridState,
    Momentum,
    SignalType,
    State,
    Strategy,
)
from app.domains.trading.strategies.rules.deciding import decide
from app.domains.trading.strategies.rules.second_exchange import elsewhere
from tests.domains.market.series import head, scaled, series, walk
from tests.domains.trading.strategies.configs import KINDS, candles_needed, configs
from tests.domains.trading.strategies.windows import window

ANYTHING = st.sampled_from(KINDS).flatmap(configs)
ENTRIES = st.lists(
    st.builds(
        Entry,
        st.just(Decimal(1)),
        st.decimals("0.000000000001", 10**11, places=12),
        st.just(datetime(2026, 1, 1, tzinfo=UTC)),
        st.none() | st.integers(0, 60),
    ),
    max_size=3,
)
PRICE = st.integers(1, 10**24 - 1).map(lambda units: Decimal(units).scaleb(-12))
STATES: st.SearchStrategy[State | None] = st.one_of(
    st.none(),
    st.datetimes(datetime(2025, 1, 1), datetime(2027, 1, 1), timezones=st.just(UTC)).map(DcaState),  # noqa: DTZ001
    st.builds(GridState, st.lists(PRICE, min_size=2, max_size=50, unique=True).map(sorted).map(tuple), PRICE),
)
FREE = (Dca, Grid)
"""They buy with an entry too, and never sell."""
MOST_CHARS = 400


@settings(max_examples=400, suppress_health_check=[HealthCheck.filter_too_much])
@given(ANYTHING, series(), ENTRIES, STATES)
def test_a_decision_is_finite_sure_and_allowed(
    config: Config, prices: Series, entries: list[Entry], state: State | None
) -> None:
    assume(len(prices))
    seen = window(prices, elsewhere("BTC", prices))
    decision = decide(config, seen, entries, state)
    assert decision == decide(config, seen, entries, state)
    assert 1 <= decision.confidence <= 100
    assert isinstance(decision.confidence, int)
    assert all(type(value) is float and math.isfinite(value) for value in decision.indicators.values())
    assert all(name.isalnum() and name[0].islower() for name in decision.indicators)
    assert 0 < len(decision.reasoning) <= MOST_CHARS
    assert decision.reasoning.endswith(".")
    assert "nan" not in decision.reasoning.lower().split()
    assert "inf" not in decision.reasoning.lower().split()
    if not isinstance(config, FREE):
        assert decision.type is not (SignalType.BUY if entries else SignalType.SELL)
        assert decision.state is None
    assert not isinstance(config, FREE) or decision.type is not SignalType.SELL
    assert bool(decision.slots) == (isinstance(config, Grid) and decision.type is SignalType.BUY)
    assert all(slot.take_profit_price > seen.price for slot in decision.slots)
    assert (decision.amount_usd is not None) == (isinstance(config, Dca) and decision.type is SignalType.BUY)
    if len(prices) < candles_needed(config):
        assert (decision.type, decision.confidence) == (SignalType.HOLD, 1)
    # It is stored and read again as it is.
    if decision.state is not None:
        assert msgspec.json.decode(msgspec.json.encode(decision.state), type=State) == decision.state


@settings(max_examples=200, suppress_health_check=[HealthCheck.filter_too_much])
@given(ANYTHING, series(most=300), ENTRIES, STATES)
def test_what_is_older_than_the_window_changes_nothing(
    config: Config, prices: Series, entries: list[Entry], state: State | None
) -> None:
    assume(len(prices) > WINDOW_CANDLES)
    found = [
        decide(config, window(each, elsewhere("BTC", each)), entries, state)
        for each in (prices, tail(prices), after_another_past(prices))
    ]
    assert found[0] == found[1] == found[2]


def tail(prices: Series) -> Series:
    names = ("times", "open", "high", "low", "close", "volume")
    return Series(prices.interval, *(getattr(prices, name)[-WINDOW_CANDLES:].copy() for name in names))


def after_another_past(prices: Series) -> Series:
    """The same window, after candles of another price."""
    past = len(prices) - WINDOW_CANDLES
    others = (getattr(prices, name).copy() for name in ("open", "high", "low", "close", "volume"))
    opened, high, low, close, volume = others
    for values in (opened, high, low, close):
        values[:past] = 12345.678
    volume[:past] = 1e9
    return Series(prices.interval, prices.times, opened, high, low, close, volume)


@settings(max_examples=200, suppress_health_check=[HealthCheck.filter_too_much])
@given(ANYTHING, st.integers(0, 10**6), st.integers(-44, 29), st.booleans(), st.sampled_from([1e-5, 0.01, 0.1]))
def test_the_magnitude_of_the_price_changes_nothing(
    config: Config, seed: int, power: int, is_held: bool, wildness: float
) -> None:
    assume(not isinstance(config, Grid))
    prices = walk(WINDOW_CANDLES, seed=seed, deviation=wildness)
    other = scaled(prices, 2.0**power)
    assume(other.low.min() > 1e-12 and other.high.max() < 9e11)
    entries = [Entry(Decimal(1), Decimal(100), datetime(2026, 1, 1, tzinfo=UTC))] * is_held
    found = [decide(config, window(each), entries, None) for each in (prices, other)]
    assert found[0].type is found[1].type
    assert found[0].confidence == found[1].confidence
    assert set(found[0].indicators) == set(found[1].indicators)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("price", [1e-12, 0.1, 100.0, 1e11])
@pytest.mark.parametrize("volume", [0.0, 1e21])
def test_a_market_that_stands_still_is_not_bought(kind: type[Config], price: float, volume: float) -> None:
    count = WINDOW_CANDLES
    still = np.full(count, price)
    times = 1_760_400_000 + 60 * np.arange(count, dtype=np.int64)
    seen = window(Series(Interval.ONE_MINUTE, times, still, still, still, still, np.full(count, volume)))
    state = GridState((seen.price / 2, seen.price, seen.price * 2), seen.price) if kind is Grid else None
    decision = decide(kind(), seen, (), state)
    assert decision.type is (SignalType.BUY if kind is Dca else SignalType.HOLD)


def test_a_gap_delays_by_time_only_what_goes_by_time() -> None:
    prices = walk(60)
    gap = Series(
        prices.interval,
        np.concatenate([prices.times[:30], prices.times[30:] + 10 * 3600]),
        *(getattr(prices, name) for name in ("open", "high", "low", "close", "volume")),
    )
    for kind in KINDS:
        if kind not in (Arbitrage, Dca):
            assert decide(kind(), window(prices), (), None) == decide(kind(), window(gap), (), None)
    bought = DcaState(window(prices).closed_at - timedelta(hours=20))
    config = Dca(every_candles=30)
    assert decide(config, window(prices), (), bought).type is SignalType.HOLD
    assert decide(config, window(gap), (), bought).type is SignalType.BUY


def test_there_is_a_configuration_for_each_strategy_by_its_name() -> None:
    tags = {kind.__struct_config__.tag for kind in KINDS}
    assert tags == {strategy.value for strategy in Strategy}
    assert {kind.__struct_config__.tag for kind in get_args(State)} == {"dca", "grid"}


def test_the_window_of_all_candles_is_enough_for_each() -> None:
    prices = walk(300)
    for kind in KINDS:
        assert candles_needed(kind()) <= WINDOW_CANDLES
        few = decide(kind(), window(head(prices, candles_needed(kind()))), (), None)
        assert few.confidence > 1 or isinstance(kind(), Arbitrage)
    assert candles_needed(Momentum()) == 15
