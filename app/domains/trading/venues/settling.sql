-- name: by_exchange_orders
-- What was sent under these IDs of an exchange: account, market, IDs.
SELECT v.id, v.exchange_order_id FROM venue_orders v
WHERE v.account_id = $1::uuid AND v.market = $2::text AND v.exchange_order_id = ANY ($3::text[]);

-- name: sent_to_settle
-- What was sent, or was to be.
SELECT v.id, v.order_id, v.portfolio_id, v.account_id, v.market, v.state, v.filled_quantity, v.cancel_reason,
    h.id AS held_id, h.quantity AS held_quantity, h.price AS held_price
FROM venue_orders v LEFT JOIN venue_orders h ON h.order_id = v.order_id AND h.state = 'held'
WHERE v.id = ANY ($1::uuid[]);

-- name: known_trades
-- Which of these trades have been settled: account, markets, IDs.
SELECT t.market, t.trade_id FROM unnest($2::text[], $3::text[]) AS k (market, trade_id)
JOIN venue_trades t ON t.account_id = $1::uuid AND t.market = k.market AND t.trade_id = k.trade_id;

-- name: insert_trades
-- Inserts trades that are settled: account, markets, IDs, what was sent, fills, quantities, prices, assets and
-- quantities of fees, times there, time.
INSERT INTO venue_trades (account_id, market, trade_id, venue_order_id, fill_id, quantity, price, fee_asset,
    fee_quantity, traded_at, created_at)
SELECT $1::uuid, n.market, n.trade_id, n.venue_order_id, n.fill_id, n.quantity, n.price, n.fee_asset, n.fee_quantity,
    n.traded_at, $11::timestamptz
FROM unnest($2::text[], $3::text[], $4::uuid[], $5::uuid[], $6::numeric[], $7::numeric[], $8::text[], $9::numeric[],
    $10::timestamptz[])
    AS n (market, trade_id, venue_order_id, fill_id, quantity, price, fee_asset, fee_quantity, traded_at);

-- name: put_sent
-- Sets what has become of what was sent: IDs, states, filled quantities, failures.
UPDATE venue_orders v SET state = n.state, filled_quantity = n.filled_quantity, failure = coalesce(n.failure, v.failure)
FROM unnest($1::uuid[], $2::text[], $3::numeric[], $4::text[]) AS n (id, state, filled_quantity, failure)
WHERE v.id = n.id;

-- name: release_held
-- What was held until the one before it was closed is to be sent now, or never: IDs, states, quantities.
UPDATE venue_orders v SET state = n.state, quantity = n.quantity
FROM unnest($1::uuid[], $2::text[], $3::numeric[]) AS n (id, state, quantity) WHERE v.id = n.id AND v.state = 'held';

-- name: prices_of
-- The newest prices of these tokens, in dollars.
SELECT k.symbol, q.price_usd FROM unnest($1::text[]) AS k (symbol)
CROSS JOIN LATERAL (
    SELECT m.price_usd FROM market_data m WHERE m.symbol = k.symbol AND m.price_usd > 0
    ORDER BY m.last_updated DESC LIMIT 1
) q;

-- name: revive
-- The exchange has something after all that was given up: its ID, the exchange's ID, reason, time. It is cancelled.
UPDATE venue_orders SET state = 'open', exchange_order_id = $2::text, missing_since = NULL,
    cancel_asked_at = coalesce(cancel_asked_at, $4::timestamptz), cancel_reason = coalesce(cancel_reason, $3::text)
WHERE id = $1::uuid AND state IN ('absent', 'closed')
RETURNING order_id;

-- name: is_free
-- Whether nothing is active in a portfolio, and none of its orders is open.
SELECT NOT EXISTS (
    SELECT FROM venue_orders v WHERE v.portfolio_id = $1::uuid AND v.state IN ('held', 'waiting', 'sending', 'open')
) AND NOT EXISTS (
    SELECT FROM orders o WHERE o.portfolio_id = $1 AND o.status IN ('pending', 'partial')
);
