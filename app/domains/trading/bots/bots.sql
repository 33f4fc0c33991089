-- name: bots_by_ids
-- Bots with these IDs.
SELECT id, user_id, portfolio_id, name, strategy, config, target_symbols, interval, max_position_size,
    stop_loss_percentage, take_profit_percentage, risk_level, daily_loss_limit, cool_down_ms, initial_investment,
    ai_model, status, status_reason, started_at, created_at, updated_at
FROM trading_bots WHERE id = ANY ($1::uuid[]) AND user_id IS NOT NULL;

-- name: bots_by_user
-- The bots of a user.
SELECT id, user_id, portfolio_id, name, strategy, config, target_symbols, interval, max_position_size,
    stop_loss_percentage, take_profit_percentage, risk_level, daily_loss_limit, cool_down_ms, initial_investment,
    ai_model, status, status_reason, started_at, created_at, updated_at
FROM trading_bots WHERE user_id = {key::uuid};

-- name: states_by_bots
-- What each bot decided last about each of its tokens.
SELECT k.ord, s.bot_id, s.symbol, s.decided_at, s.signal_type, s.confidence, s.reasoning, s.technical_indicators,
    s.price
FROM unnest($1::uuid[]) WITH ORDINALITY AS k (id, ord)
JOIN trading_bots b ON b.id = k.id
JOIN bot_states s ON s.bot_id = k.id AND s.symbol = ANY (b.target_symbols)
ORDER BY k.ord, s.symbol;

-- name: signals_by_ids
-- Signals with these IDs.
SELECT id, bot_id, symbol, signal_type, confidence, price, reasoning, technical_indicators, execution_status,
    status_reason, candle_closed_at, executed_at, created_at
FROM trading_signals WHERE id = ANY ($1::uuid[]);

-- name: signals_by_bot
-- The signals of a bot.
SELECT id, bot_id, symbol, signal_type, confidence, price, reasoning, technical_indicators, execution_status,
    status_reason, candle_closed_at, executed_at, created_at
FROM trading_signals WHERE bot_id = {key::uuid};

-- name: entries_by_bot
-- What a bot bought.
SELECT id, bot_id, symbol, slot, signal_id, bought_quantity, cost, sold_quantity, proceeds, fees, pnl, opened_at,
    closed_at, is_abandoned, closed_at IS NULL AS is_open
FROM bot_entries WHERE bot_id = {key::uuid};

-- name: orders_by_bot
-- The orders of a bot.
SELECT id, portfolio_id, life, symbol, side, type, time_in_force, expires_at, post_only, reduce_only, quantity,
    quote_amount, price, stop_price, trail_amount, trail_fraction, protection_price, reserved, filled_quantity,
    filled_quote, average_fill_price, fees, status, reason, mode, exchange, client_order_id, bracket_id, bracket_role,
    triggered_at, created_at, updated_at, filled_at, cancelled_at
FROM orders WHERE bot_id = {key::uuid};

-- name: performance_of_bots
-- What these bots have earned, at the newest prices.
SELECT c.bot_id, b.initial_investment, c.total_trades, c.winning_trades,
    round(c.winning_trades::numeric / nullif(c.total_trades, 0), 8) AS win_rate_fraction, c.realized_pnl, c.open_pnl,
    c.realized_pnl + c.open_pnl AS total_pnl, b.initial_investment + c.realized_pnl + c.open_pnl AS current_value,
    round((c.realized_pnl + c.open_pnl) / b.initial_investment, 8) AS return_fraction,
    h.return_fraction AS holding_return_fraction, c.max_drawdown, c.fees, c.last_trade_at, c.unquoted_symbols
