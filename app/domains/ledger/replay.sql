-- name: replay_blocks
-- Blocks from a height upward, and when each was connected.
SELECT id, height, block_hash, previous_hash, version, merkle_root, timestamp, difficulty, nonce,
    miner_wallet_id, miner_reward, fees, transaction_count, size_bytes, created_at
FROM blocks WHERE height >= $1 ORDER BY height LIMIT $2;

-- name: replay_transactions
-- The confirmed transactions of a range of heights, in the order of the chain.
SELECT t.block_height, t.block_position, t.block_id, t.transaction_hash, t.encoding, t.signature,
       t.sender_wallet_id, t.recipient_wallet_id, t.amount, t.fee, t.memo, t.timestamp, t.size_bytes
FROM transactions t WHERE t.block_height BETWEEN $1 AND $2 ORDER BY t.block_height, t.block_position;

-- name: replay_outputs
-- The outputs of these transactions, each with its stored height.
SELECT transaction_hash, output_index, wallet_id, (amount * 100000000)::bigint AS amount_units, is_coinbase, is_change,
       block_height
FROM utxos WHERE transaction_hash = ANY($1::text[]);

-- name: replay_spends
-- The outputs that these transactions spend, and as which input.
SELECT spent_in_tx_hash, spent_input_index, transaction_hash, output_index
FROM utxos WHERE spent_in_tx_hash = ANY($1::text[]);

-- name: replay_mempool
-- Pending transactions after a sequence number, in the order of acceptance.
SELECT sequence, transaction_hash, encoding FROM transactions
WHERE status = 'pending' AND sequence > $1 ORDER BY sequence LIMIT $2;

-- name: replay_confirmed_outputs
-- Confirmed outputs in the order of their outpoints, each with its spender and whether that is confirmed. A subquery
-- for each row instead of a join, so that a page costs what it has, not what the tables have.
SELECT u.transaction_hash, u.output_index, u.wallet_id, (u.amount * 100000000)::bigint AS amount_units,
       u.block_height, u.is_coinbase, u.spent_in_tx_hash,
       coalesce(
           (SELECT s.status = 'confirmed' FROM transactions s WHERE s.transaction_hash = u.spent_in_tx_hash), false
       ) AS is_spent
FROM utxos u WHERE u.block_height IS NOT NULL AND (u.transaction_hash, u.output_index) > ($1, $2)
ORDER BY u.transaction_hash, u.output_index LIMIT $3;

-- name: replay_balances
-- Stored balances after a wallet id.
SELECT wallet_id, (balance * 100000000)::bigint FROM wallet_balances WHERE wallet_id > $1 ORDER BY wallet_id LIMIT $2;
