"""Exposure and mean value against numpy written here, and by hand."""

from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domains.trading.performance.model import ValuePoint
from app.domains.trading.performance.rules.exposure import Exposure, exposure_of, mean_value
from tests.domains.trading.performance.rules.histories import amounts, point


def test_by_hand() -> None:
    # In cash for two days, three quarters in positions for one; the last value holds for no time.
    values = [point(0, 100, 100), point(2, 200, 50), point(3, 500, 0)]
    assert exposure_of(values) == Exposure(0.25, 1 / 3)
    assert mean_value(values) == pytest.approx(Decimal(400) / 3)


def test_the_time_without_value_does_not_count() -> None:
    values = [point(0, 0, 0), point(8, 100, 0), point(9, 100, 100), point(10, 100, 100)]
    assert exposure_of(values) == (0.5, 0.5)
    assert mean_value(values) == 20


@pytest.mark.parametrize("values", [[], [point(0, 5)], [point(0, 0), point(1, 0)], [point(0, 0), point(1, 5)]])
def test_without_value_or_time_there_is_none(values: list[ValuePoint]) -> None:
    assert exposure_of(values) == (None, None)


def test_the_mean_of_no_time_is_null() -> None:
    assert (mean_value([]), mean_value([point(0, 5)]), mean_value([point(0, 0), point(1, 5)])) == (
        None,
        None,
        Decimal(0),
    )


@given(st.lists(st.tuples(st.integers(1, 50), amounts(1, 9000), st.fractions(0, 1, max_denominator=8)), min_size=2))
def test_exposure_is_that_of_numpy(steps: list[tuple[int, Decimal, float]]) -> None:
    ends = np.cumsum([0, *(hours for hours, _, _ in steps[:-1])])
    values = [
        point(float(at) / 24, value, value * int(share * 8) / 8)
        for at, (_, value, share) in zip(ends, steps, strict=True)
    ]
    total = np.array([float(each.value) for each in values[:-1]])
    cash = np.array([float(each.cash) for each in values[:-1]])
    weights = np.diff(ends)
    found = exposure_of(values)
    assert found.share == pytest.approx(float(np.average(1 - cash / total, weights=weights)), abs=1e-9)
    assert found.time_share == pytest.approx(float(np.average(cash < total, weights=weights)), abs=1e-9)
    assert mean_value(values) == pytest.approx(Decimal(float(np.average(total, weights=weights))), rel=Decimal("1e-9"))
    assert found.share is not None
    assert 0 <= found.share <= 1
