-- A program acts in a tenant by a key. The database never holds its secret, only a hash that Moneta's own secret keys.

CREATE TABLE api_keys (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    tenant_id uuid NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
    key_id varchar(50) NOT NULL CHECK (key_id ~ '^mk_(live|test)_[0-9a-f]{16}$'),
    key_hash varchar(128) NOT NULL,
    secret_id uuid NOT NULL DEFAULT gen_random_uuid(),
    previous_hash varchar(128),
    previous_secret_id uuid,
    previous_until timestamptz,
    livemode boolean NOT NULL DEFAULT true,
    name varchar(255) NOT NULL CHECK (length(name) BETWEEN 1 AND 255),
    scopes text[] NOT NULL DEFAULT '{projects:read}' CHECK (cardinality(scopes) BETWEEN 1 AND 50),
    allowed_cidrs cidr[] NOT NULL DEFAULT '{}' CHECK (cardinality(allowed_cidrs) <= 50),
    rate_limit_per_minute integer NOT NULL DEFAULT 600 CHECK (rate_limit_per_minute >= 0),
    rate_limit_per_hour integer NOT NULL DEFAULT 1000 CHECK (rate_limit_per_hour >= 0),
    rate_limit_per_day integer NOT NULL DEFAULT 10000 CHECK (rate_limit_per_day >= 0),
    usage_count bigint NOT NULL DEFAULT 0,
    last_used_at timestamptz,
    last_used_ip inet,
    created_by uuid REFERENCES users (id) ON DELETE SET NULL,
    created_by_ip inet,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz,
    revoked_at timestamptz,
    is_active boolean GENERATED ALWAYS AS (revoked_at IS NULL) STORED,
    CONSTRAINT api_keys_mode CHECK (livemode = (key_id LIKE 'mk\_live\_%')),
    CONSTRAINT api_keys_previous CHECK (num_nulls(previous_hash, previous_secret_id, previous_until) IN (0, 3)),
    CONSTRAINT api_keys_expires_later CHECK (expires_at > created_at)
);
COMMENT ON COLUMN api_keys.secret_id IS 'What connections that came with this secret are ended by; a rotation gives the '
    'secret before it another one, so that what was opened with it ends.';
CREATE UNIQUE INDEX api_keys_key_id ON api_keys (key_id);
CREATE UNIQUE INDEX api_keys_secret_id ON api_keys (secret_id);
CREATE UNIQUE INDEX api_keys_previous_secret_id ON api_keys (previous_secret_id) WHERE previous_secret_id IS NOT NULL;
CREATE INDEX api_keys_tenant_id ON api_keys (tenant_id, created_at, id);
CREATE INDEX api_keys_active ON api_keys (tenant_id) WHERE is_active;
CREATE INDEX api_keys_created_by ON api_keys (created_by);
-- Being used changes neither what a key is nor who may do what: it is not in the audit log.
CREATE TRIGGER api_keys_updated_at
    BEFORE UPDATE OF key_hash, previous_hash, name, scopes, allowed_cidrs, rate_limit_per_minute, rate_limit_per_hour,
        rate_limit_per_day, expires_at, revoked_at ON api_keys FOR EACH ROW EXECUTE FUNCTION set_updated_at();
CREATE CONSTRAINT TRIGGER api_keys_audit
    AFTER INSERT OR DELETE OR UPDATE OF key_hash, previous_hash, name, scopes, allowed_cidrs, rate_limit_per_minute,
        rate_limit_per_hour, rate_limit_per_day, expires_at, revoked_at ON api_keys
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION write_audit('id', 'key_hash', 'previous_hash');

-- Each process adds to one of a few rows of the tenant, so that none of them is waited for.
CREATE TABLE tenant_api_calls (
    tenant_id uuid NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
    month date NOT NULL CHECK (extract(day FROM month) = 1),
    shard smallint NOT NULL,
    calls bigint NOT NULL CHECK (calls >= 0),
    PRIMARY KEY (tenant_id, month, shard)
);

-- On whose behalf -------------------------------------------------------------------------------------------------

