-- What is on the chain is public, as in Bitcoin: blocks, transactions, outputs, a wallet's id and public key. What is
-- not on it belongs to the wallet's owner: the key, the balance as a sum, the beneficiaries. Only Moneta itself writes.

CREATE TABLE wallets (
    wallet_id hash PRIMARY KEY,
    user_id uuid NOT NULL UNIQUE REFERENCES users (id) ON DELETE CASCADE,
    public_key bytea NOT NULL,
    custody text NOT NULL CHECK (custody IN ('custodial', 'external')),
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT wallets_id_is_fingerprint CHECK (wallet_id = encode(sha256(public_key), 'hex'))
);
COMMENT ON COLUMN wallets.public_key IS 'RSA SubjectPublicKeyInfo, DER.';
CREATE TRIGGER wallets_updated_at BEFORE UPDATE ON wallets FOR EACH ROW EXECUTE FUNCTION set_updated_at();

-- The private key under its data key, that under a key-encryption key. External wallets have no row.
CREATE TABLE wallet_keys (
    wallet_id hash PRIMARY KEY REFERENCES wallets (wallet_id) ON DELETE CASCADE,
    user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    kek_id text NOT NULL,
    wrapped_key bytea NOT NULL,
    ciphertext bytea NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    rotated_at timestamptz
);
CREATE INDEX wallet_keys_user_id ON wallet_keys (user_id);
CREATE INDEX wallet_keys_kek_id ON wallet_keys (kek_id);

-- Apart from wallets: it changes with every payment, and only its owner may see it.
CREATE TABLE wallet_balances (
    wallet_id hash PRIMARY KEY REFERENCES wallets (wallet_id) ON DELETE CASCADE,
    user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    balance numeric(20, 8) NOT NULL DEFAULT 0 CHECK (balance >= 0),
    updated_at timestamptz NOT NULL DEFAULT now()
) WITH (fillfactor = 80);
COMMENT ON COLUMN wallet_balances.balance IS
    'Sum of the wallet''s spendable outputs: unspent, and confirmed and mature or own change. Kept by every write.';
CREATE INDEX wallet_balances_user_id ON wallet_balances (user_id);
CREATE INDEX wallet_balances_balance ON wallet_balances (balance);

CREATE TABLE blocks (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    height integer NOT NULL UNIQUE CHECK (height >= 0),
    block_hash hash NOT NULL UNIQUE,
    -- Unique: two blocks cannot have the same parent, so the chain cannot fork.
    previous_hash hash NOT NULL UNIQUE,
    version integer NOT NULL,
    merkle_root hash NOT NULL,
    timestamp timestamptz NOT NULL,
    difficulty integer NOT NULL CHECK (difficulty BETWEEN 1 AND 255),
    nonce bigint NOT NULL CHECK (nonce >= 0),
    miner_wallet_id hash NOT NULL REFERENCES wallets (wallet_id),
    miner_reward numeric(20, 8) NOT NULL CHECK (miner_reward >= 0),
    fees numeric(20, 8) NOT NULL CHECK (fees >= 0 AND fees <= miner_reward),
    transaction_count integer NOT NULL CHECK (transaction_count >= 1),
    size_bytes integer NOT NULL CHECK (size_bytes > 0),
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT blocks_genesis CHECK ((height = 0) = (previous_hash = repeat('0', 64)))
);
COMMENT ON COLUMN blocks.difficulty IS 'Leading zero bits that the block hash has at least.';
COMMENT ON COLUMN blocks.miner_reward IS 'What the coinbase pays: subsidy and fees.';
CREATE INDEX blocks_miner ON blocks (miner_wallet_id, height DESC);

CREATE TABLE transactions (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    transaction_hash hash NOT NULL UNIQUE,
    sender_wallet_id hash REFERENCES wallets (wallet_id),
    recipient_wallet_id hash NOT NULL REFERENCES wallets (wallet_id),
    -- Nil only in the coinbase of a block without subsidy and fees.
    amount numeric(20, 8) NOT NULL CHECK (amount > 0 OR (amount = 0 AND sender_wallet_id IS NULL)),
    fee numeric(20, 8) NOT NULL DEFAULT 0 CHECK (fee >= 0),
    memo text NOT NULL DEFAULT '' CHECK (octet_length(memo) <= 256),
    timestamp timestamptz NOT NULL,
    signature bytea,
    encoding bytea NOT NULL,
    size_bytes integer NOT NULL CHECK (size_bytes > 0),
    status text NOT NULL DEFAULT 'pending' CHECK (status IN ('pending', 'confirmed', 'failed')),
    failure_reason text,
    sequence bigint GENERATED ALWAYS AS IDENTITY,
    ancestors integer NOT NULL DEFAULT 0 CHECK (ancestors >= 0),
    block_id uuid REFERENCES blocks (id),
    block_height integer,
    block_position integer CHECK (block_position >= 0),
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT transactions_coinbase CHECK ((sender_wallet_id IS NULL) = (signature IS NULL)),
    CONSTRAINT transactions_confirmed CHECK (
        (status = 'confirmed') = (block_id IS NOT NULL)
        AND (block_id IS NULL) = (block_height IS NULL)
        AND (block_id IS NULL) = (block_position IS NULL)
    ),
    CONSTRAINT transactions_failed CHECK ((status = 'failed') = (failure_reason IS NOT NULL))
);
COMMENT ON COLUMN transactions.sender_wallet_id IS 'Null for a coinbase.';
COMMENT ON COLUMN transactions.encoding IS 'The canonical bytes: their SHA-256 is the hash, the signature is over them.';
COMMENT ON COLUMN transactions.sequence IS 'Order of acceptance: a parent always comes before its children.';
COMMENT ON COLUMN transactions.ancestors IS 'Bound on unconfirmed ancestors when accepted; the mempool limits it.';
CREATE INDEX transactions_sender ON transactions (sender_wallet_id, timestamp DESC, transaction_hash DESC);
CREATE INDEX transactions_recipient ON transactions (recipient_wallet_id, timestamp DESC, transaction_hash DESC);
CREATE UNIQUE INDEX transactions_block ON transactions (block_height, block_position) WHERE block_height IS NOT NULL;
CREATE INDEX transactions_block_id ON transactions (block_id) WHERE block_id IS NOT NULL;
CREATE INDEX transactions_mempool ON transactions (sequence) WHERE status = 'pending';
CREATE INDEX transactions_pending_sender ON transactions (sender_wallet_id) WHERE status = 'pending';
CREATE INDEX transactions_pending_age ON transactions (created_at) WHERE status = 'pending';

