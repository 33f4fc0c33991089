-- name: auth_log_page
-- Auth log entries of each user, the newest first.
SELECT k.ord::integer AS ord, l.id, l.event_type, l.success, l.error_message, host(l.ip_address) AS ip_address,
       l.user_agent, l.created_at
FROM unnest($1::uuid[]) WITH ORDINALITY AS k (user_id, ord)
CROSS JOIN LATERAL (
    SELECT id, event_type, success, error_message, ip_address, user_agent, created_at
    FROM auth_logs
    WHERE user_id = k.user_id
      AND (created_at, id) < (coalesce($3::timestamptz, 'infinity'),
                              coalesce($4::uuid, 'ffffffff-ffff-ffff-ffff-ffffffffffff'))
    ORDER BY created_at DESC, id DESC LIMIT $2::integer
) l
ORDER BY k.ord, l.created_at DESC, l.id DESC;

-- name: auth_log_count
-- How many auth log entries each user has.
SELECT k.ord::integer AS ord, c.value::integer AS value
FROM unnest($1::uuid[]) WITH ORDINALITY AS k (user_id, ord)
CROSS JOIN LATERAL (
    SELECT count(*) AS value FROM (SELECT FROM auth_logs WHERE user_id = k.user_id LIMIT $2::integer) AS counted
) c;

-- name: insert_auth_log
-- Inserts an auth log entry.
INSERT INTO auth_logs (user_id, event_type, ip_address, user_agent, success, error_message, created_at)
VALUES ($1, $2, $3::text::inet, $4, $5, $6, $7);

-- name: delete_old_auth_logs
-- Deletes auth log entries from before a moment.
DELETE FROM auth_logs WHERE created_at < $1;
