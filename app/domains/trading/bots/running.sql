-- name: due_bot_ids
-- Active bots of an interval that have not decided on the candle that ended at this time: interval, time. A bot does
-- not make up for candles from before it was started.
SELECT b.id FROM trading_bots b
WHERE b.status = 'active' AND b.interval = $1 AND b.started_at <= $2::timestamptz AND EXISTS (
    SELECT FROM unnest(b.target_symbols) AS k (symbol)
    LEFT JOIN bot_states s ON s.bot_id = b.id AND s.symbol = k.symbol
    WHERE s.decided_at IS NULL OR s.decided_at < $2
)
ORDER BY b.id;

-- name: due_bots
-- These bots with each token that they have not decided on since: IDs, end of the candle, beginning of the day.
SELECT b.id AS bot_id, b.user_id, b.portfolio_id, k.symbol, b.config, b.max_position_size, b.stop_loss_percentage,
    b.take_profit_percentage, b.risk_level, b.daily_loss_limit, b.cool_down_ms, b.ai_model, s.state,
    s.decided_at, s.signal_type AS last_type, l.lost_today, l.last_loss_at
FROM trading_bots b
CROSS JOIN LATERAL unnest(b.target_symbols) WITH ORDINALITY AS k (symbol, ord)
LEFT JOIN bot_states s ON s.bot_id = b.id AND s.symbol = k.symbol
CROSS JOIN LATERAL (
    SELECT coalesce(-sum(e.pnl) FILTER (WHERE e.closed_at >= $3::timestamptz), 0) AS lost_today,
        max(e.closed_at) FILTER (WHERE e.pnl < 0) AS last_loss_at
    FROM bot_entries e WHERE e.bot_id = b.id AND e.closed_at >= $3 - interval '7 days'
) l
WHERE b.id = ANY ($1::uuid[]) AND b.status = 'active' AND b.started_at <= $2::timestamptz
    AND (s.decided_at IS NULL OR s.decided_at < $2)
ORDER BY b.id, k.ord;

-- name: held_entries
-- The open entries of these bots, each bot's oldest first, and the orders that sell them.
SELECT e.id, e.bot_id, e.symbol, e.slot, o.status NOT IN ('pending', 'partial') AS is_bought, e.bought_quantity,
    e.sold_quantity, o.average_fill_price AS average_price, e.opened_at, t.id AS take_profit_id,
    s.status IN ('pending', 'partial') OR EXISTS (
        SELECT FROM bot_exits x JOIN orders i ON i.id = x.order_id
        WHERE x.entry_id = e.id AND i.status IN ('pending', 'partial')
    ) AS has_stop, s.stop_price AS stop_loss_price, o.life
FROM bot_entries e
JOIN orders o ON o.id = e.id
JOIN orders s ON s.bracket_id = e.bracket_id AND s.bracket_role = 'stop_loss'
LEFT JOIN orders t ON t.bracket_id = e.bracket_id AND t.bracket_role = 'take_profit'
    AND t.status IN ('pending', 'partial') AND t.priority IS NOT NULL
WHERE e.bot_id = ANY ($1::uuid[]) AND e.closed_at IS NULL
ORDER BY e.opened_at, e.id;

-- name: active_bot
-- A row if a bot is active and was started before a candle ended: bot, end. That does not change until the transaction
-- ends.
SELECT true FROM trading_bots WHERE id = $1 AND status = 'active' AND started_at <= $2::timestamptz FOR SHARE;

-- name: decide
-- Notes what bots decided at the end of a candle: bots, symbols, end, states, types, confidences, reasons, indicators,
-- prices, and which candles they had decided on before. Returns those of which that is still so, and which are active
-- since before the candle ended. What is stored as the first time is compared only: it does not change.
INSERT INTO bot_states AS s (bot_id, symbol, decided_at, state, signal_type, confidence, reasoning,
    technical_indicators, price, first_price, first_at)
SELECT n.bot_id, n.symbol, $3::timestamptz, n.state, n.type, n.confidence, n.reasoning, n.indicators, n.price, n.price,
    coalesce(n.before, $3)
FROM unnest($1::uuid[], $2::text[], $4::jsonb[], $5::text[], $6::integer[], $7::text[], $8::jsonb[], $9::numeric[],
    $10::timestamptz[]) AS n (bot_id, symbol, state, type, confidence, reasoning, indicators, price, before)
