-- name: job_started
-- Stores that a scheduled job began.
INSERT INTO job_runs AS j (job, started_at) VALUES ($1, $2)
ON CONFLICT (job) DO UPDATE SET started_at = excluded.started_at, finished_at = NULL, succeeded = NULL, detail = NULL;

-- name: job_finished
-- Stores the outcome of a scheduled job.
UPDATE job_runs SET finished_at = $2, succeeded = $3, detail = $4 WHERE job = $1;

-- name: job_schedules
-- Every scheduled job with its last run; at most $1.
SELECT s.entrypoint AS job, s.expression AS schedule, s.next_run, r.started_at, r.finished_at, r.succeeded, r.detail
FROM pgqueuer_schedules s LEFT JOIN job_runs r ON r.job = s.entrypoint
ORDER BY s.entrypoint LIMIT $1::integer;

-- name: maintain_partitions
-- Makes the coming months' partitions and drops those past their retention.
SELECT created, dropped FROM maintain_partitions($1);

-- name: delete_old_idempotency_keys
-- Deletes idempotency keys; a replay after that is a new request.
DELETE FROM idempotency_keys WHERE created_at < $1;

-- name: delete_old_job_logs
-- Deletes pgqueuer's logs of finished jobs.
DELETE FROM pgqueuer_log WHERE created < $1 AND status NOT IN ('exception', 'failed');
