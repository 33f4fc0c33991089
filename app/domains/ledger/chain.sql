-- name: chain_state
-- The tip and its sums; no row before the genesis block. The key is always true: there is one chain.
SELECT k.ord, c.network, c.coinbase_maturity, c.tip_hash, c.tip_height, c.total_coins, c.circulating_coins,
       c.burned_coins, c.total_transactions, c.total_blocks, c.current_difficulty, c.average_block_time,
       c.halving_height, c.current_halving_number, c.updated_at
FROM unnest($1::boolean[]) WITH ORDINALITY AS k (key, ord)
JOIN blockchain_info c ON c.singleton = k.key;

-- name: chain_info
-- The tip and its sums; no row before the genesis block.
SELECT network, coinbase_maturity, tip_hash, tip_height, total_coins, circulating_coins, burned_coins,
       total_transactions, total_blocks, current_difficulty, average_block_time, halving_height,
       current_halving_number, updated_at
FROM blockchain_info;

-- name: lock_genesis
-- Serialises the creation of the genesis block until the commit.
SELECT pg_advisory_xact_lock(hashtext('moneta.genesis'));

-- name: lock_chain
-- Locks the tip: no block is connected until the end of this transaction.
SELECT tip_height FROM blockchain_info FOR UPDATE;

-- name: chain_head
-- The tip, and the sums that the next block changes.
SELECT network, coinbase_maturity, tip_height, tip_hash, current_difficulty, burned_coins, total_transactions
FROM blockchain_info;

-- name: lock_chain_head
-- The same, locked until the commit. Connecting a block starts here.
SELECT network, coinbase_maturity, tip_height, tip_hash, current_difficulty, burned_coins, total_transactions
FROM blockchain_info FOR UPDATE;

-- name: put_chain_head
-- Moves the tip. The network and the maturity stay as they were at genesis.
INSERT INTO blockchain_info (
    network, coinbase_maturity, tip_hash, tip_height, circulating_coins, burned_coins, total_transactions, total_blocks,
    current_difficulty, average_block_time, halving_height, current_halving_number, created_at, updated_at
) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $13)
ON CONFLICT (singleton) DO UPDATE SET
    tip_hash = excluded.tip_hash,
    tip_height = excluded.tip_height,
    circulating_coins = excluded.circulating_coins,
    burned_coins = excluded.burned_coins,
    total_transactions = excluded.total_transactions,
    total_blocks = excluded.total_blocks,
    current_difficulty = excluded.current_difficulty,
    average_block_time = excluded.average_block_time,
    halving_height = excluded.halving_height,
    current_halving_number = excluded.current_halving_number,
    updated_at = excluded.updated_at;

-- name: database_time
-- The clock that bounds the time of a block. Read after the lock, which may have waited.
SELECT present_moment();
