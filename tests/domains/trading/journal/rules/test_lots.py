"""First in, first out, against a model that keeps every unit apart."""

from datetime import UTC, datetime
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from app.domains.trading.journal.model import HeldLot
from app.domains.trading.journal.rules.lots import take

AT = datetime(2026, 11, 29, tzinfo=UTC)
BOUGHT = st.lists(st.tuples(st.integers(1, 40), st.integers(0, 10**6)), min_size=1, max_size=8)


def lots_of(bought: list[tuple[int, int]]) -> list[HeldLot]:
    return [HeldLot(UUID(int=n), q, c, AT) for n, (q, c) in enumerate(bought, 1)]


@given(BOUGHT, st.data())
def test_it_takes_what_a_queue_of_single_units_would(bought: list[tuple[int, int]], data: st.DataObject) -> None:
    queue = [UUID(int=n) for n, (quantity, _) in enumerate(bought, 1) for _ in range(quantity)]
    quantity, proceeds = data.draw(st.integers(1, len(queue))), data.draw(st.integers(-100, 10**9))
    lots = lots_of(bought)
    taken = take(lots, quantity, proceeds)
    assert {each.lot_id: each.quantity for each in taken} == {id: queue[:quantity].count(id) for id in queue[:quantity]}
    assert sum(each.proceeds for each in taken) == proceeds
    for lot, each in zip(lots, taken, strict=False):
        remaining, cost = lot.remaining, lot.remaining_cost
        exact = cost * each.quantity / remaining
        assert 0 <= exact - each.cost < 1
        assert each.cost == cost or each.quantity < remaining
        assert abs(each.proceeds - proceeds * each.quantity / quantity) < len(taken) + 1e-3


@given(BOUGHT, st.lists(st.integers(1, 40), min_size=1, max_size=40))
def test_in_whatever_parts_it_is_sold_the_whole_cost_goes(bought: list[tuple[int, int]], parts: list[int]) -> None:
    lots, cost = lots_of(bought), 0
    for part in [*parts, 10**9]:
        left = sum(lot.remaining for lot in lots)
        if not left:
            break
        taken = {each.lot_id: each for each in take(lots, min(part, left), 0)}
        cost += sum(each.cost for each in taken.values())
        lots = [
            replace(lot, remaining=lot.remaining - each.quantity, remaining_cost=lot.remaining_cost - each.cost)
            if (each := taken.get(lot.id))
            else lot
            for lot in lots
        ]
        lots = [lot for lot in lots if lot.remaining]
    assert cost == sum(each for _, each in bought)


def test_more_than_there_is_is_refused() -> None:
    with pytest.raises(ValueError, match="1 units are not in any lot"):
        take(lots_of([(2, 5), (3, 5)]), 6, 0)


def test_the_oldest_goes_first() -> None:
    taken = take(lots_of([(2, 100), (4, 500)]), 3, 10)
    assert [(each.lot_id.int, each.quantity, each.cost, each.proceeds) for each in taken] == [
        (1, 2, 100, 6),
        (2, 1, 125, 4),
    ]
