-- Users -----------------------------------------------------------------------------------------------------------

CREATE TABLE users (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    email text NOT NULL UNIQUE,
    password_hash text NOT NULL,
    full_name text NOT NULL CHECK (length(full_name) BETWEEN 1 AND 255),
    role text NOT NULL DEFAULT 'user' CHECK (role IN ('user', 'admin')),
    is_verified boolean NOT NULL DEFAULT false,
    verification_token_hash hash UNIQUE,
    verification_token_expires_at timestamptz,
    verification_sent_at timestamptz,
    national_id_kek_id text,
    national_id_wrapped_key bytea,
    national_id_ciphertext bytea,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT users_email_normal CHECK (email = lower(btrim(email)) AND length(email) BETWEEN 3 AND 254),
    CONSTRAINT users_verification_token CHECK (
        (verification_token_hash IS NULL) = (verification_token_expires_at IS NULL)
    ),
    CONSTRAINT users_national_id_sealed CHECK (
        num_nulls(national_id_kek_id, national_id_wrapped_key, national_id_ciphertext) IN (0, 3)
    )
);
COMMENT ON COLUMN users.is_verified IS 'Whether the e-mail address has been shown to be theirs.';
COMMENT ON COLUMN users.national_id_ciphertext IS 'Sealed under a data key of its own, bound to this row.';
CREATE INDEX users_created_at ON users (created_at DESC, id DESC);
CREATE INDEX users_is_verified ON users (is_verified);
CREATE INDEX users_email_prefix ON users (email text_pattern_ops);
CREATE INDEX users_national_id_kek_id ON users (national_id_kek_id) WHERE national_id_kek_id IS NOT NULL;
CREATE TRIGGER users_updated_at BEFORE UPDATE ON users FOR EACH ROW EXECUTE FUNCTION set_updated_at();

