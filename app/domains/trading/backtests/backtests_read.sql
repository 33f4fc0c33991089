-- name: backtests_by_ids
-- Back-tests with these ids.
SELECT id, user_id, symbol, interval, exchange, since, until, strategy, bot, initial_cash_usd, tier, status,
    status_reason, candles_done, candles_total, report, created_at, started_at, finished_at
FROM backtests WHERE id = ANY ($1::uuid[]);

-- name: backtests_by_user
-- The back-tests of a user.
SELECT id, user_id, symbol, interval, exchange, since, until, strategy, bot, initial_cash_usd, tier, status,
    status_reason, candles_done, candles_total, report, created_at, started_at, finished_at
FROM backtests WHERE user_id = {key::uuid};

-- name: trades_by_backtest
-- The round trips of a back-test.
SELECT backtest_id, number, opened_at, closed_at, quantity, cost_usd, proceeds_usd, pnl_usd, average_price_usd, exit
FROM backtest_trades WHERE backtest_id = {key::uuid};

-- name: sweeps_by_ids
-- Sweeps with these ids.
SELECT id, user_id, symbol, interval, exchange, since, until, strategy, bot, axes, initial_cash_usd, tier,
    train_fraction, status, status_reason, runs_done, runs_total, left_out, test_begins_at, candles, created_at,
    started_at, finished_at
FROM backtest_sweeps WHERE id = ANY ($1::uuid[]);

-- name: sweeps_by_user
-- The sweeps of a user.
SELECT id, user_id, symbol, interval, exchange, since, until, strategy, bot, axes, initial_cash_usd, tier,
    train_fraction, status, status_reason, runs_done, runs_total, left_out, test_begins_at, candles, created_at,
    started_at, finished_at
FROM backtest_sweeps WHERE user_id = {key::uuid};

-- name: runs_by_sweep
-- The runs of a sweep.
SELECT sweep_id, number, settings, train, test, train_return, train_drawdown, train_sharpe, train_sortino,
    train_profit_factor, test_return, test_drawdown, test_sharpe, test_sortino, test_profit_factor
FROM backtest_sweep_runs WHERE sweep_id = {key::uuid};
