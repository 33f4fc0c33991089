-- name: sessions_by_ids
-- Sessions with these ids.
SELECT id, created_at, refreshed_at, expires_at, refresh_expires_at, host(ip_address) AS ip_address, user_agent
FROM sessions WHERE id = ANY($1::uuid[]);

-- name: sessions_page
-- Sessions of each user, the newest first.
SELECT k.ord::integer AS ord, s.id, s.created_at, s.refreshed_at, s.expires_at, s.refresh_expires_at,
       host(s.ip_address) AS ip_address, s.user_agent
FROM unnest($1::uuid[]) WITH ORDINALITY AS k (user_id, ord)
CROSS JOIN LATERAL (
    SELECT id, created_at, refreshed_at, expires_at, refresh_expires_at, ip_address, user_agent
    FROM sessions
    WHERE user_id = k.user_id
      AND (created_at, id) < (coalesce($3::timestamptz, 'infinity'),
                              coalesce($4::uuid, 'ffffffff-ffff-ffff-ffff-ffffffffffff'))
    ORDER BY created_at DESC, id DESC LIMIT $2::integer
) s
ORDER BY k.ord, s.created_at DESC, s.id DESC;

-- name: sessions_count
-- How many sessions each user has.
SELECT k.ord::integer AS ord, c.value::integer AS value
FROM unnest($1::uuid[]) WITH ORDINALITY AS k (user_id, ord)
CROSS JOIN LATERAL (
    SELECT count(*) AS value FROM (SELECT FROM sessions WHERE user_id = k.user_id LIMIT $2::integer) AS counted
) c;

-- name: insert_session
-- Opens a session.
INSERT INTO sessions (id, user_id, token_hash, expires_at, refresh_expires_at, refreshed_at, ip_address, user_agent,
                      created_at)
VALUES ($1, $2, $3, $4, $5, $6, $7::text::inet, $8, $6);

-- name: renew_session
-- Gives a session its next access token; the one before is worth nothing from here on.
UPDATE sessions SET token_hash = $2, expires_at = $3, refresh_expires_at = $4, refreshed_at = $5,
                    ip_address = $6::text::inet, user_agent = $7
WHERE id = $1;

-- name: session_of_token
-- Who bears an access token whose digest this is; nothing once it has expired or was replaced.
SELECT user_id, session_id, role, is_verified, expires_at FROM session_of_token($1, $2);

-- name: session_expiries
-- When the present access tokens of some sessions end.
SELECT id, expires_at FROM sessions WHERE id = ANY($1::uuid[]);

-- name: viewer_of_session
-- The role and state of a session's user.
SELECT role, is_verified FROM users WHERE id = $1;

-- name: delete_session
-- Ends one session of a user.
DELETE FROM sessions WHERE id = $1 AND user_id = $2 RETURNING id;

-- name: delete_sessions
-- Ends all sessions of a user but one; in the order of ids, so that two who do this cannot deadlock.
WITH doomed AS (
    SELECT id FROM sessions WHERE user_id = $1 AND id IS DISTINCT FROM $2::uuid ORDER BY id FOR UPDATE
)
DELETE FROM sessions s USING doomed d WHERE s.id = d.id RETURNING s.id;

-- name: delete_old_sessions
-- Forgets sessions that ended before a moment and cannot be refreshed any more.
DELETE FROM sessions WHERE expires_at < $1 AND refresh_expires_at < $2;

-- name: insert_refresh_token
-- Stores the digest of a session's next refresh token.
INSERT INTO refresh_tokens (token_hash, session_id, user_id, expires_at, created_at) VALUES ($1, $2, $3, $4, $5);

-- name: lock_session_of_refresh_token
-- The session that a refresh token belongs to, locked before the token is read: a second bearer waits here.
SELECT id, user_id FROM sessions
WHERE id = (SELECT session_id FROM refresh_tokens WHERE token_hash = $1) FOR UPDATE;

-- name: refresh_token
-- What is known of a refresh token.
SELECT expires_at, used_at FROM refresh_tokens WHERE token_hash = $1;

-- name: use_refresh_token
-- Spends a refresh token.
UPDATE refresh_tokens SET used_at = $2 WHERE token_hash = $1;
