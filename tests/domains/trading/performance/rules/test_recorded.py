"""Recorded values as those of a history: each with what flowed before its time, and without what flowed since."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from app.domains.trading.performance.model import Flow, RecordedValue, ValuePoint
from app.domains.trading.performance.rules.recorded import values_of
from tests.domains.trading.performance.rules.histories import amounts, day, flow, point


def recorded(number: float, value: int, cash: int, contributed: int) -> RecordedValue:
    return RecordedValue(day(number), Decimal(value), Decimal(cash), Decimal(contributed), False)


def test_what_flowed_between_the_time_and_the_recording_is_taken_out() -> None:
    flows = [flow(1.1, 50), flow(2, -20)]
    found = values_of(
        # On time; after the first flow; before what flowed at the same time.
        [recorded(0.5, 120, 60, 100), recorded(1, 180, 110, 150), recorded(2, 190, 110, 150)],
        flows,
        Decimal(130),
        day(0),
        with_opening=False,
    )
    assert found == [point(0.5, 120, 60), point(1, 130, 60), point(2, 190, 110)]


def test_a_life_is_opened_with_what_was_not_paid_in_later() -> None:
    flows = [flow(1, 50), flow(2, -20)]
    values = [recorded(-0.5, 100, 100, 100), recorded(0, 100, 100, 100), recorded(1.5, 160, 40, 150)]
    found = values_of(values, flows, Decimal(130), day(0), with_opening=True)
    assert found == [point(0, 100, 100), point(1.5, 160, 40)]


def test_what_was_spent_before_the_recording_leaves_no_negative_cash() -> None:
    # 50 came after the time and were spent, and then what was bought fell.
    flows = [flow(1.1, 50)]
    found = values_of(
        [recorded(1, 80, 0, 60), recorded(1.05, 30, 0, 60)], flows, Decimal(60), day(0), with_opening=False
    )
    assert found == [ValuePoint(day(1), Decimal(30), Decimal(0))]


@given(st.lists(st.tuples(st.integers(0, 20), amounts(0, 1000)), max_size=8), st.integers(0, 21))
def test_when_a_value_is_recorded_changes_nothing(paid: list[tuple[int, Decimal]], late: int) -> None:
    """Only deposits move a portfolio, which is worth what was paid in before, whenever it is recorded."""
    flows = sorted((Flow(day(at), amount) for at, amount in paid), key=lambda each: each.at)

    def given_until(number: int) -> Decimal:
        return 100 + sum((each.amount for each in flows if each.at < day(number)), Decimal(0))

    values = []
    for number in range(1, 21):
        seen = given_until(max(number, late))
        values.append(RecordedValue(day(number), seen, seen, seen, False))
    found = values_of(values, flows, given_until(99), day(-1), with_opening=True)
    assert [each.value for each in found] == [100, *(given_until(number) for number in range(1, 21))]
    assert all(each.cash == each.value for each in found)
