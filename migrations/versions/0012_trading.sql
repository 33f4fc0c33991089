-- Portfolios -------------------------------------------------------------------------------------------------------

-- Who owns what is said here alone: everything else names its portfolio. To delete a portfolio, or its user, is to empty
-- one column, and the trail of money behind it is nobody's from then on.
CREATE TABLE portfolios (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    user_id uuid REFERENCES users (id) ON DELETE SET NULL,
    name text NOT NULL DEFAULT 'Default Portfolio' CHECK (length(name) BETWEEN 1 AND 100),
    mode text NOT NULL DEFAULT 'paper' CHECK (mode IN ('paper', 'live')),
    currency text NOT NULL DEFAULT 'USD' CHECK (currency IN ('USD', 'AUD')),
    is_default boolean NOT NULL DEFAULT false,
    status text NOT NULL DEFAULT 'open' CHECK (status IN ('open', 'resetting', 'deleting', 'deleted')),
    life integer NOT NULL DEFAULT 1 CHECK (life > 0),
    life_began_at timestamptz NOT NULL DEFAULT now(),
    initial_balance numeric(20, 8) NOT NULL DEFAULT 10000 CHECK (initial_balance >= 0),
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    deleted_at timestamptz,
    CONSTRAINT portfolios_deleted CHECK (
        (status = 'deleted') = (user_id IS NULL) AND (status = 'deleted') = (deleted_at IS NOT NULL)
    ),
    CONSTRAINT portfolios_default_is_owned CHECK (NOT is_default OR status <> 'deleted'),
    CONSTRAINT portfolios_live_begins_empty CHECK (mode = 'paper' OR initial_balance = 0),
    -- What the mode of an order refers to.
    CONSTRAINT portfolios_id_mode UNIQUE (id, mode)
);
COMMENT ON COLUMN portfolios.status IS
    'resetting and deleting: its orders are being cancelled, and nothing else may be done with it.';
COMMENT ON COLUMN portfolios.life IS 'Counts resets. What belongs to an earlier life is history.';
COMMENT ON COLUMN portfolios.user_id IS 'Null: the portfolio, or its user, was deleted.';
CREATE INDEX portfolios_user_id ON portfolios (user_id, created_at, id);
CREATE UNIQUE INDEX portfolios_default ON portfolios (user_id) WHERE is_default;
CREATE TRIGGER portfolios_updated_at BEFORE UPDATE ON portfolios FOR EACH ROW EXECUTE FUNCTION set_updated_at();

-- A portfolio survives its user, whose deletion empties `user_id` by the foreign key: it is then a deleted one.
CREATE FUNCTION close_ownerless_portfolio() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.status := 'deleted';
    NEW.name := 'Deleted';
    NEW.is_default := false;
    NEW.deleted_at := coalesce(NEW.deleted_at, now());
    RETURN NEW;
END
$$;
CREATE TRIGGER portfolios_ownerless BEFORE UPDATE ON portfolios
    FOR EACH ROW WHEN (OLD.user_id IS NOT NULL AND NEW.user_id IS NULL) EXECUTE FUNCTION close_ownerless_portfolio();

-- The journal ------------------------------------------------------------------------------------------------------

CREATE TABLE journal_entries (
    id bigint GENERATED ALWAYS AS IDENTITY,
    kind text NOT NULL CHECK (
        kind IN ('opening', 'deposit', 'withdrawal', 'fill', 'reset', 'closing', 'correction')
    ),
    portfolio_id uuid,
    life integer NOT NULL CHECK (life > 0),
    order_id uuid,
    fill_id uuid,
    memo text CHECK (length(memo) BETWEEN 1 AND 200),
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (id, created_at),
    CONSTRAINT journal_entries_fill CHECK ((kind = 'fill') = (fill_id IS NOT NULL))
) PARTITION BY RANGE (created_at);
COMMENT ON TABLE journal_entries IS 'Everything that moved cash or coins. Append-only.';
COMMENT ON COLUMN journal_entries.portfolio_id IS 'Null: it moves between accounts of Moneta.';
-- An ID says the month of its entry, above a number that none shares: it is looked up in one partition.
CREATE FUNCTION entry_month(id bigint) RETURNS timestamptz LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN make_date(1970 + least(id >> 40, 95999)::integer / 12, least(id >> 40, 95999)::integer % 12 + 1, 1)::timestamp
        AT TIME ZONE 'UTC';
CREATE FUNCTION month_after_entry(id bigint) RETURNS timestamptz LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN entry_month(least(id, 95998::bigint << 40) + (1::bigint << 40));
CREATE FUNCTION entry_id(number bigint, moment timestamptz) RETURNS bigint LANGUAGE sql STABLE PARALLEL SAFE
    RETURN number + ((extract(year FROM moment AT TIME ZONE 'UTC') - 1970) * 12
        + extract(month FROM moment AT TIME ZONE 'UTC') - 1)::bigint * (1::bigint << 40);
