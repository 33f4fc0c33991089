"""Tenants: organisations with data of their own, and on whose behalf a request acts in one."""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final, NamedTuple
from uuid import UUID

import msgspec
from msgspec import UNSET, UnsetType

from app.domains.accounts.model import Client
from app.kit.changes import Changes
from app.kit.errors import Code, Problem
from app.kit.scope import Scope

MAX_SLUG_CHARS: Final = 100
MAX_NAME_CHARS: Final = 255
UTC: Final = "UTC"
GRACE: Final = timedelta(days=30)
"""How long a tenant that was deleted can be restored."""


class Plan(StrEnum):
    """What a tenant pays for."""

    FREE = "free"
    PRO = "pro"
    ENTERPRISE = "enterprise"


class SubscriptionStatus(StrEnum):
    """What a tenant may do. Only an ACTIVE one may write."""

    ACTIVE = "active"
    SUSPENDED = "suspended"
    CANCELLED = "cancelled"


class MemberRole(StrEnum):
    """What a member may do, from the most to the least."""

    OWNER = "owner"
    ADMIN = "admin"
    VIEWER = "viewer"

    def includes(self, other: "MemberRole") -> bool:
        """Whether a member with this role may do what one with the other may."""
        order = tuple(MemberRole)
        return order.index(self) <= order.index(other)


class PlanLimits(NamedTuple):
    """What a plan includes."""

    projects: int
    participants_per_project: int
    calls_per_month: int


LIMITS: Final = {
    Plan.FREE: PlanLimits(3, 1_000, 10_000),
    Plan.PRO: PlanLimits(50, 100_000, 1_000_000),
    Plan.ENTERPRISE: PlanLimits(1_000, 10_000_000, 100_000_000),
}


class Tenant(msgspec.Struct, frozen=True):
    """A tenant. `max_…` are its limits, which follow from its plan unless Moneta has agreed on others."""

    id: UUID
    slug: str
    name: str
    email: str
    billing_email: str | None
    plan: str
    status: str
    subscription_id: str | None
    max_projects: int
    max_participants_per_project: int
    max_calls_per_month: int
    website_url: str | None
    support_email: str | None
    time_zone: str
    created_at: datetime
    updated_at: datetime
    deleted_at: datetime | None

    @property
    def removed_at(self) -> datetime | None:
        """When it is removed for ever. Null: it was not deleted."""
        return None if self.deleted_at is None else self.deleted_at + GRACE


class NewTenant(msgspec.Struct, frozen=True, kw_only=True):
    """A tenant to create."""

    slug: str
    name: str
    email: str
    billing_email: str | None = None
    website_url: str | None = None
    support_email: str | None = None
    time_zone: str = UTC


class MemberTenancy(msgspec.Struct, frozen=True):
    """A membership in a tenant that a request names."""

    tenant_id: UUID
    slug: str
    membership_id: UUID
    role: str
    subscription_status: str


class Standing(msgspec.Struct, frozen=True):
    """What a member or a key may do."""

    role: str
    status: str


class LockedTenant(msgspec.Struct, frozen=True):
    """A tenant that the transaction has locked."""

    id: UUID
    deleted_at: datetime | None


class TenantChanges(Changes, frozen=True, kw_only=True):
    """Changes to a tenant. UNSET leaves a field unchanged, None clears it."""

    name: str | UnsetType = UNSET
    email: str | UnsetType = UNSET
    billing_email: str | UnsetType | None = UNSET
    website_url: str | UnsetType | None = UNSET
    support_email: str | UnsetType | None = UNSET
    time_zone: str | UnsetType = UNSET


class PlanChanges(Changes, frozen=True, kw_only=True):
    """Changes that only Moneta makes. Limits follow from the plan unless they are given."""

    plan: Plan | UnsetType = UNSET
    status: SubscriptionStatus | UnsetType = UNSET
    subscription_id: str | UnsetType | None = UNSET
    max_projects: int | UnsetType = UNSET
    max_participants_per_project: int | UnsetType = UNSET
    max_calls_per_month: int | UnsetType = UNSET


class ActingKey(msgspec.Struct, frozen=True, kw_only=True):
    """A key by which a program acts in a tenant."""

    id: UUID
    secret_id: UUID
    """What ends the connections that came with this secret of the key."""
    scopes: frozenset[str]
    expires_at: datetime | None
    """Until when it is good with this secret. Null: it does not expire."""
    plan: Plan
    per_minute: int
    """The number of calls that it may make in a minute, as the others in an hour and a day."""
    per_hour: int
    per_day: int
    per_month: int
    """The number of calls that all keys of the tenant may make in a month."""

    def holds(self, scope: str) -> bool:
        """Whether its scopes include one. To write is not to read."""
        return scope in self.scopes or f"*:{scope.partition(':')[2]}" in self.scopes


class Tenancy(msgspec.Struct, frozen=True, kw_only=True):
    """On whose behalf a request acts in a tenant: that of a member, or of a key, which is no user."""

    tenant_id: UUID
    slug: str
    status: SubscriptionStatus
    user_id: UUID | None = None
    """Null for a key, as the next two."""
    membership_id: UUID | None = None
    role: MemberRole | None = None
    key: ActingKey | None = None
    """Null for a member."""
    livemode: bool = True
    """Whether it sees and changes what is real, and not what is for tests."""
    client: Client

    @property
    def scope(self) -> Scope:
        """The scope in which it reads."""
        return Scope(
            user_id=self.user_id,
            tenant_id=self.tenant_id,
            api_key_id=None if self.key is None else self.key.id,
            livemode=self.livemode,
            ip=self.client.ip,
            user_agent=self.client.user_agent,
        )

    @property
    def audience(self) -> tuple[object, ...]:
        """Equal for those who see the same of the tenant."""
        return self.tenant_id, self.role if self.key is None else self.key.id, self.livemode

    @property
    def held_by(self) -> UUID:
        """What ends the connections that act so, when it ends: a membership, or a secret of a key."""
        held = self.membership_id if self.key is None else self.key.secret_id
        assert held is not None
        return held


class TenantRequired(Problem):
    """This is about a tenant: name one, with the header X-Moneta-Tenant or as `tenant` when a socket is opened."""


class TenantNotActive(Problem):
    """The subscription of the tenant does not allow changes."""

    code = Code.FORBIDDEN

    def __init__(self, status: SubscriptionStatus) -> None:
        super().__init__(f"The subscription of this tenant is {status}: it can be read, and not changed.")
        self.status = status


class MembersOnly(Problem):
    """This is for members of the tenant, who log in. A key cannot do it."""

    code = Code.FORBIDDEN


class SlugTaken(Problem):
    """Another tenant has this slug."""

    field = "slug"


class TenantLimitReached(Problem):
    """A user owns no more tenants than this."""

    def __init__(self, limit: int) -> None:
        super().__init__(f"A user owns at most {limit} tenants.")
        self.limit = limit


class TenantNotDeleted(Problem):
    """The tenant was not deleted."""
