-- name: stored_span
-- The newest candles of a token at the exchange that quotes it now: symbol, interval, from when on they open or null,
-- the last time at which one opens, how many at most. No row without any.
SELECT x.exchange, count(*) AS candles, min(x.opened_at) AS begins_at, max(x.opened_at) AS ends_at
FROM (
    SELECT c.exchange, c.opened_at
    FROM candles c
    WHERE c.symbol = $1::text AND c.interval = $2::text
        AND c.exchange = (
            SELECT m.exchange FROM market_data m WHERE m.symbol = $1 ORDER BY m.last_updated DESC LIMIT 1
        )
        AND c.opened_at >= coalesce($3::timestamptz, '-infinity') AND c.opened_at <= $4::timestamptz
    ORDER BY c.opened_at DESC LIMIT $5::bigint
) x
GROUP BY x.exchange;

-- name: stored_candles
-- The candles of a token in a span, and those before it that are only seen: symbol, exchange, interval, from when on
-- and until when they open, how many before that, how many in it.
SELECT symbol, exchange, interval, opened_at, open, high, low, close, volume_usd
FROM (
    (
        SELECT c.symbol, c.exchange, c.interval, c.opened_at, c.open, c.high, c.low, c.close, c.volume_usd
        FROM candles c
        WHERE c.symbol = $1::text AND c.exchange = $2::text AND c.interval = $3::text
            AND c.opened_at < $4::timestamptz
        ORDER BY c.opened_at DESC LIMIT $6::bigint
    )
    UNION ALL
    (
        SELECT c.symbol, c.exchange, c.interval, c.opened_at, c.open, c.high, c.low, c.close, c.volume_usd
        FROM candles c
        WHERE c.symbol = $1 AND c.exchange = $2 AND c.interval = $3
            AND c.opened_at >= $4 AND c.opened_at <= $5::timestamptz
        ORDER BY c.opened_at LIMIT $7::bigint
    )
) x
ORDER BY opened_at;

-- name: lock_backtests_of
-- Lets one transaction at a time count the unfinished back-tests and sweeps of a user.
SELECT pg_advisory_xact_lock(hashtextextended('moneta.backtests.' || $1::text, 0));

-- name: count_unfinished
-- The back-tests and sweeps of a user that wait or run.
SELECT (SELECT count(*) FROM backtests b WHERE b.user_id = $1::uuid AND b.status IN ('queued', 'running'))
    + (SELECT count(*) FROM backtest_sweeps s WHERE s.user_id = $1 AND s.status IN ('queued', 'running'));

-- name: tier_of
-- The tier of a user at a time.
SELECT coalesce(
    (
        SELECT f.subscription_tier FROM profiles f
        WHERE f.user_id = $1::uuid
            AND (f.subscription_expires_at IS NULL OR f.subscription_expires_at > $2::timestamptz)
    ), 'free'
);

-- name: insert_backtest
-- A back-test that waits: id, user, symbol, interval, exchange, from, until, strategy, bot, cash, tier, candles, time.
INSERT INTO backtests (
    id, user_id, symbol, interval, exchange, since, until, strategy, bot, initial_cash_usd, tier, candles_total,
    created_at
) VALUES (
    $1::uuid, $2::uuid, $3::text, $4::text, $5::text, $6::timestamptz, $7::timestamptz, $8::text, $9::jsonb,
    $10::numeric, $11::text, $12::integer, $13::timestamptz
);

-- name: insert_sweep
-- A sweep that waits: as a back-test, and its axes, the fraction that is tuned on, its runs, what is left out.
INSERT INTO backtest_sweeps (
    id, user_id, symbol, interval, exchange, since, until, strategy, bot, initial_cash_usd, tier, candles, created_at,
    axes, train_fraction, runs_total, left_out
) VALUES (
    $1::uuid, $2::uuid, $3::text, $4::text, $5::text, $6::timestamptz, $7::timestamptz, $8::text, $9::jsonb,
    $10::numeric, $11::text, $12::integer, $13::timestamptz, $14::jsonb, $15::numeric, $16::integer, $17::integer
);

-- name: begin_backtest
-- Begins an unfinished back-test, or begins it again: id, time. Returns how often that was done.
UPDATE backtests SET status = 'running', attempts = attempts + 1, started_at = coalesce(started_at, $2::timestamptz)
WHERE id = $1::uuid AND status IN ('queued', 'running')
RETURNING attempts;

-- name: begin_sweep
-- Begins an unfinished sweep, or begins it again: id, time. Returns how often that was done.
UPDATE backtest_sweeps
SET status = 'running', attempts = attempts + 1, started_at = coalesce(started_at, $2::timestamptz)
WHERE id = $1::uuid AND status IN ('queued', 'running')
RETURNING attempts;

-- name: is_backtest_running
-- Whether a back-test has not ended.
SELECT EXISTS (SELECT FROM backtests WHERE id = $1::uuid AND status = 'running');

-- name: is_sweep_running
-- Whether a sweep has not ended.
SELECT EXISTS (SELECT FROM backtest_sweeps WHERE id = $1::uuid AND status = 'running');

