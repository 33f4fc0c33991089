-- name: activity_since
-- The chain at its tip, and its blocks since a moment: how many, the lowest of them, their payments and their fees.
SELECT i.tip_height, i.updated_at, i.average_block_time, i.current_difficulty, i.circulating_coins, i.total_coins,
       b.blocks, b.lowest, b.payments, b.fees
FROM blockchain_info i
CROSS JOIN LATERAL (
    SELECT count(*) AS blocks, min(height) AS lowest, coalesce(sum(transaction_count - 1), 0)::bigint AS payments,
           coalesce(sum(fees), 0)::numeric(20, 8) AS fees
    FROM blocks WHERE timestamp >= $1
) b;

-- name: payments_from_height
-- What was paid in the blocks from a height on, by how many wallets to how many, and how many payments were large.
WITH payments AS MATERIALIZED (
    SELECT sender_wallet_id, recipient_wallet_id, amount FROM transactions
    WHERE block_height >= $1::integer AND block_height IS NOT NULL AND block_position > 0
), totals AS (
    SELECT coalesce(sum(amount), 0)::numeric(28, 8) AS volume,
           count(*) FILTER (WHERE amount >= $2::numeric) AS large
    FROM payments
)
SELECT t.volume, t.large, (
    SELECT count(*) FROM (SELECT sender_wallet_id FROM payments UNION SELECT recipient_wallet_id FROM payments) wallets
) AS active_wallets
FROM totals t;

-- name: largest_payments_from_height
-- The largest payments in the blocks from a height on, the first of equal ones first.
SELECT t.block_height, t.block_position, t.transaction_hash, t.sender_wallet_id, t.recipient_wallet_id, t.amount,
       (SELECT b.timestamp FROM blocks b WHERE b.height = t.block_height) AS confirmed_at
FROM transactions t
WHERE t.block_height >= $1::integer AND t.block_height IS NOT NULL AND t.block_position > 0
ORDER BY t.amount DESC, t.block_height, t.block_position LIMIT $2;

-- name: payments_after
-- Confirmed payments after a position in the chain, in order.
SELECT t.block_height, t.block_position, t.transaction_hash, t.sender_wallet_id, t.recipient_wallet_id, t.amount,
       (SELECT b.timestamp FROM blocks b WHERE b.height = t.block_height) AS confirmed_at
FROM transactions t
WHERE (t.block_height, t.block_position) > ($1::integer, $2::integer) AND t.block_height IS NOT NULL
  AND t.block_position > 0
ORDER BY t.block_height, t.block_position LIMIT $3;

-- name: last_position
-- The position of the newest confirmed transaction; no row before the first block.
SELECT block_height, block_position FROM transactions
WHERE block_height IS NOT NULL ORDER BY block_height DESC, block_position DESC LIMIT 1;
