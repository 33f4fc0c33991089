"""Creating, changing and deleting tenants, and changing who belongs to them."""

from typing import Any

import strawberry

from app.domains.tenancy.services import TenancyServices
from app.domains.tenancy.tenants import loaders
from app.domains.tenancy.tenants.model import members as member_model
from app.domains.tenancy.tenants.model import tenants as model
from app.engine.declarations.nodes import key_of
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
from app.schema.tenancy.members import TenantInvitation, TenantMembership
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

    status: model.SubscriptionStatus = strawberry.field(
        name="subscriptionStatus", description="What can be done in it."
    )


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


@problem_type(member_model.InvitationInvalid)
class InvitationInvalid(Problem):
    """The invitation has expired, was accepted or replaced, or never was."""


@problem_type(member_model.InvitationLimitReached)
class InvitationLimitReached(Problem):
    """There are too many open invitations."""


@problem_type(member_model.AlreadyMember)
class AlreadyMember(Problem):
    """The user is a member of the tenant already."""


@problem_type(member_model.LastOwner)
class LastOwner(Problem):
    """The only owner of a tenant stays: make another member one first."""


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
    status: model.SubscriptionStatus | None = changeable(
        name="subscriptionStatus", description=f"What can be done in it. {KEPT}"
    )
    subscription_id: str | None = changeable(
        name="billingReference",
        description="The subscription at the payment provider, 1 to 255 characters. Null: none.",
    )
    max_projects: int | None = changeable(name="projectCount", description=f"The number of projects, {LIMIT}")
    max_participants_per_project: int | None = changeable(
        name="participantCountPerProject", description=f"The number of participants of each project, {LIMIT}"
    )
    max_calls_per_month: int | None = changeable(
        name="callCountPerMonth", description=f"The number of operations by API keys in a month, {LIMIT}"
    )


@strawberry.type
class UpdateTenantPlanPayload:
    """The tenant has the new plan, status or limits."""

    tenant: Tenant = strawberry.field(description="The tenant as it is now.")


@strawberry.type
class DeleteTenantPayload:
    """The tenant was deleted: nobody acts in it any more. For 30 days an owner can restore it."""

    tenant: Tenant = strawberry.field(description="The tenant as it is now.")


@strawberry.input
class RestoreTenantInput:
    """A tenant that was deleted, of which the viewer is an owner."""

    slug: str = strawberry.field(description="Its slug.")


@strawberry.type
class RestoreTenantPayload:
    """The tenant is as it was before it was deleted."""

    tenant: Tenant = strawberry.field(description="The tenant as it is now.")


@strawberry.input
class InviteMemberInput:
    """Somebody to invite to the tenant that the request names."""

    email: str = strawberry.field(description="Where the invitation is sent. An earlier one to it is replaced.")
    role: model.MemberRole = strawberry.field(description="What they will be able to do. Only owners invite owners.")
    idempotency_key: str = strawberry.field(description=IDEMPOTENCY_KEY)


@strawberry.type
class InviteMemberPayload:
    """The invitation is on its way."""

    invitation: TenantInvitation = strawberry.field(description="The invitation.")


@strawberry.input
class AcceptInvitationInput:
    """An invitation to accept."""

    token: str = strawberry.field(description="The token from the mail.")


@strawberry.type
class AcceptInvitationPayload:
    """The viewer is a member of the tenant. The invitation is used up."""

    membership: TenantMembership = strawberry.field(description="The viewer's membership.")


@strawberry.input
class UpdateMemberInput:
    """A new role of a member of the tenant that the request names."""

    id: strawberry.ID = strawberry.field(description="The global ID of the membership.")
    role: model.MemberRole = strawberry.field(
        description="What they can do from now on. Only owners make owners, and change what owners can do."
    )


@strawberry.type
class UpdateMemberPayload:
    """The member has the role."""

    membership: TenantMembership = strawberry.field(description="The membership as it is now.")


@strawberry.input
class RemoveMemberInput:
    """A member of the tenant that the request names, who is one no longer; or the viewer, who leaves it."""

    id: strawberry.ID = strawberry.field(description="The global ID of the membership.")


