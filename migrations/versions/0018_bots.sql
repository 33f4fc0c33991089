-- Bots decide at the end of each candle of their interval, by a strategy, and trade in one portfolio of their user. To
-- delete a bot is to empty its user: its orders and what became of them stay.

CREATE TABLE trading_bots (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    user_id uuid REFERENCES users (id) ON DELETE SET NULL,
    portfolio_id uuid NOT NULL REFERENCES portfolios (id),
    name text NOT NULL CHECK (length(name) BETWEEN 1 AND 100),
    strategy text NOT NULL CHECK (strategy IN (
        'dca', 'grid', 'momentum', 'mean_reversion', 'scalping', 'arbitrage', 'trend_following', 'breakout',
        'pattern_recognition'
    )),
    config jsonb NOT NULL CHECK (jsonb_typeof(config) = 'object' AND config ->> 'type' = strategy),
    target_symbols text[] NOT NULL CHECK (cardinality(target_symbols) BETWEEN 1 AND 10),
    interval text NOT NULL DEFAULT '1h' CHECK (interval IN ('1m', '5m', '1h', '1d')),
    max_position_size numeric(20, 8) NOT NULL DEFAULT 1000 CHECK (max_position_size > 0),
    stop_loss_percentage numeric(5, 2) NOT NULL DEFAULT 5
        CHECK (stop_loss_percentage > 0 AND stop_loss_percentage < 100),
    take_profit_percentage numeric(5, 2) NOT NULL DEFAULT 10 CHECK (take_profit_percentage > 0),
    risk_level text NOT NULL DEFAULT 'medium' CHECK (risk_level IN ('low', 'medium', 'high')),
    daily_loss_limit numeric(20, 8) CHECK (daily_loss_limit > 0),
    cool_down_ms bigint NOT NULL DEFAULT 0 CHECK (cool_down_ms >= 0),
    initial_investment numeric(20, 8) NOT NULL DEFAULT 1000 CHECK (initial_investment > 0),
    ai_model text CHECK (length(ai_model) BETWEEN 1 AND 100),
    status text NOT NULL DEFAULT 'paused' CHECK (status IN ('active', 'paused', 'stopped', 'error')),
    status_reason text CHECK (length(status_reason) <= 500),
    started_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT trading_bots_deleted CHECK (user_id IS NOT NULL OR status = 'stopped'),
    CONSTRAINT trading_bots_error CHECK (status <> 'error' OR status_reason IS NOT NULL),
    CONSTRAINT trading_bots_active CHECK (status <> 'active' OR started_at IS NOT NULL)
);
COMMENT ON COLUMN trading_bots.user_id IS 'Null: the bot, or its user, was deleted.';
COMMENT ON COLUMN trading_bots.max_position_size IS 'In dollars: what its open entries in one token may have cost.';
COMMENT ON COLUMN trading_bots.daily_loss_limit IS
    'In dollars. Null: none. Once the realised loss of a day is this, it buys nothing more.';
COMMENT ON COLUMN trading_bots.initial_investment IS
    'In dollars: what its return is measured by. Nothing is set apart.';
COMMENT ON COLUMN trading_bots.ai_model IS 'The model that words its reasons. Null: its strategy does.';
CREATE INDEX trading_bots_user ON trading_bots (user_id, created_at DESC, id DESC);
CREATE INDEX trading_bots_portfolio ON trading_bots (portfolio_id);
CREATE INDEX trading_bots_active ON trading_bots (interval, id) WHERE status = 'active';
CREATE TRIGGER trading_bots_updated_at BEFORE UPDATE ON trading_bots
    FOR EACH ROW EXECUTE FUNCTION set_updated_at();

-- A bot survives its user, whose deletion empties `user_id`.
CREATE FUNCTION stop_ownerless_bot() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.status := 'stopped';
    NEW.name := 'Deleted';
    NEW.status_reason := NULL;
    RETURN NEW;
