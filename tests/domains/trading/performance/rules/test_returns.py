"""Time-weighted returns against numpy written here, and by hand."""

from datetime import timedelta, timezone
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domains.trading.performance.model import Flow, ValuePoint
from app.domains.trading.performance.rules.history import history_of
from app.domains.trading.performance.rules.performance import performance
from app.domains.trading.performance.rules.returns import daily_returns, intervals_of, time_weighted_return
from tests.domains.trading.performance.rules.histories import DAY, YEAR, amounts, day, flow, point, points

CLOSE_TO = 1e-9


def twr(values: list[ValuePoint], *flows: Flow) -> float | None:
    return time_weighted_return(intervals_of(values, flows))


def daily(values: list[ValuePoint], *flows: Flow) -> list[float]:
    intervals = intervals_of(values, flows)
    assert intervals is not None
    return daily_returns(intervals)


def test_by_hand_with_a_deposit_at_its_value() -> None:
    # 10 % on 1000; then, of 1100 and 900 more, 5 %.
    assert twr([point(0, 1000), point(1, 1100), point(2, 2100)], flow(1, 900)) == pytest.approx(0.155)


def test_by_hand_with_a_withdrawal_at_its_value() -> None:
    # Doubled, half taken, half of the rest lost.
    assert twr([point(0, 100), point(1, 200), point(2, 50)], flow(1, -100)) == 0.0


def test_a_flow_between_values_is_weighted_by_the_time_that_was_left() -> None:
    # The gain is 60. For a quarter of the time there were 400 more: 60 / (1000 + 100).
    values = [point(0, 1000), point(4, 1460)]
    assert twr(values, flow(3, 400)) == pytest.approx(60 / 1100)
    assert performance(history_of(values, [flow(3, 400)]), YEAR).estimated
    # With its value the same history has an exact return.
    known = [point(0, 1000), point(3, 1020), point(4, 1460)]
    assert twr(known, flow(3, 400)) == pytest.approx(1020 / 1000 * 1460 / 1420 - 1)
    assert not performance(history_of(known, [flow(3, 400)]), YEAR).estimated


def test_the_opening_deposit_is_no_gain() -> None:
    assert twr([point(0, 0), point(1, 10_500)], flow(0, 10_000)) == pytest.approx(0.05)


def test_the_time_without_money_counts_as_nothing() -> None:
    values = [point(0, 0), point(1, 0), point(2, 110), point(3, 0), point(4, 105)]
    flows = flow(1, 100), flow(2, -110), flow(3, 100)
    assert twr(values, *flows) == pytest.approx(1.1 * 1.05 - 1)
    assert daily(values, *flows) == pytest.approx([0.1, 0.05])


def test_a_total_loss_stays_one_whatever_is_deposited() -> None:
    assert twr([point(0, 100), point(1, 0), point(2, 300)], flow(1, 100)) == -1.0


@pytest.mark.parametrize(
    ("values", "flows"),
    [
        ([], []),
        ([point(0, 100)], []),
        ([point(0, 0), point(1, 0)], []),  # never any money
        ([point(0, 0), point(1, 5)], []),  # a gain from nothing
        ([point(0, 100), point(1, 5)], [flow(0, -150)]),  # more withdrawn than there was
        ([point(0, 100), point(1, 10)], [flow(0.99, 1000)]),  # estimated at less than -1
        ([point(0, 100), point(1, 0), point(2, 5), point(3, 5)], []),
    ],
)
def test_undefined_is_null(values: list[ValuePoint], flows: list[Flow]) -> None:
    assert twr(values, *flows) is None
    found = performance(history_of(values, flows), YEAR)
    assert (found.time_weighted_return, found.max_drawdown, found.daily_returns) == (None, None, 0)


def chained(values: list[float], flows: list[list[tuple[float, float]]]) -> float | None:
    """What numpy makes of values and, for each interval, the flows as (share of the interval left, amount).

    Null if an interval lost more than everything by the estimate.
    """
    first, last = np.array(values[:-1]), np.array(values[1:])
    inflow = np.array([sum(amount for _, amount in each) for each in flows])
    weighted = np.array([sum(left * amount for left, amount in each) for each in flows])
    growths = 1 + (last - first - inflow) / (first + weighted)
    return float(np.prod(growths) - 1) if np.all(growths > -CLOSE_TO) else None


