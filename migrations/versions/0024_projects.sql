-- A project of a tenant distributes a token. Real projects and those of tests (`livemode`) never meet: whatever refers
-- to one has the tenant and the mode in its key.

CREATE TABLE projects (
    id uuid PRIMARY KEY,
    tenant_id uuid NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
    livemode boolean NOT NULL,
    key text NOT NULL CHECK (key ~ '^proj_[a-z0-9]{12}$'),
    name text NOT NULL CHECK (length(name) BETWEEN 1 AND 255),
    description text CHECK (length(description) BETWEEN 1 AND 10000),
    network text NOT NULL CHECK (network IN ('internal', 'solana', 'ethereum')),
    token_name text CHECK (length(token_name) BETWEEN 1 AND 100),
    token_symbol text CHECK (length(token_symbol) BETWEEN 1 AND 20),
    token_address text,
    token_decimals smallint NOT NULL CHECK (token_decimals BETWEEN 0 AND 36),
    total_supply numeric(78, 0) CHECK (total_supply > 0),
    requirements jsonb NOT NULL DEFAULT '{}'
        CHECK (jsonb_typeof(requirements) = 'object' AND pg_column_size(requirements) < 8192),
    distribution jsonb NOT NULL CHECK (distribution ->> 'type' IN ('fixed', 'points', 'levels')
        AND pg_column_size(distribution) < 16384),
    claim_amount numeric(78, 0) NOT NULL CHECK (claim_amount > 0),
    max_participants integer CHECK (max_participants > 0),
    max_claims_per_participant integer NOT NULL DEFAULT 1 CHECK (max_claims_per_participant > 0),
    is_active boolean NOT NULL DEFAULT true,
    is_public boolean NOT NULL DEFAULT true,
    starts_at timestamptz,
    ends_at timestamptz,
    total_participants integer NOT NULL DEFAULT 0 CHECK (total_participants >= 0),
    total_claims integer NOT NULL DEFAULT 0 CHECK (total_claims >= 0),
    total_distributed numeric(78, 0) NOT NULL DEFAULT 0 CHECK (total_distributed >= 0),
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL DEFAULT now(),
    archived_at timestamptz,
    CONSTRAINT projects_id UNIQUE (tenant_id, livemode, id),
    CONSTRAINT projects_network UNIQUE (tenant_id, livemode, id, network),
    CONSTRAINT projects_token_address CHECK (
        token_address IS NULL
        OR (network = 'solana' AND token_address ~ '^[1-9A-HJ-NP-Za-km-z]{32,44}$')
        OR (network = 'ethereum' AND token_address ~ '^0x[0-9a-fA-F]{40}$')
    ),
    CONSTRAINT projects_dates CHECK (starts_at < ends_at),
    CONSTRAINT projects_claim_amount CHECK (claim_amount <= total_supply)
);
COMMENT ON COLUMN projects.claim_amount IS 'The most that one claim can be, in the smallest unit of the token.';
COMMENT ON COLUMN projects.archived_at IS 'It is read from then on, and neither changed nor shown to the public.';
-- The key is public, and names the project alone.
CREATE UNIQUE INDEX projects_key ON projects (key);
CREATE INDEX projects_created_at ON projects (tenant_id, livemode, created_at, id);
CREATE INDEX projects_name ON projects (tenant_id, livemode, name, id);
CREATE INDEX projects_current ON projects (tenant_id, livemode, created_at, id) WHERE archived_at IS NULL;
CREATE TRIGGER projects_updated_at BEFORE UPDATE ON projects FOR EACH ROW EXECUTE FUNCTION set_updated_at();
CREATE CONSTRAINT TRIGGER projects_audit AFTER INSERT OR UPDATE OR DELETE ON projects
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION write_audit('id');

-- Where a project pays from: for the members of the tenant only.
CREATE TABLE project_wallets (
    project_id uuid PRIMARY KEY,
    tenant_id uuid NOT NULL,
    livemode boolean NOT NULL,
    network text NOT NULL CHECK (network IN ('solana', 'ethereum')),
    address text NOT NULL CHECK (length(address) BETWEEN 32 AND 44),
    has_key boolean NOT NULL DEFAULT false,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT project_wallets_id UNIQUE (tenant_id, livemode, project_id),
    CONSTRAINT project_wallets_project FOREIGN KEY (tenant_id, livemode, project_id, network)
        REFERENCES projects (tenant_id, livemode, id, network) ON DELETE CASCADE,
    -- A wallet serves one project: what it pays is one project's.
    CONSTRAINT project_wallets_address UNIQUE (network, address, livemode)
);
CREATE TRIGGER project_wallets_updated_at BEFORE UPDATE ON project_wallets
    FOR EACH ROW EXECUTE FUNCTION set_updated_at();
CREATE CONSTRAINT TRIGGER project_wallets_audit AFTER INSERT OR UPDATE OR DELETE ON project_wallets
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION write_audit('project_id');

-- Apart from the wallets, which members read: nobody reads these but Moneta.
CREATE TABLE project_wallet_keys (
    project_id uuid PRIMARY KEY,
    tenant_id uuid NOT NULL,
    livemode boolean NOT NULL,
    kek_id text NOT NULL,
    wrapped_key bytea NOT NULL,
    ciphertext bytea NOT NULL,
    created_at timestamptz NOT NULL,
    rotated_at timestamptz,
    CONSTRAINT project_wallet_keys_wallet FOREIGN KEY (tenant_id, livemode, project_id)
        REFERENCES project_wallets (tenant_id, livemode, project_id) ON DELETE CASCADE
);
CREATE INDEX project_wallet_keys_tenant_id ON project_wallet_keys (tenant_id, livemode, project_id);

-- Who sees what ---------------------------------------------------------------------------------------------------

-- Whether a tenant shows anything to the public.
CREATE FUNCTION app_tenant_is_open(tenant uuid) RETURNS boolean
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    before text := app_see_as('on');
    answer boolean;
BEGIN
    SELECT t.subscription_status = 'active' AND t.deleted_at IS NULL INTO answer FROM tenants t WHERE t.id = tenant;
    PERFORM app_see_as(before);
    RETURN coalesce(answer, false);
END
$$;
REVOKE ALL ON FUNCTION app_tenant_is_open FROM PUBLIC;
GRANT EXECUTE ON FUNCTION app_tenant_is_open TO moneta_app;

DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['projects', 'project_wallets', 'project_wallet_keys'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', name);
        -- Nobody but Moneta writes: not even what is one's own.
        EXECUTE format(
            'CREATE POLICY %I ON %I USING (app_is_system()) WITH CHECK (app_is_system())', name || '_system', name
        );
    END LOOP;
    FOREACH name IN ARRAY ARRAY['projects', 'project_wallets'] LOOP
        EXECUTE format(
            'CREATE POLICY %I ON %I FOR SELECT'
            ' USING (tenant_id = (SELECT app_tenant()) AND livemode = (SELECT app_livemode()))',
            name || '_tenant', name
        );
    END LOOP;
END
$$;
CREATE POLICY projects_public ON projects FOR SELECT
    USING (is_public AND is_active AND livemode AND archived_at IS NULL AND app_tenant_is_open(tenant_id));