CREATE FUNCTION set_entry_month() RETURNS trigger LANGUAGE plpgsql SET timezone = 'UTC' AS $$
BEGIN
    -- The matcher takes IDs before it inserts: those have their month.
    IF NEW.id < 1::bigint << 40 THEN
        NEW.id := entry_id(NEW.id, NEW.created_at);
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER journal_entries_month BEFORE INSERT ON journal_entries
    FOR EACH ROW EXECUTE FUNCTION set_entry_month();
CREATE INDEX journal_entries_portfolio ON journal_entries (portfolio_id, created_at DESC, id DESC);
-- Fills are nearly all of them: the others are found among themselves.
CREATE INDEX journal_entries_portfolio_kind ON journal_entries (portfolio_id, kind, created_at DESC, id DESC)
    WHERE kind <> 'fill';

CREATE TABLE journal_lines (
    entry_id bigint NOT NULL,
    line_no smallint NOT NULL CHECK (line_no > 0),
    account text NOT NULL CHECK (account IN ('cash', 'position', 'house', 'fees', 'fx', 'external', 'rounding')),
    portfolio_id uuid,
    asset text NOT NULL CHECK (length(asset) BETWEEN 1 AND 20),
    amount numeric(28, 8) NOT NULL CHECK (amount <> 0),
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (entry_id, line_no, created_at),
    CONSTRAINT journal_lines_owned CHECK (account NOT IN ('cash', 'position') OR portfolio_id IS NOT NULL)
) PARTITION BY RANGE (created_at);
COMMENT ON TABLE journal_lines IS 'What an entry moves: positive into an account, negative out of it. Append-only.';
COMMENT ON COLUMN journal_lines.account IS
    'cash and position are the portfolio''s. The others are Moneta''s: they may be negative, and have no balance row.';
COMMENT ON COLUMN journal_lines.portfolio_id IS 'That of the entry, in each of its lines.';
COMMENT ON COLUMN journal_lines.asset IS 'A currency, or the symbol of a token.';

-- All lines of an entry are inserted by one statement, so that an entry is complete when this looks at it.
CREATE FUNCTION check_entries_balance() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    wrong record;
BEGIN
    SELECT entry_id, asset, sum(amount) AS excess INTO wrong
    FROM inserted GROUP BY entry_id, asset HAVING sum(amount) <> 0 ORDER BY entry_id, asset LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'journal entry % does not balance: % %', wrong.entry_id, wrong.excess, wrong.asset
            USING ERRCODE = 'check_violation', CONSTRAINT = 'journal_lines_balance', TABLE = 'journal_lines';
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER journal_lines_balance AFTER INSERT ON journal_lines
    REFERENCING NEW TABLE AS inserted FOR EACH STATEMENT EXECUTE FUNCTION check_entries_balance();

-- Beside the journal ------------------------------------------------------------------------------------------------

-- Each is a sum of lines, written in the transaction of the lines and compared with them by `doctor books`.
CREATE TABLE cash_balances (
    portfolio_id uuid PRIMARY KEY REFERENCES portfolios (id),
    balance numeric(20, 8) NOT NULL DEFAULT 0,
    reserved numeric(20, 8) NOT NULL DEFAULT 0,
    contributed numeric(20, 8) NOT NULL DEFAULT 0,
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT cash_balances_reserved CHECK (reserved BETWEEN 0 AND balance)
) WITH (fillfactor = 80);
COMMENT ON COLUMN cash_balances.reserved IS 'What open orders may take. No entry: nothing has moved.';
COMMENT ON COLUMN cash_balances.contributed IS
    'What this life was given: its opening and deposits, less withdrawals. Value less this is profit.';

CREATE TABLE positions (
    portfolio_id uuid NOT NULL REFERENCES portfolios (id),
    symbol text NOT NULL CHECK (length(symbol) BETWEEN 1 AND 20),
    quantity numeric(20, 8) NOT NULL DEFAULT 0,
    reserved numeric(20, 8) NOT NULL DEFAULT 0,
    cost numeric(20, 8) NOT NULL DEFAULT 0 CHECK (cost >= 0),
    realized_pnl numeric(20, 8) NOT NULL DEFAULT 0,
    opened_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (portfolio_id, symbol),
    CONSTRAINT positions_reserved CHECK (reserved BETWEEN 0 AND quantity),
    CONSTRAINT positions_cost CHECK (quantity > 0 OR cost = 0)
) WITH (fillfactor = 80);
COMMENT ON TABLE positions IS
    'Tokens of a portfolio in its present life; a sold one stays, with its realized profit. No foreign key to tokens: a
    token that is renamed or no longer listed is still owned.';
