"""Unix milliseconds, as transactions state them, and datetimes, as the tables store them."""

from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def to_datetime(timestamp_ms: int) -> datetime:
    """Returns the moment, exact to the millisecond."""
    return _EPOCH + timedelta(milliseconds=timestamp_ms)


def to_milliseconds(moment: datetime) -> int:
    """The inverse of `to_datetime`, rounded down."""
    return (moment - _EPOCH) // timedelta(milliseconds=1)
