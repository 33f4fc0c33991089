-- A tenant is an organisation with data of its own, apart from that of Moneta's users. Users are its members, and a user
-- may be one of many: the tenant of a request is named with each request.

CREATE TABLE tenants (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    slug text NOT NULL CHECK (slug ~ '^[a-z0-9-]+$' AND length(slug) BETWEEN 1 AND 100),
    name text NOT NULL CHECK (length(name) BETWEEN 1 AND 255),
    email text NOT NULL CHECK (length(email) BETWEEN 3 AND 255),
    billing_email text CHECK (length(billing_email) BETWEEN 3 AND 255),
    plan_type text NOT NULL DEFAULT 'free' CHECK (plan_type IN ('free', 'pro', 'enterprise')),
    subscription_status text NOT NULL DEFAULT 'active'
        CHECK (subscription_status IN ('active', 'suspended', 'cancelled')),
    subscription_id text CHECK (length(subscription_id) BETWEEN 1 AND 255),
    max_projects integer NOT NULL DEFAULT 3 CHECK (max_projects >= 0),
    max_users_per_project integer NOT NULL DEFAULT 1000 CHECK (max_users_per_project >= 0),
    max_api_calls_per_month integer NOT NULL DEFAULT 10000 CHECK (max_api_calls_per_month >= 0),
    settings jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(settings) = 'object' AND pg_column_size(settings) < 8192),
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    deleted_at timestamptz
);
COMMENT ON COLUMN tenants.deleted_at IS 'It can be restored for 30 days, and is then removed with all that is its own.';
COMMENT ON COLUMN tenants.email IS 'How to reach it. Two tenants of one person may have the same.';
-- Of one that was deleted as well, until it is removed: it may be restored.
CREATE UNIQUE INDEX tenants_slug ON tenants (slug);
CREATE INDEX tenants_created_at ON tenants (created_at, id);
CREATE INDEX tenants_plan_type ON tenants (plan_type, created_at, id);
CREATE INDEX tenants_subscription_status ON tenants (subscription_status, created_at, id);
CREATE INDEX tenants_deleted_at ON tenants (deleted_at) WHERE deleted_at IS NOT NULL;
CREATE TRIGGER tenants_updated_at BEFORE UPDATE ON tenants FOR EACH ROW EXECUTE FUNCTION set_updated_at();
CREATE CONSTRAINT TRIGGER tenants_audit AFTER INSERT OR UPDATE OR DELETE ON tenants
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION write_audit('id');

CREATE TABLE tenant_members (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    tenant_id uuid NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
    user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    role text NOT NULL CHECK (role IN ('owner', 'admin', 'viewer')),
    joined_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT tenant_members_user UNIQUE (tenant_id, user_id)
);
CREATE INDEX tenant_members_user_id ON tenant_members (user_id, joined_at, id);
CREATE INDEX tenant_members_joined_at ON tenant_members (tenant_id, joined_at, id);
CREATE TRIGGER tenant_members_updated_at BEFORE UPDATE ON tenant_members
    FOR EACH ROW EXECUTE FUNCTION set_updated_at();
CREATE CONSTRAINT TRIGGER tenant_members_audit AFTER INSERT OR UPDATE OR DELETE ON tenant_members
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION write_audit('id');

CREATE TABLE tenant_invitations (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    tenant_id uuid NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
    email text NOT NULL CHECK (length(email) BETWEEN 3 AND 255),
    role text NOT NULL CHECK (role IN ('owner', 'admin', 'viewer')),
    token_hash hash NOT NULL,
    invited_by uuid REFERENCES users (id) ON DELETE SET NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL,
    accepted_at timestamptz,
    accepted_by uuid REFERENCES users (id) ON DELETE SET NULL,
    CONSTRAINT tenant_invitations_expires_later CHECK (expires_at > created_at),
    CONSTRAINT tenant_invitations_accepted CHECK (accepted_by IS NULL OR accepted_at IS NOT NULL)
);
CREATE UNIQUE INDEX tenant_invitations_token_hash ON tenant_invitations (token_hash);
-- To invite an address again is to replace what it was sent before.
CREATE UNIQUE INDEX tenant_invitations_email ON tenant_invitations (tenant_id, email) WHERE accepted_at IS NULL;
CREATE INDEX tenant_invitations_created_at ON tenant_invitations (tenant_id, created_at, id);
CREATE INDEX tenant_invitations_expires_at ON tenant_invitations (expires_at);
CREATE INDEX tenant_invitations_invited_by ON tenant_invitations (invited_by);
CREATE INDEX tenant_invitations_accepted_by ON tenant_invitations (accepted_by);
CREATE CONSTRAINT TRIGGER tenant_invitations_audit AFTER INSERT OR UPDATE OR DELETE ON tenant_invitations
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION write_audit('id', 'token_hash');

