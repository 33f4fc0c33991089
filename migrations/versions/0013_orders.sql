-- Orders are durable before a matcher sees them. Place, cancel, replace and each tick's prices enter one inbox; the
-- leading matcher numbers it in its own transaction, in which it also writes fills, journal entries and events.

CREATE TABLE orders (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    portfolio_id uuid NOT NULL,
    life integer NOT NULL CHECK (life > 0),
    bot_id uuid,
    symbol text NOT NULL CHECK (length(symbol) BETWEEN 1 AND 20),
    side text NOT NULL CHECK (side IN ('buy', 'sell')),
    type text NOT NULL CHECK (type IN ('market', 'limit', 'stop', 'stop_limit', 'trailing_stop')),
    time_in_force text NOT NULL DEFAULT 'gtc' CHECK (time_in_force IN ('gtc', 'ioc', 'fok', 'gtd')),
    expires_at timestamptz,
    post_only boolean NOT NULL DEFAULT false,
    reduce_only boolean NOT NULL DEFAULT false,
    sells_all boolean NOT NULL DEFAULT false,
    quantity numeric(20, 8) CHECK (quantity > 0),
    quote_amount numeric(20, 8) CHECK (quote_amount > 0),
    bound numeric(20, 8) CHECK (bound > 0),
    price numeric(24, 12) CHECK (price > 0),
    stop_price numeric(24, 12) CHECK (stop_price > 0),
    trail_amount numeric(24, 12) CHECK (trail_amount > 0),
    trail_fraction numeric(10, 8) CHECK (trail_fraction > 0 AND trail_fraction < 1),
    protection_price numeric(24, 12) CHECK (protection_price > 0),
    maker_fee_fraction numeric(10, 8) NOT NULL CHECK (maker_fee_fraction BETWEEN 0 AND 1),
    taker_fee_fraction numeric(10, 8) NOT NULL CHECK (taker_fee_fraction BETWEEN 0 AND 1),
    reserve_rate numeric(24, 12) CHECK (reserve_rate > 0),
    reserved numeric(20, 8) NOT NULL DEFAULT 0 CHECK (reserved >= 0),
    reserved_for_changes numeric(20, 8) NOT NULL DEFAULT 0 CHECK (reserved_for_changes >= 0),
    filled_quantity numeric(20, 8) NOT NULL DEFAULT 0 CHECK (filled_quantity >= 0),
    filled_quote numeric(20, 8) NOT NULL DEFAULT 0 CHECK (filled_quote >= 0),
    average_fill_price numeric(24, 12) GENERATED ALWAYS AS (
        CASE WHEN filled_quantity > 0 THEN round(filled_quote / filled_quantity, 12) END
    ) STORED,
    fees numeric(20, 8) NOT NULL DEFAULT 0 CHECK (fees >= 0),
    status text NOT NULL DEFAULT 'pending'
        CHECK (status IN ('pending', 'partial', 'filled', 'cancelled', 'rejected', 'expired')),
    reason text,
    mode text NOT NULL,
    exchange text NOT NULL DEFAULT 'internal' CHECK (length(exchange) BETWEEN 1 AND 40),
    exchange_order_id text CHECK (length(exchange_order_id) <= 100),
    client_order_id text CHECK (client_order_id ~ '^[[:graph:]]{1,64}$'),
    bracket_id uuid,
    bracket_role text CHECK (bracket_role IN ('entry', 'take_profit', 'stop_loss')),
    priority bigint,
    triggered_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    filled_at timestamptz,
    cancelled_at timestamptz,
    CONSTRAINT orders_portfolio_mode FOREIGN KEY (portfolio_id, mode) REFERENCES portfolios (id, mode)
        ON UPDATE CASCADE,
    CONSTRAINT orders_size CHECK (num_nonnulls(quantity, quote_amount) = 1),
    CONSTRAINT orders_amount CHECK (quote_amount IS NULL OR type = 'market'),
    CONSTRAINT orders_bound CHECK (bound IS NULL OR (side = 'sell' AND quote_amount IS NOT NULL)),
    CONSTRAINT orders_price CHECK ((price IS NOT NULL) = (type IN ('limit', 'stop_limit'))),
    CONSTRAINT orders_stop_price CHECK ((stop_price IS NOT NULL) = (type IN ('stop', 'stop_limit'))),
    CONSTRAINT orders_trail CHECK (num_nonnulls(trail_amount, trail_fraction) = (type = 'trailing_stop')::integer),
    CONSTRAINT orders_protection CHECK (side = 'sell' OR num_nonnulls(price, protection_price) > 0),
    CONSTRAINT orders_expiry CHECK ((expires_at IS NOT NULL) = (time_in_force = 'gtd')),
    CONSTRAINT orders_post_only CHECK (NOT post_only OR (type = 'limit' AND time_in_force IN ('gtc', 'gtd'))),
    CONSTRAINT orders_sells_all CHECK (NOT sells_all OR side = 'sell'),
    CONSTRAINT orders_filled CHECK (quantity IS NULL OR filled_quantity <= quantity),
    CONSTRAINT orders_status CHECK (
        CASE status
            WHEN 'pending' THEN filled_quantity = 0
            WHEN 'partial' THEN filled_quantity > 0
            WHEN 'filled' THEN filled_quantity > 0
            WHEN 'rejected' THEN filled_quantity = 0 AND reason IS NOT NULL
            ELSE reason IS NOT NULL
        END
    ),
    CONSTRAINT orders_closed CHECK (
        status IN ('pending', 'partial') OR (reserved = 0 AND reserved_for_changes = 0)
    ),
    CONSTRAINT orders_times CHECK (
        (filled_at IS NOT NULL) = (status = 'filled')
        AND (cancelled_at IS NOT NULL) = (status IN ('cancelled', 'expired', 'rejected'))
    ),
    CONSTRAINT orders_bracket CHECK ((bracket_id IS NULL) = (bracket_role IS NULL)),
    CONSTRAINT orders_client_order_id UNIQUE (portfolio_id, client_order_id)
) WITH (fillfactor = 80);
COMMENT ON COLUMN orders.quantity IS
    'Null exactly for an order by quote amount. Of an exit of a bracket it follows what the entry filled, less what the
    other exit filled.';
