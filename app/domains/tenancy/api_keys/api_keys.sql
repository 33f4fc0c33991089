-- name: api_keys_by_ids
-- Keys with these IDs.
SELECT id, tenant_id, key_id::text AS key_id, name::text AS name, scopes, allowed_cidrs::text[] AS allowed_cidrs,
    livemode, rate_limit_per_minute AS per_minute, rate_limit_per_hour AS per_hour, rate_limit_per_day AS per_day,
    least(usage_count, 2147483647) AS usage_count, last_used_at, host(last_used_ip) AS last_used_ip, created_by,
    created_at, expires_at, revoked_at, previous_until
FROM api_keys WHERE id = ANY ($1::uuid[]);

-- name: api_keys_by_tenant
-- The keys of a tenant.
SELECT id, tenant_id, key_id::text AS key_id, name::text AS name, scopes, allowed_cidrs::text[] AS allowed_cidrs,
    livemode, rate_limit_per_minute AS per_minute, rate_limit_per_hour AS per_hour, rate_limit_per_day AS per_day,
    least(usage_count, 2147483647) AS usage_count, last_used_at, host(last_used_ip) AS last_used_ip, created_by,
    created_at, expires_at, revoked_at, previous_until
FROM api_keys WHERE tenant_id = {key::uuid};

-- name: key_of_id
-- The key with an ID that a request presents, if it is good: ID, now.
SELECT id, $1::text AS key_id, tenant_id, slug, plan, subscription_status AS status, livemode, key_hash, secret_id,
    previous_hash, previous_secret_id, previous_until, scopes, allowed_cidrs, expires_at, per_minute, per_hour, per_day,
    calls_per_month, calls
FROM key_of_id($1::text, $2::timestamptz);

-- name: count_keys
-- How many keys of a tenant can be used: tenant, now.
SELECT count(*) FROM api_keys
WHERE tenant_id = $1 AND is_active AND (expires_at IS NULL OR expires_at > $2::timestamptz);

-- name: insert_key
-- Inserts a key: tenant, ID, hash of the secret, mode, name, scopes, networks, who, from where, now, until when.
-- Returns its row's ID.
INSERT INTO api_keys (tenant_id, key_id, key_hash, livemode, name, scopes, allowed_cidrs, created_by, created_by_ip,
    created_at, expires_at)
VALUES ($1::uuid, $2::text, $3::text, $4::boolean, $5::text, $6::text[], $7::text[]::cidr[], $8::uuid,
    $9::text::inet, $10::timestamptz, $11::timestamptz)
RETURNING id;

-- name: lock_key
-- A key of a tenant that can be used, locked: its ID, tenant, mode, now.
SELECT id, key_id::text AS key_id, secret_id, previous_secret_id FROM api_keys
WHERE id = $1 AND tenant_id = $2 AND livemode = $3 AND is_active
    AND (expires_at IS NULL OR expires_at > $4::timestamptz)
FOR NO KEY UPDATE;

-- name: rotate_key
-- Gives a key a new secret: its ID, hash of the new secret, until when the one before is good (null: it is not).
-- What was opened with the one before ends, because that has another ID from here on.
UPDATE api_keys SET key_hash = $2::text, secret_id = gen_random_uuid(),
    previous_hash = CASE WHEN $3::timestamptz IS NOT NULL THEN key_hash END,
    previous_secret_id = CASE WHEN $3::timestamptz IS NOT NULL THEN gen_random_uuid() END,
    previous_until = $3::timestamptz
WHERE id = $1::uuid;

-- name: revoke_key
-- Notes when a key was revoked: its ID, now.
UPDATE api_keys SET revoked_at = $2::timestamptz, previous_hash = NULL, previous_secret_id = NULL, previous_until = NULL
WHERE id = $1::uuid;

-- name: living_secrets
-- Which of these secrets are good, of keys that can be used, and until when (null: they do not expire): IDs, now.
SELECT k.secret_id AS id, k.expires_at FROM api_keys k JOIN tenants t ON t.id = k.tenant_id
WHERE k.secret_id = ANY ($1::uuid[]) AND k.is_active AND (k.expires_at IS NULL OR k.expires_at > $2::timestamptz)
    AND t.deleted_at IS NULL AND t.subscription_status <> 'suspended'
UNION ALL
SELECT k.previous_secret_id, least(k.previous_until, k.expires_at) FROM api_keys k JOIN tenants t ON t.id = k.tenant_id
WHERE k.previous_secret_id = ANY ($1::uuid[]) AND k.is_active AND k.previous_until > $2::timestamptz
    AND (k.expires_at IS NULL OR k.expires_at > $2::timestamptz)
    AND t.deleted_at IS NULL AND t.subscription_status <> 'suspended';

-- name: note_uses
-- Notes how often keys were used, and when and from where last: keys, counts, times, addresses.
UPDATE api_keys k SET usage_count = k.usage_count + used.number, last_used_ip = used.ip::inet,
    last_used_at = greatest(k.last_used_at, used.at)
FROM unnest($1::uuid[], $2::bigint[], $3::timestamptz[], $4::text[]) AS used (id, number, at, ip)
WHERE k.id = used.id;

-- name: add_calls
-- Adds calls of tenants in a month: month, shard, tenants, counts. Returns what is stored of each with them.
WITH added AS (
    INSERT INTO tenant_api_calls AS c (tenant_id, month, shard, calls)
    SELECT t.id, $1::date, $2::smallint, made.number
    FROM unnest($3::uuid[], $4::bigint[]) AS made (id, number) JOIN tenants t ON t.id = made.id ORDER BY t.id
    ON CONFLICT (tenant_id, month, shard) DO UPDATE SET calls = c.calls + excluded.calls
    RETURNING tenant_id, shard, calls
)
SELECT a.tenant_id, (a.calls + coalesce((
        SELECT sum(c.calls) FROM tenant_api_calls c
        WHERE c.tenant_id = a.tenant_id AND c.month = $1::date AND c.shard <> a.shard
    ), 0))::bigint AS calls, t.max_api_calls_per_month AS calls_limit
FROM added a JOIN tenants t ON t.id = a.tenant_id;

-- name: usage_by_tenants
-- The calls of the keys of tenants in the present month.
SELECT t.id AS tenant_id, (
        SELECT coalesce(sum(c.calls), 0)::bigint FROM tenant_api_calls c
        WHERE c.tenant_id = t.id AND c.month = date_trunc('month', now(), 'UTC')::date
    ) AS calls, t.max_api_calls_per_month AS calls_limit,
    date_trunc('month', now(), 'UTC') + interval '1 month' AS resets_at
FROM tenants t WHERE t.id = ANY ($1::uuid[]);

-- name: remove_keys
-- Removes keys that were revoked, or have expired, before a time.
DELETE FROM api_keys WHERE revoked_at < $1::timestamptz OR expires_at < $1::timestamptz;
