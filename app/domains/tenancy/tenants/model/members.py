"""Members of tenants, and who is invited to become one."""

from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import msgspec

from app.domains.tenancy.tenants.model.tenants import MemberRole
from app.kit.errors import Code, Problem

INVITATION_TTL: Final = timedelta(days=7)
MAX_INVITATIONS: Final = 100
"""Of a tenant, that are open."""


class Membership(msgspec.Struct, frozen=True):
    """A user's part in a tenant."""

    id: UUID
    tenant_id: UUID
    user_id: UUID
    role: MemberRole
    joined_at: datetime


class Invitation(msgspec.Struct, frozen=True):
    """What was sent to an address. Its token is shown to nobody."""

    id: UUID
    tenant_id: UUID
    email: str
    role: MemberRole
    invited_by: UUID | None
    created_at: datetime
    expires_at: datetime


class OpenInvitation(msgspec.Struct, frozen=True):
    """An invitation that a token is of, and whether its tenant can be joined."""

    id: UUID
    tenant_id: UUID
    role: MemberRole
    is_deleted: bool
    status: str


class InvitationInvalid(Problem):
    """This invitation is not valid any more, or never was. Ask for another."""

    code = Code.NOT_FOUND
    field = "token"


class LastOwner(Problem):
    """A tenant has an owner: make another member one first."""


class AlreadyMember(Problem):
    """This user is a member of the tenant already."""


class InvitationLimitReached(Problem):
    """There are too many open invitations."""

    def __init__(self) -> None:
        super().__init__(f"A tenant has at most {MAX_INVITATIONS} open invitations.")