COMMENT ON COLUMN orders.bound IS 'The coins that a sale by quote amount may sell: all that were available.';
COMMENT ON COLUMN orders.protection_price IS 'The worst price of an order without a limit. A buy reserves at it.';
COMMENT ON COLUMN orders.reserve_rate IS
    'Null in dollars. Otherwise the currency for one dollar, with the buffer, at which a buy reserved: it never pays more.';
COMMENT ON COLUMN orders.reserved IS
    'Of the portfolio, for what is left: cash in its currency for a buy, coins for a sell. The exits of a bracket reserve
    once: the take profit has it while it is open, then the stop loss.';
COMMENT ON COLUMN orders.reserved_for_changes IS 'What replacements that are not decided yet may need in addition.';
COMMENT ON COLUMN orders.reason IS 'Why it was cancelled or rejected, or has expired.';
COMMENT ON COLUMN orders.priority IS
    'Its turn in the book. Null: the matcher has not seen it, or it is an exit whose entry has not filled anything.';
CREATE INDEX orders_portfolio ON orders (portfolio_id, created_at DESC, id DESC);
CREATE INDEX orders_portfolio_symbol ON orders (portfolio_id, symbol, created_at DESC, id DESC);
CREATE INDEX orders_open ON orders (symbol, priority) WHERE status IN ('pending', 'partial');
CREATE INDEX orders_open_of_portfolio ON orders (portfolio_id, created_at DESC, id DESC)
    WHERE status IN ('pending', 'partial');
CREATE INDEX orders_resting ON orders (symbol, side, price, priority)
    WHERE status IN ('pending', 'partial') AND price IS NOT NULL AND priority IS NOT NULL;
CREATE INDEX orders_bracket ON orders (bracket_id) WHERE bracket_id IS NOT NULL;
CREATE INDEX orders_closed_at ON orders (updated_at) WHERE status NOT IN ('pending', 'partial');
CREATE TRIGGER orders_updated_at BEFORE UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION set_updated_at();

