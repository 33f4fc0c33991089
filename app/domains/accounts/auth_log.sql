-- name: auth_log_by_user
-- Auth log entries of a user.
SELECT id, event_type, success, error_message, host(ip_address) AS ip_address, user_agent, created_at
FROM auth_logs WHERE user_id = {key::uuid};

-- name: insert_auth_log
-- Inserts an auth log entry.
INSERT INTO auth_logs (user_id, event_type, ip_address, user_agent, success, error_message, created_at)
VALUES ($1, $2, $3::text::inet, $4, $5, $6, $7);

-- name: delete_old_auth_logs
-- Deletes auth log entries from before a moment.
DELETE FROM auth_logs WHERE created_at < $1;
