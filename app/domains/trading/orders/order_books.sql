-- name: stored_book
-- A book without its orders.
SELECT state, number, is_halted, quoted_at FROM exchange_books WHERE symbol = $1;

-- name: bids
-- The best prices at which users buy, and the coins there: symbol, levels.
SELECT o.price, sum(o.quantity - o.filled_quantity) AS quantity FROM orders o
WHERE o.symbol = $1::text AND o.side = 'buy' AND o.status IN ('pending', 'partial') AND o.price IS NOT NULL
    AND o.priority IS NOT NULL AND (o.type = 'limit' OR o.triggered_at IS NOT NULL)
GROUP BY o.price ORDER BY o.price DESC LIMIT $2::bigint;

-- name: asks
-- The best prices at which users sell, and the coins there: symbol, levels.
SELECT o.price, sum(o.quantity - o.filled_quantity) AS quantity FROM orders o
WHERE o.symbol = $1::text AND o.side = 'sell' AND o.status IN ('pending', 'partial') AND o.price IS NOT NULL
    AND o.priority IS NOT NULL AND (o.type = 'limit' OR o.triggered_at IS NOT NULL)
GROUP BY o.price ORDER BY o.price LIMIT $2::bigint;

-- name: resting_buys
-- The limit orders that buy, the best first, up to a number: symbol, number.
SELECT o.id, coalesce(p.user_id, p.id) AS owner, o.price, o.quantity - o.filled_quantity AS quantity,
    CASE WHEN o.bracket_role <> 'entry' THEN o.bracket_id END AS link, o.priority
FROM orders o JOIN portfolios p ON p.id = o.portfolio_id
WHERE o.symbol = $1::text AND o.side = 'buy' AND o.status IN ('pending', 'partial') AND o.price IS NOT NULL
    AND o.priority IS NOT NULL AND (o.type = 'limit' OR o.triggered_at IS NOT NULL)
ORDER BY o.price DESC, o.priority LIMIT $2::bigint;

-- name: resting_sells
-- The limit orders that sell, the best first, up to a number: symbol, number.
SELECT o.id, coalesce(p.user_id, p.id) AS owner, o.price, o.quantity - o.filled_quantity AS quantity,
    CASE WHEN o.bracket_role <> 'entry' THEN o.bracket_id END AS link, o.priority
FROM orders o JOIN portfolios p ON p.id = o.portfolio_id
WHERE o.symbol = $1::text AND o.side = 'sell' AND o.status IN ('pending', 'partial') AND o.price IS NOT NULL
    AND o.priority IS NOT NULL AND (o.type = 'limit' OR o.triggered_at IS NOT NULL)
ORDER BY o.price, o.priority LIMIT $2::bigint;
