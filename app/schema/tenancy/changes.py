"""Creating, changing, deleting and restoring tenants."""

from typing import Any

import strawberry

from app.domains.tenancy.services import TenancyServices
from app.domains.tenancy.tenants.model import tenants as model
from app.engine.declarations.nodes import global_id, key_of
from app.engine.declarations.patches import changeable, changes_of
from app.engine.declarations.problems import (
    IdempotencyKeyReused,
    InvalidInput,
    NotFound,
    Problem,
    ResultDeleted,
    mutation,
    problem_type,
)
from app.kit import errors
from app.schema.admins import for_admins
from app.schema.context import Info
from app.schema.idempotency import IDEMPOTENCY_KEY
from app.schema.tenancy.tenants import Tenant, read_tenant

SLUG = "The slug: 1 to 100 lower-case letters a-z, digits and hyphens. It does not change, and no other tenant has it."
NAME = "The name, 1 to 255 characters."
EMAIL = "Where it can be reached."
KEPT = "Omitted: unchanged. Not null."
UNSET = "Null: not set."
ZONE = "The time zone, by the IANA database, such as Europe/Vienna."
LIMIT = "0 to 2,000,000,000. Omitted: that of a new plan, or unchanged."


@problem_type(model.TenantNotActive)
class TenantNotActive(Problem):
    """The subscription of the tenant does not allow changes."""

    status: model.SubscriptionStatus = strawberry.field(description="What can be done in it.")


@problem_type(model.SlugTaken)
class SlugTaken(Problem):
    """Another tenant has this slug, or had it less than 30 days ago."""


@problem_type(model.TenantLimitReached)
class TenantLimitReached(Problem):
    """The viewer owns the maximum number of tenants."""

    limit: int = strawberry.field(description="The maximum number of tenants.")


@problem_type(model.TenantNotDeleted)
class TenantNotDeleted(Problem):
    """The tenant was not deleted."""


@strawberry.input
class CreateTenantInput:
    """The tenant to create."""

    slug: str = strawberry.field(description=SLUG)
    name: str = strawberry.field(description=NAME)
    email: str = strawberry.field(description=EMAIL)
    billing_email: str | None = strawberry.field(default=None, description="Where bills go. Null: to `email`.")
    website_url: str | None = strawberry.field(default=None, description=f"Its web site, an https:// URL. {UNSET}")
    support_email: str | None = strawberry.field(default=None, description=f"Where participants get help. {UNSET}")
    time_zone: str | None = strawberry.field(default=None, description=f"{ZONE} Null: UTC.")
    idempotency_key: str = strawberry.field(description=IDEMPOTENCY_KEY)

    def new(self) -> model.NewTenant:
        """The tenant to create."""
        given = {name: value for name, value in vars(self).items() if name != "idempotency_key"}
        return model.NewTenant(**given | {"time_zone": self.time_zone or model.UTC})


@strawberry.type
class CreateTenantPayload:
    """The tenant was created. The viewer is its owner."""

    tenant: Tenant = strawberry.field(description="The new tenant.")


@strawberry.input
class UpdateTenantInput:
    """Changes to the tenant that the request names. Fields that are omitted stay unchanged."""

    name: str | None = changeable(description=f"{NAME} {KEPT}")
    email: str | None = changeable(description=f"{EMAIL} {KEPT}")
    billing_email: str | None = changeable(description="Where bills go. Null: to `email`.")
    website_url: str | None = changeable(description=f"Its web site, an https:// URL. {UNSET}")
    support_email: str | None = changeable(description=f"Where participants get help. {UNSET}")
    time_zone: str | None = changeable(description=f"{ZONE} {KEPT}")


@strawberry.type
class UpdateTenantPayload:
    """The tenant was changed."""

    tenant: Tenant = strawberry.field(description="The tenant as it is now.")


