"""Participations: who takes part in which project, with which points."""

from datetime import datetime
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

import msgspec

from app.domains.campaigns.participants.model import Attribute
from app.kit.errors import Code, Problem
from app.kit.events import Fact

MAX_NOTE_CHARS: Final = 1_000
MAX_ADJUSTMENT: Final = 1_000_000_000
MAX_THRESHOLD: Final = 10**15
SHARDS: Final = 16
"""The rows of a project that participants are counted in."""
COUNTRY: Final = "country"
"""The name of the attribute that says where a participant is, by ISO 3166-1."""

PARTICIPATION_CHANGED: Final = "participation.changed"


class ParticipationStatus(StrEnum):
    """Whether somebody takes part."""

    ACTIVE = "active"
    BANNED = "banned"
    LEFT = "left"


class VerificationStatus(StrEnum):
    """Whether a tenant has verified a participation."""

    PENDING = "pending"
    VERIFIED = "verified"
    REJECTED = "rejected"


class PointReason(StrEnum):
    """Why points were given or taken."""

    TASK = "task"
    BONUS = "bonus"
    REFERRAL = "referral"
    CORRECTION = "correction"


class Requirement(StrEnum):
    """What a project requires of those who join."""

    VERIFIED = "verified"
    WALLET = "wallet"
    ACCOUNT_AGE = "account_age"
    COUNTRY = "country"


class Closed(StrEnum):
    """Why nobody can take part in a project now."""

    ARCHIVED = "archived"
    PAUSED = "paused"
    NOT_STARTED = "not_started"
    ENDED = "ended"


class ParticipationChange(StrEnum):
    """What happened to a participation."""

    JOINED = "joined"
    LEFT = "left"
    BANNED = "banned"
    UNBANNED = "unbanned"
    VERIFICATION = "verification"
    COMPLETION = "completion"
    POINTS = "points"
    LEVEL = "level"


class Participation(msgspec.Struct, frozen=True):
    """Someone's part in a project."""

    id: UUID
    tenant_id: UUID
    livemode: bool
    project_id: UUID
    participant_id: UUID
    status: str
    points: int
    level: int
    next_level_points: int | None
    verification_status: str
    joined_at: datetime
    left_at: datetime | None
    banned_at: datetime | None
    updated_at: datetime


class LockedParticipation(Participation, frozen=True):
    """A participation that the transaction has locked, the user who is linked to the participant, and whether the
    participant was erased, and may take part.
    """

    user_id: UUID | None
    is_erased: bool
    can_take_part: bool


class Location(msgspec.Struct, frozen=True):
    """Where a participation is, and whose."""

    project_id: UUID
    tenant_id: UUID
    livemode: bool
    user_id: UUID | None


class Review(msgspec.Struct, frozen=True):
    """What a tenant has decided about a participation, and why."""

    participation_id: UUID
    verification_data: dict[str, Any]
    verification_note: str | None
    reviewed_by: UUID | None
    reviewed_at: datetime | None
    ban_reason: str | None
    banned_by: UUID | None


class Verification(msgspec.Struct, frozen=True):
    """What a tenant decides about a participation, in place of what it has decided before."""

    status: VerificationStatus
    data: tuple[Attribute, ...] = ()
    note: str | None = None


class Adjustment(msgspec.Struct, frozen=True):
    """Points that a tenant gives, or takes."""

    amount: int
    reason: PointReason
    note: str


class PointEntry(msgspec.Struct, frozen=True):
    """Points that were given or taken, and what there were after it. Only notes of who is erased ever change."""

    id: UUID
    participation_id: UUID
    amount: int
    balance: int
    reason: str
    note: str | None
    completion_id: UUID | None
    created_by: UUID | None
    created_at: datetime


class Standing(msgspec.Struct, frozen=True):
    """The points of a participation, and the level for them."""

    points: int
    level: int


class Relevelled(msgspec.Struct, frozen=True):
    """A participation that has another level."""

    id: UUID
    project_id: UUID
    participant_id: UUID
    user_id: UUID | None
    points: int
    level: int


class ProjectCounts(msgspec.Struct, frozen=True):
    """What was counted of a project."""

    project_id: UUID
    participants: int
    completions: int


class OpenProject(msgspec.Struct, frozen=True):
    """A project, as far as it decides who takes part."""

    id: UUID
    tenant_id: UUID
    livemode: bool
    key: str
    network: str
    requirements: dict[str, Any]
    is_active: bool
    is_public: bool
    starts_at: datetime | None
    ends_at: datetime | None
    archived_at: datetime | None
    level_thresholds: list[int]
    participant_limit: int
    is_tenant_open: bool


class Joiner(msgspec.Struct, frozen=True):
    """A participant who is to join, as far as the requirements of a project are about them."""

    id: UUID
    user_id: UUID | None
    is_active: bool
    is_verified: bool
    country: str | None
    since: datetime
    has_wallet: bool


class ParticipationFact(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What an event says about a participation."""

    change: ParticipationChange
    participation_id: UUID
    points: int
    level: int
    amount: int | None = None
    completion_id: UUID | None = None

    def facts(self, project_id: UUID, participant_id: UUID, *, linked: bool) -> list[Fact]:
        """The events: for the tenant, and for the user who is linked to the participant."""
        streams = [participation_stream(project_id)]
        if linked:
            streams.append(own_stream(project_id, participant_id))
        payload = msgspec.to_builtins(self)
        return [Fact(stream, PARTICIPATION_CHANGED, payload) for stream in streams]


def participation_stream(project_id: UUID) -> str:
    """The name of the stream of all who take part in a project."""
    return f"participations:{project_id}"


def own_stream(project_id: UUID, participant_id: UUID) -> str:
    """The name of the stream of what one participant does in a project."""
    return f"participations:{project_id}:{participant_id}"


class ProjectNotOpen(Problem):
    """Nobody can take part in the project now."""

    def __init__(self, closed: Closed) -> None:
        super().__init__(_CLOSED[closed])
        self.closed = closed


_CLOSED: Final = {
    Closed.ARCHIVED: "The project was archived.",
    Closed.PAUSED: "The project is paused.",
    Closed.NOT_STARTED: "The project has not started yet.",
    Closed.ENDED: "The project has ended.",
}


class ProjectFull(Problem):
    """The project has as many participants as it can have."""

    def __init__(self, limit: int) -> None:
        super().__init__(f"The project has the {limit:,} participants that it can have.")
        self.limit = limit


class RequirementsNotMet(Problem):
    """The participant does not meet what the project requires."""

    def __init__(self, requirements: tuple[Requirement, ...]) -> None:
        super().__init__(f"The participant does not meet what the project requires: {', '.join(requirements)}.")
        self.requirements = list(requirements)


class AlreadyJoined(Problem):
    """The participant takes part in the project already."""


class ParticipantBanned(Problem):
    """The participant is banned from the project."""

    code = Code.FORBIDDEN


class ParticipantInactive(Problem):
    """The tenant has set that this participant cannot take part."""

    code = Code.FORBIDDEN


class NotTakingPart(Problem):
    """The participant has left the project."""


class NotBanned(Problem):
    """The participant is not banned from the project."""


class NotEnoughPoints(Problem):
    """Nobody has less than no points."""

    field = "amount"

    def __init__(self, points: int) -> None:
        super().__init__(f"The participation has {points:,} points, and not less than none.")
        self.points = points
