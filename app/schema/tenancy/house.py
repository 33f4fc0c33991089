"""The house of tenancy in the graph."""

from app.domains.tenancy.house import TENANCY as DOMAIN
from app.engine.declarations.key_scopes import NEVER, PUBLIC
from app.schema.composition import GraphHouse
from app.schema.tenancy.api_keys import ApiKey, ApiKeyQuery, TenantApiKeys
from app.schema.tenancy.changes import TenantMutation
from app.schema.tenancy.key_changes import ApiKeyMutation
from app.schema.tenancy.member_changes import TenantMemberMutation
from app.schema.tenancy.members import TenancyViewer, TenantInvitation, TenantMembers, TenantMembership
from app.schema.tenancy.tenants import Tenant, TenantQuery

TENANCY = GraphHouse(
    domain=DOMAIN,
    query=(TenantQuery, ApiKeyQuery),
    mutation=(TenantMutation, TenantMemberMutation, ApiKeyMutation),
    viewer=(TenancyViewer,),
    nodes=(ApiKey, Tenant, TenantInvitation, TenantMembership),
    extensions=(TenantMembers, TenantApiKeys),
    key_scopes={
        "tenants": "tenant",
        "members": "members",
        "changes": "tenant",
        "createTenant": NEVER,
        "deleteTenant": NEVER,
        "restoreTenant": NEVER,
        "updateTenantPlan": NEVER,
        "api_keys": NEVER,
        "TenantUsage": "tenant",
        "RateLimitWindow": PUBLIC,
        "key_changes": NEVER,
        "member_changes": "members",
        "inviteMember": NEVER,
        "acceptInvitation": NEVER,
        "transferOwnership": NEVER,
    },
)