END
$$;
CREATE TRIGGER trading_bots_ownerless BEFORE UPDATE ON trading_bots FOR EACH ROW
    WHEN (NEW.user_id IS NULL AND OLD.user_id IS NOT NULL) EXECUTE FUNCTION stop_ownerless_bot();

ALTER TABLE orders ADD CONSTRAINT orders_bot FOREIGN KEY (bot_id) REFERENCES trading_bots (id);
CREATE INDEX orders_bot_id ON orders (bot_id, created_at DESC, id DESC) WHERE bot_id IS NOT NULL;

-- What a bot remembers of a token. `decided_at` is the end of the candle that it decided on last: it decides on each
-- candle at most once, whichever worker comes first.
CREATE TABLE bot_states (
    bot_id uuid NOT NULL REFERENCES trading_bots (id),
    symbol text NOT NULL CHECK (length(symbol) BETWEEN 1 AND 20),
    decided_at timestamptz NOT NULL,
    state jsonb,
    signal_type text NOT NULL CHECK (signal_type IN ('BUY', 'SELL', 'HOLD')),
    confidence integer NOT NULL CHECK (confidence BETWEEN 1 AND 100),
    reasoning text NOT NULL CHECK (length(reasoning) <= 4000),
    technical_indicators jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(technical_indicators) = 'object'),
    price numeric(24, 12) NOT NULL CHECK (price > 0),
    first_price numeric(24, 12) NOT NULL CHECK (first_price > 0),
    first_at timestamptz NOT NULL,
    PRIMARY KEY (bot_id, symbol)
) WITH (fillfactor = 70);
COMMENT ON COLUMN bot_states.first_price IS 'When it first decided on the token: what holding it is compared with.';

-- What bots advised: each signal to buy or sell, and of holding the first after another. Kept for a year.
CREATE TABLE trading_signals (
    id uuid NOT NULL DEFAULT gen_random_uuid(),
    bot_id uuid NOT NULL REFERENCES trading_bots (id),
    symbol text NOT NULL CHECK (length(symbol) BETWEEN 1 AND 20),
    signal_type text NOT NULL CHECK (signal_type IN ('BUY', 'SELL', 'HOLD')),
    confidence integer NOT NULL CHECK (confidence BETWEEN 1 AND 100),
    price numeric(24, 12) NOT NULL CHECK (price > 0),
    reasoning text NOT NULL CHECK (length(reasoning) <= 4000),
    technical_indicators jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(technical_indicators) = 'object'),
    execution_status text NOT NULL DEFAULT 'PENDING'
        CHECK (execution_status IN ('PENDING', 'EXECUTED', 'FAILED', 'IGNORED')),
    status_reason text CHECK (length(status_reason) <= 500),
    candle_closed_at timestamptz NOT NULL,
    executed_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (id, created_at),
    CONSTRAINT trading_signals_executed CHECK ((executed_at IS NOT NULL) = (execution_status = 'EXECUTED')),
    CONSTRAINT trading_signals_not_executed CHECK (
        execution_status NOT IN ('FAILED', 'IGNORED') OR status_reason IS NOT NULL
    )
) PARTITION BY RANGE (created_at);
COMMENT ON COLUMN trading_signals.price IS 'The close of the candle, in dollars.';
CREATE INDEX trading_signals_bot ON trading_signals (bot_id, created_at DESC, id DESC);
CREATE INDEX trading_signals_bot_symbol ON trading_signals (bot_id, symbol, created_at DESC, id DESC);

