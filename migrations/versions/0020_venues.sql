-- Orders of a live portfolio go to an exchange of its user. The row of an order and what is to be sent are written in one
-- transaction; the worker that leads sends it, once, under an ID of ours that it can be looked up by.

CREATE TABLE exchange_accounts (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    exchange text NOT NULL CHECK (exchange IN ('binance', 'bybit', 'coinbase', 'kraken', 'okx')),
    label text NOT NULL CHECK (length(label) BETWEEN 1 AND 100),
    status text NOT NULL DEFAULT 'connected' CHECK (status IN ('connected', 'disconnecting', 'disconnected')),
    may_withdraw boolean CHECK (may_withdraw IS NOT TRUE),
    failure text CHECK (failure IN ('credentials', 'unavailable')),
    failing_since timestamptz,
    reached_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    disconnected_at timestamptz,
    CONSTRAINT exchange_accounts_disconnected CHECK ((disconnected_at IS NOT NULL) = (status = 'disconnected')),
    CONSTRAINT exchange_accounts_failing CHECK ((failing_since IS NULL) = (failure IS NULL))
);
COMMENT ON COLUMN exchange_accounts.status IS 'disconnecting: its orders are being cancelled, and none is sent.';
COMMENT ON COLUMN exchange_accounts.may_withdraw IS
    'Whether its key may withdraw, as the exchange says. Null: it does not say. True is refused.';
COMMENT ON COLUMN exchange_accounts.failure IS 'Why it cannot be reached since failing_since.';
CREATE INDEX exchange_accounts_user_id ON exchange_accounts (user_id, created_at, id);
CREATE INDEX exchange_accounts_open ON exchange_accounts (id) WHERE status <> 'disconnected';
CREATE TRIGGER exchange_accounts_updated_at BEFORE UPDATE ON exchange_accounts
    FOR EACH ROW EXECUTE FUNCTION set_updated_at();
-- Not of every failure: the audit chain has one head for everybody.
CREATE CONSTRAINT TRIGGER exchange_accounts_audit
    AFTER INSERT OR DELETE OR UPDATE OF user_id, exchange, label, status, may_withdraw ON exchange_accounts
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION write_audit('id');

-- Apart from the accounts, which their owners read: nobody reads these but Moneta.
CREATE TABLE exchange_credentials (
    account_id uuid PRIMARY KEY REFERENCES exchange_accounts (id) ON DELETE CASCADE,
    kek_id text NOT NULL,
    wrapped_key bytea NOT NULL,
    ciphertext bytea NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    rotated_at timestamptz
);
CREATE INDEX exchange_credentials_kek_id ON exchange_credentials (kek_id);

ALTER TABLE portfolios ADD COLUMN exchange_account_id uuid REFERENCES exchange_accounts (id) ON DELETE SET NULL;
ALTER TABLE portfolios ADD CONSTRAINT portfolios_account_is_live CHECK (exchange_account_id IS NULL OR mode = 'live');
COMMENT ON COLUMN portfolios.exchange_account_id IS 'Of a live portfolio, which is alone in it.';
CREATE UNIQUE INDEX portfolios_exchange_account ON portfolios (exchange_account_id) WHERE status <> 'deleted';
CREATE INDEX portfolios_exchange_account_id ON portfolios (exchange_account_id);

