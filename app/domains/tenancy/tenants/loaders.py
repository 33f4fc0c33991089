"""The loaders of tenants, their members, and invitations. Only members of a tenant can read them."""

from app.domains.tenancy.tenants.model.tenants import MemberRole, Plan, SubscriptionStatus
from app.domains.tenancy.tenants.statements import MemberSql, TenantSql
from app.kit.lists import by, constant
from app.kit.loaders import Audience, one, page

tenant_by_id = one(TenantSql.tenants_by_ids, key="id", audience=Audience.VIEWER)
tenants = page(
    TenantSql.tenants,
    orders={"CREATED_AT": by("created_at", "id", descending=True)},
    filters={"plan": constant("plan", Plan), "status": constant("status", SubscriptionStatus)},
    audience=Audience.VIEWER,
)
membership_by_id = one(MemberSql.memberships_by_ids, key="id", audience=Audience.VIEWER)
memberships_by_user = page(
    MemberSql.memberships_by_user,
    orders={"JOINED_AT": by("joined_at", "id")},
    filters={"role": constant("role", MemberRole)},
    audience=Audience.VIEWER,
)
memberships_by_tenant = page(
    MemberSql.memberships_by_tenant,
    orders={"JOINED_AT": by("joined_at", "id")},
    filters={"role": constant("role", MemberRole)},
    audience=Audience.TENANT,
)
invitation_by_id = one(MemberSql.invitations_by_ids, key="id", audience=Audience.TENANT)
invitations_by_tenant = page(
    MemberSql.invitations_by_tenant,
    orders={"CREATED_AT": by("created_at", "id", descending=True)},
    audience=Audience.TENANT,
)