-- What a bot bought by one signal, and what became of it. Written in the transaction of the fills.
CREATE TABLE bot_entries (
    id uuid PRIMARY KEY REFERENCES orders (id) ON DELETE CASCADE,
    bot_id uuid NOT NULL REFERENCES trading_bots (id),
    symbol text NOT NULL CHECK (length(symbol) BETWEEN 1 AND 20),
    slot integer CHECK (slot >= 0),
    bracket_id uuid NOT NULL UNIQUE,
    signal_id uuid NOT NULL,
    signal_at timestamptz NOT NULL,
    exit_signal_id uuid,
    exit_signal_at timestamptz,
    bought_quantity numeric(28, 8) NOT NULL DEFAULT 0 CHECK (bought_quantity >= 0),
    cost numeric(28, 8) NOT NULL DEFAULT 0 CHECK (cost >= 0),
    sold_quantity numeric(28, 8) NOT NULL DEFAULT 0 CHECK (sold_quantity BETWEEN 0 AND bought_quantity),
    proceeds numeric(28, 8) NOT NULL DEFAULT 0,
    fees numeric(28, 8) NOT NULL DEFAULT 0 CHECK (fees >= 0),
    pnl numeric(28, 8) GENERATED ALWAYS AS (
        CASE WHEN bought_quantity > 0 THEN proceeds - round(cost * sold_quantity / bought_quantity, 8) ELSE 0 END
    ) STORED,
    opened_at timestamptz NOT NULL,
    closed_at timestamptz,
    is_abandoned boolean NOT NULL DEFAULT false,
    CONSTRAINT bot_entries_exit CHECK ((exit_signal_id IS NULL) = (exit_signal_at IS NULL)),
    CONSTRAINT bot_entries_abandoned CHECK (NOT is_abandoned OR closed_at IS NOT NULL)
);
COMMENT ON COLUMN bot_entries.id IS 'The order that bought. What sells are the exits of its bracket, and `bot_exits`.';
COMMENT ON COLUMN bot_entries.cost IS 'In dollars, fees included, as proceeds are less fees.';
COMMENT ON COLUMN bot_entries.pnl IS 'The realised profit, in dollars, less fees.';
COMMENT ON COLUMN bot_entries.is_abandoned IS 'Its coins were sold by somebody else, or their portfolio was reset.';
CREATE INDEX bot_entries_open ON bot_entries (bot_id, symbol) WHERE closed_at IS NULL;
CREATE INDEX bot_entries_bot ON bot_entries (bot_id, opened_at DESC, id DESC);
CREATE INDEX bot_entries_closed ON bot_entries (bot_id, closed_at) WHERE closed_at IS NOT NULL;

-- Orders that sell of an entry beside the exits of its bracket: stops that were placed anew, and sales without any.
CREATE TABLE bot_exits (
    order_id uuid PRIMARY KEY REFERENCES orders (id) ON DELETE CASCADE,
    entry_id uuid NOT NULL REFERENCES bot_entries (id) ON DELETE CASCADE
);
CREATE INDEX bot_exits_entry ON bot_exits (entry_id);

-- What a bot has earned, in dollars, less fees: by closed round trips, and by what it still holds at the newest prices.
CREATE FUNCTION calculate_bot_performance(of_bots uuid[]) RETURNS TABLE (
    bot_id uuid, total_trades bigint, winning_trades bigint, realized_pnl numeric, open_pnl numeric, open_cost numeric,
    fees numeric, max_drawdown numeric, last_trade_at timestamptz, unquoted_symbols text[]
) LANGUAGE sql STABLE SET search_path = public, pg_temp AS $$
    SELECT k.id, coalesce(c.trades, 0), coalesce(c.wins, 0), coalesce(e.realized, 0), coalesce(e.open, 0),
        coalesce(e.open_cost, 0), coalesce(e.fees, 0), coalesce(c.drawdown, 0), e.last_at,
        coalesce(e.unquoted, '{}')
    FROM unnest(of_bots) AS k (id)
    LEFT JOIN LATERAL (
        SELECT sum(x.pnl) AS realized, sum(x.fees) AS fees,
            max(greatest(x.opened_at, x.closed_at)) FILTER (WHERE x.bought_quantity > 0) AS last_at,
            sum(round((x.bought_quantity - x.sold_quantity) * q.price_usd, 8) - v.cost)
                FILTER (WHERE v.is_held AND q.price_usd IS NOT NULL) AS open,
            sum(v.cost) FILTER (WHERE v.is_held) AS open_cost,
            array_agg(DISTINCT x.symbol ORDER BY x.symbol) FILTER (WHERE v.is_held AND q.price_usd IS NULL) AS unquoted
        FROM bot_entries x
        CROSS JOIN LATERAL (
            -- What was bought before a reset is gone, though the bot has not seen that yet.
            SELECT x.closed_at IS NULL AND x.bought_quantity > x.sold_quantity AND EXISTS (
                    SELECT FROM orders o JOIN portfolios p ON p.id = o.portfolio_id AND p.life = o.life WHERE o.id = x.id
                ) AS is_held,
                x.cost - round(x.cost * x.sold_quantity / nullif(x.bought_quantity, 0), 8) AS cost
        ) v
        LEFT JOIN LATERAL (
            SELECT m.price_usd FROM market_data m WHERE m.symbol = x.symbol AND v.is_held
            ORDER BY m.last_updated DESC LIMIT 1
        ) q ON true
        WHERE x.bot_id = k.id
    ) e ON true
    LEFT JOIN LATERAL (
        SELECT count(*) AS trades, count(*) FILTER (WHERE r.pnl > 0) AS wins, max(r.peak - r.total) AS drawdown
        FROM (
            SELECT t.pnl, t.total,
                greatest(max(t.total) OVER (ORDER BY t.closed_at, t.id ROWS UNBOUNDED PRECEDING), 0) AS peak
            FROM (
                SELECT x.id, x.closed_at, x.pnl, sum(x.pnl) OVER (ORDER BY x.closed_at, x.id) AS total
                FROM bot_entries x WHERE x.bot_id = k.id AND x.closed_at IS NOT NULL AND x.sold_quantity > 0
            ) t
        ) r
    ) c ON true
