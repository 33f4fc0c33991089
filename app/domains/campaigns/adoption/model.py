"""What becomes of the users and projects of a database without tenants."""

from collections import Counter
from datetime import datetime
from typing import Any, Final, NamedTuple
from uuid import UUID

import msgspec

from app.domains.campaigns.participants.model import NewParticipant
from app.domains.campaigns.projects.model import Terms
from app.kit.errors import Problem

USERS: Final = "users"
PROJECTS: Final = "projects"
USER_PROJECTS: Final = "user_projects"
WALLETS: Final = "wallets"
REFERRALS: Final = "referrals"
NEEDED: Final = (USERS, PROJECTS)
LEFT: Final = ("airdrops", "claims", "api_keys", "sessions", "webhooks", "webhook_deliveries", "analytics_events")
"""Tables that are counted, and not adopted."""


class Refused(NamedTuple):
    """What was not adopted, and why."""

    what: str
    """A table, or a part of its rows."""
    id: str
    reason: str


class AdoptedUser(msgspec.Struct, frozen=True, kw_only=True):
    """A user as the participant that they become."""

    source_id: UUID
    new: NewParticipant
    referred_by: UUID | None
    """The user who has referred them."""
    total_referrals: int
    """As it was counted before."""
    created_at: datetime
    last_active_at: datetime


class AdoptedProject(msgspec.Struct, frozen=True, kw_only=True):
    """A project as it is stored."""

    source_id: UUID
    terms: Terms
    key: str | None
    """None: it had none that a project can have."""
    wallet: str | None
    created_at: datetime


class AdoptedParticipation(msgspec.Struct, frozen=True, kw_only=True):
    """What a user takes part in."""

    source_id: UUID
    user_id: UUID
    project_id: UUID
    status: str
    points: int
    level: int
    """As it was before."""
    verification_status: str
    joined_at: datetime
    updated_at: datetime


class AdoptionReport(msgspec.Struct):
    """What was found, adopted and refused, by table or part of it."""

    found: Counter[str] = msgspec.field(default_factory=Counter)
    adopted: Counter[str] = msgspec.field(default_factory=Counter)
    """What is adopted now, also if it was before."""
    stored: Counter[str] = msgspec.field(default_factory=Counter)
    """What was adopted by this run."""
    refused: list[Refused] = msgspec.field(default_factory=list)
    notes: Counter[str] = msgspec.field(default_factory=Counter)
    """What is otherwise than it was, and how often."""
    left: dict[str, int] = msgspec.field(default_factory=dict)
    """Tables that are not adopted, and how many rows they have."""
    differences: list[str] = msgspec.field(default_factory=list)
    """Numbers that should agree, and do not."""

    def refuse(self, what: str, id: Any, reason: str) -> None:
        """Notes what is not adopted."""
        self.refused.append(Refused(what, str(id), reason))

    def lines(self) -> list[str]:
        """What became of it all, in words."""
        refused = Counter(each.what for each in self.refused)
        return [
            *(
                f"{what}: {number:,} found, {self.adopted[what]:,} adopted ({self.stored[what]:,} of them now),"
                f" {refused[what]:,} refused"
                for what, number in self.found.items()
            ),
            *(f"{what}: {number:,}" for what, number in self.notes.items() if number),
            *(f"{what}: {number:,} rows, not adopted" for what, number in self.left.items()),
        ]


class Totals(msgspec.Struct, frozen=True):
    """What a tenant has of what was adopted."""

    participants: int
    wallets: int
    referrals: int
    referrals_counted: int
    projects: int
    project_wallets: int
    participations: int
    active: int
    active_counted: int
    points: int
    entries: int


class HasTenants(Problem):
    """The tables have tenants already: these are not those of a database without."""


class NotTheOwner(Problem):
    """The tenant is another's: its owner adopts, and nobody else."""