-- Begins or ends the sight of the system within a function of ours; gives what was set before. Such functions cannot
-- say `SET app.system = 'on'` in their definition: only a superuser may, and the owner need not be one.
CREATE FUNCTION app_see_as(setting text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    before text := coalesce(current_setting('app.system', true), '');
BEGIN
    PERFORM set_config('app.system', setting, true);
    RETURN before;
END
$$;

-- Whether the current transaction runs for an admin. It asks as the system: the policies of `users` call it.
CREATE FUNCTION app_is_admin() RETURNS boolean
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    before text := app_see_as('on');
    answer boolean := EXISTS (SELECT FROM users WHERE id = app_user_id() AND role = 'admin');
BEGIN
    PERFORM app_see_as(before);
    RETURN answer;
END
$$;
REVOKE ALL ON FUNCTION app_is_admin FROM PUBLIC;
GRANT EXECUTE ON FUNCTION app_is_admin TO moneta_app;

-- What everybody may know of a user, apart from `users` because row-level security hides rows, not columns.
CREATE TABLE display_names (
    user_id uuid PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
    display_name text NOT NULL CHECK (length(display_name) BETWEEN 1 AND 80),
    updated_at timestamptz NOT NULL DEFAULT now()
);
CREATE TRIGGER display_names_updated_at BEFORE UPDATE ON display_names
    FOR EACH ROW EXECUTE FUNCTION set_updated_at();

CREATE TABLE profiles (
    user_id uuid PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
    username text CHECK (username ~ '^[A-Za-z0-9_]{3,30}$'),
    avatar_url text CHECK (avatar_url ~ '^https://[^[:space:]]+$' AND length(avatar_url) <= 2048),
    subscription_tier text NOT NULL DEFAULT 'free' CHECK (subscription_tier IN ('free', 'pro', 'enterprise')),
    subscription_expires_at timestamptz,
    trading_mode text NOT NULL DEFAULT 'paper' CHECK (trading_mode IN ('paper', 'live')),
    paper_balance numeric(20, 8) NOT NULL DEFAULT 10000 CHECK (paper_balance >= 0),
    live_balance numeric(20, 8) NOT NULL DEFAULT 0 CHECK (live_balance >= 0),
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON COLUMN profiles.subscription_expires_at IS 'Null: the tier does not run out.';
CREATE UNIQUE INDEX profiles_username ON profiles (lower(username));
CREATE INDEX profiles_subscription ON profiles (subscription_tier, subscription_expires_at);
CREATE TRIGGER profiles_updated_at BEFORE UPDATE ON profiles FOR EACH ROW EXECUTE FUNCTION set_updated_at();

CREATE TABLE user_settings (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    setting_name text NOT NULL CHECK (setting_name ~ '^[A-Za-z][A-Za-z0-9_.-]{0,63}$'),
    -- Postgres writes JSON with more spaces than the services count, hence the slack above their 8 KiB.
    setting_value jsonb NOT NULL DEFAULT '{}' CHECK (octet_length(setting_value::text) <= 16384),
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (user_id, setting_name)
);
CREATE TRIGGER user_settings_updated_at BEFORE UPDATE ON user_settings
    FOR EACH ROW EXECUTE FUNCTION set_updated_at();

-- Access codes ----------------------------------------------------------------------------------------------------

CREATE TABLE access_codes (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    code text NOT NULL UNIQUE,
    redeemed_by uuid REFERENCES users (id) ON DELETE SET NULL,
    redeemed_at timestamptz,
    redeemed boolean NOT NULL GENERATED ALWAYS AS (redeemed_at IS NOT NULL) STORED,
    redeemer_deleted boolean NOT NULL DEFAULT false,
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT access_codes_code_normal CHECK (code = upper(btrim(code)) AND length(code) BETWEEN 4 AND 50),
    CONSTRAINT access_codes_redeemed_consistency CHECK (
        redeemed = (redeemed_by IS NOT NULL OR redeemer_deleted)
    )
);
CREATE INDEX access_codes_redeemed ON access_codes (redeemed, created_at DESC, id DESC);
CREATE INDEX access_codes_redeemed_by ON access_codes (redeemed_by);
CREATE INDEX access_codes_created_at ON access_codes (created_at DESC, id DESC);

-- A redeemed code names its redeemer, yet survives the user's deletion. The foreign key empties the name; this notes
-- why, so that the check still refuses a redemption by nobody, and the code stays spent.
CREATE FUNCTION note_redeemer_deleted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.redeemer_deleted := true;
    RETURN NEW;
END
$$;
CREATE TRIGGER access_codes_redeemer_deleted BEFORE UPDATE ON access_codes
    FOR EACH ROW WHEN (OLD.redeemed_by IS NOT NULL AND NEW.redeemed_by IS NULL)
    EXECUTE FUNCTION note_redeemer_deleted();

-- One-time secrets ------------------------------------------------------------------------------------------------

CREATE TABLE otp_codes (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    email text NOT NULL,
    purpose text NOT NULL CHECK (purpose IN ('verify_email')),
    code_digest hash NOT NULL,
    guesses integer NOT NULL DEFAULT 0 CHECK (guesses BETWEEN 0 AND 100),
    expires_at timestamptz NOT NULL,
    used_at timestamptz,
    is_used boolean NOT NULL GENERATED ALWAYS AS (used_at IS NOT NULL) STORED,
    superseded_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT otp_codes_expires_later CHECK (expires_at > created_at),
    CONSTRAINT otp_codes_one_end CHECK (used_at IS NULL OR superseded_at IS NULL)
);
COMMENT ON COLUMN otp_codes.code_digest IS 'Keyed and bound to the user: a plain digest of six digits hides nothing.';
COMMENT ON COLUMN otp_codes.guesses IS 'Tries so far, counted before each is compared.';
CREATE UNIQUE INDEX otp_codes_live ON otp_codes (user_id, purpose) WHERE used_at IS NULL AND superseded_at IS NULL;
CREATE INDEX otp_codes_user_id ON otp_codes (user_id);
CREATE INDEX otp_codes_email ON otp_codes (email);
CREATE INDEX otp_codes_code ON otp_codes (code_digest);
CREATE INDEX otp_codes_expires_at ON otp_codes (expires_at);

CREATE TABLE password_reset_tokens (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    token_hash hash NOT NULL UNIQUE,
    expires_at timestamptz NOT NULL,
    used_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT password_reset_tokens_expires_later CHECK (expires_at > created_at)
);
CREATE INDEX password_reset_tokens_user_id ON password_reset_tokens (user_id);
CREATE INDEX password_reset_tokens_expires_at ON password_reset_tokens (expires_at);

-- Sessions --------------------------------------------------------------------------------------------------------

CREATE TABLE sessions (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    token_hash hash NOT NULL UNIQUE,
    expires_at timestamptz NOT NULL,
    refresh_expires_at timestamptz NOT NULL,
    refreshed_at timestamptz NOT NULL,
    ip_address inet,
    user_agent text CHECK (length(user_agent) <= 512),
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT sessions_expires_later CHECK (expires_at > created_at),
    CONSTRAINT sessions_refresh_later CHECK (refresh_expires_at > created_at)
);
COMMENT ON TABLE sessions IS 'What is logged in. Ending a session deletes it; the auth log remembers.';
COMMENT ON COLUMN sessions.token_hash IS 'Of the newest access token; a refresh replaces it, which ends the one before.';
COMMENT ON COLUMN sessions.expires_at IS 'When that access token ends.';
CREATE INDEX sessions_user_id ON sessions (user_id, created_at DESC, id DESC);
CREATE INDEX sessions_expires_at ON sessions (expires_at);

-- Every refresh token of a session, the used ones too: presenting a used one again means that it was stolen.
CREATE TABLE refresh_tokens (
    token_hash hash PRIMARY KEY,
    session_id uuid NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    expires_at timestamptz NOT NULL,
    used_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT refresh_tokens_expires_later CHECK (expires_at > created_at)
);
CREATE UNIQUE INDEX refresh_tokens_live ON refresh_tokens (session_id) WHERE used_at IS NULL;
CREATE INDEX refresh_tokens_session_id ON refresh_tokens (session_id);
CREATE INDEX refresh_tokens_user_id ON refresh_tokens (user_id);

-- Every request asks this before it is anybody's. The hash of a valid token is what one must know to see the row.
CREATE FUNCTION session_of_token(digest text, at timestamptz)
RETURNS TABLE (user_id uuid, session_id uuid, role text, is_verified boolean, expires_at timestamptz)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp ROWS 1 AS $$
DECLARE
    before text := app_see_as('on');
BEGIN
    RETURN QUERY SELECT u.id, s.id, u.role, u.is_verified, s.expires_at
        FROM sessions s JOIN users u ON u.id = s.user_id
        WHERE s.token_hash = digest AND s.expires_at > at;
    PERFORM app_see_as(before);
END
$$;
REVOKE ALL ON FUNCTION session_of_token FROM PUBLIC;
GRANT EXECUTE ON FUNCTION session_of_token TO moneta_app;

-- Auth log --------------------------------------------------------------------------------------------------------

-- What happened at the door: kept for 90 days, then deleted by a job, as the seeds ask of their logs. What was changed
-- inside is in audit_logs, which keeps its own term and is never deleted from.
CREATE TABLE auth_logs (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    user_id uuid REFERENCES users (id) ON DELETE SET NULL,
    event_type text NOT NULL,
    ip_address inet,
    user_agent text CHECK (length(user_agent) <= 512),
    success boolean NOT NULL DEFAULT true,
    error_message text,
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT auth_logs_event_type_valid CHECK (event_type IN (
        'login', 'logout', 'register', 'failed_login', 'password_reset', 'security_alert',
        'email_verified', 'verification_sent', 'session_refreshed', 'session_revoked',
        'password_changed', 'password_reset_requested', 'role_changed'
    )),
    CONSTRAINT auth_logs_error CHECK (success OR error_message IS NOT NULL)
);
CREATE INDEX auth_logs_user ON auth_logs (user_id, created_at DESC, id DESC);
CREATE INDEX auth_logs_event_type ON auth_logs (event_type, created_at DESC);
CREATE INDEX auth_logs_created_at ON auth_logs (created_at);
CREATE INDEX auth_logs_failed ON auth_logs (user_id, created_at DESC) WHERE NOT success;
REVOKE UPDATE ON auth_logs FROM moneta_app;

-- Audit log -------------------------------------------------------------------------------------------------------

-- Every change to a sensitive row, written by triggers. Append-only: the application may read it and nothing else.
-- Kept for two years by dropping whole months. No foreign key: an entry outlives its user unchanged, and its hash
-- covers the user's id.
CREATE TABLE audit_logs (
    id uuid NOT NULL,
    seq bigint NOT NULL CHECK (seq > 0),
    user_id uuid,
    action text NOT NULL CHECK (action IN ('insert', 'update', 'delete')),
    resource_type text NOT NULL,
    resource_id text NOT NULL,
    details jsonb NOT NULL,
    ip_address inet,
    user_agent text,
    created_at timestamptz NOT NULL,
    previous_hash hash NOT NULL,
    hash hash NOT NULL,
    PRIMARY KEY (seq, created_at)
) PARTITION BY RANGE (created_at);
COMMENT ON COLUMN audit_logs.user_id IS 'Who made the change; null for Moneta itself and for callers without a session.';
COMMENT ON COLUMN audit_logs.details IS 'Columns before ("old") and after ("new"); of an update, those that changed.';
COMMENT ON COLUMN audit_logs.hash IS 'SHA-256 of previous_hash and of everything else in the row: see audit_row_hash.';
CREATE INDEX audit_logs_user ON audit_logs (user_id, created_at DESC);
CREATE INDEX audit_logs_action ON audit_logs (action, created_at DESC);
CREATE INDEX audit_logs_resource ON audit_logs (resource_type, resource_id, created_at DESC);
REVOKE INSERT, UPDATE, DELETE ON audit_logs FROM moneta_app;
INSERT INTO partitioned_tables VALUES ('audit_logs', interval '2 years');

-- The end of the hash chain. Without it a cut-off tail would not show.
CREATE TABLE audit_chain (
    singleton boolean PRIMARY KEY DEFAULT true CHECK (singleton),
    seq bigint NOT NULL DEFAULT 0,
    hash hash NOT NULL DEFAULT repeat('0', 64),
    changed_at timestamptz NOT NULL DEFAULT '-infinity'
);
INSERT INTO audit_chain DEFAULT VALUES;
REVOKE INSERT, UPDATE, DELETE ON audit_chain FROM moneta_app;

-- Where each month begins in the chain. When the months before have been dropped, the chain is verified from here.
CREATE TABLE audit_anchors (
    month timestamptz PRIMARY KEY,
    seq bigint NOT NULL UNIQUE,
    previous_hash hash NOT NULL
);
REVOKE INSERT, UPDATE, DELETE ON audit_anchors FROM moneta_app;

CREATE FUNCTION audit_row_hash(entry audit_logs) RETURNS text LANGUAGE sql STABLE AS $$
    -- jsonb is canonical: one value has one text. Microseconds, because a timestamp's text depends on the time zone.
    SELECT encode(sha256(convert_to(jsonb_build_array(
        entry.previous_hash, entry.seq, entry.id, entry.user_id, entry.action, entry.resource_type, entry.resource_id,
        entry.details, host(entry.ip_address), entry.user_agent,
        (extract(epoch FROM entry.created_at) * 1000000)::bigint
    )::text, 'UTF8')), 'hex')
$$;

-- Arguments: the column that identifies the row, then the columns whose values are never copied.
CREATE FUNCTION write_audit() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp SET timezone = 'UTC' AS $$
DECLARE
    before jsonb := CASE WHEN TG_OP <> 'INSERT' THEN to_jsonb(OLD) END;
    after jsonb := CASE WHEN TG_OP <> 'DELETE' THEN to_jsonb(NEW) END;
    resource text := coalesce(after, before) ->> TG_ARGV[0];
    changed text[];
    secret text;
    scope text;
    ip text := nullif(current_setting('app.ip', true), '');
    head audit_chain;
    entry audit_logs;
BEGIN
    IF TG_OP = 'UPDATE' THEN
        SELECT array_agg(key) INTO changed FROM jsonb_each(before)
        WHERE key <> 'updated_at' AND value IS DISTINCT FROM after -> key;
        IF changed IS NULL THEN
            RETURN NULL;
        END IF;
        SELECT jsonb_object_agg(key, value) INTO before FROM jsonb_each(before) WHERE key = ANY(changed);
        SELECT jsonb_object_agg(key, value) INTO after FROM jsonb_each(after) WHERE key = ANY(changed);
    END IF;
    FOREACH secret IN ARRAY TG_ARGV[1:] LOOP
        IF before ->> secret IS NOT NULL THEN
            before := jsonb_set(before, ARRAY[secret], '"[redacted]"');
        END IF;
        IF after ->> secret IS NOT NULL THEN
            after := jsonb_set(after, ARRAY[secret], '"[redacted]"');
        END IF;
    END LOOP;

    SELECT * INTO head FROM audit_chain FOR UPDATE;
    entry.id := gen_random_uuid();
    entry.seq := head.seq + 1;
    entry.user_id := app_user_id();
    entry.action := lower(TG_OP);
    entry.resource_type := TG_TABLE_NAME;
    entry.resource_id := resource;
    entry.details := CASE TG_OP
        WHEN 'INSERT' THEN jsonb_build_object('new', after)
        WHEN 'DELETE' THEN jsonb_build_object('old', before)
        ELSE jsonb_build_object('old', before, 'new', after)
    END;
    entry.ip_address := CASE WHEN pg_input_is_valid(ip, 'inet') THEN ip::inet END;
    entry.user_agent := nullif(current_setting('app.user_agent', true), '');
    -- Never before its predecessor, even when the machine's clock steps back: whole months are then whole runs of seq.
    entry.created_at := greatest(clock_timestamp(), head.changed_at);
    entry.previous_hash := head.hash;
    entry.hash := audit_row_hash(entry);
    scope := app_see_as('on');
    INSERT INTO audit_logs SELECT entry.*;
    PERFORM app_see_as(scope);
    UPDATE audit_chain SET seq = entry.seq, hash = entry.hash, changed_at = entry.created_at;
    INSERT INTO audit_anchors VALUES (date_trunc('month', entry.created_at), entry.seq, entry.previous_hash)
        ON CONFLICT DO NOTHING;
    RETURN NULL;
END
$$;
REVOKE ALL ON FUNCTION write_audit FROM PUBLIC;

-- Deferred: the chain's head is one row that all writers share, and so is locked during the commit only.
CREATE CONSTRAINT TRIGGER users_audit AFTER INSERT OR UPDATE OR DELETE ON users DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION write_audit(
        'id', 'password_hash', 'verification_token_hash', 'national_id_wrapped_key', 'national_id_ciphertext'
    );
CREATE CONSTRAINT TRIGGER access_codes_audit AFTER INSERT OR UPDATE OR DELETE ON access_codes
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION write_audit('id', 'code');
CREATE CONSTRAINT TRIGGER profiles_audit AFTER INSERT OR UPDATE OR DELETE ON profiles
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION write_audit('user_id');
CREATE CONSTRAINT TRIGGER display_names_audit AFTER INSERT OR UPDATE OR DELETE ON display_names
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION write_audit('user_id');
CREATE CONSTRAINT TRIGGER user_settings_audit AFTER INSERT OR UPDATE OR DELETE ON user_settings
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION write_audit('id');

-- Who sees what ---------------------------------------------------------------------------------------------------

DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY[
        'users', 'display_names', 'profiles', 'user_settings', 'access_codes', 'otp_codes', 'password_reset_tokens',
        'sessions', 'refresh_tokens', 'auth_logs', 'audit_logs'
    ] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', name);
        EXECUTE format(
            'CREATE POLICY %I ON %I USING (app_is_system()) WITH CHECK (app_is_system())', name || '_system', name
        );
    END LOOP;
    -- Read by their owner; written by Moneta only, so that nobody promotes, verifies or unlogs themselves.
    FOREACH name IN ARRAY ARRAY['profiles', 'sessions', 'auth_logs', 'audit_logs'] LOOP
        EXECUTE format('CREATE POLICY %I ON %I FOR SELECT USING (user_id = app_user_id())', name || '_owner', name);
    END LOOP;
END
$$;
CREATE POLICY users_owner ON users FOR SELECT
    USING (id = app_user_id() OR app_is_system() OR (SELECT app_is_admin()));
CREATE POLICY access_codes_admin ON access_codes FOR SELECT USING (app_is_system() OR (SELECT app_is_admin()));
CREATE POLICY display_names_public ON display_names FOR SELECT USING (true);
CREATE POLICY user_settings_owner ON user_settings
    USING (user_id = app_user_id()) WITH CHECK (user_id = app_user_id());

SELECT maintain_partitions(now());