@strawberry.type
class RemoveMemberPayload:
    """The membership has ended. What was open under it closes."""

    removed_id: strawberry.ID = strawberry.field(description="The global ID, which is no longer in use.")


@strawberry.input
class TransferOwnershipInput:
    """The next owner of the tenant that the request names."""

    id: strawberry.ID = strawberry.field(description="The global ID of their membership.")


@strawberry.type
class TransferOwnershipPayload:
    """The member is an owner, and the viewer an admin."""

    membership: TenantMembership = strawberry.field(description="The membership of the new owner.")


@strawberry.type
class TenancyMutation:
    """Changes to tenants and to who belongs to them."""

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
        return DeleteTenantPayload(tenant=await _tenant(info, tenancy.tenant_id))

    @mutation(RestoreTenantPayload, NotFound, TenantNotDeleted)
    async def restore_tenant(self, info: Info, input: RestoreTenantInput) -> Any:
        """Restores a tenant that the viewer owns and that was deleted less than 30 days ago."""
        id = await _services(info).tenants.restore(info.context.require_viewer(), input.slug)
        return RestoreTenantPayload(tenant=await _tenant(info, id))

    @mutation(
        InviteMemberPayload,
        InvalidInput,
        NotFound,
        TenantNotActive,
        InvitationLimitReached,
        ResultDeleted,
        IdempotencyKeyReused,
    )
    async def invite_member(self, info: Info, input: InviteMemberInput) -> Any:
        """Invites somebody to the tenant that the request names, by a mail with a token that is good for 7 days. For
        its owners and admins.
        """
        tenancy = info.context.require_tenancy()
        id = await _services(info).members.invite(tenancy, input.email, input.role, input.idempotency_key)
        found: Any = await info.context.reads.one(loaders.invitation_by_id, id)
        if found is None:
            raise errors.ResultDeleted
        return InviteMemberPayload(invitation=found)

    @mutation(AcceptInvitationPayload, InvitationInvalid, AlreadyMember)
    async def accept_invitation(self, info: Info, input: AcceptInvitationInput) -> Any:
        """Makes the viewer a member of the tenant that they are invited to."""
        id = await _services(info).members.accept(info.context.require_viewer(), input.token)
        return AcceptInvitationPayload(membership=await _membership(info, id))

    @mutation(UpdateMemberPayload, NotFound, TenantNotActive, LastOwner)
    async def update_member(self, info: Info, input: UpdateMemberInput) -> Any:
        """Changes the role of a member of the tenant that the request names. For its owners and admins."""
        tenancy, id = info.context.require_tenancy(), key_of(input.id, TenantMembership)
        await _services(info).members.update(tenancy, id, input.role)
        return UpdateMemberPayload(membership=await _membership(info, id))

    @mutation(RemoveMemberPayload, NotFound, LastOwner)
    async def remove_member(self, info: Info, input: RemoveMemberInput) -> Any:
        """Removes a member from the tenant that the request names: one's self, or another by its owners and admins."""
        tenancy = info.context.require_tenancy()
        await _services(info).members.remove(tenancy, key_of(input.id, TenantMembership))
        return RemoveMemberPayload(removed_id=input.id)

    @mutation(TransferOwnershipPayload, NotFound)
    async def transfer_ownership(self, info: Info, input: TransferOwnershipInput) -> Any:
        """Makes another member an owner of the tenant that the request names, and the viewer, who is one, an admin."""
        tenancy, id = info.context.require_tenancy(), key_of(input.id, TenantMembership)
        await _services(info).members.transfer(tenancy, id)
        return TransferOwnershipPayload(membership=await _membership(info, id))


def _services(info: Info) -> TenancyServices:
    return info.context.services[TenancyServices]


async def _tenant(info: Info, id: Any) -> Any:
    """The tenant as it is now. Raises NotFound if it is no longer the viewer's to see."""
    found = await read_tenant(info.context, id)
    if found is None:
        raise errors.NotFound(model.Tenant)
    return found


async def _membership(info: Info, id: Any) -> Any:
    """The membership as it is now. Raises NotFound if it has ended meanwhile."""
    found = await info.context.reads.one(loaders.membership_by_id, id)
    if found is None:
        raise errors.NotFound(member_model.Membership)
    return found
