-- name: login_candidate
-- The account of an e-mail address, and whether the client is in a known network or has a valid refresh token of it.
SELECT u.id, u.email, u.password_hash,
       EXISTS (SELECT FROM login_sources s WHERE s.user_id = u.id AND s.source = $2::text::cidr) AS by_source,
       EXISTS (SELECT FROM refresh_tokens r
               WHERE r.token_hash = $3 AND r.user_id = u.id AND r.used_at IS NULL AND r.expires_at > $4) AS by_session
FROM users u WHERE u.email = $1;

-- name: remember_source
-- Remembers that a user was in a network, and keeps their $4 most recent networks.
WITH forgotten AS (
    DELETE FROM login_sources WHERE user_id = $1 AND source IN (
        SELECT source FROM login_sources WHERE user_id = $1 AND source <> $2::text::cidr
        ORDER BY seen_at DESC, source OFFSET $4::integer - 1 FOR UPDATE SKIP LOCKED
    )
)
INSERT INTO login_sources (user_id, source, seen_at) VALUES ($1, $2::text::cidr, $3)
ON CONFLICT (user_id, source) DO UPDATE SET seen_at = excluded.seen_at;

-- name: delete_old_sources
-- Deletes networks that users have not been in since a moment.
DELETE FROM login_sources WHERE seen_at < $1;
