"""What is no history, and the part of one that a span is measured by."""

from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest

from app.domains.trading.performance.model import Flow, Span, ValuePoint
from app.domains.trading.performance.rules.history import AMOUNT_LIMIT, History, MalformedHistory, history_of
from tests.domains.trading.performance.rules.histories import day, flow, point

NAIVE = datetime(2025, 1, 1)  # noqa: DTZ001
ONE = Decimal(1)

NO_AMOUNTS = [Decimal(text) for text in ("NaN", "sNaN", "Infinity", "-Infinity", "1E-19", "1E+18", "-1E+30")]


def test_records_are_sorted() -> None:
    history = history_of(
        [point(2, 1), point(1, 2)],
        [flow(2, 1), flow(1, 2)],
    )
    assert history == History(
        [point(1, 2), point(2, 1)],
        [flow(1, 2), flow(2, 1)],
    )


@pytest.mark.parametrize("amount", NO_AMOUNTS, ids=str)
@pytest.mark.parametrize("kind", ["value", "cash", "flow"])
def test_an_amount_that_is_none_is_refused(kind: str, amount: Decimal) -> None:
    records: dict[str, dict[str, Any]] = {
        "value": {"values": [ValuePoint(day(0), amount, ONE)]},
        "cash": {"values": [ValuePoint(day(0), AMOUNT_LIMIT - 1, amount)]},
        "flow": {"flows": [Flow(day(0), amount)]},
    }
    with pytest.raises(MalformedHistory, match="not a number below"):
        history_of(**{"values": [], **records[kind]})


@pytest.mark.parametrize(
    ("records", "reason"),
    [
        ({"values": [point(0, 1), point(0, 1)]}, "two values"),
        ({"values": [ValuePoint(NAIVE, ONE, ONE)]}, "zone"),
        ({"values": [], "flows": [Flow(NAIVE, ONE)]}, "zone"),
        ({"values": [point(0, -1, -1)]}, "cash"),
        ({"values": [point(0, 1, 2)]}, "cash"),
    ],
)
def test_what_is_no_history_is_refused(records: dict[str, Any], reason: str) -> None:
    with pytest.raises(MalformedHistory, match=reason):
        history_of(**records)


def test_withdrawals_are_negative() -> None:
    assert history_of([], [flow(0, -5)]).flows[0].amount == Decimal(-5)


def test_the_part_of_a_span_has_the_values_at_its_borders() -> None:
    numbers = (0, 0.9, 1.5, 2.4, 3, 4)
    whole = history_of(
        [point(number, 1) for number in numbers],
        [flow(number, 1) for number in (0.8, *numbers, 2.9)],
    )
    part = whole.within(Span(day(1), day(3)))
    assert [each.at for each in part.values] == [day(number) for number in (0.9, 1.5, 2.4, 3)]
    assert [each.at for each in part.flows] == [day(number) for number in (0.9, 1.5, 2.4, 2.9)]


def test_a_value_at_the_beginning_opens_the_span() -> None:
    whole = history_of([point(number, 1) for number in (0, 1, 2, 3)])
    assert [each.at for each in whole.within(Span(day(1), day(2))).values] == [day(1), day(2)]


@pytest.mark.parametrize(("begins", "ends", "kept"), [(5, 6, [2]), (-2, -1, []), (-1, 0, [0]), (-1, 1, [0, 1])])
def test_the_part_of_a_span_that_the_history_does_not_cover(begins: int, ends: int, kept: list[int]) -> None:
    whole = history_of([point(number, 1) for number in (0, 1, 2)], [flow(9, 1)])
    part = whole.within(Span(day(begins), day(ends)))
    assert [each.at for each in part.values] == [day(number) for number in kept]
    assert part.flows == []