$$;
REVOKE ALL ON FUNCTION calculate_bot_performance FROM PUBLIC;
GRANT EXECUTE ON FUNCTION calculate_bot_performance TO moneta_app;
COMMENT ON FUNCTION calculate_bot_performance IS 'Runs as its caller: a bot of another user has no entries to be seen.';

CREATE CONSTRAINT TRIGGER trading_bots_audit AFTER INSERT OR UPDATE OR DELETE ON trading_bots
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION write_audit('id');
CREATE TRIGGER trading_bots_created AFTER INSERT ON trading_bots FOR EACH ROW
    EXECUTE FUNCTION record_action('bot.created', 'strategy', 'interval');
CREATE TRIGGER trading_bots_started AFTER UPDATE ON trading_bots FOR EACH ROW
    WHEN (NEW.status = 'active' AND OLD.status <> 'active')
    EXECUTE FUNCTION record_action('bot.started', 'strategy', 'interval');
CREATE TRIGGER trading_bots_stopped AFTER UPDATE ON trading_bots FOR EACH ROW
    WHEN (NEW.status <> 'active' AND OLD.status = 'active')
    EXECUTE FUNCTION record_action('bot.stopped', 'strategy', 'status');

DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['trading_bots', 'bot_states', 'trading_signals', 'bot_entries', 'bot_exits'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', name);
        EXECUTE format(
            'CREATE POLICY %I ON %I USING (app_is_system()) WITH CHECK (app_is_system())', name || '_system', name
        );
    END LOOP;
    FOREACH name IN ARRAY ARRAY['bot_states', 'trading_signals', 'bot_entries'] LOOP
        EXECUTE format(
            'CREATE POLICY %I ON %I FOR SELECT'
            ' USING (bot_id IN (SELECT b.id FROM trading_bots b WHERE b.user_id = app_user_id()))',
            name || '_owner', name
        );
    END LOOP;
END
$$;
CREATE POLICY trading_bots_owner ON trading_bots FOR SELECT USING (user_id = app_user_id());
CREATE POLICY bot_exits_owner ON bot_exits FOR SELECT USING (entry_id IN (SELECT e.id FROM bot_entries e));

-- Bots are emptied, never deleted; what they did changes only with its orders.
REVOKE DELETE ON trading_bots, trading_signals, bot_entries, bot_exits FROM moneta_app;

INSERT INTO partitioned_tables VALUES ('trading_signals', interval '1 year');
SELECT maintain_partitions(now());
