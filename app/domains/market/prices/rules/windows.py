"""Windows of time: candles begin at multiples of their length since 1970, in UTC."""

from datetime import UTC, datetime, timedelta

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def begin_of(at: datetime, length: timedelta) -> datetime:
    """Returns the begin of the window that contains this time."""
    return at - (at - EPOCH) % length


def touched(since: datetime, until: datetime, length: timedelta) -> tuple[datetime, datetime]:
    """Returns the begin and end of the windows that contain the times from `since` until before `until`."""
    end = begin_of(until, length)
    return begin_of(since, length), end if end == until else end + length
