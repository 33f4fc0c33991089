"""Changing who belongs to a tenant."""

from typing import Any

import strawberry

from app.domains.tenancy.services import TenancyServices
from app.domains.tenancy.tenants import loaders
from app.domains.tenancy.tenants.model import members as member_model
from app.domains.tenancy.tenants.model import tenants as model
from app.domains.tenancy.tenants.services.members import Members
from app.engine.declarations.nodes import key_of
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
from app.schema.context import Info
from app.schema.idempotency import IDEMPOTENCY_KEY
from app.schema.tenancy.changes import TenantNotActive
from app.schema.tenancy.members import TenantInvitation, TenantMembership


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
class InviteMemberInput:
    """Somebody to invite to the tenant that the request names."""

    email: str = strawberry.field(description="Where the invitation is sent. An earlier one to it is replaced.")
    role: model.MemberRole = strawberry.field(
        name="tenantRole", description="What they will be able to do. Only owners invite owners."
    )
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
        name="tenantRole",
        description="What they can do from now on. Only owners make owners, and change what owners can do.",
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

    deleted_id: strawberry.ID = strawberry.field(description="The global ID, which is no longer in use.")


@strawberry.input
class TransferOwnershipInput:
    """The next owner of the tenant that the request names."""

    id: strawberry.ID = strawberry.field(description="The global ID of their membership.")


@strawberry.type
class TransferOwnershipPayload:
    """The member is an owner, and the viewer an admin."""

    membership: TenantMembership = strawberry.field(description="The membership of the new owner.")


@strawberry.type
class TenantMemberMutation:
    """Changes to who belongs to a tenant."""

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
        id = await _members(info).invite(tenancy, input.email, input.role, input.idempotency_key)
        found: Any = await info.context.reads.one(loaders.invitation_by_id, id)
        if found is None:
            raise errors.ResultDeleted
        return InviteMemberPayload(invitation=found)

    @mutation(AcceptInvitationPayload, InvitationInvalid, TenantNotActive, AlreadyMember)
    async def accept_invitation(self, info: Info, input: AcceptInvitationInput) -> Any:
        """Makes the viewer a member of the tenant that they are invited to."""
        id = await _members(info).accept(info.context.require_viewer(), input.token)
        return AcceptInvitationPayload(membership=await _membership(info, id))

    @mutation(UpdateMemberPayload, NotFound, TenantNotActive, LastOwner)
    async def update_member(self, info: Info, input: UpdateMemberInput) -> Any:
        """Changes the role of a member of the tenant that the request names. For its owners and admins."""
        tenancy, id = info.context.require_tenancy(), key_of(input.id, TenantMembership)
        await _members(info).update(tenancy, id, input.role)
        return UpdateMemberPayload(membership=await _membership(info, id))

    @mutation(RemoveMemberPayload, NotFound, LastOwner)
    async def remove_member(self, info: Info, input: RemoveMemberInput) -> Any:
        """Removes a member from the tenant that the request names: one's self, or another by its owners and admins."""
        tenancy = info.context.require_tenancy()
        await _members(info).remove(tenancy, key_of(input.id, TenantMembership))
        return RemoveMemberPayload(deleted_id=input.id)

    @mutation(TransferOwnershipPayload, NotFound)
    async def transfer_ownership(self, info: Info, input: TransferOwnershipInput) -> Any:
        """Makes another member an owner of the tenant that the request names, and the viewer, who is one, an admin."""
        tenancy, id = info.context.require_tenancy(), key_of(input.id, TenantMembership)
        await _members(info).transfer(tenancy, id)
        return TransferOwnershipPayload(membership=await _membership(info, id))


def _members(info: Info) -> Members:
    return info.context.services[TenancyServices].members


async def _membership(info: Info, id: Any) -> Any:
    """The membership as it is now. Raises NotFound if it has ended meanwhile."""
    found = await info.context.reads.one(loaders.membership_by_id, id)
    if found is None:
        raise errors.NotFound(member_model.Membership)
    return found