-- Every change of an order, written by a trigger and never changed. The audit chain has one head, which would make every
-- order wait for every other: a job seals these rows into it in batches.
CREATE TABLE order_changes (
    id bigint GENERATED ALWAYS AS IDENTITY,
    order_id uuid NOT NULL,
    portfolio_id uuid NOT NULL,
    action text NOT NULL CHECK (action IN ('insert', 'update', 'delete')),
    details jsonb NOT NULL,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (id, created_at)
) PARTITION BY RANGE (created_at);
REVOKE INSERT, UPDATE, DELETE ON order_changes FROM moneta_app;

-- For each statement: a batch of the matcher changes hundreds.
-- The tables of a trigger have no statistics: without the setting each row would be compared with every other.
CREATE FUNCTION note_order_changes() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp SET timezone = 'UTC' SET enable_nestloop = off AS $$
DECLARE
    scope text := app_see_as('on');
BEGIN
    IF TG_OP = 'INSERT' THEN
        INSERT INTO order_changes (order_id, portfolio_id, action, details)
        SELECT n.id, n.portfolio_id, 'insert', jsonb_strip_nulls(jsonb_build_object('new', to_jsonb(n) - 'updated_at'))
        FROM new_rows n;
    ELSIF TG_OP = 'UPDATE' THEN
        INSERT INTO order_changes (order_id, portfolio_id, action, details)
        SELECT n.id, n.portfolio_id, 'update', jsonb_strip_nulls(jsonb_build_object('old', d.before, 'new', d.after))
        FROM new_rows n JOIN old_rows o ON o.id = n.id
        CROSS JOIN LATERAL (
            SELECT jsonb_object_agg(b.key, b.value) AS before, jsonb_object_agg(b.key, a.value -> b.key) AS after
            -- OFFSET: made once, and not for each column.
            FROM (SELECT to_jsonb(n) AS value OFFSET 0) a, jsonb_each(to_jsonb(o)) b
            WHERE b.key <> 'updated_at' AND b.value IS DISTINCT FROM a.value -> b.key
        ) d
        WHERE d.before IS NOT NULL;
    ELSE
        INSERT INTO order_changes (order_id, portfolio_id, action, details)
        SELECT o.id, o.portfolio_id, 'delete', jsonb_strip_nulls(jsonb_build_object('old', to_jsonb(o) - 'updated_at'))
        FROM old_rows o;
    END IF;
    PERFORM app_see_as(scope);
    RETURN NULL;
END
$$;
REVOKE ALL ON FUNCTION note_order_changes FROM PUBLIC;
CREATE TRIGGER orders_inserted AFTER INSERT ON orders REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION note_order_changes();
CREATE TRIGGER orders_updated AFTER UPDATE ON orders REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION note_order_changes();
CREATE TRIGGER orders_deleted AFTER DELETE ON orders REFERENCING OLD TABLE AS old_rows
    FOR EACH STATEMENT EXECUTE FUNCTION note_order_changes();

-- A seal states which changes there are, up to which ID, and their digest. Its own row is audited: what it states is in
-- the audit chain, which is what changes are compared with.
CREATE TABLE order_seals (
    number bigint PRIMARY KEY CHECK (number > 0),
    after_id bigint NOT NULL,
    to_id bigint NOT NULL,
    changes bigint NOT NULL CHECK (changes > 0),
    first_at timestamptz NOT NULL,
    digest hash NOT NULL,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT order_seals_range CHECK (after_id < to_id)
);
COMMENT ON COLUMN order_seals.after_id IS 'It seals the changes with higher IDs, up to to_id.';
COMMENT ON COLUMN order_seals.first_at IS 'The time of the oldest of them: retention drops that first.';
COMMENT ON COLUMN order_seals.digest IS 'See order_changes_digest.';
CREATE CONSTRAINT TRIGGER order_seals_audit AFTER INSERT OR UPDATE OR DELETE ON order_seals
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION write_audit('number');
REVOKE INSERT, UPDATE, DELETE ON order_seals FROM moneta_app;

