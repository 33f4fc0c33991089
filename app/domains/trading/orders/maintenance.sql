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
