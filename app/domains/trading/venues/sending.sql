-- name: lead
-- Begins the epoch of a new leader.
UPDATE venue_state SET epoch = epoch + 1 RETURNING epoch;

-- name: lock_epoch
-- Who leads; nobody else can begin to, until the end of the transaction.
SELECT epoch FROM venue_state FOR SHARE;

-- name: due_orders
-- What is to be sent, looked up, cancelled or followed at an account, oldest first: at most so many.
SELECT v.id, v.order_id, v.portfolio_id, v.symbol, v.market, o.side, o.type, o.time_in_force, o.post_only, o.stop_price,
    v.quantity, v.price, v.state, v.attempts, v.not_before, v.sent_at, v.looked_up_at, v.missing_since,
    v.exchange_order_id, v.filled_quantity, v.cancel_asked_at, v.cancel_reason, v.cancel_attempts, v.cancel_not_before,
    v.cancel_failed_at,
    a.status <> 'connected' OR EXISTS (
        SELECT FROM trading_halts h
        WHERE h.user_id = a.user_id OR (h.user_id IS NULL AND (h.symbol IS NULL OR h.symbol = v.symbol))
    ) AS is_halted
FROM venue_orders v
JOIN orders o ON o.id = v.order_id
JOIN exchange_accounts a ON a.id = v.account_id
WHERE v.account_id = $1::uuid AND v.state IN ('waiting', 'sending', 'open')
ORDER BY v.created_at, v.id LIMIT $2::bigint;

-- name: lock_portfolio_of
-- Locks the portfolio of something that is to be sent: who halts trading has locked it as well.
SELECT p.id FROM portfolios p
WHERE p.id = (SELECT v.portfolio_id FROM venue_orders v WHERE v.id = $1) FOR NO KEY UPDATE;

-- name: begin_sending
-- Notes that something is being sent, if it still may be; returns a row if so: its ID, time.
UPDATE venue_orders v SET state = 'sending', sent_at = $2::timestamptz, attempts = v.attempts + 1, not_before = NULL
FROM exchange_accounts a
WHERE v.id = $1::uuid AND v.state = 'waiting' AND v.cancel_asked_at IS NULL AND a.id = v.account_id
    AND a.status = 'connected' AND NOT EXISTS (
        SELECT FROM trading_halts h
        WHERE h.user_id = a.user_id OR (h.user_id IS NULL AND (h.symbol IS NULL OR h.symbol = v.symbol))
    )
RETURNING true;

-- name: take_back
-- The exchange was busy and did not take it on: it waits again. Its ID, until when.
UPDATE venue_orders SET state = 'waiting', sent_at = NULL, not_before = $2::timestamptz
WHERE id = $1::uuid AND state = 'sending';

-- name: mark_open
-- The exchange has it: its ID, the exchange's ID.
WITH marked AS (
    UPDATE venue_orders SET state = 'open', exchange_order_id = $2::text, looked_up_at = NULL, failure = NULL
    WHERE id = $1::uuid AND state = 'sending'
    RETURNING order_id
)
UPDATE orders o SET exchange_order_id = $2 FROM marked m WHERE o.id = m.order_id;

-- name: note_look_up
-- It was looked up without an answer that decides: its ID, time.
UPDATE venue_orders SET looked_up_at = $2::timestamptz WHERE id = $1::uuid AND state = 'sending';

-- name: note_missing
-- Since when the exchange does not know an order that it had: its ID, time (null: it knows it again).
UPDATE venue_orders SET missing_since = $2::timestamptz
WHERE id = $1::uuid AND state = 'open' AND missing_since IS DISTINCT FROM $2;

-- name: note_cancel
-- A cancellation was attempted: its ID, until when not to try again, when it has failed (null: it may have succeeded,
-- or failed before). Returns its order.
UPDATE venue_orders SET cancel_attempts = cancel_attempts + 1, cancel_not_before = $2::timestamptz,
    cancel_failed_at = coalesce($3::timestamptz, cancel_failed_at)
WHERE id = $1::uuid AND state = 'open'
RETURNING order_id;

-- name: cursor
-- Up to when the trades of an account in a market have been read.
SELECT traded_to FROM venue_cursors WHERE account_id = $1::uuid AND market = $2::text;

-- name: put_cursor
-- Sets up to when the trades of an account in a market have been read. It never goes back.
INSERT INTO venue_cursors AS c (account_id, market, traded_to) VALUES ($1::uuid, $2::text, $3::timestamptz)
ON CONFLICT (account_id, market) DO UPDATE SET traded_to = greatest(c.traded_to, excluded.traded_to);
