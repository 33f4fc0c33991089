-- name: differing_blocks
-- Blocks that have other transactions than they count, up to $1: `doctor chain` says more of them.
SELECT b.height::text AS key, b.transaction_count::text AS stored, coalesce(t.number, 0)::text AS counted,
    count(*) OVER () AS found
FROM blocks b
LEFT JOIN (
    SELECT block_height, count(*) AS number FROM transactions WHERE block_height IS NOT NULL GROUP BY 1
) t ON t.block_height = b.height
WHERE b.transaction_count <> coalesce(t.number, 0) ORDER BY b.height LIMIT $1;

-- name: differing_totals
-- Whether the chain counts other transactions than its blocks.
SELECT 'chain' AS key, i.total_transactions::text AS stored, b.number::text AS counted, 1::bigint AS found
FROM blockchain_info i
CROSS JOIN (SELECT coalesce(sum(transaction_count), 0) AS number FROM blocks) b
WHERE i.total_transactions <> b.number LIMIT $1;

-- name: lock_chain
-- Locks the chain, as who connects a block does: $1 are those that will be mended.
SELECT 1 FROM blockchain_info WHERE 'chain' = ANY ($1::text[]) FOR UPDATE;

-- name: mend_totals
-- Counts the transactions of the chain anew.
UPDATE blockchain_info i SET total_transactions = c.number
FROM (
    SELECT q.total_transactions AS before, (SELECT coalesce(sum(transaction_count), 0)::bigint FROM blocks) AS number
    FROM blockchain_info q
) c
WHERE 'chain' = ANY ($1::text[]) AND c.before <> c.number
RETURNING 'chain' AS key, c.before::text AS before, c.number::text AS after;
