-- name: blocks_by_ids
-- Blocks with these ids.
SELECT id, height, block_hash, previous_hash, version, merkle_root, timestamp, difficulty, nonce, miner_wallet_id,
       miner_reward, fees, transaction_count, size_bytes
FROM blocks WHERE id = ANY($1::uuid[]);

-- name: blocks_by_hashes
-- Blocks with these hashes.
SELECT id, height, block_hash, previous_hash, version, merkle_root, timestamp, difficulty, nonce, miner_wallet_id,
       miner_reward, fees, transaction_count, size_bytes
FROM blocks WHERE block_hash = ANY($1::text[]);

-- name: blocks_by_previous_hashes
-- Blocks on top of the blocks with these hashes.
SELECT id, height, block_hash, previous_hash, version, merkle_root, timestamp, difficulty, nonce, miner_wallet_id,
       miner_reward, fees, transaction_count, size_bytes
FROM blocks WHERE previous_hash = ANY($1::text[]);

-- name: blocks_by_heights
-- Blocks at these heights.
SELECT id, height, block_hash, previous_hash, version, merkle_root, timestamp, difficulty, nonce, miner_wallet_id,
       miner_reward, fees, transaction_count, size_bytes
FROM blocks WHERE height = ANY($1::integer[]);

-- name: blocks
-- All blocks.
SELECT id, height, block_hash, previous_hash, version, merkle_root, timestamp, difficulty, nonce, miner_wallet_id,
       miner_reward, fees, transaction_count, size_bytes
FROM blocks;

-- name: blocks_by_miner
-- The blocks that a wallet has mined.
SELECT id, height, block_hash, previous_hash, version, merkle_root, timestamp, difficulty, nonce, miner_wallet_id,
       miner_reward, fees, transaction_count, size_bytes
FROM blocks WHERE miner_wallet_id = {key::text};

-- name: recent_block_times
-- Unix times of the 21 blocks up to a height, oldest first. Read after the lock, to see what committed meanwhile.
SELECT extract(epoch FROM timestamp)::bigint FROM blocks WHERE height > $1::integer - 21 ORDER BY height;

-- name: lock_block_balances
-- Locks the balances of these wallets and of those whose rewards mature, in the order that every transaction keeps.
SELECT wallet_id FROM wallet_balances
WHERE wallet_id IN (
    SELECT unnest($1::text[])
    UNION SELECT wallet_id FROM utxos WHERE is_coinbase AND NOT is_spent AND block_height = $2::integer
)
ORDER BY wallet_id FOR UPDATE;

-- name: insert_block
-- Inserts a block.
INSERT INTO blocks (
    height, block_hash, previous_hash, version, merkle_root, timestamp, difficulty, nonce,
    miner_wallet_id, miner_reward, fees, transaction_count, size_bytes, created_at
) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
RETURNING id, height, block_hash, previous_hash, version, merkle_root, timestamp, difficulty, nonce,
    miner_wallet_id, miner_reward, fees, transaction_count, size_bytes;

-- name: insert_coinbase
-- Inserts a block's coinbase, which is confirmed from the start.
INSERT INTO transactions (
    transaction_hash, recipient_wallet_id, amount, timestamp, encoding, size_bytes,
    status, block_id, block_height, block_position
) VALUES ($1, $2, $3, $4, $5, $6, 'confirmed', $7, $8, 0);

-- name: insert_coinbase_output
-- Inserts the reward, which cannot be spent before it is mature.
INSERT INTO utxos (transaction_hash, output_index, wallet_id, amount, is_coinbase, block_height)
VALUES ($1, 0, $2, $3, true, $4);

-- name: confirm_transactions
-- Confirms pending transactions in a block, in this order after the coinbase.
UPDATE transactions t SET status = 'confirmed', block_id = $2, block_height = $3, block_position = o.position
FROM unnest($1::text[]) WITH ORDINALITY AS o (transaction_hash, position)
WHERE t.transaction_hash = o.transaction_hash AND t.status = 'pending';

-- name: confirm_outputs
-- Confirms the outputs of these transactions and credits what becomes spendable: payments received (change already
-- was), and the rewards mined at height $3. Returns how many outputs hold how many units, and whose balance changed.
WITH confirmed AS (
    UPDATE utxos SET block_height = $2 WHERE transaction_hash = ANY($1::text[]) AND block_height IS NULL
    RETURNING wallet_id, amount, is_change, is_spent
), spendable AS (
    SELECT wallet_id, amount FROM confirmed WHERE NOT is_change AND NOT is_spent
    UNION ALL
    SELECT wallet_id, amount FROM utxos WHERE is_coinbase AND NOT is_spent AND block_height = $3
), credits AS (
    SELECT wallet_id, sum(amount) AS amount FROM spendable GROUP BY wallet_id
), credited AS (
    UPDATE wallet_balances b SET balance = b.balance + c.amount, updated_at = $4
    FROM credits c WHERE b.wallet_id = c.wallet_id
    RETURNING b.wallet_id
)
SELECT (SELECT count(*) FROM confirmed) AS outputs,
       (SELECT coalesce(sum(amount) * 100000000, 0)::bigint FROM confirmed) AS units,
       (SELECT count(*) FROM credits) AS credits,
       ARRAY(SELECT wallet_id::text FROM credited ORDER BY wallet_id) AS changed;
