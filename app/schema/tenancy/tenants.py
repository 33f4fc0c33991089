"""Tenants, and what their members read of them."""

from datetime import datetime
from typing import Any

import strawberry

from app.domains.tenancy.tenants import loaders
from app.domains.tenancy.tenants.model import tenants as model
from app.engine.declarations.nodes import Node, node_type
from app.engine.declarations.pages import Connection
from app.engine.declarations.relations import paged
from app.schema.admins import admins_only
from app.schema.context import Context, Info
from app.schema.enums import declare_enum

declare_enum(
    model.Plan,
    name="TenantPlan",
    description="What a tenant pays for.",
    FREE="3 projects, 1,000 participants of each, 10,000 calls a month.",
    PRO="50 projects, 100,000 participants of each, 1,000,000 calls a month.",
    ENTERPRISE="1,000 projects, 10,000,000 participants of each, 100,000,000 calls a month, or as agreed.",
)
declare_enum(
    model.SubscriptionStatus,
    name="TenantStatus",
    description="What can be done in a tenant.",
    ACTIVE="Everything.",
    SUSPENDED="It can be read by its members, and not changed.",
    CANCELLED="It can be read and exported, and not changed.",
)
declare_enum(
    model.MemberRole,
    name="TenantRole",
    description="What a member of a tenant can do.",
    OWNER="Everything, such as deleting the tenant and making other members owners.",
    ADMIN="Everything but what is for owners.",
    VIEWER="Read.",
)


@node_type(by=loaders.tenant_by_id)
class Tenant(Node):
    """An organisation with data of its own. Only its members see it, and admins of Moneta."""

    slug: str = strawberry.field(description="Its name in requests: lower-case letters, digits and hyphens.")
    name: str = strawberry.field(description="The name, 1 to 255 characters.")
    email: str = strawberry.field(description="Where it can be reached.")
    billing_email: str | None = strawberry.field(description="Where bills go. Null: to `email`.")
    plan: model.Plan = strawberry.field(description="What it pays for.")
    status: model.SubscriptionStatus = strawberry.field(description="What can be done in it.")
    subscription_id: str | None = strawberry.field(
        name="billingReference", description="The subscription at the payment provider. Null: none."
    )
    max_projects: int = strawberry.field(name="projectLimit", description="The number of projects that it can have.")
    max_participants_per_project: int = strawberry.field(
        name="participantLimit", description="The number of participants that each of its projects can have."
    )
    max_calls_per_month: int = strawberry.field(
        name="monthlyCallLimit", description="The number of operations by its API keys in a calendar month, in UTC."
    )
    website_url: str | None = strawberry.field(description="Its web site, an https:// URL. Null: not set.")
    support_email: str | None = strawberry.field(description="Where participants get help. Null: not set.")
    time_zone: str = strawberry.field(description="Its time zone, by the IANA database.")
    created_at: datetime = strawberry.field(description="When it was created.")
    updated_at: datetime = strawberry.field(description="When it was last changed.")
    deleted_at: datetime | None = strawberry.field(
        description="When it was deleted: an owner can restore it until `removedAt`. Null: it was not."
    )
    removed_at: datetime | None = strawberry.field(
        description="When it is removed with all its data, 30 days after it was deleted. Null: it was not deleted."
    )


@strawberry.input
class TenantFilter:
    """Filters tenants by all fields that are given. A field that is null or omitted matches all."""

    plan: model.Plan | None = strawberry.field(default=None, description="What they pay for.")
    status: model.SubscriptionStatus | None = strawberry.field(default=None, description="What can be done in them.")


@strawberry.type
class TenantQuery:
    """Tenants."""

    @strawberry.field
    async def tenant(self, info: Info) -> Tenant | None:
        """The tenant that the request names by its slug: in the header `X-Moneta-Tenant`, or as `tenant` in the payload
        of `connection_init`. Null if it names none; if it names one of which the viewer is no member, there is also an
        error.
        """
        context = info.context
        if context.tenancy is None and context.tenant_refusal is None:
            return None
        found: Any = await context.reads.one(loaders.tenant_by_id, context.require_tenancy().tenant_id)
        return found  # type: ignore[no-any-return]  # a record stands for its type

    tenants: Connection[Tenant] = paged(
        loaders.tenants,
        filter=TenantFilter,
        allowed=admins_only,
        description="All tenants, newest first; those that can be restored as well. Admins only; the error code is"
        " FORBIDDEN for others.",
    )


async def read_tenant(context: Context, id: Any) -> Any:
    """The record of a tenant that was just written, for a payload."""
    return await context.reads.one(loaders.tenant_by_id, id)
