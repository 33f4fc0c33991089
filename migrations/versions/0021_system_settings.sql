-- What admins change while Moneta runs. Each key has a type of its own, which a CHECK holds, so that whatever is read here
-- can be used: also what was written by hand.

-- Whether these are 1 to 100 different symbols.
CREATE FUNCTION are_symbols(given jsonb) RETURNS boolean LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT count(*) BETWEEN 1 AND 100 AND count(DISTINCT symbol) = count(*)
        AND bool_and(jsonb_typeof(symbol) = 'string' AND symbol #>> '{}' ~ '^[A-Z0-9]{1,20}$')
    FROM jsonb_array_elements(CASE WHEN jsonb_typeof(given) = 'array' THEN given ELSE '[]' END) AS t (symbol)
$$;

-- Whether this is a whole number between two bounds.
CREATE FUNCTION is_whole_between(given jsonb, low bigint, high bigint) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN jsonb_typeof(given) = 'number'
        THEN given::numeric = trunc(given::numeric) AND given::numeric BETWEEN low AND high ELSE false END
$$;

-- Parsed now, and not when it is called: a restore checks rows with an empty search path.
CREATE FUNCTION is_system_setting(key text, given jsonb) RETURNS boolean LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN coalesce(CASE key
        WHEN 'maintenance_mode' THEN
            jsonb_typeof(given) = 'object'
            AND given ?& ARRAY['enabled', 'message', 'retry_after_s', 'started_at']
            AND given - ARRAY['enabled', 'message', 'retry_after_s', 'started_at'] = '{}'
            AND jsonb_typeof(given -> 'enabled') = 'boolean'
            AND jsonb_typeof(given -> 'message') IN ('string', 'null')
            AND coalesce(length(given ->> 'message') BETWEEN 1 AND 500, true)
            AND is_whole_between(given -> 'retry_after_s', 1, 86400)
            AND CASE WHEN (given ->> 'enabled')::boolean
                THEN given ->> 'started_at' ~ '^\d{4}-[01]\d-[0-3]\dT[0-2]\d:[0-5]\d:[0-5]\d(\.\d{1,6})?Z$'
                ELSE jsonb_typeof(given -> 'started_at') = 'null' END
        WHEN 'max_file_upload_size' THEN is_whole_between(given, 1024, 1073741824)
        WHEN 'default_rate_limits' THEN
            jsonb_typeof(given) = 'object'
            AND given - ARRAY['free', 'pro', 'enterprise'] = '{}'
            AND is_whole_between(given -> 'free', 1, 1000000000)
            AND is_whole_between(given -> 'pro', 1, 1000000000)
            AND is_whole_between(given -> 'enterprise', 1, 1000000000)
            AND (given -> 'free')::numeric <= (given -> 'pro')::numeric
            AND (given -> 'pro')::numeric <= (given -> 'enterprise')::numeric
        WHEN 'supported_tokens' THEN are_symbols(given)
    END, false);

CREATE TABLE system_settings (
    key varchar(255) PRIMARY KEY,
    value jsonb NOT NULL,
    description text NOT NULL CHECK (length(description) BETWEEN 1 AND 1000),
    updated_at timestamptz NOT NULL DEFAULT now(),
    updated_by uuid REFERENCES users (id) ON DELETE SET NULL,
    CONSTRAINT system_settings_value CHECK (is_system_setting(key, value))
);
COMMENT ON COLUMN system_settings.updated_by IS 'Null: as it came, changed by hand, or by an admin who is deleted.';
CREATE INDEX system_settings_updated_by ON system_settings (updated_by);

INSERT INTO system_settings (key, value, description) VALUES
    ('maintenance_mode', '{"enabled": false, "message": null, "retry_after_s": 60, "started_at": null}',
     'Whether users are turned away, with which message, and after how many seconds they should try again.'),
    ('max_file_upload_size', '10485760', 'The largest file that may be uploaded, in bytes.'),
    ('default_rate_limits', '{"free": 100, "pro": 10000, "enterprise": 100000}',
     'How many API calls a plan has in an hour where nothing else is agreed. A call is one GraphQL operation.'),
    ('supported_tokens', '["SOL", "USDC", "BONK"]', 'The tokens that can be distributed.');

-- Not partitioned: a person writes each row, so there are some hundreds in a year. They are kept for ever.
CREATE TABLE system_setting_changes (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    key varchar(255) NOT NULL REFERENCES system_settings (key),
    value_before jsonb NOT NULL,
    value_after jsonb NOT NULL,
    changed_by uuid REFERENCES users (id) ON DELETE SET NULL,
    changed_at timestamptz NOT NULL,
    CONSTRAINT system_setting_changes_values CHECK (
        is_system_setting(key, value_before) AND is_system_setting(key, value_after) AND value_before <> value_after
    )
);
CREATE INDEX system_setting_changes_changed_at ON system_setting_changes (changed_at, id);
CREATE INDEX system_setting_changes_key ON system_setting_changes (key, changed_at, id);
CREATE INDEX system_setting_changes_changed_by ON system_setting_changes (changed_by);

-- By a trigger, so that a change that was made by hand is in the history too.
CREATE FUNCTION note_system_setting() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO system_setting_changes (key, value_before, value_after, changed_by, changed_at)
    VALUES (NEW.key, OLD.value, NEW.value, NEW.updated_by, NEW.updated_at);
    RETURN NULL;
END
$$;
REVOKE ALL ON FUNCTION note_system_setting FROM PUBLIC;
CREATE TRIGGER system_settings_noted AFTER UPDATE OF value ON system_settings
    FOR EACH ROW WHEN (OLD.value <> NEW.value) EXECUTE FUNCTION note_system_setting();
-- Of the value alone: a user who is deleted changes no setting.
CREATE CONSTRAINT TRIGGER system_settings_audit AFTER INSERT OR DELETE OR UPDATE OF value ON system_settings
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION write_audit('key');

-- Who sees what: everybody reads the settings, admins their history, and Moneta alone writes.
ALTER TABLE system_settings ENABLE ROW LEVEL SECURITY;
ALTER TABLE system_settings FORCE ROW LEVEL SECURITY;
CREATE POLICY system_settings_read ON system_settings FOR SELECT USING (true);
CREATE POLICY system_settings_system ON system_settings USING (app_is_system()) WITH CHECK (app_is_system());
ALTER TABLE system_setting_changes ENABLE ROW LEVEL SECURITY;
ALTER TABLE system_setting_changes FORCE ROW LEVEL SECURITY;
CREATE POLICY system_setting_changes_admin ON system_setting_changes FOR SELECT USING ((SELECT app_is_admin()));
CREATE POLICY system_setting_changes_system ON system_setting_changes
    USING (app_is_system()) WITH CHECK (app_is_system());

-- There are these settings and no others, and what happened stays.
REVOKE ALL ON system_settings, system_setting_changes FROM moneta_app;
GRANT SELECT, UPDATE (value, updated_at, updated_by) ON system_settings TO moneta_app;
GRANT SELECT, INSERT ON system_setting_changes TO moneta_app;
