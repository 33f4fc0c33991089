"""API keys: how programs act in a tenant, and what they may do there."""

from datetime import datetime, timedelta
from typing import Final, NamedTuple
from uuid import UUID

import msgspec

from app.kit.errors import Code, Problem
from app.kit.quotas import Usage

PREFIX: Final = "mk_"
"""What keys begin with, and no other token does."""
NOUNS: Final = (
    "tenant",
    "members",
    "projects",
    "participants",
    "participations",
    "tasks",
    "analytics",
    "webhooks",
    "airdrops",
    "claims",
)
"""What scopes are about. A key may also have one for all of them, `*`."""
VERBS: Final = ("read", "write")
ALL: Final = "*"
DEFAULT_SCOPES: Final = ("projects:read",)

MAX_KEYS: Final = 100
"""Of a tenant, that are neither revoked nor expired."""
MAX_CIDRS: Final = 50
MAX_OVERLAP: Final = timedelta(days=7)
KEPT: Final = timedelta(days=90)
"""How long a key is kept after it was revoked or has expired."""


class ApiKey(msgspec.Struct, frozen=True):
    """A key as it is shown: without its secret, which nobody can show again."""

    id: UUID
    tenant_id: UUID
    key_id: str
    name: str
    scopes: list[str]
    allowed_cidrs: list[str]
    livemode: bool
    per_minute: int
    per_hour: int
    per_day: int
    usage_count: int
    last_used_at: datetime | None
    last_used_ip: str | None
    created_by: UUID | None
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    previous_until: datetime | None


class NewApiKey(msgspec.Struct, frozen=True, kw_only=True):
    """A key to create."""

    name: str
    scopes: list[str]
    allowed_cidrs: list[str] = []
    expires_at: datetime | None = None


class PresentedKey(msgspec.Struct, frozen=True):
    """The key whose ID a request presents, and what it may do if its secret is right."""

    id: UUID
    key_id: str
    tenant_id: UUID
    slug: str
    plan: str
    status: str
    livemode: bool
    key_hash: str
    secret_id: UUID
    previous_hash: str | None
    previous_secret_id: UUID | None
    previous_until: datetime | None
    scopes: list[str]
    allowed_cidrs: list[str]
    expires_at: datetime | None
    per_minute: int
    per_hour: int
    per_day: int
    calls_per_month: int
    calls: int


class LockedKey(msgspec.Struct, frozen=True):
    """A key that can be rotated or revoked."""

    id: UUID
    key_id: str
    secret_id: UUID
    previous_secret_id: UUID | None


class IssuedKey(NamedTuple):
    """A key, and its text with the secret: null for a replay, because nobody can show it again."""

    id: UUID
    secret: str | None


class TenantUsage(msgspec.Struct, frozen=True):
    """The calls of a tenant's keys in the present month."""

    tenant_id: UUID
    calls: int
    calls_limit: int
    resets_at: datetime

    @property
    def calls_left(self) -> int:
        """How many are left."""
        return max(0, self.calls_limit - self.calls)


class MonthCalls(msgspec.Struct, frozen=True):
    """What is stored of a tenant's calls in a month."""

    tenant_id: UUID
    calls: int
    calls_limit: int


class CallUsage(NamedTuple):
    """What a call has used of the limits of its key."""

    windows: tuple[Usage, ...]
    is_counted: bool
    """False: Redis does not answer, so that nothing is known of the limits but that of the month."""


class ApiKeyLimitReached(Problem):
    """There are too many keys."""

    def __init__(self) -> None:
        super().__init__(f"A tenant has at most {MAX_KEYS} keys that can be used: revoke one first.")


class KeyRefused(Problem):
    """This key cannot be used here or now."""

    code = Code.FORBIDDEN
