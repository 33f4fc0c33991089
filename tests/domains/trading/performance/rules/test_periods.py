"""The parts of the calendar."""

from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domains.trading.performance.model import Period, Span
from app.domains.trading.performance.rules.periods import span_of

LEAST = timedelta(microseconds=1)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("period", "begins", "ends"),
    [
        (Period.DAY, "2024-02-29", "2024-03-01"),
        (Period.WEEK, "2024-02-26", "2024-03-04"),
        (Period.MONTH, "2024-02-01", "2024-03-01"),
        (Period.YEAR, "2024-01-01", "2025-01-01"),
    ],
)
def test_the_span_of_a_time(period: Period, begins: str, ends: str) -> None:
    span = Span(at(begins), at(ends))
    assert span_of(period, at("2024-02-29T13:37:00.5")) == span
    assert span_of(period, span.begins_at) == span
    assert span_of(period, span.ends_at - LEAST) == span
    assert span_of(period, span.ends_at) != span


def test_a_day_is_that_of_utc() -> None:
    there = datetime(2025, 1, 1, 5, tzinfo=timezone(timedelta(hours=8)))
    assert span_of(Period.YEAR, there) == Span(at("2024-01-01"), at("2025-01-01"))


def test_a_time_without_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="zone"):
        span_of(Period.DAY, at("2025-01-01").replace(tzinfo=None))


moments = st.builds(
    lambda seconds, offset: (at("1970-01-02") + timedelta(seconds=seconds)).astimezone(
        timezone(timedelta(hours=offset))
    ),
    st.integers(0, 10**10),
    st.integers(-12, 14),
)


@given(moments, st.sampled_from(Period))
def test_spans_join(time: datetime, period: Period) -> None:
    span = span_of(period, time)
    assert span.begins_at <= time < span.ends_at
    assert span_of(period, span.ends_at).begins_at == span.ends_at
    assert span_of(period, span.begins_at - LEAST).ends_at == span.begins_at
    day = time.astimezone(UTC).date()
    first = span.begins_at.date()
    match period:
        case Period.DAY:
            assert first == day
        case Period.WEEK:
            assert (first.isocalendar()[:2], first.isoweekday()) == (day.isocalendar()[:2], 1)
        case Period.MONTH:
            assert first == date(day.year, day.month, 1)
        case Period.YEAR:
            assert first == date(day.year, 1, 1)
