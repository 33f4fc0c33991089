-- name: venue_orders_by_orders
-- The newest of what was sent for each of these orders, or is to be.
SELECT DISTINCT ON (v.order_id) v.id, v.order_id, v.number, v.market, v.quantity, v.price, v.state, v.sent_at,
    v.exchange_order_id, v.filled_quantity, v.cancel_asked_at, v.cancel_failed_at, v.failure, v.created_at
FROM venue_orders v WHERE v.order_id = ANY ($1::uuid[]) AND v.state <> 'held'
ORDER BY v.order_id, v.number DESC;

-- name: venue_trades_by_fills
-- The trades at exchanges that these fills are.
SELECT account_id, market, trade_id, fill_id, fee_asset, fee_quantity, traded_at
FROM venue_trades WHERE fill_id = ANY ($1::uuid[]);
