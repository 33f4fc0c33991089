"""Drawdown, volatility, Sharpe and Sortino against numpy written here, and by hand."""

import math
from datetime import datetime
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domains.trading.performance.model import Drawdown
from app.domains.trading.performance.rules.risk import max_drawdown, ratios_of
from tests.domains.trading.performance.rules.histories import amounts, day

CLOSE_TO = 1e-9


def levels(*index: float | Decimal) -> list[tuple[datetime, Decimal]]:
    return [(day(number), Decimal(str(level))) for number, level in enumerate(index)]


def test_the_drawdown_is_the_deepest_with_its_times() -> None:
    assert max_drawdown(levels(1, 2, 1.5, 4, 1, 3, 2)) == Drawdown(0.75, day(3), day(4))
    assert max_drawdown(levels(4, 1, 8, 4)) == Drawdown(0.75, day(0), day(1))
    assert max_drawdown(levels(1, 0, 5)) == Drawdown(1.0, day(0), day(1))


def test_the_peak_is_the_last_time_at_the_high_and_the_trough_the_first_so_deep() -> None:
    assert max_drawdown(levels(1, 2, 2, 1, 1, 2, 1)) == Drawdown(0.5, day(2), day(3))


def test_without_a_fall_the_drawdown_is_0_and_has_no_times() -> None:
    assert max_drawdown(levels(1, 1, 2)) == Drawdown(0.0, None, None)
    assert max_drawdown(levels(1)) == Drawdown(0.0, None, None)
    assert max_drawdown([]) is None


@given(st.lists(amounts(1, 500), min_size=1, max_size=60))
def test_the_drawdown_is_that_of_numpy(index: list[Decimal]) -> None:
    found = max_drawdown(levels(*index))
    assert found is not None
    assert 0 <= found.depth <= 1
    array = np.array([float(level) for level in index])
    depths = 1 - array / np.maximum.accumulate(array)
    assert found.depth == pytest.approx(float(np.max(depths)), abs=CLOSE_TO)
    if found.peak_at is None or found.trough_at is None:
        assert found == Drawdown(0.0, None, None)
    else:
        times = [at for at, _ in levels(*index)]
        peak, trough = times.index(found.peak_at), times.index(found.trough_at)
        assert peak < trough
        assert array[peak] == np.max(array[: trough + 1])
        assert depths[trough] == pytest.approx(found.depth, abs=CLOSE_TO)


def test_ratios_by_hand() -> None:
    # Mean 0.01, deviations of 0.02: sample variance 0.0008, downside sqrt(0.0001 / 2).
    found = ratios_of([0.03, -0.01])
    assert found.volatility == pytest.approx(math.sqrt(0.0008 * 365))
    assert found.sharpe == pytest.approx(0.01 / math.sqrt(0.0008) * math.sqrt(365))
    assert found.sortino == pytest.approx(0.01 / math.sqrt(0.00005) * math.sqrt(365))


@given(st.lists(st.floats(-0.9, 2), min_size=2, max_size=400), st.floats(-0.5, 2))
def test_the_ratios_are_those_of_numpy(returns: list[float], risk_free: float) -> None:
    array = np.array(returns)
    excess = array - ((1 + risk_free) ** (1 / 365) - 1)
    found = ratios_of(returns, risk_free)
    deviation, year = np.std(array, ddof=1), math.sqrt(365)
    downside = np.sqrt(np.mean(np.where(excess < 0, excess, 0) ** 2))
    assert found.volatility == pytest.approx(deviation * year, rel=CLOSE_TO, abs=CLOSE_TO)
    for ratio, size in ((found.sharpe, deviation), (found.sortino, downside)):
        if ratio is None:
            assert size < 2e-12
        else:
            assert ratio == pytest.approx(np.mean(excess) / size * year, rel=1e-3 if size < 1e-6 else 1e-6)


@pytest.mark.parametrize("returns", [[], [0.5]])
def test_fewer_than_two_returns_have_no_ratio(returns: list[float]) -> None:
    assert ratios_of(returns) == (None, None, None)


def test_what_does_not_deviate_has_a_volatility_and_no_ratio() -> None:
    for level in (0.0, 0.1, 1 / 3):
        found = ratios_of([level] * 10)
        assert found.volatility == pytest.approx(0, abs=1e-12)
        assert (found.sharpe, found.sortino) == (None, None)
    steady = ratios_of([-0.1] * 10)
    assert steady.sharpe is None
    assert steady.sortino == pytest.approx(-math.sqrt(365))


@pytest.mark.parametrize("rate", [-1.0, -2.0, math.nan, math.inf, -math.inf])
def test_a_risk_free_rate_that_is_none_is_refused(rate: float) -> None:
    for returns in ([], [0.1, 0.2]):
        with pytest.raises(ValueError, match="over -1"):
            ratios_of(returns, rate)


def test_the_risk_free_rate_of_a_year_is_compounded_from_its_days() -> None:
    # 365 days of it are 50 %: what always earned that has nothing over it.
    found = ratios_of([1.5 ** (1 / 365) - 1 + noise for noise in (0.01, -0.01)], 0.5)
    assert found.sharpe == pytest.approx(0, abs=1e-9)
