-- name: completions_by_ids
-- Completions with these IDs.
SELECT id, tenant_id, livemode, project_id, participation_id, task_id, ordinal, status, points, proof, transaction_hash,
    created_at, reviewed_at, reviewed_by, review_note
FROM task_completions WHERE id = ANY ($1::uuid[]);

-- name: completions_by_participation
-- What a participation has completed.
SELECT id, tenant_id, livemode, project_id, participation_id, task_id, ordinal, status, points, proof, transaction_hash,
    created_at, reviewed_at, reviewed_by, review_note
FROM task_completions WHERE participation_id = {key::uuid};

-- name: completions_by_project
-- What was completed in a project of the tenant in which the caller acts.
SELECT id, tenant_id, livemode, project_id, participation_id, task_id, ordinal, status, points, proof, transaction_hash,
    created_at, reviewed_at, reviewed_by, review_note
FROM task_completions WHERE project_id = {key::uuid} AND tenant_id = (SELECT app_tenant())
    AND livemode = (SELECT app_livemode());

-- name: earlier_completions
-- How often a participation has completed a task, and when last, rejected ones apart, and the highest number: tenant,
-- mode, participation, task.
SELECT count(*) FILTER (WHERE status <> 'rejected') AS count, max(created_at) FILTER (WHERE status <> 'rejected')
    AS last_at, coalesce(max(ordinal), 0) AS ordinal
FROM task_completions WHERE tenant_id = $1 AND livemode = $2 AND participation_id = $3 AND task_id = $4;

-- name: is_transaction_used
-- Whether a payment has completed a task of a project: tenant, mode, project, hash.
SELECT EXISTS (
    SELECT FROM task_completions
    WHERE tenant_id = $1 AND livemode = $2 AND project_id = $3 AND transaction_hash = $4::text
);

-- name: wallet_exists
-- Whether there is a wallet.
SELECT EXISTS (SELECT FROM wallets WHERE wallet_id = $1::text);

-- name: insert_completion
-- A completion: ID, tenant, mode, project, participation, task, number, status, points, proof, transaction, time.
INSERT INTO task_completions (id, tenant_id, livemode, project_id, participation_id, task_id, ordinal, status, points,
    proof, transaction_hash, created_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12::timestamptz);

-- name: completion_to_review
-- A completion, whose participant is neither linked, unlinked nor erased until the end: its ID.
SELECT c.id, c.tenant_id, c.livemode, c.project_id, c.participation_id, c.task_id, c.ordinal, c.status, c.points,
    c.proof, c.transaction_hash, c.created_at, c.reviewed_at, c.reviewed_by, c.review_note
FROM task_completions c JOIN participations p ON p.id = c.participation_id
JOIN participants who ON who.id = p.participant_id WHERE c.id = $1 FOR KEY SHARE OF who;

-- name: lock_completion
-- A completion of a tenant, locked: its ID, tenant, mode.
SELECT id, tenant_id, livemode, project_id, participation_id, task_id, ordinal, status, points, proof, transaction_hash,
    created_at, reviewed_at, reviewed_by, review_note
FROM task_completions WHERE id = $1 AND tenant_id = $2 AND livemode = $3 FOR NO KEY UPDATE;

-- name: review_completion
-- What was decided about a completion: its ID, status, when, by whom, note.
UPDATE task_completions SET status = $2, reviewed_at = $3::timestamptz, reviewed_by = $4, review_note = $5
WHERE id = $1;

-- name: guesses_of_task
-- How often a participation has answered wrong: tenant, mode, participation, task.
SELECT guesses FROM task_guesses WHERE tenant_id = $1 AND livemode = $2 AND participation_id = $3 AND task_id = $4;

-- name: add_guess
-- Counts one wrong answer more: tenant, mode, participation, task, when. Returns how many there are.
INSERT INTO task_guesses AS g (tenant_id, livemode, participation_id, task_id, guesses, guessed_at)
VALUES ($1, $2, $3, $4, 1, $5::timestamptz)
ON CONFLICT (tenant_id, livemode, participation_id, task_id) DO UPDATE
SET guesses = g.guesses + 1, guessed_at = excluded.guessed_at RETURNING guesses;