-- What is sent for an order: once for each replacement. The ID is what the exchange knows it by as ours.
CREATE TABLE venue_orders (
    id uuid PRIMARY KEY,
    order_id uuid NOT NULL REFERENCES orders (id) ON DELETE CASCADE,
    number smallint NOT NULL CHECK (number > 0),
    account_id uuid NOT NULL REFERENCES exchange_accounts (id) ON DELETE CASCADE,
    portfolio_id uuid NOT NULL REFERENCES portfolios (id),
    symbol text NOT NULL CHECK (length(symbol) BETWEEN 1 AND 20),
    market text NOT NULL CHECK (length(market) BETWEEN 1 AND 40),
    quantity numeric(20, 8) NOT NULL CHECK (quantity > 0),
    price numeric(24, 12) CHECK (price > 0),
    state text NOT NULL DEFAULT 'waiting'
        CHECK (state IN ('held', 'waiting', 'sending', 'open', 'closed', 'refused', 'absent', 'dropped')),
    attempts integer NOT NULL DEFAULT 0 CHECK (attempts >= 0),
    not_before timestamptz,
    sent_at timestamptz,
    looked_up_at timestamptz,
    missing_since timestamptz,
    exchange_order_id text CHECK (length(exchange_order_id) BETWEEN 1 AND 100),
    filled_quantity numeric(20, 8) NOT NULL DEFAULT 0 CHECK (filled_quantity >= 0),
    cancel_asked_at timestamptz,
    cancel_reason text,
    cancel_attempts integer NOT NULL DEFAULT 0 CHECK (cancel_attempts >= 0),
    cancel_not_before timestamptz,
    cancel_failed_at timestamptz,
    failure text CHECK (length(failure) BETWEEN 1 AND 100),
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT venue_orders_number UNIQUE (order_id, number),
    CONSTRAINT venue_orders_sent CHECK (state NOT IN ('sending', 'open', 'closed', 'absent') OR sent_at IS NOT NULL),
    CONSTRAINT venue_orders_known CHECK (state NOT IN ('open', 'closed') OR exchange_order_id IS NOT NULL),
    CONSTRAINT venue_orders_cancel CHECK ((cancel_asked_at IS NULL) = (cancel_reason IS NULL))
) WITH (fillfactor = 70);
COMMENT ON COLUMN venue_orders.state IS
    'held: until the one before it is closed. waiting: to be sent. sending: perhaps sent, and never sent again; it is
    looked up. absent: it was looked up, and the exchange does not have it. dropped: it was never sent.';
COMMENT ON COLUMN venue_orders.price IS 'The limit, or the protection price of a purchase without one.';
COMMENT ON COLUMN venue_orders.missing_since IS 'Since when the exchange does not know an order that it had.';
COMMENT ON COLUMN venue_orders.cancel_failed_at IS 'When the exchange would not cancel it. It is tried again.';
CREATE INDEX venue_orders_due ON venue_orders (account_id, created_at, id) WHERE state IN ('waiting', 'sending', 'open');
CREATE INDEX venue_orders_active ON venue_orders (portfolio_id) WHERE state IN ('held', 'waiting', 'sending', 'open');
CREATE UNIQUE INDEX venue_orders_exchange_order ON venue_orders (account_id, market, exchange_order_id);
CREATE TRIGGER venue_orders_updated_at BEFORE UPDATE ON venue_orders FOR EACH ROW EXECUTE FUNCTION set_updated_at();

-- The trades of an account that have been settled: each once.
CREATE TABLE venue_trades (
    account_id uuid NOT NULL REFERENCES exchange_accounts (id) ON DELETE CASCADE,
    market text NOT NULL CHECK (length(market) BETWEEN 1 AND 40),
    trade_id text NOT NULL CHECK (length(trade_id) BETWEEN 1 AND 100),
    venue_order_id uuid NOT NULL REFERENCES venue_orders (id) ON DELETE CASCADE,
    fill_id uuid NOT NULL,
    quantity numeric(20, 8) NOT NULL CHECK (quantity > 0),
    price numeric(24, 12) NOT NULL CHECK (price > 0),
    fee_asset text CHECK (length(fee_asset) BETWEEN 1 AND 20),
    fee_quantity numeric(28, 8) CHECK (fee_quantity >= 0),
    traded_at timestamptz NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (account_id, market, trade_id),
    CONSTRAINT venue_trades_fee CHECK ((fee_asset IS NULL) = (fee_quantity IS NULL))
);
CREATE INDEX venue_trades_fill_id ON venue_trades (fill_id);
CREATE INDEX venue_trades_venue_order_id ON venue_trades (venue_order_id);

CREATE TABLE venue_cursors (
    account_id uuid NOT NULL REFERENCES exchange_accounts (id) ON DELETE CASCADE,
    market text NOT NULL CHECK (length(market) BETWEEN 1 AND 40),
    traded_to timestamptz NOT NULL,
    PRIMARY KEY (account_id, market)
);
COMMENT ON TABLE venue_cursors IS 'Up to when the trades of an account in a market have been read.';

