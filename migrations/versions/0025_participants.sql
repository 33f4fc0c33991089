-- Who takes part in the projects of a tenant. They are apart from Moneta's users: a tenant knows them by what they are at
-- Telegram or Discord. One of Moneta's users may be linked to one.

CREATE TABLE participants (
    id uuid PRIMARY KEY,
    tenant_id uuid NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
    livemode boolean NOT NULL,
    telegram_id bigint CHECK (telegram_id > 0),
    discord_id text CHECK (length(discord_id) BETWEEN 1 AND 100),
    username text CHECK (length(username) BETWEEN 1 AND 100),
    username_lower text GENERATED ALWAYS AS (lower(username)) STORED,
    first_name text CHECK (length(first_name) BETWEEN 1 AND 255),
    last_name text CHECK (length(last_name) BETWEEN 1 AND 255),
    email text CHECK (length(email) BETWEEN 3 AND 255),
    locale text CHECK (length(locale) BETWEEN 2 AND 35),
    time_zone text CHECK (length(time_zone) BETWEEN 1 AND 100),
    has_notifications boolean NOT NULL DEFAULT true,
    attributes jsonb NOT NULL DEFAULT '{}'
        CHECK (jsonb_typeof(attributes) = 'object' AND pg_column_size(attributes) < 65536),
    is_active boolean NOT NULL DEFAULT true,
    is_verified boolean NOT NULL DEFAULT false,
    referral_code text NOT NULL CHECK (referral_code ~ '^[A-Z0-9_-]{1,20}$'),
    referred_by uuid,
    total_referrals integer NOT NULL DEFAULT 0 CHECK (total_referrals >= 0),
    user_id uuid REFERENCES users (id) ON DELETE SET NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL DEFAULT now(),
    last_active_at timestamptz NOT NULL,
    CONSTRAINT participants_id UNIQUE (id, tenant_id, livemode),
    -- What tells most apart goes first: along the others, lists of a tenant would be read and sorted.
    CONSTRAINT participants_telegram_id UNIQUE (telegram_id, tenant_id, livemode),
    CONSTRAINT participants_discord_id UNIQUE (discord_id, tenant_id, livemode),
    CONSTRAINT participants_referral_code UNIQUE (referral_code, tenant_id, livemode),
    CONSTRAINT participants_user UNIQUE (user_id, tenant_id, livemode),
    CONSTRAINT participants_referrer FOREIGN KEY (tenant_id, livemode, referred_by)
        REFERENCES participants (tenant_id, livemode, id) ON DELETE SET NULL (referred_by),
    CONSTRAINT participants_no_self CHECK (referred_by <> id)
);
CREATE INDEX participants_created_at ON participants (tenant_id, livemode, created_at, id);
CREATE INDEX participants_total_referrals ON participants (tenant_id, livemode, total_referrals, id);
-- The condition on a function would only be looked at where row-level security has let a row through.
CREATE INDEX participants_username ON participants (tenant_id, livemode, username_lower text_pattern_ops);
CREATE INDEX participants_referred_by ON participants (tenant_id, livemode, referred_by) WHERE referred_by IS NOT NULL;
CREATE INDEX participants_user_id ON participants (user_id, created_at, id) WHERE user_id IS NOT NULL;
CREATE TRIGGER participants_updated_at BEFORE UPDATE ON participants FOR EACH ROW EXECUTE FUNCTION set_updated_at();
-- Who they are is kept in one place.
CREATE CONSTRAINT TRIGGER participants_audit AFTER INSERT OR UPDATE OR DELETE ON participants
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
    EXECUTE FUNCTION write_audit('id', 'first_name', 'last_name', 'email', 'attributes');

