"""What happens in projects, how often, and the files of what happened long ago."""

from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

import msgspec

from app.kit.json_values import as_given

MAX_TYPE_CHARS: Final = 100
MAX_NAME_CHARS: Final = 255
MAX_SESSION_CHARS: Final = 128
MAX_AGENT_CHARS: Final = 512
MAX_BATCH: Final = 50
"""How many events are tracked at once."""
MAX_DATA_BYTES: Final = 4096
MAX_DATA_DEPTH: Final = 5
MAX_DATA_KEYS: Final = 64
MAX_AGE: Final = timedelta(days=7)
"""How long ago an event may have happened that is tracked."""
ORIGIN_RETENTION: Final = timedelta(days=90)
"""For how long an event keeps the IP address and the user agent, as the log of log-ins does."""
MAX_BUCKETS: Final = 1000
"""How many parts of the calendar are read at once."""
REDACT_ARCHIVES: Final = "redact-project-event-archives"
"""The job that takes participants out of archives."""
SCHEMA_VERSION: Final = 1
"""Of the lines of an archive."""


class EventSource(StrEnum):
    """Who recorded an event."""

    TENANT = "tenant"
    MONETA = "moneta"


class Interval(StrEnum):
    """A part of the calendar, in UTC. A week begins on Monday."""

    HOUR = "hour"
    DAY = "day"
    WEEK = "week"
    MONTH = "month"


class NewEvent(msgspec.Struct, frozen=True, kw_only=True):
    """An event that a tenant tracks. `occurred_at`: None is now."""

    type: str
    name: str
    participant_id: UUID | None = None
    properties: Any = None
    user_properties: Any = None
    session_id: str | None = None
    ip_address: str | None = None
    user_agent: str | None = None
    occurred_at: datetime | None = None


class ProjectRef(msgspec.Struct, frozen=True):
    """Which project is meant: one of the two is given."""

    id: UUID | None = None
    key: str | None = None


class ProjectEvent(msgspec.Struct, frozen=True):
    """A stored event. `ip_address` and `user_agent` are None after 90 days."""

    id: UUID
    project_id: UUID
    participant_id: UUID | None
    source: str
    event_type: str
    event_name: str
    properties: dict[str, Any]
    user_properties: dict[str, Any]
    session_id: str | None
    ip_address: str | None
    user_agent: str | None
    occurred_at: datetime
    created_at: datetime

    @property
    def given_properties(self) -> Any:
        """The properties as they were given."""
        return as_given(self.properties)

    @property
    def given_user_properties(self) -> Any:
        """What was known of the participant, as it was given."""
        return as_given(self.user_properties)


class ProjectStatistics(msgspec.Struct, frozen=True):
    """What happened in a project in a part of the calendar that begins at `started_at`."""

    started_at: datetime
    ended_at: datetime
    joins: int
    leaves: int
    completions: int
    verifications: int
    points: int
    tracked: int
    active_participants: int


class RetentionWeek(msgspec.Struct, frozen=True):
    """Of those who first joined in a week, how many were active in a week. Weeks are named by when they begin."""

    joined_week: datetime
    active_week: datetime
    joined: int
    active: int

    @property
    def week(self) -> int:
        """How many weeks after they joined."""
        return (self.active_week - self.joined_week).days // 7

    @property
    def share(self) -> float:
        """The share of those who joined."""
        return self.active / self.joined


class Funnel(msgspec.Struct, frozen=True):
    """How far the participants of a project got. Who has done a step has done those before it.

    `level_counts` are how many have reached the levels from 2 on, of those who are verified.
    """

    project_id: UUID
    joined: int
    completed: int
    verified: int
    level_counts: list[int]


class LevelCount(msgspec.Struct, frozen=True):
    """How many have reached a level."""

    level: int
    participants: int


class ParticipantStatistics(msgspec.Struct, frozen=True):
    """What a participant does in all projects of the tenant."""

    participant_id: UUID
    projects_joined: int
    total_referrals: int


class TenantUsage(msgspec.Struct, frozen=True):
    """What a tenant has, in the mode of the caller."""

    tenant_id: UUID
    participant_count: int
    api_key_count: int


class Fingerprint(msgspec.Struct, frozen=True):
    """What the events of a month are, so that others are known from them."""

    events: int
    value: int
    first_at: datetime | None
    last_at: datetime | None


class ArchivedEvent(msgspec.Struct, frozen=True):
    """A line of an archive."""

    id: UUID
    tenant_id: UUID
    livemode: bool
    project_id: UUID
    participant_id: UUID | None
    source: str
    event_type: str
    event_name: str
    properties: dict[str, Any]
    user_properties: dict[str, Any]
    session_id: str | None
    ip_address: str | None
    user_agent: str | None
    occurred_at: datetime
    created_at: datetime


class ArchiveFile(msgspec.Struct, frozen=True):
    """A file of an archive: its name has the beginning of its digest."""

    name: str
    events: int
    bytes: int
    sha256: str


class Manifest(msgspec.Struct, frozen=True):
    """What the archive of a month is."""

    month: date
    schema_version: int
    events: int
    fingerprint: int
    first_at: datetime | None
    last_at: datetime | None
    files: tuple[ArchiveFile, ...]


class ArchiveVerdict(msgspec.Struct, frozen=True):
    """Whether the archive of a month is whole. `fault`: None if it is."""

    month: str
    events: int
    fault: str | None
