-- Values at the times of flows -------------------------------------------------------------------------------------

-- A return needs the value at which money came or went: within an hour it may have been any.
ALTER TABLE portfolio_value_history
    DROP CONSTRAINT portfolio_value_history_resolution_check,
    ADD CONSTRAINT portfolio_value_history_resolution_check CHECK (resolution IN ('1m', '1h', '1d', 'flow'));
COMMENT ON TABLE portfolio_value_history IS
    'The first value in each minute, hour and day, and the value before each deposit and withdrawal (flow). Kept for a
    day, 31 days, for ever, and for ever.';

-- Performance ------------------------------------------------------------------------------------------------------

CREATE TABLE performance_metrics (
    portfolio_id uuid NOT NULL REFERENCES portfolios (id) ON DELETE CASCADE,
    period text NOT NULL CHECK (period IN ('day', 'week', 'month', 'year')),
    period_start timestamptz NOT NULL,
    period_end timestamptz NOT NULL,
    metric_type text NOT NULL CHECK (
        metric_type IN (
            'opening_value', 'closing_value', 'net_flow', 'gain', 'time_weighted_return', 'money_weighted_return',
            'max_drawdown', 'daily_returns', 'volatility', 'sharpe', 'sortino', 'exposure', 'time_in_market', 'trades',
            'fills', 'turnover', 'turnover_ratio', 'fees', 'round_trips', 'realized_pnl', 'win_rate', 'profit_factor',
            'best_pnl', 'worst_pnl'
        )
    ),
    value numeric,
    metadata jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(metadata) = 'object'),
    life integer NOT NULL CHECK (life > 0),
    is_final boolean NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    computed_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (portfolio_id, period, period_start, metric_type),
    CONSTRAINT performance_metrics_period CHECK (period_start < period_end),
    -- NaN is greater than infinity.
    CONSTRAINT performance_metrics_finite CHECK (value > '-Infinity' AND value < 'Infinity')
) WITH (fillfactor = 80);
COMMENT ON TABLE performance_metrics IS
    'What a portfolio did in a day, week, month or year in UTC: a row for each metric, computed again in place until it is
    final. Days are kept for two years, the others for ever.';
COMMENT ON COLUMN performance_metrics.value IS
    'In the currency of the portfolio, a fraction or a number. Null: undefined, such as a profit factor without losses.
    Of any size and scale: ratios have no bounds.';
COMMENT ON COLUMN performance_metrics.metadata IS 'What belongs to the value: when it was so, whether it is an estimate.';
COMMENT ON COLUMN performance_metrics.life IS 'A period in which a life began is that of this life.';
COMMENT ON COLUMN performance_metrics.is_final IS 'Whether the period was over, with a value at its end.';
CREATE INDEX performance_metrics_open ON performance_metrics (portfolio_id, period, period_start) WHERE NOT is_final;
CREATE INDEX performance_metrics_days ON performance_metrics (period_end) WHERE period = 'day';
-- From a fill to what it sold.
CREATE INDEX disposals_fill ON disposals (fill_id) WHERE fill_id IS NOT NULL;

ALTER TABLE performance_metrics ENABLE ROW LEVEL SECURITY;
ALTER TABLE performance_metrics FORCE ROW LEVEL SECURITY;
CREATE POLICY performance_metrics_system ON performance_metrics USING (app_is_system()) WITH CHECK (app_is_system());
CREATE POLICY performance_metrics_owner ON performance_metrics FOR SELECT
    USING (portfolio_id IN (SELECT p.id FROM portfolios p WHERE p.user_id = app_user_id()));