CREATE TABLE order_sealing (
    singleton boolean PRIMARY KEY DEFAULT true CHECK (singleton),
    number bigint NOT NULL DEFAULT 0,
    sealed_to bigint NOT NULL DEFAULT 0,
    next_to bigint NOT NULL DEFAULT 0,
    next_xid xid8 NOT NULL DEFAULT '0'
);
COMMENT ON TABLE order_sealing IS
    'How far changes are sealed. No transaction before next_xid is to be running when those up to next_to are.';
INSERT INTO order_sealing DEFAULT VALUES;
REVOKE INSERT, UPDATE, DELETE ON order_sealing FROM moneta_app;

CREATE FUNCTION order_changes_digest(
    after_id bigint, to_id bigint, OUT changes bigint, OUT first_at timestamptz, OUT digest text
)
LANGUAGE sql STABLE SET search_path = public, pg_temp AS $$
    -- SHA-256 over the SHA-256 of each row, in the order of IDs. jsonb is canonical: one value has one text.
    SELECT count(*), min(c.created_at), encode(sha256(coalesce(string_agg(sha256(convert_to(jsonb_build_array(
        c.id, c.order_id, c.portfolio_id, c.action, c.details, (extract(epoch FROM c.created_at) * 1000000)::bigint
    )::text, 'UTF8')), ''::bytea ORDER BY c.id), ''::bytea)), 'hex')
    FROM order_changes c WHERE c.id > after_id AND c.id <= to_id
$$;

-- Seals what is committed and can get no older sibling, in seals of at most so many changes; returns how many changes.
-- IDs are not given in the order of commits. So it notes the last ID that was given and, after that, the next
-- transaction: what has an ID up to there is of a transaction before that one. Once none of those runs, what is there up
-- to that ID is all that will ever be.
CREATE FUNCTION seal_order_changes(most bigint) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp SET timezone = 'UTC' AS $$
DECLARE
    state order_sealing;
    sealed bigint := 0;
    upto bigint;
    found record;
    scope text := app_see_as('on');
BEGIN
    IF current_setting('transaction_isolation') <> 'read committed' THEN
        RAISE EXCEPTION 'each statement must see what is committed by then';
    END IF;
    SELECT * INTO state FROM order_sealing FOR UPDATE;
    IF state.next_xid <= pg_snapshot_xmin(pg_current_snapshot()) THEN
        LOOP
            SELECT max(c.id) INTO upto FROM (
                SELECT id FROM order_changes WHERE id > state.sealed_to AND id <= state.next_to ORDER BY id LIMIT most
            ) c;
            EXIT WHEN upto IS NULL;
            SELECT * INTO found FROM order_changes_digest(state.sealed_to, upto);
            state.number := state.number + 1;
            INSERT INTO order_seals (number, after_id, to_id, changes, first_at, digest)
            VALUES (state.number, state.sealed_to, upto, found.changes, found.first_at, found.digest);
            state.sealed_to := upto;
            sealed := sealed + found.changes;
        END LOOP;
        -- In this order, in two statements.
        state.next_to := coalesce(pg_sequence_last_value('order_changes_id_seq'), 0);
        state.next_xid := pg_snapshot_xmax(pg_current_snapshot());
    ELSIF state.next_xid > pg_snapshot_xmax(pg_current_snapshot()) THEN
        -- The data was restored into another cluster, whose transactions have other numbers.
        state.next_to := coalesce(pg_sequence_last_value('order_changes_id_seq'), 0);
        state.next_xid := pg_snapshot_xmax(pg_current_snapshot());
    END IF;
    UPDATE order_sealing SET number = state.number, sealed_to = state.sealed_to, next_to = state.next_to,
        next_xid = state.next_xid;
    PERFORM app_see_as(scope);
    RETURN sealed;
END
$$;
REVOKE ALL ON FUNCTION seal_order_changes FROM PUBLIC;
GRANT EXECUTE ON FUNCTION seal_order_changes TO moneta_app;

