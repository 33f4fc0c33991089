"""The statements about tenants, their members, and invitations."""

from uuid import UUID

from app.domains.tenancy.tenants.model.members import Invitation, Membership, OpenInvitation
from app.domains.tenancy.tenants.model.tenants import LockedTenant, MemberTenancy, Standing, Tenant
from app.kit.sql import Command, Query, Rows, Statements


class TenantSql(Statements, file="tenants.sql"):
    """Tenants, and who acts in one."""

    tenants_by_ids: Query[Tenant]
    tenants: Rows[Tenant]
    tenancy_of_member: Query[MemberTenancy]
    lock_owner: Command
    count_owned: Query[int]
    insert_tenant: Query[UUID]
    lock_tenant: Query[LockedTenant]
    update_tenant: Command
    update_plan: Command
    set_deleted: Command
    deleted_tenant_of: Query[UUID]
    remove_tenants: Query[str]
    standing_of_member: Query[Standing]
    standing_of_key: Query[Standing]
    open_in_tenant: Query[UUID]


class MemberSql(Statements, file="members.sql"):
    """Members and invitations."""

    memberships_by_ids: Query[Membership]
    memberships_by_user: Rows[Membership]
    memberships_by_tenant: Rows[Membership]
    invitations_by_ids: Query[Invitation]
    invitations_by_tenant: Rows[Invitation]
    insert_member: Query[UUID]
    member_of_tenant: Query[Membership]
    membership_of_user: Query[Membership]
    count_owners: Query[int]
    set_role: Command
    delete_member: Command
    living_memberships: Query[UUID]
    count_invitations: Query[int]
    put_invitation: Query[UUID]
    lock_invitation: Query[OpenInvitation]
    accept_invitation: Command
    remove_invitations: Command
