-- name: transactions_by_hashes
-- Transactions with these hashes.
SELECT transaction_hash, sender_wallet_id, recipient_wallet_id, amount, fee, memo, timestamp, status,
       failure_reason, size_bytes, block_height, block_position
FROM transactions WHERE transaction_hash = ANY($1::text[]);

-- name: transactions_by_block
-- The transactions of the block at a height.
SELECT transaction_hash, sender_wallet_id, recipient_wallet_id, amount, fee, memo, timestamp, status,
       failure_reason, size_bytes, block_height, block_position
FROM transactions WHERE block_height = {key::integer};

-- name: leaves_by_heights
-- Hashes of the transactions of the block at each height, in the block's order: the leaves of its merkle tree.
SELECT t.block_height, array_agg(t.transaction_hash::text ORDER BY t.block_position) AS hashes
FROM transactions t WHERE t.block_height = ANY($1::integer[]) GROUP BY t.block_height;

-- name: transactions
-- All transactions.
SELECT transaction_hash, sender_wallet_id, recipient_wallet_id, amount, fee, memo, timestamp, status,
       failure_reason, size_bytes, block_height, block_position
FROM transactions;

-- name: transactions_sent
-- What a wallet sent. The amount once more, as an expression: along its index the whole ledger would be read.
SELECT transaction_hash, sender_wallet_id, recipient_wallet_id, amount, fee, memo, timestamp, status,
       failure_reason, size_bytes, block_height, block_position,
       'sent' AS direction, recipient_wallet_id AS counterparty, amount + 0 AS own_amount
FROM transactions WHERE sender_wallet_id = {key::text};

-- name: transactions_received
-- What a wallet received from others.
SELECT transaction_hash, sender_wallet_id, recipient_wallet_id, amount, fee, memo, timestamp, status,
       failure_reason, size_bytes, block_height, block_position,
       'received' AS direction, sender_wallet_id AS counterparty, amount + 0 AS own_amount
FROM transactions WHERE recipient_wallet_id = {key::text} AND sender_wallet_id IS DISTINCT FROM {key::text};

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
