-- name: imports_by_ids
-- Imports with these IDs.
SELECT id, tenant_id, livemode, status, status_reason, on_duplicate, file_id, size_bytes, delimiter, fields, total_rows,
    processed_rows, imported_count, updated_count, skipped_count, refused_count, created_by, created_at, started_at,
    finished_at
FROM participant_imports WHERE id = ANY ($1::uuid[]);

-- name: imports_by_tenant
-- The imports of a tenant in which the caller acts.
SELECT id, tenant_id, livemode, status, status_reason, on_duplicate, file_id, size_bytes, delimiter, fields, total_rows,
    processed_rows, imported_count, updated_count, skipped_count, refused_count, created_by, created_at, started_at,
    finished_at
FROM participant_imports
WHERE tenant_id = {key::uuid} AND tenant_id = (SELECT app_tenant()) AND livemode = (SELECT app_livemode());

-- name: refusals_by_import
-- What was refused of an import.
SELECT import_id, number, row_number, field, reason, detail
FROM participant_import_refusals WHERE import_id = {key::uuid};
