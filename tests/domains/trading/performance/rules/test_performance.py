"""The performance of whole histories: an example by hand, and what holds of every history."""

import math
from datetime import timedelta
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domains.trading.performance.model import (
    Drawdown,
    Flow,
    Performance,
    Period,
    Span,
    Trading,
    ValuePoint,
)
from app.domains.trading.performance.rules.history import History, history_of
from app.domains.trading.performance.rules.performance import performance
from app.domains.trading.performance.rules.periods import span_of
from tests.domains.trading.performance.rules.histories import (
    BEGIN,
    DAY,
    YEAR,
    day,
    flow,
    histories,
    point,
    points,
    tradings,
)

NOTHING = Performance(
    span=YEAR,
    measured_from=None,
    measured_until=None,
    opening_value=None,
    closing_value=None,
    net_flow=Decimal(0),
    gain=None,
    time_weighted_return=None,
    estimated=False,
    money_weighted_return=None,
    max_drawdown=None,
    daily_returns=0,
    volatility=None,
    sharpe=None,
    sortino=None,
    risk_free_rate=0.0,
    exposure=None,
    time_in_market=None,
    trades=0,
    fills=0,
    turnover=Decimal(0),
    turnover_ratio=None,
    fees=Decimal(0),
    round_trips=0,
    realized_pnl=Decimal(0),
    win_rate=None,
    profit_factor=None,
    best_pnl=None,
    worst_pnl=None,
)
"""Of a portfolio of which nothing is known."""


def test_a_history_by_hand() -> None:
    """1000 fall by a tenth and 100 are added; 1000 rise by a fifth, 200 are taken; 1000 stay."""
    history = history_of(
        [point(0, 1000, 1000), point(1, 900, 450), point(2, 1200, 0), point(4, 1000, 1000)],
        [flow(1, 100), flow(2, -200)],
    )
    trading = Trading(3, 4, Decimal(2400), Decimal(3), 2, 1, Decimal(450), Decimal(50), Decimal(450), Decimal(-50))
    year, downside = math.sqrt(365), math.sqrt(0.01 / 2)
    found = performance(history, YEAR, trading)
    expected = msgspec.structs.replace(
        NOTHING,
        measured_from=day(0),
        measured_until=day(4),
        opening_value=Decimal(1000),
        closing_value=Decimal(1000),
        net_flow=Decimal(-100),
        gain=Decimal(100),
        time_weighted_return=pytest.approx(0.9 * 1.2 - 1),
        # 1000 x^4 + 100 x^3 - 200 x^2 = 1000, where x is the growth of a day.
        money_weighted_return=found.money_weighted_return,
        max_drawdown=Drawdown(0.1, day(0), day(1)),
        daily_returns=2,
        volatility=pytest.approx(math.sqrt(0.045) * year),
        sharpe=pytest.approx(0.05 / math.sqrt(0.045) * year),
        sortino=pytest.approx(0.05 / downside * year),
        # A day of nothing, a day of a half, two days of all.
        exposure=0.625,
        time_in_market=0.75,
        trades=3,
        fills=4,
        turnover=Decimal(2400),
        turnover_ratio=pytest.approx(2400 / ((1000 + 900 + 2 * 1200) / 4)),
        fees=Decimal(3),
        round_trips=2,
        realized_pnl=Decimal(400),
        win_rate=0.5,
        profit_factor=9.0,
        best_pnl=Decimal(450),
        worst_pnl=Decimal(-50),
    )
    assert found == expected
    growth = (1 + (found.money_weighted_return or 0)) ** 0.25
    assert 1000 * growth**4 + 100 * growth**3 - 200 * growth**2 == pytest.approx(1000)


def test_the_third_day_of_the_example_has_no_value() -> None:
    days = performance(history_of([point(0, 5), point(1, 6), point(2, 7), point(4, 8)]), YEAR).daily_returns
    assert days == 2


def test_an_empty_history() -> None:
    assert performance(history_of([]), YEAR) == NOTHING


def test_one_value() -> None:
    found = performance(history_of([point(3, 70)], [flow(3, 5)]), YEAR)
    assert found == msgspec.structs.replace(
        NOTHING,
        measured_from=day(3),
        measured_until=day(3),
        opening_value=Decimal(70),
        closing_value=Decimal(70),
        gain=Decimal(0),
    )


def test_a_constant_history() -> None:
    found = performance(history_of(points([50] * 40, cash=50)), YEAR)
    assert (found.time_weighted_return, found.money_weighted_return, found.gain) == (0.0, 0.0, Decimal(0))
    assert (found.max_drawdown, found.volatility) == (Drawdown(0.0, None, None), 0.0)
    assert (found.sharpe, found.sortino, found.exposure, found.turnover_ratio) == (None, None, 0.0, 0.0)


def test_a_history_without_value() -> None:
    found = performance(history_of(points([0] * 5)), YEAR)
    assert (found.gain, found.time_weighted_return, found.money_weighted_return) == (Decimal(0), None, None)
    assert (found.max_drawdown, found.volatility, found.exposure, found.turnover_ratio) == (None, None, None, None)


def test_a_history_that_loses_everything() -> None:
    found = performance(history_of(points([100, 50, 0, 0])), YEAR)
    assert (found.gain, found.time_weighted_return, found.money_weighted_return) == (Decimal(-100), -1.0, -1.0)
    assert found.max_drawdown == Drawdown(1.0, day(0), day(2))
    # Afterwards there was no money that could have had a return.
    assert found.daily_returns == 2


