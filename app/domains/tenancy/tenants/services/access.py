"""Who acts in a tenant, and whether they may."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

import msgspec

from app.domains.accounts.model import Client
from app.domains.tenancy.tenants.model.tenants import (
    MemberRole,
    MembersOnly,
    SubscriptionStatus,
    Tenancy,
    Tenant,
    TenantNotActive,
)
from app.domains.tenancy.tenants.statements import TenantSql
from app.kit.clock import Clock
from app.kit.db import Database, Scope, Tx
from app.kit.errors import Forbidden, NotFound
from app.kit.idempotency import KeyedRequest


@dataclass(frozen=True)
class Access:
    """Finds out on whose behalf a request acts, and checks it again in the transaction of each change."""

    database: Database
    clock: Clock

    async def tenancy(self, user_id: UUID, slug: str, client: Client) -> Tenancy | None:
        """The part of a user in the tenant with a slug. None: there is no such tenant, or they are no member of it."""
        found = await self.database.fetch_one(TenantSql.tenancy_of_member, user_id, slug)
        if found is None:
            return None
        return Tenancy(
            tenant_id=found.tenant_id,
            slug=found.slug,
            status=SubscriptionStatus(found.subscription_status),
            user_id=user_id,
            membership_id=found.membership_id,
            role=MemberRole(found.role),
            client=client,
        )

    async def check(self, tx: Tx, tenancy: Tenancy, least: MemberRole, *, changes: bool = True) -> None:
        """Checks that this is still so, with at least a role. A key has that of an admin. `changes`: only in a tenant
        that may be changed. Raises NotFound, Forbidden, MembersOnly, TenantNotActive.
        """
        if (key := tenancy.key) is None:
            standing = await tx.fetch_one(TenantSql.standing_of_member, tenancy.tenant_id, tenancy.membership_id)
        else:
            standing = await tx.fetch_one(TenantSql.standing_of_key, tenancy.tenant_id, key.id, self.clock.now())
        if standing is None:
            raise NotFound(Tenant)
        role, status = MemberRole(standing.role), SubscriptionStatus(standing.status)
        if not role.includes(least):
            if tenancy.key is not None:
                raise MembersOnly
            raise Forbidden(f"In this tenant your role is {role}, and this needs the role {least}.")
        if changes and status is not SubscriptionStatus.ACTIVE:
            raise TenantNotActive(status)


def member_of(tenancy: Tenancy) -> UUID:
    """The user who acts. Raises MembersOnly for a key."""
    if tenancy.user_id is None:
        raise MembersOnly
    return tenancy.user_id


def system_scope(tenancy: Tenancy) -> Scope:
    """The scope of Moneta itself, on behalf of who acts in a tenant. The audit log names them."""
    return msgspec.structs.replace(tenancy.scope, system=True)


def keyed_request(tenancy: Tenancy, key: str, operation: str, request: Any) -> KeyedRequest:
    """A request under an idempotency key of a tenant. A key of another tenant, or for tests, is another key."""
    owner = f"tenant:{tenancy.tenant_id}:{'live' if tenancy.livemode else 'test'}"
    return KeyedRequest(owner=owner, user_id=None, key=key, operation=operation, request=request)
