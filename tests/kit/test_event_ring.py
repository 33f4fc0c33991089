from datetime import UTC, datetime

import pytest

from app.kit import event_ring
from app.kit.event_ring import EventRing, RingBudget
from app.kit.events import Event, contiguous

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)


def event(seq: int) -> Event:
    return Event("a", seq, "n", {}, NOON)


def run(first: int, last: int) -> list[Event]:
    return [event(seq) for seq in range(first, last + 1)]


def filled(ring: EventRing, first: int, last: int) -> EventRing:
    for one in run(first, last):
        ring.add(one, 10)
    return ring


def held(ring: EventRing) -> list[int]:
    """All that it holds, found from the outside."""
    return next((seqs for after in range(40) if (seqs := [one.seq for one in ring.after(after, 100)])), [])


def test_it_holds_the_newest_up_to_its_limit() -> None:
    ring = filled(EventRing(5, RingBudget()), 1, 9)
    assert held(ring) == [5, 6, 7, 8, 9]
    assert [one.seq for one in ring.after(6, 2)] == [7, 8]
    assert ring.after(3, 9) == ring.after(9, 9) == ring.after(20, 9) == []


def test_what_it_has_is_ignored_and_a_hole_begins_anew() -> None:
    ring = filled(EventRing(5, RingBudget()), 3, 5)
    ring.add(event(4), 10)
    assert held(ring) == [3, 4, 5]
    ring.add(event(7), 10)
    assert held(ring) == [7]


@pytest.mark.parametrize(
    ("first", "last", "after"),
    [
        (8, 11, [8, 9, 10, 11, 12, 13]),
        (6, 9, [8, 9, 10, 11, 12, 13]),
        (12, 15, [10, 11, 12, 13, 14, 15]),
        (14, 15, [10, 11, 12, 13, 14, 15]),
        (10, 13, [10, 11, 12, 13]),
        (1, 3, [10, 11, 12, 13]),
        (20, 21, [10, 11, 12, 13]),
        (1, 9, [8, 9, 10, 11, 12, 13]),
    ],
)
def test_a_run_that_was_read_joins_where_it_touches(first: int, last: int, after: list[int]) -> None:
    ring = filled(EventRing(6, RingBudget()), 10, 13)
    ring.join(run(first, last))
    assert held(ring) == after


def test_it_stays_within_its_bytes_and_those_of_all(monkeypatch: pytest.MonkeyPatch) -> None:
    budget = RingBudget(95)
    ring, other = filled(EventRing(100, budget), 1, 6), EventRing(100, budget)
    assert held(filled(other, 1, 6)) == [4, 5, 6]
    assert budget.free == 5
    ring.clear()
    assert budget.free == 65
    monkeypatch.setattr(event_ring, "RING_BYTES", 30)
    assert held(filled(ring, 1, 6)) == [4, 5, 6]
    other.clear()
    ring.clear()
    assert budget.free == 95


def test_contiguous_ends_at_the_first_hole() -> None:
    assert contiguous([event(4), event(5), event(7)], 3) == [event(4), event(5)]
    assert contiguous([event(5)], 3) == []
