"""Time as a dependency: a rule or a service takes a clock, and never reads the machine's."""

from datetime import UTC, datetime, timedelta
from typing import Final, Protocol

NEVER: Final = datetime.max.replace(tzinfo=UTC)
"""When what does not expire expires."""


class Clock(Protocol):
    """A source of the time, as an aware UTC datetime."""

    def now(self) -> datetime:
        """The present moment."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """The present moment."""
        return datetime.now(UTC)


class FixedClock:
    """A clock that stands still until it is moved, for tests and for replaying history."""

    def __init__(self, now: datetime) -> None:
        """`now` must be aware; another zone than UTC is converted."""
        if now.tzinfo is None:
            raise ValueError("a clock needs an aware datetime")
        self._now = now.astimezone(UTC)

    def now(self) -> datetime:
        """The moment it was set or advanced to."""
        return self._now

    def advance(self, by: timedelta) -> None:
        """Moves the present by `by`; a negative one moves it back."""
        self._now += by