COMMENT ON COLUMN positions.cost IS 'What was paid for what is held, fees included, in the currency of the portfolio.';

CREATE TABLE lots (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    portfolio_id uuid NOT NULL REFERENCES portfolios (id),
    life integer NOT NULL CHECK (life > 0),
    symbol text NOT NULL CHECK (length(symbol) BETWEEN 1 AND 20),
    number bigint GENERATED ALWAYS AS IDENTITY,
    fill_id uuid,
    quantity numeric(20, 8) NOT NULL CHECK (quantity > 0),
    remaining numeric(20, 8) NOT NULL,
    cost numeric(20, 8) NOT NULL CHECK (cost >= 0),
    remaining_cost numeric(20, 8) NOT NULL,
    acquired_at timestamptz NOT NULL,
    CONSTRAINT lots_remaining CHECK (remaining BETWEEN 0 AND quantity AND remaining_cost BETWEEN 0 AND cost),
    CONSTRAINT lots_spent CHECK (remaining > 0 OR remaining_cost = 0)
);
COMMENT ON TABLE lots IS 'What was bought at once. Sold first in, first out: by `number`.';
COMMENT ON COLUMN lots.cost IS 'Of the quantity, fees included, in the currency of the portfolio.';
CREATE INDEX lots_open ON lots (portfolio_id, symbol, number) WHERE remaining > 0;
CREATE INDEX lots_portfolio ON lots (portfolio_id, number DESC);
CREATE INDEX lots_portfolio_symbol ON lots (portfolio_id, symbol, number DESC);

CREATE TABLE disposals (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    lot_id uuid NOT NULL REFERENCES lots (id),
    fill_id uuid,
    portfolio_id uuid NOT NULL REFERENCES portfolios (id),
    life integer NOT NULL CHECK (life > 0),
    symbol text NOT NULL CHECK (length(symbol) BETWEEN 1 AND 20),
    quantity numeric(20, 8) NOT NULL CHECK (quantity > 0),
    cost numeric(20, 8) NOT NULL CHECK (cost >= 0),
    proceeds numeric(20, 8) NOT NULL,
    pnl numeric(20, 8) NOT NULL GENERATED ALWAYS AS (proceeds - cost) STORED,
    acquired_at timestamptz NOT NULL,
    disposed_at timestamptz NOT NULL,
    CONSTRAINT disposals_later CHECK (disposed_at >= acquired_at)
);
COMMENT ON TABLE disposals IS 'A part of a lot that was sold: a closed round trip. Append-only.';
COMMENT ON COLUMN disposals.proceeds IS 'Less fees. Below zero where the fee was more than the price.';
CREATE INDEX disposals_portfolio ON disposals (portfolio_id, id DESC);
CREATE INDEX disposals_portfolio_symbol ON disposals (portfolio_id, symbol, id DESC);
CREATE INDEX disposals_lot_id ON disposals (lot_id);

-- Value ------------------------------------------------------------------------------------------------------------

-- At the newest quote of each token, of any provider: one row for a position, never one for each exchange.
CREATE VIEW portfolio_values WITH (security_invoker = true) AS
SELECT p.id AS portfolio_id, p.user_id, p.name, p.currency, b.balance AS cash, b.reserved, b.contributed,
    held.value AS positions_value, b.balance + held.value AS total_value,
    b.balance + held.value - b.contributed AS total_pnl, held.unquoted
FROM portfolios p
JOIN cash_balances b ON b.portfolio_id = p.id
CROSS JOIN LATERAL (
    SELECT coalesce(sum(round(h.quantity * q.price, 8)), 0.00000000) AS value,
        coalesce(array_agg(h.symbol ORDER BY h.symbol) FILTER (WHERE q.price IS NULL), '{}') AS unquoted
    FROM positions h
    LEFT JOIN LATERAL (
        SELECT CASE p.currency WHEN 'AUD' THEN m.price_aud ELSE m.price_usd END AS price
        FROM market_data m WHERE m.symbol = h.symbol ORDER BY m.last_updated DESC LIMIT 1
    ) q ON true
    WHERE h.portfolio_id = p.id AND h.quantity > 0
) held
WHERE p.status <> 'deleted';
COMMENT ON VIEW portfolio_values IS 'In the currency of the portfolio. What has no quote is named, and not in the sums.';
GRANT SELECT ON portfolio_values TO moneta_app;
REVOKE INSERT, UPDATE, DELETE ON portfolio_values FROM moneta_app;

