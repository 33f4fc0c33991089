-- Sweeps -----------------------------------------------------------------------------------------------------------

CREATE TABLE backtest_sweeps (
    id uuid PRIMARY KEY,
    user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    symbol text NOT NULL,
    interval text NOT NULL CHECK (interval IN ('1m', '5m', '1h', '1d')),
    exchange text NOT NULL,
    since timestamptz NOT NULL,
    until timestamptz NOT NULL,
    strategy text NOT NULL,
    bot jsonb NOT NULL CHECK (jsonb_typeof(bot) = 'object'),
    axes jsonb NOT NULL CHECK (jsonb_typeof(axes) = 'array'),
    initial_cash_usd numeric(20, 8) NOT NULL CHECK (initial_cash_usd > 0),
    tier text NOT NULL,
    train_fraction numeric(9, 8) CHECK (train_fraction > 0 AND train_fraction < 1),
    status text NOT NULL DEFAULT 'queued'
        CHECK (status IN ('queued', 'running', 'completed', 'failed', 'cancelled')),
    status_reason text,
    attempts integer NOT NULL DEFAULT 0 CHECK (attempts >= 0),
    runs_done integer NOT NULL DEFAULT 0,
    runs_total integer NOT NULL CHECK (runs_total > 0),
    left_out integer NOT NULL DEFAULT 0 CHECK (left_out >= 0),
    test_begins_at timestamptz,
    candles integer NOT NULL CHECK (candles > 0),
    created_at timestamptz NOT NULL DEFAULT now(),
    started_at timestamptz,
    finished_at timestamptz,
    CONSTRAINT backtest_sweeps_span CHECK (since < until),
    CONSTRAINT backtest_sweeps_done CHECK (runs_done BETWEEN 0 AND runs_total),
    CONSTRAINT backtest_sweeps_finished
        CHECK ((finished_at IS NOT NULL) = (status IN ('completed', 'failed', 'cancelled'))),
    CONSTRAINT backtest_sweeps_completed
        CHECK (status <> 'completed' OR runs_done = runs_total)
);
COMMENT ON TABLE backtest_sweeps IS 'Back-tests of one bot with different settings. Kept for 90 days.';
COMMENT ON COLUMN backtest_sweeps.bot IS 'A BotTerms, as JSON: what all runs have in common.';
COMMENT ON COLUMN backtest_sweeps.axes IS
    'The settings that differ, each with its values: every combination is a run.';
COMMENT ON COLUMN backtest_sweeps.train_fraction IS
    'The part of the candles that runs are tuned on; each run is measured on the rest apart. Null: on all together.';
COMMENT ON COLUMN backtest_sweeps.left_out IS
    'Combinations that no bot can have, such as a fast period above the slow.';
COMMENT ON COLUMN backtest_sweeps.test_begins_at IS
    'When the first candle that is not tuned on opens. Null without one.';
CREATE INDEX backtest_sweeps_user ON backtest_sweeps (user_id, created_at DESC, id DESC);
CREATE INDEX backtest_sweeps_user_status ON backtest_sweeps (user_id, status, created_at DESC, id DESC);
CREATE INDEX backtest_sweeps_user_symbol ON backtest_sweeps (user_id, symbol, created_at DESC, id DESC);
CREATE INDEX backtest_sweeps_user_symbol_status
    ON backtest_sweeps (user_id, symbol, status, created_at DESC, id DESC);
CREATE INDEX backtest_sweeps_unfinished ON backtest_sweeps (user_id) WHERE status IN ('queued', 'running');
CREATE INDEX backtest_sweeps_created_at ON backtest_sweeps (created_at);

CREATE TABLE backtest_sweep_runs (
    sweep_id uuid NOT NULL REFERENCES backtest_sweeps (id) ON DELETE CASCADE,
    user_id uuid NOT NULL,
    number integer NOT NULL CHECK (number > 0),
    settings jsonb NOT NULL CHECK (jsonb_typeof(settings) = 'object'),
    train jsonb NOT NULL CHECK (jsonb_typeof(train) = 'object'),
    test jsonb CHECK (jsonb_typeof(test) = 'object'),
    train_return double precision,
    train_drawdown double precision,
    train_sharpe double precision,
    train_sortino double precision,
    train_profit_factor double precision,
    test_return double precision,
    test_drawdown double precision,
    test_sharpe double precision,
    test_sortino double precision,
    test_profit_factor double precision,
    PRIMARY KEY (sweep_id, number)
);
COMMENT ON TABLE backtest_sweep_runs IS
    'What each combination of a sweep came to. They are stored together, once all are done.';
COMMENT ON COLUMN backtest_sweep_runs.user_id IS
    'Whose sweep it is: a policy that asked there would read all of theirs.';
