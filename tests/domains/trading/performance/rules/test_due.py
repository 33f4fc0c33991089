"""Which spans are measured: from the first that is not final until now."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from app.domains.trading.performance.model import DAYS_KEPT, Measured, Period
from app.domains.trading.performance.rules.periods import due_spans, span_of
from tests.domains.trading.performance.rules.histories import day

NOW = day(40.5)


def measured(period: Period, **known: Any) -> Measured:
    return Measured(UUID(int=1), 1, **{"life_began_at": day(38.2), "period": period, **EMPTY, **known})


EMPTY: dict[str, Any] = {"open_from": None, "computed_at": None, "final_until": None}


def begins(measured: Measured, now: datetime = NOW) -> list[datetime]:
    return [span.begins_at for span in due_spans(measured, now)]


def test_nothing_is_known() -> None:
    assert begins(measured(Period.DAY)) == [day(38), day(39), day(40)]
    assert [begins(measured(each)) for each in (Period.MONTH, Period.YEAR)] == [[day(31)], [day(0)]]


def test_the_first_that_is_not_final_is_where_it_goes_on() -> None:
    assert begins(measured(Period.DAY, open_from=day(39), final_until=day(39))) == [day(39), day(40)]


def test_after_what_is_final() -> None:
    assert begins(measured(Period.DAY, final_until=day(39))) == [day(39), day(40)]
    # Of a life before.
    assert begins(measured(Period.DAY, final_until=day(30))) == [day(38), day(39), day(40)]


def test_a_span_that_begins_now_is_due() -> None:
    assert begins(measured(Period.DAY, final_until=day(40)), day(40)) == [day(40)]


def test_days_that_are_not_kept_are_not_measured() -> None:
    old = measured(Period.DAY, life_began_at=NOW - DAYS_KEPT - timedelta(days=9))
    assert begins(old)[0] == span_of(Period.DAY, NOW - DAYS_KEPT).begins_at
    month = measured(Period.MONTH, life_began_at=NOW - DAYS_KEPT - timedelta(days=90))
    assert begins(month)[0] < NOW - DAYS_KEPT - timedelta(days=80)


@pytest.mark.parametrize(("hours", "due"), [(0, []), (12, []), (13, [day(0)])])
def test_the_year_is_measured_once_a_day(hours: int, due: list[datetime]) -> None:
    known = {"open_from": day(0), "computed_at": NOW - timedelta(hours=hours)}
    assert begins(measured(Period.YEAR, **known)) == due
    assert begins(measured(Period.MONTH, **known)) != []


def test_a_year_that_ended_today_is_measured_to_its_end() -> None:
    known = {"life_began_at": day(3), "open_from": day(0), "computed_at": day(364.9)}
    assert begins(measured(Period.YEAR, **known), day(365.01)) == [day(0), day(365)]
