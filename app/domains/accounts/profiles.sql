-- name: profiles_by_users
-- The profiles of these users.
SELECT p.user_id, p.username, n.display_name, p.avatar_url, p.subscription_tier, p.subscription_expires_at,
       p.trading_mode, p.analytics_enabled, p.created_at, p.updated_at
FROM profiles p JOIN display_names n USING (user_id)
WHERE p.user_id = ANY($1::uuid[]);

-- name: insert_profile
-- Inserts the profile and the display name of a new user.
WITH profile AS (INSERT INTO profiles (user_id, created_at, updated_at) VALUES ($1, $3, $3))
INSERT INTO display_names (user_id, display_name) VALUES ($1, $2);

-- name: lock_profile
-- Locks a profile that is about to be changed.
SELECT username, avatar_url, trading_mode, analytics_enabled FROM profiles WHERE user_id = $1 FOR UPDATE;

-- name: lock_username
-- Locks a username until the commit, whether or not it is taken.
SELECT pg_advisory_xact_lock(hashtextextended('moneta.username:' || lower($1::text), 0));

-- name: username_is_taken
-- Whether another user has a username, in any letter case.
SELECT EXISTS (SELECT FROM profiles WHERE lower(username) = lower($1) AND user_id <> $2);

-- name: update_profile
-- Updates a profile. A trigger deletes the analytics of a user who opts out of them.
UPDATE profiles SET username = $2, avatar_url = $3, trading_mode = $4, analytics_enabled = $5 WHERE user_id = $1;

-- name: update_display_name
-- Updates a display name.
UPDATE display_names SET display_name = $2 WHERE user_id = $1 AND display_name <> $2;
