-- name: sessions_by_ids
-- Sessions with these ids.
SELECT id, created_at, refreshed_at, expires_at, refresh_expires_at, host(ip_address) AS ip_address, user_agent
FROM sessions WHERE id = ANY($1::uuid[]);

-- name: sessions_by_user
-- Sessions of a user.
SELECT id, created_at, refreshed_at, expires_at, refresh_expires_at, host(ip_address) AS ip_address, user_agent
FROM sessions WHERE user_id = {key::uuid};

-- name: insert_session
-- Inserts a session.
INSERT INTO sessions (id, user_id, token_hash, expires_at, refresh_expires_at, refreshed_at, ip_address, user_agent,
                      created_at)
VALUES ($1, $2, $3, $4, $5, $6, $7::text::inet, $8, $6);

-- name: renew_session
-- Replaces the access token of a session.
UPDATE sessions SET token_hash = $2, expires_at = $3, refresh_expires_at = $4, refreshed_at = $5,
                    ip_address = $6::text::inet, user_agent = $7
WHERE id = $1;

-- name: session_of_token
-- The session with this access token digest. No row: it has expired or was replaced.
SELECT user_id, session_id, role, is_verified, expires_at FROM session_of_token($1, $2);

-- name: session_expiries
-- When the current access tokens of these sessions expire.
SELECT id, expires_at FROM sessions WHERE id = ANY($1::uuid[]);

-- name: viewer_of_session
-- The role of a user, and whether they are verified.
SELECT role, is_verified FROM users WHERE id = $1;

-- name: delete_session
-- Deletes one session of a user.
DELETE FROM sessions WHERE id = $1 AND user_id = $2 RETURNING id;

-- name: delete_sessions
-- Deletes all sessions of a user except one, in the order of ids, so that concurrent transactions do not deadlock.
WITH doomed AS (
    SELECT id FROM sessions WHERE user_id = $1 AND id IS DISTINCT FROM $2::uuid ORDER BY id FOR UPDATE
)
DELETE FROM sessions s USING doomed d WHERE s.id = d.id RETURNING s.id;

-- name: delete_old_sessions
-- Deletes sessions that expired before a moment and can no longer be refreshed.
DELETE FROM sessions WHERE expires_at < $1 AND refresh_expires_at < $2;

-- name: insert_refresh_token
-- Stores the digest of a session's next refresh token.
INSERT INTO refresh_tokens (token_hash, session_id, user_id, expires_at, created_at) VALUES ($1, $2, $3, $4, $5);

-- name: lock_session_of_refresh_token
-- Locks the session of a refresh token, before the token is read: a concurrent refresh waits here.
SELECT id, user_id FROM sessions
WHERE id = (SELECT session_id FROM refresh_tokens WHERE token_hash = $1) FOR UPDATE;

-- name: refresh_token
-- When a refresh token expires, and when it was used.
SELECT expires_at, used_at FROM refresh_tokens WHERE token_hash = $1;

-- name: use_refresh_token
-- Marks a refresh token as used.
UPDATE refresh_tokens SET used_at = $2 WHERE token_hash = $1;