CREATE TABLE participant_wallets (
    participant_id uuid NOT NULL,
    tenant_id uuid NOT NULL,
    livemode boolean NOT NULL,
    network text NOT NULL CHECK (network IN ('solana', 'ethereum')),
    address text NOT NULL,
    allows_off_curve boolean NOT NULL DEFAULT false,
    created_at timestamptz NOT NULL,
    verified_at timestamptz,
    PRIMARY KEY (participant_id, network),
    CONSTRAINT participant_wallets_id UNIQUE (tenant_id, livemode, participant_id, network),
    CONSTRAINT participant_wallets_participant FOREIGN KEY (tenant_id, livemode, participant_id)
        REFERENCES participants (tenant_id, livemode, id) ON DELETE CASCADE,
    CONSTRAINT participant_wallets_address CHECK (
        (network = 'solana' AND address ~ '^[1-9A-HJ-NP-Za-km-z]{32,44}$')
        OR (network = 'ethereum' AND address ~ '^0x[0-9a-fA-F]{40}$')
    )
);
-- Anybody can name a wallet; one has proven it.
CREATE UNIQUE INDEX participant_wallets_verified ON participant_wallets (tenant_id, livemode, address)
    WHERE verified_at IS NOT NULL;
CREATE CONSTRAINT TRIGGER participant_wallets_audit AFTER INSERT OR UPDATE OR DELETE ON participant_wallets
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION write_audit('participant_id');

-- What the owner of a wallet is asked to sign. A new one replaces the one before.
CREATE TABLE wallet_challenges (
    participant_id uuid NOT NULL,
    tenant_id uuid NOT NULL,
    livemode boolean NOT NULL,
    network text NOT NULL,
    address text NOT NULL,
    message text NOT NULL CHECK (length(message) BETWEEN 1 AND 1000),
    expires_at timestamptz NOT NULL,
    PRIMARY KEY (participant_id, network),
    CONSTRAINT wallet_challenges_wallet FOREIGN KEY (tenant_id, livemode, participant_id, network)
        REFERENCES participant_wallets (tenant_id, livemode, participant_id, network) ON DELETE CASCADE
);
CREATE INDEX wallet_challenges_tenant_id ON wallet_challenges (tenant_id, livemode, participant_id, network);
CREATE INDEX wallet_challenges_expires_at ON wallet_challenges (expires_at);

-- With which one of Moneta's users links themself to a participant, once.
CREATE TABLE participant_links (
    participant_id uuid PRIMARY KEY,
    tenant_id uuid NOT NULL,
    livemode boolean NOT NULL,
    token_hash hash NOT NULL,
    expires_at timestamptz NOT NULL,
    CONSTRAINT participant_links_participant FOREIGN KEY (tenant_id, livemode, participant_id)
        REFERENCES participants (tenant_id, livemode, id) ON DELETE CASCADE
);
CREATE UNIQUE INDEX participant_links_token_hash ON participant_links (token_hash);
CREATE INDEX participant_links_tenant_id ON participant_links (tenant_id, livemode, participant_id);
CREATE INDEX participant_links_expires_at ON participant_links (expires_at);

DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['participants', 'participant_wallets', 'wallet_challenges', 'participant_links'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', name);
        -- Nobody but Moneta writes: not even what is one's own.
        EXECUTE format(
            'CREATE POLICY %I ON %I USING (app_is_system()) WITH CHECK (app_is_system())', name || '_system', name
        );
    END LOOP;
    FOREACH name IN ARRAY ARRAY['participants', 'participant_wallets'] LOOP
        EXECUTE format(
            'CREATE POLICY %I ON %I FOR SELECT'
            ' USING (tenant_id = (SELECT app_tenant()) AND livemode = (SELECT app_livemode()))',
            name || '_tenant', name
        );
    END LOOP;
END
$$;
CREATE POLICY participants_self ON participants FOR SELECT USING (user_id = (SELECT app_user_id()));
CREATE POLICY participant_wallets_self ON participant_wallets FOR SELECT
    USING (participant_id IN (SELECT p.id FROM participants p WHERE p.user_id = (SELECT app_user_id())));