CREATE TABLE fills (
    id uuid NOT NULL DEFAULT gen_random_uuid(),
    trade_id uuid NOT NULL,
    order_id uuid NOT NULL REFERENCES orders (id),
    portfolio_id uuid NOT NULL REFERENCES portfolios (id),
    life integer NOT NULL CHECK (life > 0),
    symbol text NOT NULL CHECK (length(symbol) BETWEEN 1 AND 20),
    side text NOT NULL CHECK (side IN ('buy', 'sell')),
    quantity numeric(20, 8) NOT NULL CHECK (quantity > 0),
    price numeric(24, 12) NOT NULL CHECK (price > 0),
    quote_quantity numeric(20, 8) NOT NULL CHECK (quote_quantity >= 0),
    fee numeric(20, 8) NOT NULL CHECK (fee >= 0),
    liquidity text NOT NULL CHECK (liquidity IN ('maker', 'taker')),
    counter_order_id uuid,
    quote_bid numeric(24, 12) NOT NULL CHECK (quote_bid >= 0),
    quote_ask numeric(24, 12) NOT NULL CHECK (quote_ask >= 0),
    quote_at timestamptz NOT NULL,
    currency text NOT NULL CHECK (currency IN ('USD', 'AUD')),
    fx_rate numeric(24, 12) CHECK (fx_rate > 0),
    fx_source text,
    fx_at timestamptz,
    entry_id bigint NOT NULL,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (id, created_at),
    CONSTRAINT fills_fx CHECK (
        num_nonnulls(fx_rate, fx_source, fx_at) = CASE currency WHEN 'USD' THEN 0 ELSE 3 END
    )
) PARTITION BY RANGE (created_at);
COMMENT ON COLUMN fills.counter_order_id IS 'The order on the other side; null: the house.';
COMMENT ON COLUMN fills.quote_bid IS
    'The best bid of the house that was in force, and likewise quote_ask and quote_at. 0: it had none.';
COMMENT ON COLUMN fills.quote_quantity IS 'Dollars paid or received, without the fee.';
COMMENT ON COLUMN fills.fee IS 'In dollars. The journal entry has it in the currency of the portfolio.';
COMMENT ON COLUMN fills.fx_rate IS 'The currency of the portfolio for one dollar. Null for a portfolio in dollars.';
CREATE INDEX fills_order ON fills (order_id, created_at DESC, id DESC);
CREATE INDEX fills_portfolio ON fills (portfolio_id, created_at DESC, id DESC);
CREATE INDEX fills_portfolio_symbol ON fills (portfolio_id, symbol, created_at DESC, id DESC);
REVOKE UPDATE, DELETE, TRUNCATE ON fills FROM moneta_app;

CREATE VIEW trade_history WITH (security_invoker = true) AS
SELECT f.id, p.user_id, o.exchange, f.symbol, o.type, f.side, f.quantity AS amount, f.price, f.order_id, o.status,
    f.portfolio_id, f.life, f.fee, f.liquidity, f.created_at
FROM fills f JOIN orders o ON o.id = f.order_id JOIN portfolios p ON p.id = f.portfolio_id;
GRANT SELECT ON trade_history TO moneta_app;
REVOKE INSERT, UPDATE, DELETE ON trade_history FROM moneta_app;

-- What the exchange is asked, in order. `number` is given by the matcher among what is committed: a serial given at insert
-- is not the order of commits, and a late commit would be passed over.
CREATE TABLE exchange_inbox (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    number bigint UNIQUE,
    kind text NOT NULL CHECK (kind IN ('place', 'cancel', 'replace', 'prices', 'close', 'halt', 'resume', 'delist', 'relist')),
    symbol text,
    order_id uuid,
    portfolio_id uuid,
    payload jsonb NOT NULL DEFAULT '{}',
    failure text,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT exchange_inbox_order CHECK ((order_id IS NOT NULL) = (kind IN ('place', 'cancel', 'replace'))),
    CONSTRAINT exchange_inbox_portfolio CHECK ((portfolio_id IS NOT NULL) = (kind = 'close')),
    CONSTRAINT exchange_inbox_symbol CHECK (kind IN ('halt', 'resume') OR (symbol IS NULL) = (kind IN ('prices', 'close')))
);
COMMENT ON COLUMN exchange_inbox.symbol IS 'The book. Null: all books, or none.';
COMMENT ON COLUMN exchange_inbox.number IS 'Its place in the order of everything. Null: not matched yet.';
COMMENT ON COLUMN exchange_inbox.failure IS 'Why it was passed over, after it could not be matched several times.';
CREATE INDEX exchange_inbox_new ON exchange_inbox (id) WHERE number IS NULL;
CREATE INDEX exchange_inbox_done ON exchange_inbox (created_at) WHERE number IS NOT NULL;