CREATE TABLE venue_state (
    singleton boolean PRIMARY KEY DEFAULT true CHECK (singleton),
    epoch bigint NOT NULL DEFAULT 0
);
COMMENT ON TABLE venue_state IS
    'Who sends: a new leader takes a new epoch. Whatever is written for an exchange compares it, since the lock of the
    leader is on another connection.';
INSERT INTO venue_state DEFAULT VALUES;

CREATE TABLE reconciliations (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    account_id uuid NOT NULL REFERENCES exchange_accounts (id) ON DELETE CASCADE,
    portfolio_id uuid REFERENCES portfolios (id),
    adopts boolean NOT NULL DEFAULT false,
    status text NOT NULL DEFAULT 'asked' CHECK (status IN ('asked', 'equal', 'different', 'failed')),
    attempts integer NOT NULL DEFAULT 0 CHECK (attempts >= 0),
    difference_count integer NOT NULL DEFAULT 0 CHECK (difference_count >= 0),
    created_at timestamptz NOT NULL DEFAULT now(),
    finished_at timestamptz,
    CONSTRAINT reconciliations_finished CHECK ((finished_at IS NULL) = (status = 'asked'))
);
COMMENT ON COLUMN reconciliations.adopts IS 'Whether differences of balances are corrected in the books.';
CREATE INDEX reconciliations_account ON reconciliations (account_id, created_at DESC, id DESC);
CREATE INDEX reconciliations_portfolio_id ON reconciliations (portfolio_id);
-- One is waited for at a time: to ask again is to ask for the same.
CREATE UNIQUE INDEX reconciliations_asked ON reconciliations (account_id) WHERE status = 'asked';
CREATE INDEX reconciliations_created_at ON reconciliations (created_at);

CREATE TABLE reconciliation_differences (
    reconciliation_id uuid NOT NULL REFERENCES reconciliations (id) ON DELETE CASCADE,
    account_id uuid NOT NULL,
    number integer NOT NULL CHECK (number > 0),
    kind text NOT NULL CHECK (kind IN ('balance', 'unknown_order', 'missing_order', 'unknown_trade', 'missing_trade')),
    subject text NOT NULL CHECK (length(subject) BETWEEN 1 AND 120),
    order_id uuid,
    in_books numeric(28, 8),
    at_exchange numeric(28, 8),
    is_corrected boolean NOT NULL DEFAULT false,
    PRIMARY KEY (reconciliation_id, number)
);
COMMENT ON COLUMN reconciliation_differences.account_id IS
    'That of the comparison: a policy that asked there would read all comparisons of a user.';
COMMENT ON COLUMN reconciliation_differences.subject IS 'The asset of a balance; otherwise the market and the ID there.';

-- Coins that moved elsewhere: a kind of its own, since neither its coins nor its cash are contributions.
ALTER TABLE journal_entries DROP CONSTRAINT journal_entries_kind_check;
ALTER TABLE journal_entries ADD CONSTRAINT journal_entries_kind_check CHECK (
    kind IN ('opening', 'deposit', 'withdrawal', 'fill', 'reset', 'closing', 'correction', 'transfer')
) NOT VALID;

-- Who sees what ----------------------------------------------------------------------------------------------------

DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY[
        'exchange_accounts', 'exchange_credentials', 'venue_orders', 'venue_trades', 'venue_cursors', 'venue_state',
        'reconciliations', 'reconciliation_differences'
    ] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', name);
        -- Nobody but Moneta writes: not even what is one's own.
        EXECUTE format(
            'CREATE POLICY %I ON %I USING (app_is_system()) WITH CHECK (app_is_system())', name || '_system', name
        );
    END LOOP;
    FOREACH name IN ARRAY ARRAY['venue_orders', 'venue_trades', 'reconciliations', 'reconciliation_differences'] LOOP
        EXECUTE format(
            'CREATE POLICY %I ON %I FOR SELECT'
            ' USING (account_id IN (SELECT a.id FROM exchange_accounts a WHERE a.user_id = app_user_id()))',
            name || '_owner', name
        );
    END LOOP;
END
$$;
CREATE POLICY exchange_accounts_owner ON exchange_accounts FOR SELECT USING (user_id = app_user_id());