JOIN trading_bots b ON b.id = n.bot_id AND b.status = 'active' AND b.started_at <= $3
ORDER BY n.bot_id, n.symbol
ON CONFLICT (bot_id, symbol) DO UPDATE
SET decided_at = excluded.decided_at, state = excluded.state, signal_type = excluded.signal_type,
    confidence = excluded.confidence, reasoning = excluded.reasoning,
    technical_indicators = excluded.technical_indicators, price = excluded.price
WHERE s.decided_at < excluded.decided_at AND s.decided_at = excluded.first_at
RETURNING s.bot_id, s.symbol;

-- name: insert_signals
-- Inserts signals: IDs, bots, symbols, types, confidences, prices, reasons, indicators, statuses, reasons of the
-- statuses, end of the candle, time.
INSERT INTO trading_signals (id, bot_id, symbol, signal_type, confidence, price, reasoning, technical_indicators,
    execution_status, status_reason, candle_closed_at, created_at)
SELECT n.id, n.bot_id, n.symbol, n.type, n.confidence, n.price, n.reasoning, n.indicators, n.status, n.reason,
    $11::timestamptz, $12::timestamptz
FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::integer[], $6::numeric[], $7::text[], $8::jsonb[],
    $9::text[], $10::text[])
    AS n (id, bot_id, symbol, type, confidence, price, reasoning, indicators, status, reason);

-- name: insert_entries
-- Inserts what a bot is about to buy by a signal: orders, brackets, slots, bot, symbol, signal, its time.
INSERT INTO bot_entries (id, bracket_id, slot, bot_id, symbol, signal_id, signal_at, opened_at)
SELECT n.id, n.bracket_id, n.slot, $4::uuid, $5::text, $6::uuid, $7::timestamptz, $7
FROM unnest($1::uuid[], $2::uuid[], $3::integer[]) AS n (id, bracket_id, slot);

-- name: note_exits
-- Notes the signal that sells entries: entries, signal, its time. Returns the earlier signals that were to sell them,
-- did not, and have nothing else to sell.
WITH before AS (
    SELECT id, exit_signal_id, exit_signal_at FROM bot_entries WHERE id = ANY ($1::uuid[]) AND closed_at IS NULL
), noted AS (
    UPDATE bot_entries e SET exit_signal_id = $2::uuid, exit_signal_at = $3::timestamptz
    FROM before WHERE e.id = before.id
)
UPDATE trading_signals s
SET execution_status = 'FAILED', status_reason = 'It sold nothing before a later signal did.'
FROM (SELECT DISTINCT exit_signal_id AS id, exit_signal_at AS at FROM before) d, trading_bots b
WHERE s.id = d.id AND s.created_at = d.at AND s.execution_status = 'PENDING' AND b.id = s.bot_id AND NOT EXISTS (
    SELECT FROM bot_entries e
    WHERE e.bot_id = s.bot_id AND e.closed_at IS NULL AND e.exit_signal_id = s.id AND e.id <> ALL ($1)
)
RETURNING s.id, s.bot_id, b.user_id, s.execution_status, s.status_reason;

-- name: insert_exit
-- Notes that an order sells of an entry.
INSERT INTO bot_exits (order_id, entry_id) VALUES ($1, $2);

-- name: abandon_entries
-- Closes entries whose coins are no longer the bot's to sell: entries, time. Returns the signals that were to sell them
-- and have nothing else to sell.
WITH gone AS (
    UPDATE bot_entries SET closed_at = $2::timestamptz, is_abandoned = true
    WHERE id = ANY ($1::uuid[]) AND closed_at IS NULL
    RETURNING exit_signal_id AS id, exit_signal_at AS at
)
UPDATE trading_signals s
SET execution_status = 'FAILED', status_reason = 'What it was to sell was gone before.'
FROM (SELECT DISTINCT id, at FROM gone) d, trading_bots b
WHERE s.id = d.id AND s.created_at = d.at AND s.execution_status = 'PENDING' AND b.id = s.bot_id AND NOT EXISTS (
    SELECT FROM bot_entries e
    WHERE e.bot_id = s.bot_id AND e.closed_at IS NULL AND e.exit_signal_id = s.id AND e.id <> ALL ($1)
)
RETURNING s.id, s.bot_id, b.user_id, s.execution_status, s.status_reason;

