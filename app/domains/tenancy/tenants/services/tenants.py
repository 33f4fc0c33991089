"""Creating, changing and deleting tenants."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final
from uuid import UUID

import msgspec
from msgspec import UNSET

from app.domains.accounts.model import Viewer
from app.domains.accounts.services.auth_log import system_scope as system_scope_of
from app.domains.accounts.services.sessions import end_of
from app.domains.tenancy.tenants.model.tenants import (
    GRACE,
    LIMITS,
    MemberRole,
    NewTenant,
    Plan,
    PlanChanges,
    SlugTaken,
    SubscriptionStatus,
    Tenancy,
    Tenant,
    TenantChanges,
    TenantLimitReached,
    TenantNotDeleted,
)
from app.domains.tenancy.tenants.rules import check_changes, check_plan, checked
from app.domains.tenancy.tenants.services.access import Access, system_scope
from app.domains.tenancy.tenants.statements import MemberSql, TenantSql
from app.kit.changes import given
from app.kit.clock import Clock
from app.kit.db import SYSTEM, Database, Tx
from app.kit.errors import NotFound, ResultDeleted
from app.kit.events import EventLog
from app.kit.idempotency import KeyedRequest, Made, check_key, once

SETTINGS: Final = ("website_url", "support_email", "time_zone")
REMOVED_AT_ONCE: Final = 10


@dataclass(frozen=True)
class Tenants:
    """The tenants. Only Moneta writes them. A transaction locks the tenant before its members. `changed` hears of those
    for whose keys something has changed.
    """

    database: Database
    clock: Clock
    events: EventLog
    access: Access
    limit: int
    changed: Callable[[UUID], None]

    async def create(self, viewer: Viewer, new: NewTenant, idempotency_key: str) -> UUID:
        """Creates a tenant on the plan FREE, whose owner is the viewer; returns its ID.

        Raises InvalidInput, SlugTaken, TenantLimitReached, IdempotencyKeyReused, ResultDeleted.
        """

        async def create(tx: Tx) -> Made:
            made, limits, now = checked(new), LIMITS[Plan.FREE], self.clock.now()
            await tx.execute(TenantSql.lock_owner, str(viewer.user_id))
            [owned] = await tx.fetch(TenantSql.count_owned, viewer.user_id)
            if owned >= self.limit:
                raise TenantLimitReached(self.limit)
            settings = {each: value for each in SETTINGS if (value := getattr(made, each)) is not None}
            id = await tx.fetch_one(
                TenantSql.insert_tenant, made.slug, made.name, made.email, made.billing_email, settings, *limits, now
            )
            if id is None:
                raise SlugTaken
            await tx.execute(MemberSql.insert_member, id, viewer.user_id, MemberRole.OWNER, now)
            return Made(id)

        check_key(idempotency_key, lambda: checked(new))
        keyed = KeyedRequest.of(viewer.user_id, idempotency_key, "createTenant", msgspec.structs.asdict(new))

        async def write(tx: Tx) -> UUID:
            made = (await once(tx, keyed, lambda: create(tx), Made)).result
            if not await tx.fetch(TenantSql.tenants_by_ids, [made.id]):
                raise ResultDeleted
            return made.id

        return await self.database.write(system_scope_of(viewer.client, viewer.user_id), write)

    async def update(self, tenancy: Tenancy, changes: TenantChanges) -> None:
        """Changes what a tenant is called and set to. Raises InvalidInput, NotFound, Forbidden, TenantNotActive."""
        made = check_changes(changes)

        async def work(tx: Tx) -> None:
            await tx.fetch(TenantSql.lock_tenant, tenancy.tenant_id)
            await self.access.check(tx, tenancy, MemberRole.ADMIN)
            if made.is_empty:
                return
            settings = {each: value for each in SETTINGS if (value := getattr(made, each)) is not UNSET}
            await tx.execute(
                TenantSql.update_tenant,
                tenancy.tenant_id,
                given(made.name),
                given(made.email),
                made.billing_email is not UNSET,
                given(made.billing_email),
                settings,
            )

        await self.database.write(system_scope(tenancy), work)

    async def update_plan(self, viewer: Viewer, id: UUID, changes: PlanChanges) -> None:
        """Changes what a tenant pays for, for an admin of Moneta. A new plan brings its limits, but for those that are
        given. Raises InvalidInput, NotFound.
        """
        check_plan(changes)
        agreed = (changes.max_projects, changes.max_participants_per_project, changes.max_calls_per_month)
        usual = agreed if changes.plan is UNSET else LIMITS[changes.plan]
        limits = [given(own if own is not UNSET else other) for own, other in zip(agreed, usual, strict=True)]

        async def work(tx: Tx) -> None:
            if not await tx.fetch(TenantSql.lock_tenant, id):
                raise NotFound(Tenant)
            if changes.is_empty:
                return
            await tx.execute(
                TenantSql.update_plan,
                id,
                given(changes.plan),
                given(changes.status),
                changes.subscription_id is not UNSET,
                given(changes.subscription_id),
                *limits,
            )
            if changes.status is SubscriptionStatus.SUSPENDED:
                ended = await tx.fetch(TenantSql.open_in_tenant, id, True)
                await self.events.append(tx, [end_of(each) for each in ended])

        await self.database.write(system_scope_of(viewer.client, viewer.user_id), work)
        self.changed(id)

    async def delete(self, tenancy: Tenancy) -> None:
        """Deletes a tenant, whatever its subscription: nobody acts in it from then on. For GRACE an owner can restore
        it. Raises NotFound, Forbidden.
        """

        async def work(tx: Tx) -> None:
            await tx.fetch(TenantSql.lock_tenant, tenancy.tenant_id)
            await self.access.check(tx, tenancy, MemberRole.OWNER, changes=False)
            await tx.execute(TenantSql.set_deleted, tenancy.tenant_id, self.clock.now())
            ended = await tx.fetch(TenantSql.open_in_tenant, tenancy.tenant_id, False)
            await self.events.append(tx, [end_of(id) for id in ended])

        await self.database.write(system_scope(tenancy), work)
        self.changed(tenancy.tenant_id)

    async def restore(self, viewer: Viewer, slug: str) -> UUID:
        """Restores a tenant of which the viewer is an owner; returns its ID. Raises NotFound, TenantNotDeleted."""

        async def work(tx: Tx) -> UUID:
            id = await tx.fetch_one(TenantSql.deleted_tenant_of, slug, viewer.user_id)
            locked = None if id is None else await tx.fetch_one(TenantSql.lock_tenant, id)
            if locked is None or (locked.deleted_at is not None and locked.deleted_at + GRACE <= self.clock.now()):
                raise NotFound(Tenant)
            if locked.deleted_at is None:
                raise TenantNotDeleted
            await tx.execute(TenantSql.set_deleted, locked.id, None)
            return locked.id

        return await self.database.write(system_scope_of(viewer.client, viewer.user_id), work)

    async def remove_deleted(self) -> str:
        """Removes what can no longer be restored, a few at once."""
        before = self.clock.now() - GRACE
        slugs = await self.database.write(
            SYSTEM, lambda tx: tx.fetch(TenantSql.remove_tenants, before, REMOVED_AT_ONCE)
        )
        return f"{len(slugs)} removed"
