-- name: projects_by_ids
-- Projects with these IDs.
SELECT id, tenant_id, livemode, key, name, description, network, token_name, token_symbol, token_address,
    token_decimals, total_supply, requirements, distribution, claim_amount, max_participants,
    max_claims_per_participant, is_active, is_public, starts_at, ends_at, level_thresholds, (
        SELECT coalesce(sum(c.participants), 0)::integer FROM project_counters c
        WHERE c.tenant_id = projects.tenant_id AND c.livemode = projects.livemode AND c.project_id = projects.id
    ) AS total_participants, total_claims, total_distributed, created_at, updated_at, archived_at
FROM projects WHERE id = ANY ($1::uuid[]);

-- name: projects_by_keys
-- Projects with these keys.
SELECT id, tenant_id, livemode, key, name, description, network, token_name, token_symbol, token_address,
    token_decimals, total_supply, requirements, distribution, claim_amount, max_participants,
    max_claims_per_participant, is_active, is_public, starts_at, ends_at, level_thresholds, (
        SELECT coalesce(sum(c.participants), 0)::integer FROM project_counters c
        WHERE c.tenant_id = projects.tenant_id AND c.livemode = projects.livemode AND c.project_id = projects.id
    ) AS total_participants, total_claims, total_distributed, created_at, updated_at, archived_at
FROM projects WHERE key = ANY ($1::text[]);

-- name: projects_by_tenant
-- The projects of a tenant in which the caller acts; no others, even if they are public.
SELECT id, tenant_id, livemode, key, name, description, network, token_name, token_symbol, token_address,
    token_decimals, total_supply, requirements, distribution, claim_amount, max_participants,
    max_claims_per_participant, is_active, is_public, starts_at, ends_at, level_thresholds, (
        SELECT coalesce(sum(c.participants), 0)::integer FROM project_counters c
        WHERE c.tenant_id = projects.tenant_id AND c.livemode = projects.livemode AND c.project_id = projects.id
    ) AS total_participants, total_claims, total_distributed, created_at, updated_at, archived_at,
    CASE WHEN archived_at IS NOT NULL THEN 'archived' WHEN is_active THEN 'active' ELSE 'paused' END AS status
FROM projects WHERE tenant_id = {key::uuid} AND tenant_id = (SELECT app_tenant())
    AND livemode = (SELECT app_livemode());

-- name: wallets_by_projects
-- The wallets of these projects.
SELECT project_id, network, address, has_key, updated_at FROM project_wallets WHERE project_id = ANY ($1::uuid[]);

-- name: usage_by_tenants
-- How many projects these tenants have in the mode of the caller, those that were archived apart, and their limit.
SELECT t.id AS tenant_id, (
        SELECT count(*) FROM projects p
        WHERE p.tenant_id = t.id AND p.livemode = (SELECT app_livemode()) AND p.archived_at IS NULL
    ) AS project_count, t.max_projects AS project_limit
FROM tenants t WHERE t.id = ANY ($1::uuid[]) AND t.id = (SELECT app_tenant());

-- name: quota_of_tenant
-- How many projects count against the limit of a tenant, and the limit: tenant, mode.
SELECT (
        SELECT count(*) FROM projects p
        WHERE p.tenant_id = t.id AND p.livemode = $2::boolean AND p.archived_at IS NULL
    ) AS used, t.max_projects AS "limit"
FROM tenants t WHERE t.id = $1::uuid;

-- name: insert_project
-- Inserts a project, unless its key is taken: ID, tenant, mode, key, time, and what is set. Returns its ID.
INSERT INTO projects (id, tenant_id, livemode, key, created_at, name, description, network, token_name, token_symbol,
    token_address, token_decimals, total_supply, requirements, distribution, claim_amount, max_participants,
    max_claims_per_participant, is_active, is_public, starts_at, ends_at)
VALUES ($1, $2, $3, $4, $5::timestamptz, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20,
    $21::timestamptz, $22::timestamptz)
ON CONFLICT (key) DO NOTHING RETURNING id;

-- name: lock_project
-- A project of a tenant, locked: its ID, tenant, mode.
SELECT id, tenant_id, livemode, key, name, description, network, token_name, token_symbol, token_address,
    token_decimals, total_supply, requirements, distribution, claim_amount, max_participants,
    max_claims_per_participant, is_active, is_public, starts_at, ends_at, level_thresholds, (
        SELECT coalesce(sum(c.participants), 0)::integer FROM project_counters c
        WHERE c.tenant_id = projects.tenant_id AND c.livemode = projects.livemode AND c.project_id = projects.id
    ) AS total_participants, total_claims, total_distributed, created_at, updated_at, archived_at
FROM projects WHERE id = $1 AND tenant_id = $2 AND livemode = $3 FOR NO KEY UPDATE;

-- name: update_project
-- Changes what is set of a project: its ID, and all of that.
UPDATE projects SET name = $2, description = $3, token_name = $4, token_symbol = $5, token_address = $6,
    token_decimals = $7, total_supply = $8, requirements = $9, distribution = $10, claim_amount = $11,
    max_participants = $12, max_claims_per_participant = $13, is_active = $14, is_public = $15,
    starts_at = $16::timestamptz, ends_at = $17::timestamptz
WHERE id = $1;

-- name: copy_levels
-- Gives a project the levels of another: its ID, that of the other.
UPDATE projects p SET level_thresholds = o.level_thresholds FROM projects o WHERE p.id = $1 AND o.id = $2;

-- name: archive_project
-- Archives a project: its ID, when.
UPDATE projects SET archived_at = $2::timestamptz WHERE id = $1;

-- name: remove_wallet
-- Removes the wallet of a project, and its key.
DELETE FROM project_wallets WHERE project_id = $1;

-- name: insert_wallet
-- The wallet of a project, unless another has it: project, tenant, mode, network, address, whether there is a key,
-- time. Returns the project.
INSERT INTO project_wallets (project_id, tenant_id, livemode, network, address, has_key, created_at)
VALUES ($1, $2, $3, $4, $5, $6, $7::timestamptz)
ON CONFLICT (network, address, livemode) DO NOTHING RETURNING project_id;

-- name: insert_wallet_key
-- The private key of a wallet: project, tenant, mode, key-encryption key, wrapped key, ciphertext, time.
INSERT INTO project_wallet_keys (project_id, tenant_id, livemode, kek_id, wrapped_key, ciphertext, created_at)
VALUES ($1, $2, $3, $4, $5, $6, $7::timestamptz);

-- name: key_of_wallet
-- The private key of the wallet of a project: project, tenant, mode.
SELECT project_id, tenant_id, livemode, kek_id, wrapped_key, ciphertext FROM project_wallet_keys
WHERE project_id = $1 AND tenant_id = $2 AND livemode = $3;

-- name: wallet_keys_to_rewrap
-- Private keys that are not under this key-encryption key: at most so many.
SELECT project_id, tenant_id, livemode, kek_id, wrapped_key, ciphertext FROM project_wallet_keys
WHERE kek_id <> $1 ORDER BY project_id LIMIT $2 FOR UPDATE;

-- name: rewrap_wallet_keys
-- Puts data keys under another key-encryption key: its ID, projects, wrapped keys, time.
UPDATE project_wallet_keys k SET kek_id = $1, wrapped_key = n.wrapped_key, rotated_at = $4::timestamptz
FROM unnest($2::uuid[], $3::bytea[]) AS n (project_id, wrapped_key) WHERE k.project_id = n.project_id;