CREATE TABLE exchange_state (
    singleton boolean PRIMARY KEY DEFAULT true CHECK (singleton),
    epoch bigint NOT NULL DEFAULT 0,
    last_number bigint NOT NULL DEFAULT 0,
    is_halted boolean NOT NULL DEFAULT false
);
COMMENT ON COLUMN exchange_state.is_halted IS 'Whether trading is halted in all books.';
COMMENT ON TABLE exchange_state IS
    'Who matches (a new leader takes a new epoch), and how far. Each batch compares and sets both: the lock of the leader
    is on another connection than its writes.';
INSERT INTO exchange_state DEFAULT VALUES;

CREATE TABLE exchange_books (
    symbol text PRIMARY KEY CHECK (length(symbol) BETWEEN 1 AND 20),
    token_id uuid,
    state jsonb NOT NULL,
    number bigint NOT NULL,
    source text,
    price_usd numeric(24, 12) CHECK (price_usd > 0),
    price_aud numeric(24, 12) CHECK (price_aud > 0),
    quoted_at timestamptz,
    is_halted boolean NOT NULL DEFAULT false,
    is_halted_alone boolean NOT NULL DEFAULT false,
    is_delisted boolean NOT NULL DEFAULT false,
    CONSTRAINT exchange_books_quote CHECK (num_nonnulls(source, price_usd, price_aud, quoted_at) IN (0, 4))
) WITH (fillfactor = 50);
COMMENT ON TABLE exchange_books IS 'What each book is beside its orders, after the last command that it met.';
COMMENT ON COLUMN exchange_books.token_id IS
    'The token that is traded, noted by a job: another one that takes over the symbol is not the same. Null: not noted yet.';
COMMENT ON COLUMN exchange_books.number IS 'That of the last command.';
COMMENT ON COLUMN exchange_books.is_halted_alone IS 'Whether it is halted for itself, and not with all others only.';
COMMENT ON COLUMN exchange_books.price_usd IS
    'The last quote, and likewise price_aud, source and quoted_at; null: there was none. A halted book quotes nothing.';

CREATE TABLE trading_halts (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    user_id uuid REFERENCES users (id) ON DELETE CASCADE,
    symbol text,
    reason text NOT NULL DEFAULT '' CHECK (length(reason) <= 500),
    halted_by uuid REFERENCES users (id) ON DELETE SET NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT trading_halts_scope CHECK (num_nonnulls(user_id, symbol) <= 1),
    UNIQUE NULLS NOT DISTINCT (user_id, symbol)
);
COMMENT ON TABLE trading_halts IS 'Trading is halted for a user, for a symbol, or, with neither, for all.';

DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY[
        'orders', 'order_changes', 'order_seals', 'order_sealing', 'fills', 'exchange_inbox', 'exchange_state',
        'exchange_books', 'trading_halts'
    ] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', name);
        -- Nobody but Moneta writes: not even what is one's own.
        EXECUTE format(
            'CREATE POLICY %I ON %I USING (app_is_system()) WITH CHECK (app_is_system())', name || '_system', name
        );
    END LOOP;
    FOREACH name IN ARRAY ARRAY['orders', 'order_changes', 'fills'] LOOP
        EXECUTE format(
            'CREATE POLICY %I ON %I FOR SELECT'
            ' USING (portfolio_id IN (SELECT p.id FROM portfolios p WHERE p.user_id = app_user_id()))',
            name || '_owner', name
        );
    END LOOP;
END
$$;
CREATE POLICY trading_halts_owner ON trading_halts FOR SELECT USING (user_id = app_user_id());
-- The market's halts are everybody's.
CREATE POLICY trading_halts_public ON trading_halts FOR SELECT USING (user_id IS NULL);

INSERT INTO partitioned_tables VALUES ('fills', interval '7 years'), ('order_changes', interval '2 years');
SELECT maintain_partitions(now());
