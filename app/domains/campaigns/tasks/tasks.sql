-- name: tasks_by_ids
-- Tasks with these IDs.
SELECT id, tenant_id, livemode, project_id, key, name, description, points, max_completions, cooldown_s, proof_kind,
    payment_wallet_id, payment_min_amount, is_active, position, created_at, updated_at, archived_at
FROM tasks WHERE id = ANY ($1::uuid[]);

-- name: tasks_by_project
-- The tasks of a project that were not archived.
SELECT id, tenant_id, livemode, project_id, key, name, description, points, max_completions, cooldown_s, proof_kind,
    payment_wallet_id, payment_min_amount, is_active, position, created_at, updated_at, archived_at
FROM tasks WHERE project_id = {key::uuid} AND archived_at IS NULL;

-- name: lock_task_of_key
-- The task of a project with a key, locked: tenant, mode, project, key.
SELECT id, tenant_id, livemode, project_id, key, name, description, points, max_completions, cooldown_s, proof_kind,
    payment_wallet_id, payment_min_amount, is_active, position, created_at, updated_at, archived_at
FROM tasks WHERE tenant_id = $1 AND livemode = $2 AND project_id = $3 AND key = $4 FOR NO KEY UPDATE;

-- name: lock_task
-- A task of a tenant, locked: its ID, tenant, mode.
SELECT id, tenant_id, livemode, project_id, key, name, description, points, max_completions, cooldown_s, proof_kind,
    payment_wallet_id, payment_min_amount, is_active, position, created_at, updated_at, archived_at
FROM tasks WHERE id = $1 AND tenant_id = $2 AND livemode = $3 FOR NO KEY UPDATE;

-- name: share_task
-- A task of a project, locked against changes: its ID, project.
SELECT id, tenant_id, livemode, project_id, key, name, description, points, max_completions, cooldown_s, proof_kind,
    payment_wallet_id, payment_min_amount, is_active, position, created_at, updated_at, archived_at
FROM tasks WHERE id = $1 AND project_id = $2 FOR SHARE;

-- name: count_tasks
-- How many tasks a project has that were not archived: tenant, mode, project.
SELECT count(*) FROM tasks WHERE tenant_id = $1 AND livemode = $2 AND project_id = $3 AND archived_at IS NULL;

-- name: put_task
-- A task of a project, in place of the one with its key: ID, tenant, mode, project, key, time, and what is set. Returns
-- its ID.
INSERT INTO tasks (id, tenant_id, livemode, project_id, key, created_at, name, description, points, max_completions,
    cooldown_s, proof_kind, payment_wallet_id, payment_min_amount, is_active, position)
VALUES ($1, $2, $3, $4, $5, $6::timestamptz, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)
ON CONFLICT (tenant_id, livemode, project_id, key) DO UPDATE SET name = excluded.name,
    description = excluded.description, points = excluded.points, max_completions = excluded.max_completions,
    cooldown_s = excluded.cooldown_s, proof_kind = excluded.proof_kind,
    payment_wallet_id = excluded.payment_wallet_id, payment_min_amount = excluded.payment_min_amount,
    is_active = excluded.is_active, position = excluded.position, archived_at = NULL
RETURNING id;

-- name: archive_task
-- Archives a task: its ID, when.
UPDATE tasks SET archived_at = $2::timestamptz WHERE id = $1;

-- name: answer_of_task
-- The hash of the answer of a quiz.
SELECT answer_hash FROM task_answers WHERE task_id = $1;

-- name: remove_answer
-- Removes the answer of a quiz, and what was guessed, unless it is this: the task, a hash (null: whatever it is).
DELETE FROM task_answers WHERE task_id = $1 AND answer_hash IS DISTINCT FROM $2::text;

-- name: put_answer
-- The answer of a quiz, unless it is there: the task, tenant, mode, hash, time.
INSERT INTO task_answers (task_id, tenant_id, livemode, answer_hash, created_at)
VALUES ($1, $2, $3, $4, $5::timestamptz) ON CONFLICT (task_id) DO NOTHING;
