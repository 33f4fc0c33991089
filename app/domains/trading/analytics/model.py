"""What users do: events that clients track, and what Moneta records of its own actions."""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

import msgspec

from app.kit.json_values import as_given

MAX_DATA_BYTES: Final = 4096
MAX_DATA_DEPTH: Final = 5
MAX_DATA_KEYS: Final = 64
EVENT_LIMIT: Final = 1000
"""How many events a user's clients may track within `EVENT_WINDOW_S`."""
EVENT_WINDOW_S: Final = 3600.0
ORIGIN_RETENTION: Final = timedelta(days=90)
"""For how long an event keeps the IP address and the user agent, as the log of log-ins does."""


class Source(StrEnum):
    """Who recorded an event."""

    CLIENT = "client"
    SERVER = "server"


class NewEvent(msgspec.Struct, frozen=True, kw_only=True):
    """An event that a client tracks."""

    type: str
    data: Any = None
    client_session: str | None = None


class AnalyticsEvent(msgspec.Struct, frozen=True):
    """A stored event. `ip_address` and `user_agent` are None after 90 days."""

    id: UUID
    event_type: str
    event_data: dict[str, Any]
    session_id: str | None
    source: str
    ip_address: str | None
    user_agent: str | None
    created_at: datetime

    @property
    def given_data(self) -> Any:
        """The data as it was given."""
        return as_given(self.event_data)


class AnalyticsCount(msgspec.Struct, frozen=True):
    """How often a type of event happened on a day that begins at `day`, and to how many users."""

    id: int
    day: datetime
    event_type: str
    source: str
    events: int
    users: int
