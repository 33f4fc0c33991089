-- name: system_settings
-- All settings, as one row. The key is always true: there is one system.
SELECT k.ord, s.values
FROM unnest($1::boolean[]) WITH ORDINALITY AS k (key, ord)
CROSS JOIN (SELECT jsonb_object_agg(key, value) AS values FROM system_settings) s;

-- name: current_settings
-- All settings, as one row.
SELECT jsonb_object_agg(key, value) AS values FROM system_settings;

-- name: lock_setting
-- The value of a setting, which others cannot change until the commit.
SELECT value FROM system_settings WHERE key = $1 FOR UPDATE;

-- name: set_setting
-- Changes a setting.
UPDATE system_settings SET value = $2, updated_by = $3, updated_at = $4 WHERE key = $1;

-- name: setting_changes
-- All changes of settings.
SELECT id, key, value_before, value_after, changed_by, changed_at FROM system_setting_changes;
