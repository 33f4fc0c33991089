-- name: cancel_portfolio
-- Asks for the cancellation of all open orders of a portfolio, and then for its end; returns how many orders there are.
WITH open AS (
    SELECT id, symbol FROM orders WHERE portfolio_id = $1::uuid AND status IN ('pending', 'partial')
), cancelled AS (
    INSERT INTO exchange_inbox (kind, symbol, order_id, payload)
    SELECT 'cancel', o.symbol, o.id, jsonb_build_object('reason', 'portfolio_closed') FROM open o
    RETURNING id
), closed AS (
    INSERT INTO exchange_inbox (kind, portfolio_id) SELECT 'close', $1 WHERE (SELECT count(*) FROM cancelled) > 0
)
SELECT count(*) FROM open;
