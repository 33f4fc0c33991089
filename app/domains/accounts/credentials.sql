-- name: lock_credentials
-- Locks the password hash that was just checked, so that no session opens with a password that is being changed.
SELECT role, is_verified FROM users WHERE id = $1 AND password_hash = $2 FOR SHARE;

-- name: replace_password
-- Sets a new password hash in place of one that was checked.
UPDATE users SET password_hash = $3 WHERE id = $1 AND password_hash = $2;

-- name: set_password
-- Sets a new password hash.
UPDATE users SET password_hash = $2 WHERE id = $1;

-- name: lock_reset_links
-- Locks a user. Returns how many of their reset links are valid, and when the newest was mailed.
WITH owner AS (SELECT id, email FROM users WHERE email = $1 FOR UPDATE)
SELECT o.id, o.email,
       (SELECT count(*) FROM password_reset_tokens t
        WHERE t.user_id = o.id AND t.used_at IS NULL AND t.expires_at > $3) AS live,
       (SELECT max(t.created_at) FROM password_reset_tokens t
        WHERE t.user_id = o.id AND t.used_at IS NULL AND t.expires_at > $3) AS newest,
       EXISTS (SELECT FROM login_sources s WHERE s.user_id = o.id AND s.source = $2::text::cidr) AS by_source
FROM owner o;

-- name: insert_reset_token
-- Stores the digest of a reset link's token. Earlier links stay valid, so that strangers cannot invalidate them.
INSERT INTO password_reset_tokens (user_id, token_hash, expires_at, created_at) VALUES ($1, $2, $3, $4);

-- name: reset_token_user
-- The user of a valid reset link.
SELECT u.id, u.email FROM password_reset_tokens t JOIN users u ON u.id = t.user_id
WHERE t.token_hash = $1 AND t.used_at IS NULL AND t.expires_at > $2;

-- name: use_reset_token
-- Uses a reset link. Of two concurrent attempts only one succeeds.
UPDATE password_reset_tokens SET used_at = $2 WHERE token_hash = $1 AND used_at IS NULL AND expires_at > $2
RETURNING user_id;

-- name: delete_reset_tokens
-- Deletes the unused reset links of a user.
DELETE FROM password_reset_tokens WHERE user_id = $1 AND used_at IS NULL;

-- name: delete_old_reset_tokens
-- Deletes reset links that expired before a moment.
DELETE FROM password_reset_tokens WHERE expires_at < $1;