-- name: note_backtest_progress
-- How many candles of a running back-test are done: id, done, of how many. Returns nothing if it has ended.
UPDATE backtests SET candles_done = $2::integer, candles_total = $3::integer
WHERE id = $1::uuid AND status = 'running' RETURNING true;

-- name: note_sweep_progress
-- How many runs of a running sweep are done: id, done, of how many. Returns nothing if it has ended.
UPDATE backtest_sweeps SET runs_done = $2::integer, runs_total = $3::integer
WHERE id = $1::uuid AND status = 'running' RETURNING true;

-- name: complete_backtest
-- Stores the report of a running back-test: id, report, candles, time. Returns nothing if it has ended.
UPDATE backtests
SET status = 'completed', report = $2::jsonb, candles_done = $3::integer, candles_total = $3,
    finished_at = $4::timestamptz
WHERE id = $1::uuid AND status = 'running' RETURNING true;

-- name: insert_trades
-- The round trips of a back-test, which has none yet: id, numbers, beginnings, ends, quantities, costs, proceeds,
-- profits, prices, exits.
INSERT INTO backtest_trades (
    backtest_id, user_id, number, opened_at, closed_at, quantity, cost_usd, proceeds_usd, pnl_usd, average_price_usd,
    exit
)
SELECT b.id, b.user_id, t.*
FROM backtests b, unnest(
    $2::integer[], $3::timestamptz[], $4::timestamptz[], $5::numeric[], $6::numeric[], $7::numeric[], $8::numeric[],
    $9::numeric[], $10::text[]
) AS t
WHERE b.id = $1::uuid;

-- name: complete_sweep
-- Ends a running sweep whose runs are all done: id, runs, candles, when what is not tuned on begins, time. Returns
-- nothing if it has ended.
UPDATE backtest_sweeps
SET status = 'completed', runs_done = $2::integer, runs_total = $2, candles = $3::integer,
    test_begins_at = $4::timestamptz, finished_at = $5::timestamptz
WHERE id = $1::uuid AND status = 'running' RETURNING true;

-- name: insert_runs
-- The runs of a sweep: id, numbers, settings, metrics of both parts, and what they are ordered by.
INSERT INTO backtest_sweep_runs (
    sweep_id, user_id, number, settings, train, test, train_return, train_drawdown, train_sharpe, train_sortino,
    train_profit_factor, test_return, test_drawdown, test_sharpe, test_sortino, test_profit_factor
)
SELECT w.id, w.user_id, r.*
FROM backtest_sweeps w, unnest(
    $2::integer[], $3::jsonb[], $4::jsonb[], $5::jsonb[], $6::float8[], $7::float8[], $8::float8[], $9::float8[],
    $10::float8[], $11::float8[], $12::float8[], $13::float8[], $14::float8[], $15::float8[]
) AS r
WHERE w.id = $1::uuid;

-- name: end_backtest
-- Ends a back-test without a report: id, how, why, time. Returns how far it was, or nothing if it has ended.
UPDATE backtests SET status = $2::text, status_reason = $3::text, finished_at = $4::timestamptz
WHERE id = $1::uuid AND status IN ('queued', 'running')
RETURNING candles_done, candles_total;

-- name: end_sweep
-- Ends a sweep without its runs: id, how, why, time. Returns how far it was, or nothing if it has ended.
UPDATE backtest_sweeps SET status = $2::text, status_reason = $3::text, finished_at = $4::timestamptz
WHERE id = $1::uuid AND status IN ('queued', 'running')
RETURNING runs_done, runs_total;

-- name: is_backtest_of
-- Whether a user has this back-test: id, user.
SELECT EXISTS (SELECT FROM backtests WHERE id = $1::uuid AND user_id = $2::uuid);

-- name: is_sweep_of
-- Whether a user has this sweep: id, user.
SELECT EXISTS (SELECT FROM backtest_sweeps WHERE id = $1::uuid AND user_id = $2::uuid);

-- name: delete_old_backtests
-- Deletes a batch of old back-tests with their round trips, and the positions of their streams: before when, how many.
-- Returns how many. Their events are dropped with their partition.
WITH gone AS (
    DELETE FROM backtests WHERE id = ANY (
        ARRAY(SELECT id FROM backtests WHERE created_at < $1::timestamptz ORDER BY created_at LIMIT $2::bigint)
    ) RETURNING id
), streams AS (
    DELETE FROM event_streams WHERE stream = ANY (ARRAY(SELECT 'backtest:' || id FROM gone))
)
SELECT count(*) FROM gone;

-- name: delete_old_sweeps
-- Deletes a batch of old sweeps with their runs, and the positions of their streams: before when, how many. Returns how
-- many. Their events are dropped with their partition.
WITH gone AS (
    DELETE FROM backtest_sweeps WHERE id = ANY (
        ARRAY(SELECT id FROM backtest_sweeps WHERE created_at < $1::timestamptz ORDER BY created_at LIMIT $2::bigint)
    ) RETURNING id
), streams AS (
    DELETE FROM event_streams WHERE stream = ANY (ARRAY(SELECT 'backtest:' || id FROM gone))
)
SELECT count(*) FROM gone;
