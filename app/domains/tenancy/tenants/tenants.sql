-- name: tenants_by_ids
-- Tenants with these IDs.
SELECT id, slug, name, email, billing_email, plan_type AS plan, subscription_status AS status, subscription_id,
    max_projects, max_users_per_project AS max_participants_per_project,
    max_api_calls_per_month AS max_calls_per_month, settings ->> 'website_url' AS website_url,
    settings ->> 'support_email' AS support_email, coalesce(settings ->> 'time_zone', 'UTC') AS time_zone,
    created_at, updated_at, deleted_at
FROM tenants WHERE id = ANY ($1::uuid[]);

-- name: tenants
-- All tenants, those that were deleted included.
SELECT id, slug, name, email, billing_email, plan_type AS plan, subscription_status AS status, subscription_id,
    max_projects, max_users_per_project AS max_participants_per_project,
    max_api_calls_per_month AS max_calls_per_month, settings ->> 'website_url' AS website_url,
    settings ->> 'support_email' AS support_email, coalesce(settings ->> 'time_zone', 'UTC') AS time_zone,
    created_at, updated_at, deleted_at
FROM tenants;

-- name: tenancy_of_member
-- The membership of a user in the tenant with a slug: user, slug.
SELECT tenant_id, slug, membership_id, role, subscription_status FROM tenancy_of_member($1::uuid, $2::text);

-- name: lock_owner
-- Lets one transaction at a time change which tenants a user owns.
SELECT pg_advisory_xact_lock(hashtextextended('moneta.tenants:' || $1::text, 0));

-- name: count_owned
-- How many tenants a user owns, those that can be restored included.
SELECT count(*) FROM tenant_members WHERE user_id = $1 AND role = 'owner';

-- name: insert_tenant
-- Inserts a tenant, unless its slug is taken: slug, name, e-mail, billing e-mail, settings, limits, time. Returns its
-- ID.
INSERT INTO tenants (slug, name, email, billing_email, settings, max_projects, max_users_per_project,
    max_api_calls_per_month, created_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9::timestamptz)
ON CONFLICT (slug) DO NOTHING RETURNING id;

-- name: lock_tenant
-- Locks a tenant, against changes of it and of its members.
SELECT id, deleted_at FROM tenants WHERE id = $1 FOR NO KEY UPDATE;

-- name: update_tenant
-- Changes a tenant: its ID, name, e-mail (null: unchanged), whether the billing e-mail changes, that, changed settings.
UPDATE tenants SET name = coalesce($2::text, name), email = coalesce($3::text, email),
    billing_email = CASE WHEN $4::boolean THEN $5::text ELSE billing_email END,
    settings = jsonb_strip_nulls(settings || $6::jsonb)
WHERE id = $1::uuid;

-- name: update_plan
-- Changes what a tenant pays for: its ID, plan, status (null: unchanged), whether the subscription changes, that,
-- limits (null: unchanged).
UPDATE tenants SET plan_type = coalesce($2::text, plan_type), subscription_status = coalesce($3::text,
        subscription_status),
    subscription_id = CASE WHEN $4::boolean THEN $5::text ELSE subscription_id END,
    max_projects = coalesce($6::integer, max_projects),
    max_users_per_project = coalesce($7::integer, max_users_per_project),
    max_api_calls_per_month = coalesce($8::integer, max_api_calls_per_month)
WHERE id = $1::uuid;

-- name: set_deleted
-- Notes when a tenant was deleted (null: it is not): its ID, time.
UPDATE tenants SET deleted_at = $2::timestamptz WHERE id = $1::uuid;

-- name: deleted_tenant_of
-- The tenant with a slug that was deleted, of which a user is an owner.
SELECT t.id FROM tenants t JOIN tenant_members m ON m.tenant_id = t.id
WHERE t.slug = $1 AND m.user_id = $2 AND m.role = 'owner';

-- name: remove_tenants
-- Removes tenants that were deleted before a time, with all that is their own; at most so many. Returns their slugs.
DELETE FROM tenants WHERE id IN (
    SELECT id FROM tenants WHERE deleted_at < $1::timestamptz ORDER BY deleted_at LIMIT $2::bigint
    FOR UPDATE SKIP LOCKED
) RETURNING slug;

-- name: standing_of_member
-- The role of a membership, and the status of its tenant, unless that was deleted: tenant, membership.
SELECT m.role, t.subscription_status AS status FROM tenants t JOIN tenant_members m ON m.tenant_id = t.id
WHERE t.id = $1 AND m.id = $2 AND t.deleted_at IS NULL;

-- name: standing_of_key
-- The same for a key, unless it is no longer good: tenant, key, now.
SELECT 'admin'::text AS role, t.subscription_status AS status FROM tenants t JOIN api_keys k ON k.tenant_id = t.id
WHERE t.id = $1 AND k.id = $2 AND t.deleted_at IS NULL AND k.revoked_at IS NULL
    AND (k.expires_at IS NULL OR k.expires_at > $3::timestamptz);

-- name: open_in_tenant
-- What ends the connections that act in a tenant: its memberships, and the secrets of its keys; the latter alone where
-- only they end.
SELECT id FROM tenant_members WHERE tenant_id = $1 AND NOT $2::boolean
UNION ALL SELECT secret_id FROM api_keys WHERE tenant_id = $1 AND revoked_at IS NULL
UNION ALL SELECT previous_secret_id FROM api_keys WHERE tenant_id = $1 AND revoked_at IS NULL
    AND previous_secret_id IS NOT NULL
ORDER BY 1;