@given(
    st.lists(
        st.tuples(
            amounts(1000, 5000),
            st.lists(st.tuples(st.sampled_from([1, 0.75, 0.5, 0.125]), amounts(-100, 900)), max_size=3),
        ),
        min_size=1,
        max_size=12,
    ),
    amounts(1000, 5000),
)
def test_the_return_is_that_of_numpy(
    intervals: list[tuple[Decimal, list[tuple[float, Decimal]]]], closing: Decimal
) -> None:
    values = [*(value for value, _ in intervals), closing]
    flows = [flow(i + 1 - left, amount) for i, (_, inside) in enumerate(intervals) for left, amount in inside]
    inside = [[(left, float(amount)) for left, amount in each] for _, each in intervals]
    found = twr(points(values), *flows)
    expected = chained([float(value) for value in values], inside)
    if expected is None:
        assert found is None
    elif found is not None:
        assert found == pytest.approx(expected, rel=CLOSE_TO, abs=CLOSE_TO)
    else:
        assert expected == pytest.approx(-1)  # at the border


growths = st.lists(st.decimals("0.5", "2", places=2), min_size=1, max_size=40)


@given(growths, st.lists(amounts(0, 9000), min_size=40, max_size=40), st.lists(st.booleans(), min_size=40, max_size=40))
def test_flows_at_their_values_change_no_return(
    growths: list[Decimal], sizes: list[Decimal], deposited: list[bool]
) -> None:
    """Whatever is deposited, and whatever part is withdrawn: only what the money did counts."""
    value, values, flows = Decimal(1000), [point(0, 1000)], []
    for i, growth in enumerate(growths):
        amount = sizes[i] if deposited[i] else -value * sizes[i] / 10_000
        flows.append(flow(i, amount))
        value = (value + flows[-1].amount) * growth
        values.append(point(i + 1, value))
        value = values[-1].value
    assert twr(values, *flows) == pytest.approx(float(np.prod([float(each) for each in growths]) - 1), rel=1e-6)
    assert daily(values, *flows) == pytest.approx([float(each - 1) for each in growths], abs=1e-6)


@given(st.lists(st.tuples(st.floats(0, 9.99), amounts(0, 5000)), max_size=8))
def test_deposits_alone_have_no_return(deposits: list[tuple[float, Decimal]]) -> None:
    flows = [flow(at, amount) for at, amount in deposits]
    held = [100 + sum(each.amount for each in flows if each.at < day(number)) for number in range(11)]
    found = performance(history_of(points(held), flows), YEAR)
    assert (found.time_weighted_return, found.money_weighted_return, found.volatility) == (0.0, 0.0, 0.0)
    assert found.gain == 0
    assert (found.sharpe, found.sortino) == (None, None)
    assert found.max_drawdown is not None
    assert found.max_drawdown.depth == 0


def test_daily_returns_are_between_the_last_values_of_days() -> None:
    rng = np.random.default_rng(3)
    hours = np.round(1000 * np.cumprod(1 + rng.normal(0, 0.01, 24 * 9 + 1)), 8)
    found = daily(points(hours.tolist(), timedelta(hours=1)))
    midnights = hours[::24]
    assert found == pytest.approx((np.diff(midnights) / midnights[:-1]).tolist(), rel=1e-8)


def test_a_day_without_value_or_end_has_no_return() -> None:
    # The first day has no day before. The 4th has no value, so neither it nor the 5th has a return. The 7th goes on.
    values = [point(0.5, 100), point(1, 110), point(1.5, 120), point(2, 121), point(4.5, 80), point(5, 90)]
    values += [point(5.5, 99), point(6, 45), point(6.9, 70)]
    assert daily(values) == pytest.approx([0.1, -0.5])


def test_a_day_is_over_once_there_is_a_value_after_it() -> None:
    values = [point(0.9, 100), point(1.9, 110)]
    assert daily(values) == []
    assert daily([*values, point(2.1, 500)]) == pytest.approx([0.1])
    assert daily([point(0.9, 100), point(2, 110)]) == pytest.approx([0.1])


def test_a_day_is_that_of_utc() -> None:
    there = timezone(timedelta(hours=8))
    values = [ValuePoint(each.at.astimezone(there), each.value, each.cash) for each in points([1, 2, 4, 8])]
    assert daily(values) == [1.0, 1.0, 1.0]
    # An hour before midnight the third day is not over.
    assert daily([ValuePoint(each.at - DAY / 24, each.value, each.cash) for each in values]) == [1.0, 1.0]