FROM calculate_bot_performance($1::uuid[]) c
JOIN trading_bots b ON b.id = c.bot_id
CROSS JOIN LATERAL (
    SELECT CASE WHEN count(*) = count(q.price_usd) THEN round(avg(q.price_usd / s.first_price - 1), 8) END
        AS return_fraction
    FROM bot_states s
    LEFT JOIN LATERAL (
        SELECT m.price_usd FROM market_data m WHERE m.symbol = s.symbol ORDER BY m.last_updated DESC LIMIT 1
    ) q ON true
    WHERE s.bot_id = b.id AND s.symbol = ANY (b.target_symbols)
) h;

-- name: lock_bots_of
-- Lets one transaction at a time change which bots a user has.
SELECT pg_advisory_xact_lock(hashtextextended('moneta.bots:' || $1::text, 0));

-- name: count_bots
-- How many bots a user has.
SELECT count(*) FROM trading_bots WHERE user_id = $1;

-- name: insert_bot
-- Inserts a bot, paused: user, portfolio, name, strategy, configuration, tokens, interval, largest position, stop loss,
-- take profit, risk, daily loss limit, cool-down, investment, model, time. Returns its ID.
INSERT INTO trading_bots (user_id, portfolio_id, name, strategy, config, target_symbols, interval, max_position_size,
    stop_loss_percentage, take_profit_percentage, risk_level, daily_loss_limit, cool_down_ms, initial_investment,
    ai_model, created_at, updated_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $16)
RETURNING id;

-- name: lock_bot
-- Locks a bot of a user: nobody decides with it meanwhile.
SELECT id, user_id, portfolio_id, name, status, status_reason, strategy, config, target_symbols, interval
FROM trading_bots WHERE id = $1 AND user_id = $2 FOR NO KEY UPDATE;

-- name: update_bot
-- Changes a bot; null leaves a value as it is, but for the two with a flag: ID, name, strategy, configuration, tokens,
-- interval, largest position, stop loss, take profit, risk, whether to set the daily loss limit, that limit, cool-down,
-- whether to set the model, that model.
UPDATE trading_bots
SET name = coalesce($2, name), strategy = coalesce($3, strategy), config = coalesce($4::jsonb, config),
    target_symbols = coalesce($5::text[], target_symbols), interval = coalesce($6, interval),
    max_position_size = coalesce($7, max_position_size), stop_loss_percentage = coalesce($8, stop_loss_percentage),
    take_profit_percentage = coalesce($9, take_profit_percentage), risk_level = coalesce($10, risk_level),
    daily_loss_limit = CASE WHEN $11::boolean THEN $12::numeric ELSE daily_loss_limit END,
    cool_down_ms = coalesce($13, cool_down_ms),
    ai_model = CASE WHEN $14::boolean THEN $15::text ELSE ai_model END
WHERE id = $1;

-- name: forget_states
-- Forgets what a bot remembers by its strategy; what it decided on it does not decide on again.
UPDATE bot_states SET state = NULL WHERE bot_id = $1;

-- name: set_status
-- Sets the status of a bot and its reason; one that becomes active begins at this time.
UPDATE trading_bots
SET status = $2::text, status_reason = $3::text,
    started_at = CASE WHEN $2 = 'active' AND status <> 'active' THEN $4::timestamptz ELSE started_at END
WHERE id = $1;

-- name: delete_bot
-- Deletes a bot: it is nobody's from then on.
UPDATE trading_bots SET user_id = NULL WHERE id = $1;

-- name: without_candles
-- Those of these tokens that have no candle of this interval at the exchange that quotes them, or no quote.
SELECT k.symbol FROM unnest($1::text[]) AS k (symbol)
WHERE NOT EXISTS (
    SELECT FROM candles c
    WHERE c.symbol = k.symbol AND c.interval = $2::text AND c.exchange = (
        SELECT m.exchange FROM market_data m WHERE m.symbol = k.symbol ORDER BY m.last_updated DESC LIMIT 1
    )
)
ORDER BY k.symbol;

-- name: listed_symbols
-- Those of these symbols that are of listed tokens.
SELECT t.symbol FROM tokens t WHERE t.symbol = ANY ($1::text[]) AND t.is_active;
