"""The parts of the calendar in which performance is reported."""

from datetime import UTC, datetime, timedelta

from app.domains.trading.performance.model import Period, Span


def span_of(period: Period, at: datetime) -> Span:
    """Returns the day, week, month or year in UTC that has the time `at`. Raises ValueError for a time without zone."""
    if at.tzinfo is None:
        raise ValueError("a time without a zone")
    day = at.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    match period:
        case Period.DAY:
            return Span(day, day + timedelta(days=1))
        case Period.WEEK:
            monday = day - timedelta(days=day.weekday())
            return Span(monday, monday + timedelta(weeks=1))
        case Period.MONTH:
            first = day.replace(day=1)
            return Span(first, (first + timedelta(days=31)).replace(day=1))
        case Period.YEAR:
            first = day.replace(month=1, day=1)
            return Span(first, first.replace(year=first.year + 1))