-- On whose behalf -------------------------------------------------------------------------------------------------

-- The membership of a user in the tenant that a request names. It is asked before the request is anybody's.
CREATE FUNCTION tenancy_of_member(member uuid, named text)
RETURNS TABLE (
    tenant_id uuid, slug text, membership_id uuid, role text, subscription_status text
)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp ROWS 1 AS $$
DECLARE
    before text := app_see_as('on');
BEGIN
    RETURN QUERY SELECT t.id, t.slug, m.id, m.role, t.subscription_status
        FROM tenants t JOIN tenant_members m ON m.tenant_id = t.id
        WHERE t.slug = named AND m.user_id = member AND t.deleted_at IS NULL;
    PERFORM app_see_as(before);
END
$$;
REVOKE ALL ON FUNCTION tenancy_of_member FROM PUBLIC;
GRANT EXECUTE ON FUNCTION tenancy_of_member TO moneta_app;

-- The tenant whose data the current transaction sees: the one that it names, if it runs for a member of it with one of
-- these roles. Null: none.
CREATE FUNCTION app_tenant(roles text[] DEFAULT '{owner,admin,viewer}') RETURNS uuid
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
    WHERE t.id = app_tenant_id() AND t.deleted_at IS NULL AND EXISTS (
        SELECT FROM tenant_members m WHERE m.tenant_id = t.id AND m.user_id = app_user_id() AND m.role = ANY (roles)
    );
    PERFORM app_see_as(before);
    RETURN answer;
END
$$;
REVOKE ALL ON FUNCTION app_tenant FROM PUBLIC;
GRANT EXECUTE ON FUNCTION app_tenant TO moneta_app;

-- Whether the current transaction sees the real data of its tenant, and not that of tests.
CREATE FUNCTION app_livemode() RETURNS boolean LANGUAGE sql STABLE PARALLEL SAFE
    RETURN coalesce(current_setting('app.livemode', true), '') <> 'off';

-- The tenants that the current user is a member of, those that were deleted included.
CREATE FUNCTION app_memberships() RETURNS SETOF uuid
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp ROWS 5 AS $$
DECLARE
    before text := app_see_as('on');
BEGIN
    RETURN QUERY SELECT m.tenant_id FROM tenant_members m WHERE m.user_id = app_user_id();
    PERFORM app_see_as(before);
END
$$;
REVOKE ALL ON FUNCTION app_memberships FROM PUBLIC;
GRANT EXECUTE ON FUNCTION app_memberships TO moneta_app;

-- Who sees what ---------------------------------------------------------------------------------------------------

DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['tenants', 'tenant_members', 'tenant_invitations'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', name);
        -- Nobody but Moneta writes: not even what is one's own.
        EXECUTE format(
            'CREATE POLICY %I ON %I USING (app_is_system()) WITH CHECK (app_is_system())', name || '_system', name
        );
    END LOOP;
END
$$;
CREATE POLICY tenants_member ON tenants FOR SELECT
    USING (id IN (SELECT app_memberships()) OR (SELECT app_is_admin()));
CREATE POLICY tenant_members_tenant ON tenant_members FOR SELECT USING (tenant_id = (SELECT app_tenant()));
CREATE POLICY tenant_invitations_tenant ON tenant_invitations FOR SELECT
    USING (tenant_id = (SELECT app_tenant('{owner,admin}')));
CREATE POLICY tenant_members_self ON tenant_members FOR SELECT USING (user_id = app_user_id());
