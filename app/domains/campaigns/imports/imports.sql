-- name: lock_transfers_of
-- Lets one transaction at a time count the unfinished imports and exports of a tenant: its ID, with the mode.
SELECT pg_advisory_xact_lock(hashtextextended('moneta.transfers.' || $1::text, 0));

-- name: count_unfinished
-- The imports and exports of a tenant that wait or run: tenant, mode.
SELECT
    (SELECT count(*) FROM participant_imports i
        WHERE i.tenant_id = $1::uuid AND i.livemode = $2::boolean AND i.status IN ('queued', 'running'))
    + (SELECT count(*) FROM participant_exports e
        WHERE e.tenant_id = $1 AND e.livemode = $2 AND e.status IN ('queued', 'running'));

-- name: insert_import
-- An import that waits: ID, tenant, mode, what becomes of duplicates, file, size, delimiter, fields, user, time.
INSERT INTO participant_imports (
    id, tenant_id, livemode, on_duplicate, file_id, size_bytes, delimiter, fields, created_by, created_at
) VALUES ($1, $2, $3, $4, $5, $6, $7, $8::text[], $9, $10::timestamptz);

-- name: begin_import
-- Begins an unfinished import, or begins it again: ID, time. Returns how often that was done.
UPDATE participant_imports
SET status = 'running', attempts = attempts + 1, started_at = coalesce(started_at, $2::timestamptz)
WHERE id = $1 AND status IN ('queued', 'running')
RETURNING attempts;

-- name: note_total
-- How many rows a running import has: ID, rows. Returns nothing if it has ended.
UPDATE participant_imports SET total_rows = $2::integer WHERE id = $1 AND status = 'running' RETURNING processed_rows;

-- name: lock_import
-- A running import that has got this far, locked: ID, rows. Returns nothing otherwise.
SELECT i.tenant_id, i.livemode, i.on_duplicate, i.total_rows, i.imported_count, i.updated_count, i.skipped_count,
    i.refused_count, i.started_at, t.deleted_at IS NULL AND t.subscription_status = 'active' AS is_open,
    (SELECT count(*) FROM participant_import_refusals r WHERE r.import_id = i.id) AS refusals
FROM participant_imports i JOIN tenants t ON t.id = i.tenant_id
WHERE i.id = $1 AND i.status = 'running' AND i.processed_rows = $2::integer FOR NO KEY UPDATE OF i;

-- name: note_batch
-- What has become of more rows of an import: ID, how many imported, updated, skipped, refused.
UPDATE participant_imports
SET processed_rows = processed_rows + $2::integer + $3::integer + $4::integer + $5::integer,
    imported_count = imported_count + $2, updated_count = updated_count + $3, skipped_count = skipped_count + $4,
    refused_count = refused_count + $5
WHERE id = $1;

-- name: insert_refusals
-- What was refused of an import: ID, after how many, and of each the row, the field, the reason, the detail.
INSERT INTO participant_import_refusals (import_id, tenant_id, livemode, number, row_number, field, reason, detail)
SELECT i.id, i.tenant_id, i.livemode, $2::integer + r.number, r.row_number, r.field, r.reason, r.detail
FROM participant_imports i, unnest($3::integer[], $4::text[], $5::text[], $6::text[])
    WITH ORDINALITY AS r (row_number, field, reason, detail, number)
WHERE i.id = $1;

-- name: end_import
-- Ends an unfinished import, and deletes its file: ID, how, why, time. Returns how far it was, or nothing if it has
-- ended.
WITH ended AS (
    UPDATE participant_imports SET status = $2::text, status_reason = $3::text, finished_at = $4::timestamptz
    WHERE id = $1 AND status IN ('queued', 'running')
    RETURNING id, processed_rows, total_rows, refused_count, file_id
), gone AS (
    DELETE FROM campaign_files WHERE id = ANY (ARRAY(SELECT file_id FROM ended))
), excluded AS (
    DELETE FROM participant_import_exclusions WHERE import_id = ANY (ARRAY(SELECT id FROM ended))
)
SELECT processed_rows, total_rows, refused_count FROM ended;

-- name: is_import_of
-- Whether a tenant has this import: ID, tenant, mode.
SELECT EXISTS (SELECT FROM participant_imports WHERE id = $1 AND tenant_id = $2 AND livemode = $3);

-- name: exclusions_of
-- Who was erased while an import runs.
SELECT digest FROM participant_import_exclusions WHERE import_id = $1;

-- name: delete_old_imports
-- Deletes a batch of old imports with their refusals, and the positions of their streams: before when, how many.
-- Returns how many.
WITH gone AS (
    DELETE FROM participant_imports WHERE id = ANY (
        ARRAY(
            SELECT id FROM participant_imports WHERE created_at < $1::timestamptz ORDER BY created_at LIMIT $2::bigint
        )
    ) RETURNING id
), streams AS (
    DELETE FROM event_streams WHERE stream = ANY (ARRAY(SELECT 'participant-import:' || id FROM gone))
)
SELECT count(*) FROM gone;
