-- name: settings_by_users
-- All settings of these users, by name; a user has at most 200.
SELECT k.ord::integer AS ord, s.setting_name AS name, s.setting_value AS value, s.updated_at
FROM unnest($1::uuid[]) WITH ORDINALITY AS k (user_id, ord) JOIN user_settings s USING (user_id)
ORDER BY k.ord, s.setting_name;

-- name: own_settings_by_names
-- The viewer's settings, by name.
SELECT setting_name AS name, setting_value AS value, updated_at
FROM user_settings WHERE user_id = app_user_id() AND setting_name = ANY($1::text[]);

-- name: lock_setting_names
-- Locks a user's settings until the commit, so that their number cannot change.
SELECT pg_advisory_xact_lock(hashtextextended('moneta.settings:' || $1::text, 0));

-- name: count_other_settings
-- How many settings a user has under other names.
SELECT count(*)::integer FROM user_settings WHERE user_id = $1 AND setting_name <> $2;

-- name: put_setting
-- Inserts or updates a setting.
INSERT INTO user_settings (user_id, setting_name, setting_value) VALUES ($1, $2, $3)
ON CONFLICT (user_id, setting_name) DO UPDATE SET setting_value = excluded.setting_value;

-- name: delete_setting
-- Deletes a setting.
DELETE FROM user_settings WHERE user_id = $1 AND setting_name = $2;
