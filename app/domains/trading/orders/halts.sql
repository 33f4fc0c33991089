-- name: insert_halt
-- Halts the trading of a user, or in a symbol, or, with neither, in all; returns a row if it was not halted: user,
-- symbol, reason, by whom, time.
INSERT INTO trading_halts (user_id, symbol, reason, halted_by, created_at)
VALUES ($1::uuid, $2::text, $3::text, $4::uuid, $5::timestamptz)
ON CONFLICT (user_id, symbol) DO NOTHING RETURNING true;

-- name: delete_halt
-- Ends a halt; returns a row if there was one: user, symbol.
DELETE FROM trading_halts WHERE user_id IS NOT DISTINCT FROM $1::uuid AND symbol IS NOT DISTINCT FROM $2::text
RETURNING true;

-- name: is_market_halted
-- Whether the exchange has halted a symbol, or all, or will have: what it was asked last counts.
SELECT coalesce(
    (
        SELECT i.kind = 'halt' FROM exchange_inbox i
        WHERE i.number IS NULL AND i.kind IN ('halt', 'resume') AND i.symbol IS NOT DISTINCT FROM $1::text
        ORDER BY i.id DESC LIMIT 1
    ),
    CASE
        WHEN $1 IS NULL THEN (SELECT s.is_halted FROM exchange_state s)
        ELSE EXISTS (SELECT FROM exchange_books b WHERE b.symbol = $1 AND b.is_halted_alone)
    END
);

-- name: cancel_live_orders
-- Asks for the cancellation of all orders at exchanges in a symbol, or of all: symbol, time.
UPDATE venue_orders SET cancel_asked_at = $2::timestamptz, cancel_reason = 'trading_halted'
WHERE state IN ('held', 'waiting', 'sending', 'open') AND ($1::text IS NULL OR symbol = $1)
    AND (cancel_asked_at IS NULL OR cancel_reason = 'replaced');

-- name: ask_market
-- Asks the exchange to halt or to resume a symbol, or all: kind, symbol, time.
INSERT INTO exchange_inbox (kind, symbol, created_at) VALUES ($1::text, $2::text, $3::timestamptz);
