-- name: users_by_ids
-- What everybody may know of these users, in no order.
SELECT user_id AS id, display_name FROM display_names WHERE user_id = ANY($1::uuid[]);

-- name: accounts_by_ids
-- What only these users and admins may know.
SELECT id, email, full_name, role, is_verified, national_id_kek_id IS NOT NULL AS has_national_id, created_at
FROM users WHERE id = ANY($1::uuid[]);

-- name: account_by_email
-- Whose account an address is.
SELECT id, email, full_name, role, is_verified, national_id_kek_id IS NOT NULL AS has_national_id, created_at
FROM users WHERE email = $1;

-- name: profiles_by_users
-- The profiles of these users.
SELECT p.user_id, p.username, n.display_name, p.avatar_url, p.subscription_tier, p.subscription_expires_at,
       p.trading_mode, p.paper_balance, p.live_balance, p.created_at, p.updated_at
FROM profiles p JOIN display_names n USING (user_id)
WHERE p.user_id = ANY($1::uuid[]);

-- name: settings_by_users
-- All settings of these users, by name; a user has at most 200.
SELECT k.ord::integer AS ord, s.setting_name AS name, s.setting_value AS value, s.updated_at
FROM unnest($1::uuid[]) WITH ORDINALITY AS k (user_id, ord) JOIN user_settings s USING (user_id)
ORDER BY k.ord, s.setting_name;

-- name: own_settings_by_names
-- Settings of whoever asks, by name.
SELECT setting_name AS name, setting_value AS value, updated_at
FROM user_settings WHERE user_id = app_user_id() AND setting_name = ANY($1::text[]);

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

-- name: auth_log_page
-- What happened to each user at the door, the newest first.
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
-- How long each user's auth log is.
SELECT k.ord::integer AS ord, c.value::integer AS value
FROM unnest($1::uuid[]) WITH ORDINALITY AS k (user_id, ord)
CROSS JOIN LATERAL (
    SELECT count(*) AS value FROM (SELECT FROM auth_logs WHERE user_id = k.user_id LIMIT $2::integer) AS counted
) c;

-- name: access_codes_by_ids
-- Access codes with these ids.
SELECT id, code, redeemed, redeemed_by, redeemed_at, created_at FROM access_codes WHERE id = ANY($1::uuid[]);

-- name: access_codes_page
-- Access codes, the newest first; those redeemed or not, or all when that is null.
SELECT id, code, redeemed, redeemed_by, redeemed_at, created_at
FROM access_codes
WHERE redeemed = coalesce($2::boolean, redeemed)
  AND (created_at, id) < (coalesce($3::timestamptz, 'infinity'),
                          coalesce($4::uuid, 'ffffffff-ffff-ffff-ffff-ffffffffffff'))
ORDER BY created_at DESC, id DESC LIMIT $1::integer;

-- name: access_codes_count
-- How many access codes there are in a state.
SELECT count(*)::integer FROM (
    SELECT FROM access_codes WHERE redeemed = coalesce($2::boolean, redeemed) LIMIT $1::integer
) AS counted;

-- name: users_page
-- Users whose e-mail address begins with a text, the newest first.
SELECT u.id, n.display_name, u.created_at
FROM users u JOIN display_names n ON n.user_id = u.id
WHERE starts_with(u.email, coalesce($2::text, ''))
  AND (u.created_at, u.id) < (coalesce($3::timestamptz, 'infinity'),
                              coalesce($4::uuid, 'ffffffff-ffff-ffff-ffff-ffffffffffff'))
ORDER BY u.created_at DESC, u.id DESC LIMIT $1::integer;

-- name: users_count
-- How many users' e-mail addresses begin with a text.
SELECT count(*)::integer FROM (
    SELECT FROM users WHERE starts_with(email, coalesce($2::text, '')) LIMIT $1::integer
) AS counted;
