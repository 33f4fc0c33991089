-- name: lock_for_erasure
-- A participant of a tenant, locked against whatever refers to them: ID, tenant, mode.
SELECT id, tenant_id, livemode, telegram_id, discord_id, username, first_name, last_name, email, locale, time_zone,
    has_notifications, attributes, is_active, is_verified, referral_code, referred_by, total_referrals, user_id,
    created_at, updated_at, last_active_at, erased_at
FROM participants WHERE id = $1 AND tenant_id = $2 AND livemode = $3 FOR UPDATE;

-- name: addresses_of
-- The addresses of a participant.
SELECT address FROM participant_wallets WHERE participant_id = $1 ORDER BY network;

-- name: erase_participant
-- Leaves nothing personal of a participant: ID, a code that nobody knows, time.
UPDATE participants SET telegram_id = NULL, discord_id = NULL, username = NULL, first_name = NULL, last_name = NULL,
    email = NULL, locale = NULL, time_zone = NULL, has_notifications = false, attributes = '{}', is_active = false,
    is_verified = false, referral_code = $2, user_id = NULL, erased_at = $3::timestamptz
WHERE id = $1;

-- name: erase_wallets
-- Deletes the wallets of a participant, with what was to be signed for them.
DELETE FROM participant_wallets WHERE participant_id = $1;

-- name: erase_link
-- Deletes the token of a participant.
DELETE FROM participant_links WHERE participant_id = $1;

-- name: note_erased
-- Notes who was erased, for what keeps copies: tenant, mode, participant, time.
INSERT INTO erased_participants (tenant_id, livemode, participant_id, erased_at)
VALUES ($1, $2, $3, $4::timestamptz) ON CONFLICT DO NOTHING;

-- name: exclude_from_imports
-- Keeps imports of a tenant that wait or run from making somebody again: tenant, mode, keyed hashes.
INSERT INTO participant_import_exclusions (import_id, tenant_id, livemode, digest)
SELECT i.id, i.tenant_id, i.livemode, d.digest FROM participant_imports i, unnest($3::text[]) AS d (digest)
WHERE i.tenant_id = $1 AND i.livemode = $2 AND i.status IN ('queued', 'running')
ON CONFLICT DO NOTHING;

-- name: erase_reviews
-- Leaves nothing of what was shown of a participant to those who decided about them: ID.
UPDATE participation_reviews r SET verification_data = '{}', verification_note = NULL, ban_reason = NULL
FROM participations p WHERE p.participant_id = $1 AND r.participation_id = p.id;

-- name: erase_proofs
-- Leaves nothing of what a participant has written to prove that a task is done: ID.
UPDATE task_completions c SET proof = NULL, review_note = NULL
FROM participations p WHERE p.participant_id = $1 AND c.participation_id = p.id;

-- name: delete_uploads
-- Deletes the files of a tenant that wait to be imported: tenant, mode.
DELETE FROM campaign_files f WHERE f.tenant_id = $1 AND f.livemode = $2 AND f.kind = 'upload' AND NOT EXISTS (
    SELECT FROM participant_imports i
    WHERE i.tenant_id = f.tenant_id AND i.livemode = f.livemode AND i.file_id = f.id
);

-- name: renew_exports
-- Ends the completed exports of a tenant, has others begin anew, and deletes their files: tenant, mode.
WITH concerned AS (
    UPDATE participant_exports SET
        status = CASE WHEN status = 'completed' THEN 'expired' ELSE status END, total_rows = NULL, written_rows = 0,
        after_at = NULL, after_id = NULL, late_ids = NULL, late_written = 0
    WHERE tenant_id = $1 AND livemode = $2 AND status IN ('queued', 'running', 'completed')
    RETURNING file_id
)
DELETE FROM campaign_files WHERE id = ANY (ARRAY(SELECT file_id FROM concerned));

-- name: lock_running_imports
-- Waits until no batch of an import of a tenant is under way, and keeps others waiting: tenant, mode.
SELECT id FROM participant_imports
WHERE tenant_id = $1 AND livemode = $2 AND status IN ('queued', 'running') ORDER BY id FOR UPDATE;

-- name: redact_audit
-- Redacts what the audit log says of a participant who was erased. Returns in how many entries.
SELECT redact_audit_of_participant($1::uuid);