def test_a_history_of_withdrawals_alone() -> None:
    flows = [flow(number, -10) for number in range(10)]
    found = performance(history_of(points(range(100, -1, -10)), flows), YEAR)
    assert (found.net_flow, found.gain) == (Decimal(-100), Decimal(0))
    assert (found.time_weighted_return, found.money_weighted_return) == (0.0, 0.0)
    assert found.max_drawdown == Drawdown(0.0, None, None)


def numbers(found: Performance) -> dict[str, Any]:
    """What is a number in it, by its name."""
    flat = msgspec.structs.asdict(found) | ({"depth": found.max_drawdown.depth} if found.max_drawdown else {})
    return {name: value for name, value in flat.items() if isinstance(value, float | Decimal)}


@given(histories(), tradings(), st.sampled_from(Period), st.integers(0, 40))
def test_no_number_is_infinite_or_none(history: History, trading: Trading, period: Period, number: int) -> None:
    for span in (YEAR, span_of(period, day(number))):
        found = numbers(performance(history, span, trading))
        assert {name: value for name, value in found.items() if not math.isfinite(value)} == {}
        for share in ("depth", "win_rate", "exposure", "time_in_market"):
            assert 0 <= found.get(share, 0) <= 1
        for least, names in ((-1, ("time_weighted_return", "money_weighted_return")), (0, ("volatility",))):
            assert all(found.get(name, 0) >= least for name in names)


@given(histories(), tradings())
def test_sums_are_those_that_were_given(history: History, trading: Trading) -> None:
    found = performance(history, YEAR, trading)
    assert (found.trades, found.fills, found.turnover, found.fees) == (
        trading.trades,
        trading.fills,
        trading.turnover,
        trading.fees,
    )
    assert found.realized_pnl == trading.profits - trading.losses
    assert (found.best_pnl, found.worst_pnl) == (trading.best, trading.worst)
    if found.gain is not None:
        assert found.opening_value is not None
        assert found.closing_value == found.opening_value + found.net_flow + found.gain


# A fall by more than 16 digits is one of -1 as a float, from which nothing rises.
@given(histories(largest=Decimal(10) ** 6), st.sampled_from([Period.DAY, Period.WEEK, Period.MONTH]))
def test_the_spans_of_a_calendar_add_up(history: History, period: Period) -> None:
    whole = performance(history, Span(BEGIN, BEGIN + 59 * DAY))  # until the 1st of March
    parts, at = [], BEGIN
    while at < BEGIN + 59 * DAY:
        parts.append(performance(history, span_of(period, at)))
        at = parts[-1].span.ends_at
    for name in ("gain", "net_flow"):
        assert sum(getattr(each, name) or 0 for each in parts) == (getattr(whole, name) or 0)
    if whole.time_weighted_return is not None:
        product = math.prod(1 + (each.time_weighted_return or 0) for each in parts)
        assert product == pytest.approx(1 + whole.time_weighted_return, rel=1e-6, abs=1e-12)


@given(histories(), tradings(), st.integers(2, 50))
def test_the_size_of_the_money_changes_nothing(history: History, trading: Trading, factor: int) -> None:
    size = Decimal(factor) / 10
    scaled = history_of(
        [ValuePoint(each.at, each.value * size, each.cash * size) for each in history.values],
        [Flow(each.at, each.amount * size) for each in history.flows],
    )
    fields = msgspec.structs.asdict(trading).items()
    more = msgspec.structs.replace(
        trading, **{name: value * size for name, value in fields if isinstance(value, Decimal)}
    )
    plain, other = numbers(performance(history, YEAR, trading)), numbers(performance(scaled, YEAR, more))
    assert plain.keys() == other.keys()
    for name, value in plain.items():
        expected = value * size if isinstance(value, Decimal) else pytest.approx(value, rel=1e-6, abs=1e-9)
        assert other[name] == expected, name


@given(histories())
def test_the_order_of_the_records_changes_nothing(history: History) -> None:
    turned = history_of(reversed(history.values), reversed(history.flows))
    assert numbers(performance(turned, YEAR)) == pytest.approx(numbers(performance(history, YEAR)))


def test_a_span_that_is_not_over_ends_with_the_last_value() -> None:
    history = history_of(points([10, 20, 30], timedelta(hours=1)), [flow(0.2, 5)])
    found = performance(history, span_of(Period.DAY, BEGIN))
    assert (found.measured_until, found.closing_value, found.net_flow) == (day(2 / 24), Decimal(30), Decimal(0))


def test_trades_without_losses_and_without_wins() -> None:
    won = performance(history_of([]), YEAR, Trading(2, 2, Decimal(9), Decimal(0), 2, 1, Decimal(7), best=Decimal(7)))
    assert (won.win_rate, won.profit_factor, won.realized_pnl) == (0.5, None, Decimal(7))
    lost = performance(history_of([]), YEAR, Trading(1, 1, Decimal(9), Decimal(0), 1, 0, Decimal(0), Decimal(7)))
    assert (lost.win_rate, lost.profit_factor, lost.realized_pnl) == (0.0, 0.0, Decimal(-7))