COMMENT ON COLUMN backtest_sweep_runs.settings IS 'The settings that differ, by name.';
COMMENT ON COLUMN backtest_sweep_runs.train IS 'The Metrics of the part that is tuned on, or of everything, as JSON.';
COMMENT ON COLUMN backtest_sweep_runs.test IS 'The Metrics of the rest, as JSON. Null without a train fraction.';

-- Back-tests -------------------------------------------------------------------------------------------------------

CREATE TABLE backtests (
    id uuid PRIMARY KEY,
    user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    symbol text NOT NULL,
    interval text NOT NULL CHECK (interval IN ('1m', '5m', '1h', '1d')),
    exchange text NOT NULL,
    since timestamptz NOT NULL,
    until timestamptz NOT NULL,
    strategy text NOT NULL,
    bot jsonb NOT NULL CHECK (jsonb_typeof(bot) = 'object'),
    initial_cash_usd numeric(20, 8) NOT NULL CHECK (initial_cash_usd > 0),
    tier text NOT NULL,
    status text NOT NULL DEFAULT 'queued'
        CHECK (status IN ('queued', 'running', 'completed', 'failed', 'cancelled')),
    status_reason text,
    attempts integer NOT NULL DEFAULT 0 CHECK (attempts >= 0),
    candles_done integer NOT NULL DEFAULT 0,
    candles_total integer NOT NULL CHECK (candles_total > 0),
    report jsonb CHECK (jsonb_typeof(report) = 'object'),
    created_at timestamptz NOT NULL DEFAULT now(),
    started_at timestamptz,
    finished_at timestamptz,
    CONSTRAINT backtests_span CHECK (since < until),
    CONSTRAINT backtests_done CHECK (candles_done BETWEEN 0 AND candles_total),
    CONSTRAINT backtests_finished
        CHECK ((finished_at IS NOT NULL) = (status IN ('completed', 'failed', 'cancelled'))),
    CONSTRAINT backtests_completed CHECK ((status = 'completed') = (report IS NOT NULL))
);
COMMENT ON TABLE backtests IS 'A bot over stored candles. Kept for 90 days.';
COMMENT ON COLUMN backtests.bot IS 'A BotTerms, as JSON.';
COMMENT ON COLUMN backtests.tier IS 'The tier of the user when it was asked for, which says the fees.';
COMMENT ON COLUMN backtests.report IS 'A Report without its round trips, as JSON.';
CREATE INDEX backtests_user ON backtests (user_id, created_at DESC, id DESC);
CREATE INDEX backtests_user_status ON backtests (user_id, status, created_at DESC, id DESC);
CREATE INDEX backtests_user_symbol ON backtests (user_id, symbol, created_at DESC, id DESC);
CREATE INDEX backtests_user_symbol_status ON backtests (user_id, symbol, status, created_at DESC, id DESC);
CREATE INDEX backtests_unfinished ON backtests (user_id) WHERE status IN ('queued', 'running');
CREATE INDEX backtests_created_at ON backtests (created_at);

CREATE TABLE backtest_trades (
    backtest_id uuid NOT NULL REFERENCES backtests (id) ON DELETE CASCADE,
    user_id uuid NOT NULL,
    number integer NOT NULL CHECK (number > 0),
    opened_at timestamptz NOT NULL,
    closed_at timestamptz NOT NULL,
    quantity numeric(20, 8) NOT NULL CHECK (quantity > 0),
    cost_usd numeric(20, 8) NOT NULL CHECK (cost_usd >= 0),
    proceeds_usd numeric(20, 8) NOT NULL CHECK (proceeds_usd >= 0),
    pnl_usd numeric(20, 8) NOT NULL,
    average_price_usd numeric(24, 12) NOT NULL CHECK (average_price_usd >= 0),
    exit text NOT NULL CHECK (exit IN ('take_profit', 'stop_loss', 'signal')),
    PRIMARY KEY (backtest_id, number),
    CONSTRAINT backtest_trades_times CHECK (opened_at <= closed_at),
    CONSTRAINT backtest_trades_pnl CHECK (pnl_usd = proceeds_usd - cost_usd)
);
COMMENT ON COLUMN backtest_trades.user_id IS
    'Whose back-test it is: a policy that asked there would read all of theirs.';
COMMENT ON TABLE backtest_trades IS 'The round trips of back-tests: what one order sold each.';

-- Who sees what ----------------------------------------------------------------------------------------------------

DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['backtests', 'backtest_sweeps', 'backtest_trades', 'backtest_sweep_runs'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', name);
        EXECUTE format(
            'CREATE POLICY %I ON %I USING (app_is_system()) WITH CHECK (app_is_system())', name || '_system', name
        );
        EXECUTE format('CREATE POLICY %I ON %I FOR SELECT USING (user_id = app_user_id())', name || '_owner', name);
    END LOOP;
END
$$;
