-- name: transactions_by_hashes
-- Transactions with these hashes.
SELECT transaction_hash, sender_wallet_id, recipient_wallet_id, amount, fee, memo, timestamp, status,
       failure_reason, size_bytes, block_height, block_position
FROM transactions WHERE transaction_hash = ANY($1::text[]);

-- name: transactions_by_block
-- A page of the transactions of the block at each height, in the block's order.
SELECT k.ord, t.transaction_hash, t.sender_wallet_id, t.recipient_wallet_id, t.amount, t.fee, t.memo, t.timestamp,
       t.status, t.failure_reason, t.size_bytes, t.block_height, t.block_position
FROM unnest($1::integer[]) WITH ORDINALITY AS k (key, ord)
CROSS JOIN LATERAL (
    SELECT b.transaction_hash, b.sender_wallet_id, b.recipient_wallet_id, b.amount, b.fee, b.memo, b.timestamp,
           b.status, b.failure_reason, b.size_bytes, b.block_height, b.block_position
    FROM transactions b
    WHERE b.block_height = k.key AND b.block_position > coalesce($3::integer, -1)
    ORDER BY b.block_position LIMIT $2
) t
ORDER BY k.ord, t.block_position;

-- name: transactions_by_block_count
-- How many transactions the block at each height has, up to a limit.
SELECT k.ord, (
    SELECT count(*) FROM (SELECT FROM transactions t WHERE t.block_height = k.key LIMIT $2) counted
) AS value
FROM unnest($1::integer[]) WITH ORDINALITY AS k (key, ord);

-- name: leaves_by_heights
-- Hashes of the transactions of the block at each height, in the block's order: the leaves of its merkle tree.
SELECT t.block_height, array_agg(t.transaction_hash::text ORDER BY t.block_position) AS hashes
FROM transactions t WHERE t.block_height = ANY($1::integer[]) GROUP BY t.block_height;

-- name: transactions_by_wallet
-- A page of what each wallet sent or received, the newest first: two index ranges, merged.
SELECT k.ord, t.transaction_hash, t.sender_wallet_id, t.recipient_wallet_id, t.amount, t.fee, t.memo, t.timestamp,
       t.status, t.failure_reason, t.size_bytes, t.block_height, t.block_position
FROM unnest($1::text[]) WITH ORDINALITY AS k (key, ord)
CROSS JOIN LATERAL (
    (SELECT s.transaction_hash, s.sender_wallet_id, s.recipient_wallet_id, s.amount, s.fee, s.memo, s.timestamp,
            s.status, s.failure_reason, s.size_bytes, s.block_height, s.block_position
     FROM transactions s
     WHERE s.sender_wallet_id = k.key
       AND (s.timestamp, s.transaction_hash) < (coalesce($3::timestamptz, 'infinity'), coalesce($4::text, ''))
     ORDER BY s.timestamp DESC, s.transaction_hash DESC LIMIT $2)
    UNION ALL
    (SELECT r.transaction_hash, r.sender_wallet_id, r.recipient_wallet_id, r.amount, r.fee, r.memo, r.timestamp,
            r.status, r.failure_reason, r.size_bytes, r.block_height, r.block_position
     FROM transactions r
     WHERE r.recipient_wallet_id = k.key AND r.sender_wallet_id IS DISTINCT FROM k.key
       AND (r.timestamp, r.transaction_hash) < (coalesce($3::timestamptz, 'infinity'), coalesce($4::text, ''))
     ORDER BY r.timestamp DESC, r.transaction_hash DESC LIMIT $2)
    ORDER BY timestamp DESC, transaction_hash DESC LIMIT $2
) t
ORDER BY k.ord, t.timestamp DESC, t.transaction_hash DESC;

-- name: transactions_by_wallet_count
-- How many transactions each wallet sent or received, up to a limit.
SELECT k.ord, (
    SELECT count(*) FROM (
        (SELECT FROM transactions s WHERE s.sender_wallet_id = k.key LIMIT $2)
        UNION ALL
        (SELECT FROM transactions r
         WHERE r.recipient_wallet_id = k.key AND r.sender_wallet_id IS DISTINCT FROM k.key LIMIT $2)
        LIMIT $2
    ) counted
) AS value
FROM unnest($1::text[]) WITH ORDINALITY AS k (key, ord);

-- name: outputs_by_transaction
-- The outputs of each transaction, in its order; at most 256.
SELECT k.ord, u.id, u.transaction_hash, u.output_index, u.wallet_id, u.amount, u.is_coinbase, u.is_change,
       u.block_height, u.spent_in_tx_hash, u.spent_input_index
FROM unnest($1::text[]) WITH ORDINALITY AS k (key, ord)
JOIN utxos u ON u.transaction_hash = k.key
ORDER BY k.ord, u.output_index;

-- name: inputs_by_transaction
-- The outputs that each transaction spends, in the order of its inputs; at most 256.
SELECT k.ord, u.id, u.transaction_hash, u.output_index, u.wallet_id, u.amount, u.is_coinbase, u.is_change,
       u.block_height, u.spent_in_tx_hash, u.spent_input_index
FROM unnest($1::text[]) WITH ORDINALITY AS k (key, ord)
JOIN utxos u ON u.spent_in_tx_hash = k.key
ORDER BY k.ord, u.spent_input_index;