CREATE FUNCTION app_api_key_id() RETURNS uuid LANGUAGE sql STABLE PARALLEL SAFE
    RETURN nullif(current_setting('app.api_key_id', true), '')::uuid;

-- The key with an ID that a request presents, if it is good at a time. It is asked before the request is anybody's: what
-- was presented with the ID is compared with the hashes by the caller.
CREATE FUNCTION key_of_id(named text, at timestamptz)
RETURNS TABLE (
    id uuid, tenant_id uuid, slug text, plan text, subscription_status text, livemode boolean, key_hash text,
    secret_id uuid, previous_hash text, previous_secret_id uuid, previous_until timestamptz, scopes text[],
    allowed_cidrs text[], expires_at timestamptz, per_minute integer, per_hour integer, per_day integer,
    calls_per_month integer, calls bigint
)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp ROWS 1 AS $$
DECLARE
    before text := app_see_as('on');
BEGIN
    RETURN QUERY SELECT k.id, t.id, t.slug, t.plan_type, t.subscription_status, k.livemode, k.key_hash::text,
            k.secret_id, k.previous_hash::text, k.previous_secret_id, k.previous_until, k.scopes,
            k.allowed_cidrs::text[], k.expires_at, k.rate_limit_per_minute, k.rate_limit_per_hour,
            k.rate_limit_per_day, t.max_api_calls_per_month,
            (SELECT coalesce(sum(c.calls), 0)::bigint FROM tenant_api_calls c
                WHERE c.tenant_id = t.id AND c.month = date_trunc('month', at, 'UTC')::date)
        FROM api_keys k JOIN tenants t ON t.id = k.tenant_id
        WHERE k.key_id = named AND k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > at)
            AND t.deleted_at IS NULL;
    PERFORM app_see_as(before);
END
$$;
REVOKE ALL ON FUNCTION key_of_id FROM PUBLIC;
GRANT EXECUTE ON FUNCTION key_of_id TO moneta_app;

-- The tenant whose data the current transaction sees: the one that it names, if it runs for a member of it with one of
-- these roles, or for a key of it that is good, which counts as an admin. Null: none.
CREATE OR REPLACE FUNCTION app_tenant(roles text[] DEFAULT '{owner,admin,viewer}') RETURNS uuid
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    before text;
    answer uuid;
BEGIN
    IF app_tenant_id() IS NULL THEN
        RETURN NULL;
    END IF;
    before := app_see_as('on');
    SELECT t.id INTO answer FROM tenants t
    WHERE t.id = app_tenant_id() AND t.deleted_at IS NULL AND CASE
        WHEN app_api_key_id() IS NULL THEN EXISTS (
            SELECT FROM tenant_members m
            WHERE m.tenant_id = t.id AND m.user_id = app_user_id() AND m.role = ANY (roles)
        )
        ELSE 'admin' = ANY (roles) AND t.subscription_status <> 'suspended' AND EXISTS (
            SELECT FROM api_keys k
            WHERE k.id = app_api_key_id() AND k.tenant_id = t.id AND k.livemode = app_livemode()
                AND k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > now())
        )
    END;
    PERFORM app_see_as(before);
    RETURN answer;
END
$$;

-- Who sees what ---------------------------------------------------------------------------------------------------

DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['api_keys', 'tenant_api_calls'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', name);
        -- Nobody but Moneta writes: not even what is one's own.
        EXECUTE format(
            'CREATE POLICY %I ON %I USING (app_is_system()) WITH CHECK (app_is_system())', name || '_system', name
        );
    END LOOP;
END
$$;
CREATE POLICY tenants_key ON tenants FOR SELECT
    USING (app_api_key_id() IS NOT NULL AND id = (SELECT app_tenant()));
CREATE POLICY api_keys_tenant ON api_keys FOR SELECT
    USING (tenant_id = (SELECT app_tenant('{owner,admin}')) AND livemode = (SELECT app_livemode()));
CREATE POLICY tenant_api_calls_tenant ON tenant_api_calls FOR SELECT USING (tenant_id = (SELECT app_tenant()));
