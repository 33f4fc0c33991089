"""Round trips against numpy written here, and by hand."""

from decimal import Decimal
from uuid import UUID

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domains.trading.performance.model import Disposal, RoundTrip
from app.domains.trading.performance.rules.trades import Outcome, outcome_of, round_trips_of
from tests.domains.trading.performance.rules.histories import amounts, day, sold


def outcome(*disposals: Disposal) -> Outcome:
    return outcome_of(round_trips_of(disposals))


def test_by_hand() -> None:
    found = outcome(sold(1, 100, 130, 1), sold(2, 100, 90, 2), sold(3, 50, 50, 3), sold(4, 10, 5, 4))
    assert (found.realized_pnl, found.win_rate, found.profit_factor) == (Decimal(15), 0.25, 2.0)
    assert (found.best and found.best.order_id, found.worst and found.worst.order_id) == (UUID(int=1), UUID(int=2))
    assert (found.best and found.best.pnl, found.worst and found.worst.pnl) == (Decimal(30), Decimal(-10))


def test_what_one_order_sold_is_one_round_trip() -> None:
    parts = [sold(7, 100, 90, 3, quantity=2), sold(8, 1, 2, 2), sold(7, 10, 30, 1)]
    assert round_trips_of(parts) == [
        RoundTrip(UUID(int=8), Decimal(1), Decimal(1), Decimal(2), day(1), day(2)),
        RoundTrip(UUID(int=7), Decimal(3), Decimal(110), Decimal(120), day(0), day(3)),
    ]
    # One of three parts lost, none of two round trips.
    assert outcome(*parts).win_rate == 1.0
    assert outcome(*parts).profit_factor is None


def test_without_round_trips() -> None:
    assert outcome() == Outcome(Decimal(0), None, None, None, None)


def test_only_losses() -> None:
    found = outcome(sold(1, 10, 9, 1), sold(2, 10, 4, 2))
    assert (found.win_rate, found.profit_factor, found.realized_pnl) == (0.0, 0.0, Decimal(-7))
    assert (found.best and found.best.pnl, found.worst and found.worst.pnl) == (Decimal(-1), Decimal(-6))


def test_breaking_even_is_no_win_and_no_loss() -> None:
    found = outcome(sold(1, 10, 10))
    assert (found.win_rate, found.profit_factor, found.realized_pnl) == (0.0, None, Decimal(0))


def test_of_equal_round_trips_the_earliest_is_named() -> None:
    found = outcome(sold(3, 10, 12, 2), sold(1, 10, 12, 3), sold(2, 10, 12, 1))
    assert (found.best and found.best.order_id, found.worst and found.worst.order_id) == (UUID(int=2), UUID(int=2))


trades = st.lists(st.tuples(amounts(0, 5000), amounts(0, 5000)), min_size=1, max_size=20)


@given(trades)
def test_the_outcome_is_that_of_numpy(trades: list[tuple[Decimal, Decimal]]) -> None:
    found = outcome(*(sold(i + 1, cost, proceeds, i + 1) for i, (cost, proceeds) in enumerate(trades)))
    cents = np.array([int((proceeds - cost) * 100) for cost, proceeds in trades])
    wins, losses = cents[cents > 0], cents[cents < 0]
    assert found.realized_pnl * 100 == int(cents.sum())
    assert found.win_rate == len(wins) / len(cents)
    assert found.profit_factor == (pytest.approx(wins.sum() / -losses.sum()) if len(losses) else None)
    assert found.best is not None
    assert found.worst is not None
    assert (found.best.order_id.int - 1, found.worst.order_id.int - 1) == (int(np.argmax(cents)), int(np.argmin(cents)))


@given(trades, st.integers(1, 5))
def test_how_fills_are_cut_changes_nothing(trades: list[tuple[Decimal, Decimal]], parts: int) -> None:
    whole = [sold(i + 1, cost * parts, proceeds * parts) for i, (cost, proceeds) in enumerate(trades)]
    cut = [
        sold(i + 1, cost, proceeds, quantity=Decimal(1) / 8)
        for _ in range(parts)
        for i, (cost, proceeds) in enumerate(trades)
    ]
    assert outcome(*cut)[:3] == outcome(*whole)[:3]
