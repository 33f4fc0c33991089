"""The house of tenancy in the graph."""

from app.domains.tenancy.house import TENANCY as DOMAIN
from app.engine.declarations.key_scopes import NEVER
from app.schema.composition import GraphHouse
from app.schema.tenancy.changes import TenantMutation
from app.schema.tenancy.member_changes import TenantMemberMutation
from app.schema.tenancy.members import TenancyViewer, TenantInvitation, TenantMembers, TenantMembership
from app.schema.tenancy.tenants import Tenant, TenantQuery

TENANCY = GraphHouse(
    domain=DOMAIN,
    query=(TenantQuery,),
    mutation=(TenantMutation, TenantMemberMutation),
    viewer=(TenancyViewer,),
    nodes=(Tenant, TenantInvitation, TenantMembership),
    extensions=(TenantMembers,),
    key_scopes={
        "tenants": "tenant",
        "members": "members",
        "changes": "tenant",
        "createTenant": NEVER,
        "deleteTenant": NEVER,
        "restoreTenant": NEVER,
        "updateTenantPlan": NEVER,
        "member_changes": "members",
        "inviteMember": NEVER,
        "acceptInvitation": NEVER,
        "transferOwnership": NEVER,
    },
)
