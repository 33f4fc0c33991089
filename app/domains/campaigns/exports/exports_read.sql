-- name: exports_by_ids
-- Exports with these IDs.
SELECT id, tenant_id, livemode, of_verified, of_active, status, status_reason, size_bytes, total_rows, written_rows,
    created_by, created_at, started_at, finished_at, expires_at
FROM participant_exports WHERE id = ANY ($1::uuid[]);

-- name: exports_by_tenant
-- The exports of a tenant in which the caller acts.
SELECT id, tenant_id, livemode, of_verified, of_active, status, status_reason, size_bytes, total_rows, written_rows,
    created_by, created_at, started_at, finished_at, expires_at
FROM participant_exports
WHERE tenant_id = {key::uuid} AND tenant_id = (SELECT app_tenant()) AND livemode = (SELECT app_livemode());
