-- name: note_tokens
-- Notes which token each book trades.
UPDATE exchange_books b SET token_id = t.id FROM tokens t
WHERE b.token_id IS NULL AND NOT b.is_delisted AND t.symbol = b.symbol AND t.is_active;

-- name: delist_tokens
-- Asks once for the end of each book whose token is no longer listed, or whose symbol is no token's or another's now.
WITH gone AS (
    SELECT b.symbol, CASE WHEN t.id IS NULL OR t.id <> b.token_id THEN 'renamed' ELSE 'delisted' END AS reason
    FROM exchange_books b LEFT JOIN tokens t ON t.symbol = b.symbol
    WHERE NOT b.is_delisted AND (t.id IS NULL OR NOT t.is_active OR t.id <> b.token_id)
        AND NOT EXISTS (
            SELECT FROM exchange_inbox i WHERE i.number IS NULL AND i.kind = 'delist' AND i.symbol = b.symbol
        )
)
INSERT INTO exchange_inbox (kind, symbol, payload, created_at)
SELECT 'delist', g.symbol, jsonb_build_object('reason', g.reason), $1::timestamptz FROM gone g ORDER BY g.symbol
RETURNING symbol;

-- name: relist_tokens
-- Asks once for the new beginning of each ended book whose symbol is a listed token's: the same one's or another's.
-- From then on it is that token's.
WITH back AS (
    UPDATE exchange_books b SET token_id = t.id FROM tokens t
    WHERE b.is_delisted AND t.symbol = b.symbol AND t.is_active
        AND NOT EXISTS (
            SELECT FROM exchange_inbox i WHERE i.number IS NULL AND i.kind = 'relist' AND i.symbol = b.symbol
        )
    RETURNING b.symbol
)
INSERT INTO exchange_inbox (kind, symbol, created_at)
SELECT 'relist', k.symbol, $1::timestamptz FROM back k ORDER BY k.symbol
RETURNING symbol;

-- name: close_again
-- Asks again for the end of portfolios that are being reset or deleted, and of their orders, where nothing is asked any
-- more: the exchange has passed over it. Returns the portfolios.
WITH stuck AS (
    SELECT p.id FROM portfolios p
    WHERE p.mode = 'paper' AND p.status IN ('resetting', 'deleting') AND NOT EXISTS (
        SELECT FROM exchange_inbox i WHERE i.number IS NULL AND i.kind = 'close' AND i.portfolio_id = p.id
    )
), cancelled AS (
    INSERT INTO exchange_inbox (kind, symbol, order_id, payload, created_at)
    SELECT 'cancel', o.symbol, o.id, jsonb_build_object('reason', 'portfolio_closed'), $1::timestamptz
    FROM stuck s JOIN orders o ON o.portfolio_id = s.id AND o.status IN ('pending', 'partial')
    RETURNING id
)
INSERT INTO exchange_inbox (kind, portfolio_id, created_at)
SELECT 'close', s.id, $1 FROM stuck s WHERE (SELECT count(*) FROM cancelled) >= 0
RETURNING portfolio_id;

-- name: delete_old_orders
-- Deletes closed orders that have not changed since a moment, and of which no fill is kept: at most so many.
DELETE FROM orders WHERE id IN (
    SELECT o.id FROM orders o
    WHERE o.status NOT IN ('pending', 'partial') AND o.updated_at < $1::timestamptz
        AND NOT EXISTS (SELECT FROM fills f WHERE f.order_id = o.id)
    ORDER BY o.updated_at LIMIT $2::bigint
);

-- name: delete_done_commands
-- Deletes commands from before a moment that the exchange has done: at most so many.
DELETE FROM exchange_inbox WHERE id IN (
    SELECT i.id FROM exchange_inbox i
    WHERE i.number IS NOT NULL AND i.created_at < $1::timestamptz ORDER BY i.created_at LIMIT $2::bigint
);