CREATE TABLE portfolio_value_history (
    portfolio_id uuid NOT NULL REFERENCES portfolios (id) ON DELETE CASCADE,
    resolution text NOT NULL CHECK (resolution IN ('1m', '1h', '1d')),
    at timestamptz NOT NULL,
    life integer NOT NULL CHECK (life > 0),
    value numeric(20, 8) NOT NULL,
    cash numeric(20, 8) NOT NULL,
    contributed numeric(20, 8) NOT NULL,
    unquoted smallint NOT NULL DEFAULT 0 CHECK (unquoted >= 0),
    PRIMARY KEY (portfolio_id, resolution, at)
);
COMMENT ON TABLE portfolio_value_history IS
    'The first value in each minute, hour and day. Kept for a day, 31 days, and for ever.';
COMMENT ON COLUMN portfolio_value_history.unquoted IS 'How many positions had no quote, and are not in the value.';
CREATE INDEX portfolio_value_history_kept ON portfolio_value_history (resolution, at);

-- What CryptoMax has as a materialised view, which row-level security cannot keep: a job fills it.
CREATE TABLE portfolio_summaries (
    user_id uuid PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
    portfolio_count integer NOT NULL CHECK (portfolio_count > 0),
    total_value_usd numeric(24, 8) NOT NULL,
    average_return_fraction numeric(20, 8),
    updated_at timestamptz NOT NULL
);
COMMENT ON COLUMN portfolio_summaries.average_return_fraction IS
    'Profit of all by what all were given, so that a large portfolio counts for more. Null: they were given nothing.';

-- Everybody has a portfolio -----------------------------------------------------------------------------------------

-- Kept for ever: a balance is the sum of its lines.
INSERT INTO partitioned_tables VALUES ('journal_entries', NULL), ('journal_lines', NULL);
SELECT maintain_partitions(now());

-- Who registered before portfolios gets what registration creates, with what their profile said that they have.
SELECT set_config('app.system', 'on', true);
INSERT INTO portfolios (user_id, initial_balance, is_default)
SELECT u.id, coalesce(p.paper_balance, 10000), true FROM users u LEFT JOIN profiles p ON p.user_id = u.id;
INSERT INTO cash_balances (portfolio_id, balance, contributed)
SELECT id, initial_balance, initial_balance FROM portfolios;
WITH opened AS (
    INSERT INTO journal_entries (kind, portfolio_id, life)
    SELECT 'opening', id, life FROM portfolios WHERE initial_balance > 0
    RETURNING id, portfolio_id
)
INSERT INTO journal_lines (entry_id, line_no, account, portfolio_id, asset, amount)
SELECT o.id, l.line_no, l.account, p.id, p.currency, l.sign * p.initial_balance
FROM opened o
JOIN portfolios p ON p.id = o.portfolio_id
CROSS JOIN (VALUES (1, 'cash', 1), (2, 'external', -1)) AS l (line_no, account, sign);
SELECT set_config('app.system', '', true);

-- Not before: the audit log is a chain, to which a row is added at a time.
CREATE CONSTRAINT TRIGGER portfolios_audit AFTER INSERT OR UPDATE OR DELETE ON portfolios
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION write_audit('id');

-- Who sees what ----------------------------------------------------------------------------------------------------

DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY[
        'portfolios', 'cash_balances', 'positions', 'lots', 'disposals', 'journal_entries', 'journal_lines',
        'portfolio_value_history', 'portfolio_summaries'
    ] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', name);
        -- Nobody but Moneta writes: not even what is one's own.
        EXECUTE format(
            'CREATE POLICY %I ON %I USING (app_is_system()) WITH CHECK (app_is_system())', name || '_system', name
        );
    END LOOP;
    FOREACH name IN ARRAY ARRAY['portfolios', 'portfolio_summaries'] LOOP
        EXECUTE format('CREATE POLICY %I ON %I FOR SELECT USING (user_id = app_user_id())', name || '_owner', name);
    END LOOP;
    FOREACH name IN ARRAY ARRAY[
        'cash_balances', 'positions', 'lots', 'disposals', 'journal_entries', 'journal_lines', 'portfolio_value_history'
    ] LOOP
        EXECUTE format(
            'CREATE POLICY %I ON %I FOR SELECT'
            ' USING (portfolio_id IN (SELECT p.id FROM portfolios p WHERE p.user_id = app_user_id()))',
            name || '_owner', name
        );
    END LOOP;
END
$$;

-- What has happened is added to and never changed.
REVOKE UPDATE, DELETE, TRUNCATE ON journal_entries, journal_lines, disposals FROM moneta_app;
-- Portfolios are kept, and so are their balances and lots.
REVOKE DELETE, TRUNCATE ON portfolios, cash_balances, lots FROM moneta_app;

COMMENT ON COLUMN profiles.paper_balance IS 'Of the release before portfolios; nobody else reads it.';
COMMENT ON COLUMN profiles.live_balance IS 'Of the release before portfolios; nobody else reads it.';
