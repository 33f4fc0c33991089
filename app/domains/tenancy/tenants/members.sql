-- name: memberships_by_ids
-- Memberships with these IDs.
SELECT id, tenant_id, user_id, role, joined_at FROM tenant_members WHERE id = ANY ($1::uuid[]);

-- name: memberships_by_user
-- The memberships of a user.
SELECT id, tenant_id, user_id, role, joined_at FROM tenant_members WHERE user_id = {key::uuid};

-- name: memberships_by_tenant
-- The members of a tenant.
SELECT id, tenant_id, user_id, role, joined_at FROM tenant_members WHERE tenant_id = {key::uuid};

-- name: invitations_by_ids
-- Invitations with these IDs.
SELECT id, tenant_id, email, role, invited_by, created_at, expires_at FROM tenant_invitations
WHERE id = ANY ($1::uuid[]);

-- name: invitations_by_tenant
-- The invitations of a tenant that nobody has accepted.
SELECT id, tenant_id, email, role, invited_by, created_at, expires_at FROM tenant_invitations
WHERE tenant_id = {key::uuid} AND accepted_at IS NULL;

-- name: insert_member
-- Makes a user a member, unless they are one: tenant, user, role, time. Returns the membership's ID.
INSERT INTO tenant_members (tenant_id, user_id, role, joined_at) VALUES ($1, $2, $3, $4::timestamptz)
ON CONFLICT (tenant_id, user_id) DO NOTHING RETURNING id;

-- name: member_of_tenant
-- A membership in a tenant: its ID, tenant.
SELECT id, tenant_id, user_id, role, joined_at FROM tenant_members WHERE id = $1 AND tenant_id = $2;

-- name: membership_of_user
-- The membership of a user in a tenant: tenant, user.
SELECT id, tenant_id, user_id, role, joined_at FROM tenant_members WHERE tenant_id = $1 AND user_id = $2;

-- name: count_owners
-- How many owners a tenant has.
SELECT count(*) FROM tenant_members WHERE tenant_id = $1 AND role = 'owner';

-- name: set_role
-- Changes the role of a membership.
UPDATE tenant_members SET role = $2 WHERE id = $1;

-- name: delete_member
-- Ends a membership.
DELETE FROM tenant_members WHERE id = $1;

-- name: living_memberships
-- Those of these memberships that are still in a tenant that was not deleted.
SELECT m.id FROM tenant_members m JOIN tenants t ON t.id = m.tenant_id
WHERE m.id = ANY ($1::uuid[]) AND t.deleted_at IS NULL;

-- name: count_invitations
-- How many open invitations a tenant has, apart from one to an address: tenant, address, now.
SELECT count(*) FROM tenant_invitations
WHERE tenant_id = $1 AND email <> $2 AND accepted_at IS NULL AND expires_at > $3::timestamptz;

-- name: put_invitation
-- Invites an address, in place of an earlier invitation: tenant, address, role, hash of the token, who, now, until
-- when. Returns its ID.
INSERT INTO tenant_invitations (tenant_id, email, role, token_hash, invited_by, created_at, expires_at)
VALUES ($1, $2, $3, $4, $5, $6::timestamptz, $7::timestamptz)
ON CONFLICT (tenant_id, email) WHERE accepted_at IS NULL DO UPDATE
SET role = excluded.role, token_hash = excluded.token_hash, invited_by = excluded.invited_by,
    created_at = excluded.created_at, expires_at = excluded.expires_at
RETURNING id;

-- name: lock_invitation
-- The open invitation of a token, locked: hash of the token, now.
SELECT i.id, i.tenant_id, i.role, t.deleted_at IS NOT NULL AS is_deleted, t.subscription_status AS status
FROM tenant_invitations i JOIN tenants t ON t.id = i.tenant_id
WHERE i.token_hash = $1 AND i.accepted_at IS NULL AND i.expires_at > $2::timestamptz FOR UPDATE OF i;

-- name: accept_invitation
-- Notes that an invitation was accepted: its ID, by whom, when.
UPDATE tenant_invitations SET accepted_by = $2, accepted_at = $3::timestamptz WHERE id = $1;

-- name: remove_invitations
-- Removes invitations that expired before a time.
DELETE FROM tenant_invitations WHERE expires_at < $1::timestamptz;