-- name: settle_entries
-- Sets what became of the entries that these orders buy or sell, and returns them: orders, time.
WITH touched AS (
    SELECT e.id FROM bot_entries e
    WHERE e.bracket_id = ANY (
        ARRAY(SELECT o.bracket_id FROM orders o WHERE o.id = ANY ($1::uuid[]) AND o.bracket_id IS NOT NULL)
    )
    UNION
    SELECT x.entry_id FROM bot_exits x WHERE x.order_id = ANY ($1)
), sums AS (
    SELECT e.id, b.filled_quantity AS bought, b.filled_quote + b.fees AS cost, s.quantity AS sold,
        s.quote - s.fees AS proceeds, b.fees + s.fees AS fees,
        b.status NOT IN ('pending', 'partial') AND b.filled_quantity = s.quantity AS is_over
    FROM bot_entries e
    JOIN orders b ON b.id = e.id
    CROSS JOIN LATERAL (
        SELECT coalesce(sum(o.filled_quantity), 0) AS quantity, coalesce(sum(o.filled_quote), 0) AS quote,
            coalesce(sum(o.fees), 0) AS fees
        FROM (
            SELECT i.filled_quantity, i.filled_quote, i.fees FROM orders i
            WHERE i.bracket_id = e.bracket_id AND i.bracket_role <> 'entry'
            UNION ALL
            SELECT i.filled_quantity, i.filled_quote, i.fees FROM bot_exits x JOIN orders i ON i.id = x.order_id
            WHERE x.entry_id = e.id
        ) o
    ) s
    WHERE e.id = ANY (ARRAY(SELECT id FROM touched))
)
UPDATE bot_entries e
SET bought_quantity = n.bought, cost = n.cost, sold_quantity = n.sold, proceeds = n.proceeds, fees = n.fees,
    closed_at = CASE WHEN n.is_over THEN coalesce(e.closed_at, $2::timestamptz) ELSE e.closed_at END
FROM sums n WHERE n.id = e.id
RETURNING e.id;

-- name: settle_signals
-- Sets what became of the signals behind these entries, and returns those that have changed: entries, time.
UPDATE trading_signals s
SET execution_status = n.status, status_reason = n.reason,
    executed_at = CASE n.status WHEN 'EXECUTED' THEN $2::timestamptz END
FROM (
    SELECT e.signal_id AS id, e.signal_at AS at,
        CASE WHEN bool_or(e.bought_quantity > 0) THEN 'EXECUTED' ELSE 'FAILED' END AS status,
        CASE WHEN NOT bool_or(e.bought_quantity > 0) THEN 'The order was not filled: ' || min(o.reason) END AS reason
    FROM bot_entries e JOIN orders o ON o.id = e.id
    WHERE e.id = ANY ($1::uuid[]) AND (e.bought_quantity > 0 OR o.status NOT IN ('pending', 'partial'))
    GROUP BY 1, 2
    UNION ALL
    SELECT DISTINCT e.exit_signal_id, e.exit_signal_at, 'EXECUTED', NULL::text FROM bot_entries e
    WHERE e.id = ANY ($1) AND e.exit_signal_id IS NOT NULL AND e.closed_at IS NOT NULL AND NOT e.is_abandoned
) n, trading_bots b
WHERE s.id = n.id AND s.created_at = n.at AND b.id = s.bot_id
    AND (s.execution_status = 'PENDING' OR (s.execution_status = 'FAILED' AND n.status = 'EXECUTED'))
RETURNING s.id, s.bot_id, b.user_id, s.execution_status, s.status_reason;

-- name: bots_of_entries
-- The bots behind these entries that have a user.
SELECT DISTINCT b.id AS bot_id, b.user_id, b.status, b.status_reason
FROM bot_entries e JOIN trading_bots b ON b.id = e.bot_id WHERE e.id = ANY ($1::uuid[]) AND b.user_id IS NOT NULL;

-- name: open_stops
-- The open stops of an entry that were not reached: of its bracket, and those that were placed anew.
SELECT o.id FROM bot_entries e JOIN orders o ON o.bracket_id = e.bracket_id AND o.bracket_role = 'stop_loss'
WHERE e.id = $1 AND o.status IN ('pending', 'partial') AND o.priority IS NOT NULL AND o.triggered_at IS NULL
UNION ALL
SELECT o.id FROM bot_exits x JOIN orders o ON o.id = x.order_id
WHERE x.entry_id = $1 AND o.status IN ('pending', 'partial') AND o.type = 'stop' AND o.triggered_at IS NULL;
