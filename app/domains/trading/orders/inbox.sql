-- name: cancel_portfolio
-- Asks for the cancellation of all open orders of a portfolio, and then for its end: portfolio, time. Returns how many
-- orders there are.
WITH open AS (
    SELECT id, symbol, mode, created_at FROM orders WHERE portfolio_id = $1::uuid AND status IN ('pending', 'partial')
), cancelled AS (
    INSERT INTO exchange_inbox (kind, symbol, order_id, payload, created_at)
    SELECT 'cancel', o.symbol, o.id, jsonb_build_object('reason', 'portfolio_closed'), $2::timestamptz FROM open o
    WHERE o.mode = 'paper' ORDER BY o.created_at, o.id
    RETURNING id
), sent AS (
    UPDATE venue_orders v SET cancel_asked_at = $2, cancel_reason = 'portfolio_closed'
    WHERE v.portfolio_id = $1 AND v.state IN ('held', 'waiting', 'sending', 'open')
        AND (v.cancel_asked_at IS NULL OR v.cancel_reason = 'replaced')
), closed AS (
    INSERT INTO exchange_inbox (kind, portfolio_id, created_at)
    SELECT 'close', $1, $2 WHERE (SELECT count(*) FROM cancelled) > 0
)
SELECT count(*) FROM open;
