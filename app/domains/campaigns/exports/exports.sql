-- name: insert_export
-- An export that waits: ID, tenant, mode, user, time, whether of verified ones, whether of active ones.
INSERT INTO participant_exports (id, tenant_id, livemode, created_by, created_at, of_verified, of_active)
VALUES ($1, $2, $3, $4, $5::timestamptz, $6, $7);

-- name: begin_export
-- Begins an unfinished export, or begins it again: ID, time. Returns how often that was done.
UPDATE participant_exports
SET status = 'running', attempts = attempts + 1, started_at = coalesce(started_at, $2::timestamptz)
WHERE id = $1 AND status IN ('queued', 'running')
RETURNING attempts;

-- name: lock_export
-- A running export, locked.
SELECT tenant_id, livemode, of_verified, of_active, file_id, after_at, after_id, late_ids, late_written
FROM participant_exports WHERE id = $1 AND status = 'running' FOR NO KEY UPDATE;

-- name: late_participants
-- Those of a tenant whose referrer is newer than they are, and all whom they have referred, referrers first: tenant,
-- mode.
WITH RECURSIVE late AS (
    SELECT p.id, 1 AS depth FROM participants p JOIN participants r ON r.id = p.referred_by
    WHERE p.tenant_id = $1::uuid AND p.livemode = $2::boolean AND p.erased_at IS NULL AND r.erased_at IS NULL
        AND (r.created_at, r.id) > (p.created_at, p.id)
    UNION
    SELECT c.id, l.depth + 1 FROM late l
        JOIN participants c ON c.tenant_id = $1 AND c.livemode = $2 AND c.referred_by = l.id
    WHERE c.erased_at IS NULL
)
SELECT id FROM late GROUP BY id ORDER BY max(depth), id;

-- name: open_export
-- Gives a running export its file, which begins anew: ID, file, who comes last.
UPDATE participant_exports e SET file_id = $2, late_ids = $3::uuid[], after_at = NULL, after_id = NULL,
    late_written = 0, written_rows = 0, total_rows = (
    SELECT count(*) FROM participants p
    WHERE p.tenant_id = e.tenant_id AND p.livemode = e.livemode AND p.erased_at IS NULL
        AND p.is_verified = coalesce(e.of_verified, p.is_verified)
        AND p.is_active = coalesce(e.of_active, p.is_active)
) WHERE id = $1;

-- name: participants_after
-- Participants of a tenant in the order in which they were created: tenant, mode, whether verified
-- ones, whether active ones, behind which, whom not, how many.
SELECT p.id, p.telegram_id, p.discord_id, p.username, p.first_name, p.last_name, p.email, p.locale, p.time_zone,
    p.has_notifications, p.is_active, p.is_verified, p.referral_code,
    (SELECT r.referral_code FROM participants r WHERE r.id = p.referred_by AND r.erased_at IS NULL) AS referrer_code,
    s.address AS solana_address, s.allows_off_curve AS solana_off_curve, e.address AS ethereum_address, p.attributes,
    p.created_at, p.last_active_at, p.total_referrals
FROM participants p
LEFT JOIN participant_wallets s ON s.participant_id = p.id AND s.network = 'solana'
LEFT JOIN participant_wallets e ON e.participant_id = p.id AND e.network = 'ethereum'
WHERE p.tenant_id = $1::uuid AND p.livemode = $2::boolean AND p.erased_at IS NULL
    AND p.is_verified = coalesce($3::boolean, p.is_verified) AND p.is_active = coalesce($4::boolean, p.is_active)
    AND (p.created_at, p.id) > (coalesce($5::timestamptz, '-infinity'), coalesce($6::uuid, $1::uuid))
    AND p.id <> ALL ($7::uuid[])
ORDER BY p.created_at, p.id LIMIT $8::bigint;

