-- name: lock_files_of
-- Lets one transaction at a time count the files of a tenant: its ID, with the mode.
SELECT pg_advisory_xact_lock(hashtextextended('moneta.campaign_files.' || $1::text, 0));

-- name: count_uploads
-- How many files of a tenant wait to be imported, or are being sent: tenant, mode, now.
SELECT count(*) FROM campaign_files f
WHERE f.tenant_id = $1 AND f.livemode = $2 AND f.kind = 'upload' AND f.expires_at > $3::timestamptz
    AND NOT EXISTS (
        SELECT FROM participant_imports i
        WHERE i.tenant_id = f.tenant_id AND i.livemode = f.livemode AND i.file_id = f.id
    );

-- name: insert_file
-- A file without content: ID, tenant, mode, kind, time, until when it is kept.
INSERT INTO campaign_files (id, tenant_id, livemode, kind, created_at, expires_at)
VALUES ($1, $2, $3, $4, $5::timestamptz, $6::timestamptz);

-- name: append_chunk
-- The next part of a file that is not complete, if it is the one with this number: file, number, part, bytes. Returns
-- nothing otherwise.
WITH f AS (
    UPDATE campaign_files SET chunks = chunks + 1, size_bytes = size_bytes + $4::bigint
    WHERE id = $1 AND chunks = $2::integer AND completed_at IS NULL RETURNING id, tenant_id, livemode
)
INSERT INTO campaign_file_chunks (file_id, tenant_id, livemode, number, sealed)
SELECT f.id, f.tenant_id, f.livemode, $2, $3::bytea FROM f RETURNING number;

-- name: complete_file
-- Notes that a file has all of its parts: file, time, until when it is kept. Returns nothing if it is gone.
UPDATE campaign_files SET completed_at = $2::timestamptz, expires_at = $3::timestamptz
WHERE id = $1 AND completed_at IS NULL
RETURNING id, tenant_id, livemode, size_bytes, chunks, created_at, expires_at;

-- name: lock_upload
-- A complete file of a tenant that was sent and not imported, locked: its ID, tenant, mode, now.
SELECT f.id, f.tenant_id, f.livemode, f.size_bytes, f.chunks, f.created_at, f.expires_at FROM campaign_files f
WHERE f.id = $1 AND f.tenant_id = $2 AND f.livemode = $3 AND f.kind = 'upload' AND f.completed_at IS NOT NULL
    AND f.expires_at > $4::timestamptz AND NOT EXISTS (
        SELECT FROM participant_imports i
        WHERE i.tenant_id = f.tenant_id AND i.livemode = f.livemode AND i.file_id = f.id
    )
FOR NO KEY UPDATE;

-- name: file_by_id
-- A file.
SELECT id, tenant_id, livemode, size_bytes, chunks, created_at, expires_at FROM campaign_files WHERE id = $1;

-- name: chunk_of_file
-- A part of a file: its ID, number.
SELECT sealed FROM campaign_file_chunks WHERE file_id = $1 AND number = $2;

-- name: keep_until
-- Keeps a file longer: its ID, until when.
UPDATE campaign_files SET expires_at = $2::timestamptz WHERE id = $1;

-- name: delete_file
-- Deletes a file.
DELETE FROM campaign_files WHERE id = $1;

-- name: delete_expired_files
-- Deletes a batch of files whose time is over: now, how many. Returns how many.
WITH gone AS (
    DELETE FROM campaign_files WHERE id = ANY (
        ARRAY(SELECT id FROM campaign_files WHERE expires_at <= $1::timestamptz ORDER BY expires_at LIMIT $2::bigint)
    ) RETURNING id
)
SELECT count(*) FROM gone;
