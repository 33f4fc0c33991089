"""Windows of time: candles begin at multiples of their length since 1970, in UTC."""

from datetime import UTC, datetime, timedelta

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def begin_of(at: datetime, length: timedelta) -> datetime:
    """When the window began that holds this moment."""
    return at - (at - EPOCH) % length


def touched(since: datetime, until: datetime, length: timedelta) -> tuple[datetime, datetime]:
    """The whole windows that hold any moment from `since` until before `until`."""
    end = begin_of(until, length)
    return begin_of(since, length), end if end == until else end + length