-- name: participants_named
-- Participants of a tenant, in the order of their IDs here: tenant, mode, whether verified ones, whether
-- active ones, IDs.
SELECT p.id, p.telegram_id, p.discord_id, p.username, p.first_name, p.last_name, p.email, p.locale, p.time_zone,
    p.has_notifications, p.is_active, p.is_verified, p.referral_code,
    (SELECT r.referral_code FROM participants r WHERE r.id = p.referred_by AND r.erased_at IS NULL) AS referrer_code,
    s.address AS solana_address, s.allows_off_curve AS solana_off_curve, e.address AS ethereum_address, p.attributes,
    p.created_at, p.last_active_at, p.total_referrals
FROM participants p
LEFT JOIN participant_wallets s ON s.participant_id = p.id AND s.network = 'solana'
LEFT JOIN participant_wallets e ON e.participant_id = p.id AND e.network = 'ethereum'
WHERE p.tenant_id = $1::uuid AND p.livemode = $2::boolean AND p.erased_at IS NULL
    AND p.is_verified = coalesce($3::boolean, p.is_verified) AND p.is_active = coalesce($4::boolean, p.is_active)
    AND p.id = ANY ($5::uuid[])
ORDER BY array_position($5, p.id);

-- name: note_written
-- How far a running export is: ID, how many rows more, behind which participant, how many of those who come last.
UPDATE participant_exports
SET written_rows = written_rows + $2::integer, after_at = coalesce($3::timestamptz, after_at),
    after_id = coalesce($4::uuid, after_id), late_written = late_written + $5::integer
WHERE id = $1;

-- name: complete_export
-- Ends a running export whose file is complete: ID, time, until when the file is kept, size.
UPDATE participant_exports
SET status = 'completed', finished_at = $2::timestamptz, expires_at = $3::timestamptz, size_bytes = $4::bigint,
    total_rows = written_rows, late_ids = NULL
WHERE id = $1;

-- name: end_export
-- Ends an unfinished export without a file: ID, how, why, time. Returns its ID, or nothing if it has ended.
WITH ended AS (
    UPDATE participant_exports
    SET status = $2::text, status_reason = $3::text, finished_at = $4::timestamptz, late_ids = NULL
    WHERE id = $1 AND status IN ('queued', 'running') RETURNING id, file_id
), gone AS (
    DELETE FROM campaign_files WHERE id = ANY (ARRAY(SELECT file_id FROM ended))
)
SELECT id FROM ended;

-- name: is_export_of
-- Whether a tenant has this export: ID, tenant, mode.
SELECT EXISTS (SELECT FROM participant_exports WHERE id = $1 AND tenant_id = $2 AND livemode = $3);

-- name: file_of_export
-- The file of a completed export of a tenant: ID, tenant, mode, now.
SELECT f.id, f.tenant_id, f.livemode, f.size_bytes, f.chunks, f.created_at, f.expires_at
FROM participant_exports e JOIN campaign_files f
    ON f.tenant_id = e.tenant_id AND f.livemode = e.livemode AND f.id = e.file_id
WHERE e.id = $1 AND e.tenant_id = $2 AND e.livemode = $3 AND e.status = 'completed'
    AND e.expires_at > $4::timestamptz;

-- name: expire_exports
-- Notes of completed exports that their time is over, and deletes their files: now. Returns how many.
WITH over AS (
    UPDATE participant_exports SET status = 'expired' WHERE status = 'completed' AND expires_at <= $1::timestamptz
    RETURNING file_id
), gone AS (
    DELETE FROM campaign_files WHERE id = ANY (ARRAY(SELECT file_id FROM over))
)
SELECT count(*) FROM over;

-- name: delete_old_exports
-- Deletes a batch of old exports: before when, how many. Returns how many.
WITH gone AS (
    DELETE FROM participant_exports WHERE id = ANY (
        ARRAY(
            SELECT id FROM participant_exports WHERE created_at < $1::timestamptz ORDER BY created_at LIMIT $2::bigint
        )
    ) RETURNING id
)
SELECT count(*) FROM gone;