@strawberry.input
class UpdateTenantPlanInput:
    """Changes to what a tenant pays for. Fields that are omitted stay unchanged."""

    id: strawberry.ID = strawberry.field(description="The global ID of the tenant.")
    plan: model.Plan | None = changeable(description=f"What it pays for, which brings its limits. {KEPT}")
    status: model.SubscriptionStatus | None = changeable(description=f"What can be done in it. {KEPT}")
    subscription_id: str | None = changeable(
        name="billingReference",
        description="The subscription at the payment provider, 1 to 255 characters. Null: none.",
    )
    max_projects: int | None = changeable(name="projectLimit", description=f"The number of projects, {LIMIT}")
    max_participants_per_project: int | None = changeable(
        name="participantLimit", description=f"The number of participants of each project, {LIMIT}"
    )
    max_calls_per_month: int | None = changeable(
        name="monthlyCallLimit", description=f"The number of operations by API keys in a month, {LIMIT}"
    )


@strawberry.type
class UpdateTenantPlanPayload:
    """The tenant has the new plan, status or limits."""

    tenant: Tenant = strawberry.field(description="The tenant as it is now.")


@strawberry.type
class DeleteTenantPayload:
    """The tenant was deleted: nobody acts in it any more. For 30 days an owner can restore it."""

    deleted_id: strawberry.ID = strawberry.field(description="The global ID, which it has again if it is restored.")
    tenant: Tenant = strawberry.field(description="The tenant as it is now.")


@strawberry.input
class RestoreTenantInput:
    """A tenant that was deleted, of which the viewer is an owner."""

    slug: str = strawberry.field(description="Its slug.")


@strawberry.type
class RestoreTenantPayload:
    """The tenant is as it was before it was deleted."""

    tenant: Tenant = strawberry.field(description="The tenant as it is now.")


@strawberry.type
class TenantMutation:
    """Changes to tenants."""

    @mutation(CreateTenantPayload, InvalidInput, SlugTaken, TenantLimitReached, ResultDeleted, IdempotencyKeyReused)
    async def create_tenant(self, info: Info, input: CreateTenantInput) -> Any:
        """Creates a tenant on the plan FREE, with the viewer as its owner."""
        viewer = info.context.require_viewer()
        id = await _services(info).tenants.create(viewer, input.new(), input.idempotency_key)
        if (tenant := await read_tenant(info.context, id)) is None:
            raise errors.ResultDeleted
        return CreateTenantPayload(tenant=tenant)

    @mutation(UpdateTenantPayload, InvalidInput, NotFound, TenantNotActive)
    async def update_tenant(self, info: Info, input: UpdateTenantInput) -> Any:
        """Changes the tenant that the request names. For its owners and admins."""
        tenancy = info.context.require_tenancy()
        await _services(info).tenants.update(tenancy, changes_of(input, model.TenantChanges))
        return UpdateTenantPayload(tenant=await _tenant(info, tenancy.tenant_id))

    @mutation(UpdateTenantPlanPayload, InvalidInput, NotFound, metadata=for_admins())
    async def update_tenant_plan(self, info: Info, input: UpdateTenantPlanInput) -> Any:
        """Changes what a tenant pays for, and what it can have. Admins only; the error code is FORBIDDEN for others."""
        viewer, id = info.context.require_admin(), key_of(input.id, Tenant)
        await _services(info).tenants.update_plan(viewer, id, changes_of(input, model.PlanChanges))
        return UpdateTenantPlanPayload(tenant=await _tenant(info, id))

    @mutation(DeleteTenantPayload, NotFound)
    async def delete_tenant(self, info: Info) -> Any:
        """Deletes the tenant that the request names. For its owners, who can restore it for 30 days."""
        tenancy = info.context.require_tenancy()
        await _services(info).tenants.delete(tenancy)
        tenant = await _tenant(info, tenancy.tenant_id)
        return DeleteTenantPayload(deleted_id=global_id(Tenant.__name__, tenancy.tenant_id), tenant=tenant)

    @mutation(RestoreTenantPayload, NotFound, TenantNotDeleted)
    async def restore_tenant(self, info: Info, input: RestoreTenantInput) -> Any:
        """Restores a tenant that the viewer owns and that was deleted less than 30 days ago."""
        id = await _services(info).tenants.restore(info.context.require_viewer(), input.slug)
        return RestoreTenantPayload(tenant=await _tenant(info, id))


def _services(info: Info) -> TenancyServices:
    return info.context.services[TenancyServices]


async def _tenant(info: Info, id: Any) -> Any:
    """The tenant as it is now. Raises NotFound if it is no longer the viewer's to see."""
    found = await read_tenant(info.context, id)
    if found is None:
        raise errors.NotFound(model.Tenant)
    return found