CREATE TABLE utxos (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    transaction_hash hash NOT NULL REFERENCES transactions (transaction_hash),
    output_index integer NOT NULL CHECK (output_index >= 0),
    wallet_id hash NOT NULL REFERENCES wallets (wallet_id),
    amount numeric(20, 8) NOT NULL CHECK (amount > 0),
    is_coinbase boolean NOT NULL DEFAULT false,
    is_change boolean NOT NULL DEFAULT false,
    -- Null while the transaction that made it is unconfirmed.
    block_height integer,
    spent_in_tx_hash hash REFERENCES transactions (transaction_hash),
    spent_input_index integer CHECK (spent_input_index >= 0),
    is_spent boolean NOT NULL GENERATED ALWAYS AS (spent_in_tx_hash IS NOT NULL) STORED,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (transaction_hash, output_index),
    CONSTRAINT utxos_spent CHECK ((spent_in_tx_hash IS NULL) = (spent_input_index IS NULL))
) WITH (fillfactor = 90);
COMMENT ON TABLE utxos IS 'Every output there ever was; unspent while spent_in_tx_hash is null.';
CREATE UNIQUE INDEX utxos_spender ON utxos (spent_in_tx_hash, spent_input_index) WHERE spent_in_tx_hash IS NOT NULL;
CREATE INDEX utxos_unspent ON utxos (wallet_id, transaction_hash, output_index) WHERE NOT is_spent;
-- What a payment may choose from, the largest and the smallest coins first.
CREATE INDEX utxos_spendable ON utxos (wallet_id, amount)
    WHERE NOT is_spent AND (block_height IS NOT NULL OR is_change);
CREATE INDEX utxos_incoming ON utxos (wallet_id) WHERE NOT is_spent AND block_height IS NULL AND NOT is_change;
CREATE INDEX utxos_immature ON utxos (block_height) WHERE is_coinbase AND NOT is_spent;
CREATE TRIGGER utxos_updated_at BEFORE UPDATE ON utxos FOR EACH ROW EXECUTE FUNCTION set_updated_at();

CREATE TABLE beneficiaries (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    beneficiary_wallet_id hash NOT NULL REFERENCES wallets (wallet_id),
    beneficiary_name text CHECK (length(beneficiary_name) BETWEEN 1 AND 255),
    nickname text CHECK (length(nickname) BETWEEN 1 AND 255),
    created_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (user_id, beneficiary_wallet_id)
);
CREATE INDEX beneficiaries_user ON beneficiaries (user_id, created_at DESC, id DESC);
CREATE INDEX beneficiaries_wallet ON beneficiaries (beneficiary_wallet_id);

-- One row: the tip, and the sums that belong to it. Whoever connects a block locks it first.
CREATE TABLE blockchain_info (
    singleton boolean PRIMARY KEY DEFAULT true CHECK (singleton),
    network bytea NOT NULL CHECK (length(network) = 4),
    coinbase_maturity integer NOT NULL CHECK (coinbase_maturity >= 0),
    tip_hash hash NOT NULL REFERENCES blocks (block_hash),
    tip_height integer NOT NULL,
    total_coins numeric(20, 8) NOT NULL DEFAULT 21000000,
    circulating_coins numeric(20, 8) NOT NULL CHECK (circulating_coins <= total_coins),
    burned_coins numeric(20, 8) NOT NULL DEFAULT 0 CHECK (burned_coins >= 0),
    total_transactions bigint NOT NULL,
    total_blocks integer NOT NULL,
    current_difficulty integer NOT NULL,
    average_block_time numeric(10, 2) NOT NULL,
    halving_height integer NOT NULL,
    current_halving_number integer NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT blockchain_info_tip CHECK (total_blocks = tip_height + 1)
);
COMMENT ON COLUMN blockchain_info.current_difficulty IS 'What the next block must meet.';
COMMENT ON COLUMN blockchain_info.average_block_time IS 'Seconds, over the last retarget interval.';
COMMENT ON COLUMN blockchain_info.coinbase_maturity IS 'Consensus, fixed with the genesis block.';

DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['wallets', 'blocks', 'transactions', 'utxos', 'blockchain_info'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', name);
        EXECUTE format('CREATE POLICY %I ON %I FOR SELECT USING (true)', name || '_public', name);
        EXECUTE format('CREATE POLICY %I ON %I USING (app_is_system()) WITH CHECK (app_is_system())', name || '_system', name);
    END LOOP;
    FOREACH name IN ARRAY ARRAY['wallet_keys', 'wallet_balances', 'beneficiaries'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', name);
        EXECUTE format(
            'CREATE POLICY %I ON %I USING (user_id = app_user_id() OR app_is_system())'
            ' WITH CHECK (user_id = app_user_id() OR app_is_system())', name || '_owner', name
        );
    END LOOP;
END
$$;
