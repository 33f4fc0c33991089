"""The parts of the calendar in which performance is reported."""

from datetime import UTC, datetime, timedelta

from app.domains.trading.performance.model import DAYS_KEPT, Measured, Period, Span


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


def due_spans(measured: Measured, now: datetime) -> list[Span]:
    """Returns what is to be measured of a period: from the first span that is not final until the present one.

    The year is measured once a day, unless nothing is known of it. Days that are not kept are not measured.
    """
    period = measured.period
    if period is Period.YEAR and measured.computed_at and measured.computed_at >= span_of(Period.DAY, now).begins_at:
        return []
    at = measured.open_from or max(measured.final_until or measured.life_began_at, measured.life_began_at)
    if period is Period.DAY:
        at = max(at, now - DAYS_KEPT)
    spans = []
    while at <= now:
        spans.append(span_of(period, at))
        at = spans[-1].ends_at
    return spans
