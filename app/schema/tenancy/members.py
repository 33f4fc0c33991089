"""Members of tenants, and invitations."""

from datetime import datetime

import strawberry

from app.domains.accounts import loaders as account_loaders
from app.domains.tenancy.tenants import loaders
from app.domains.tenancy.tenants.model.tenants import MemberRole
from app.engine.declarations.extensions import extension_of
from app.engine.declarations.nodes import Node, node_type
from app.engine.declarations.pages import Connection
from app.engine.declarations.relations import paged, related
from app.schema.accounts.users import UserAccount
from app.schema.tenancy.tenants import Tenant


@node_type(by=loaders.membership_by_id)
class TenantMembership(Node):
    """A user's part in a tenant."""

    tenant: Tenant | None = related(
        loaders.tenant_by_id, key="tenant_id", description="The tenant. Null for others than its members."
    )
    user: UserAccount | None = related(
        account_loaders.user_by_id, key="user_id", description="The user. Null once they are deleted."
    )
    role: MemberRole = strawberry.field(name="tenantRole", description="What they can do.")
    joined_at: datetime = strawberry.field(description="When they became a member.")


@strawberry.input
class TenantMembershipFilter:
    """Filters memberships by all fields that are given. A field that is null or omitted matches all."""

    role: MemberRole | None = strawberry.field(name="tenantRole", default=None, description="What they can do.")


@node_type(by=loaders.invitation_by_id)
class TenantInvitation(Node):
    """An invitation to become a member, which was sent by mail. Its token is in the mail alone."""

    email: str = strawberry.field(description="Where it was sent.")
    role: MemberRole = strawberry.field(name="tenantRole", description="What who accepts it can do.")
    invited_by: UserAccount | None = related(
        account_loaders.user_by_id, key="invited_by", description="Who sent it. Null once they are deleted."
    )
    created_at: datetime = strawberry.field(description="When it was sent.")
    expires_at: datetime = strawberry.field(description="Until when it can be accepted.")


@extension_of(Tenant)
class TenantMembers:
    """Who belongs to the tenant."""

    members: Connection[TenantMembership] = paged(
        loaders.memberships_by_tenant,
        key="id",
        filter=TenantMembershipFilter,
        description="Its members, in the order in which they joined. Empty unless the request names the tenant.",
    )
    invitations: Connection[TenantInvitation] = paged(
        loaders.invitations_by_tenant,
        key="id",
        description="Its invitations that nobody has accepted, newest first; one that has expired is kept for 30 days."
        " Empty unless the request names the tenant, by an owner or admin of it.",
    )


@strawberry.type
class TenancyViewer:
    """The tenants that the viewer is a member of."""

    memberships: Connection[TenantMembership] = paged(
        loaders.memberships_by_user,
        key="user_id",
        filter=TenantMembershipFilter,
        description="The viewer's memberships in tenants, in the order in which they joined.",
    )
