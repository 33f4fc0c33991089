-- name: lock_genesis
-- Lets one process at a time decide whether a chain must be begun; held until the commit.
SELECT pg_advisory_xact_lock(hashtext('moneta.genesis'));

-- name: chain_head
-- The tip and what belongs to it.
SELECT network, coinbase_maturity, tip_height, tip_hash, current_difficulty, burned_coins, total_transactions
FROM blockchain_info;

-- name: lock_chain_head
-- The same, locked until the commit: whoever connects a block begins here.
SELECT network, coinbase_maturity, tip_height, tip_hash, current_difficulty, burned_coins, total_transactions
FROM blockchain_info FOR UPDATE;

-- name: present
-- The clock that bounds the time of a block. Apart from the lock, which may wait.
SELECT present_moment();

-- name: recent_block_times
-- Unix times of the 21 blocks up to a height, oldest first. Apart from the lock, which may wait: it must see what follows.
SELECT extract(epoch FROM timestamp)::bigint FROM blocks WHERE height > $1::integer - 21 ORDER BY height;

-- name: news
-- What makes a miner begin anew: the tip, and the newest transaction that waits (0: none).
SELECT i.tip_hash,
       coalesce((SELECT max(t.sequence) FROM transactions t WHERE t.status = 'pending'), 0)
FROM blockchain_info i;

-- name: waiting_transactions
-- The oldest transactions of the mempool, without their bytes.
SELECT transaction_hash, (fee * 100000000)::bigint, octet_length(encoding), octet_length(signature), sequence
FROM transactions WHERE status = 'pending' ORDER BY sequence LIMIT $1;

-- name: waiting_parents
-- Pairs of unconfirmed transactions in which the second spends an output of the first.
SELECT DISTINCT u.transaction_hash, t.transaction_hash
FROM transactions t JOIN utxos u ON u.spent_in_tx_hash = t.transaction_hash
WHERE t.status = 'pending' AND u.block_height IS NULL;

-- name: transactions_to_mine
-- The bytes of these transactions.
SELECT transaction_hash, encoding, signature FROM transactions WHERE transaction_hash = ANY($1::text[]);

-- name: outputs_spent_by
-- What the mempool has set aside for these transactions; the height is null where the parent is unconfirmed as well.
SELECT transaction_hash, output_index, wallet_id, (amount * 100000000)::bigint, block_height, is_coinbase, spent_in_tx_hash
FROM utxos WHERE spent_in_tx_hash = ANY($1::text[]);

-- name: public_keys
-- The keys of these wallets.
SELECT wallet_id, public_key FROM wallets WHERE wallet_id = ANY($1::text[]);

-- name: lock_balances
-- Locks the balances of these wallets, and of who gets the rewards that mature, in the one order everybody keeps.
SELECT wallet_id FROM wallet_balances
WHERE wallet_id IN (
    SELECT unnest($1::text[])
    UNION SELECT wallet_id FROM utxos WHERE is_coinbase AND NOT is_spent AND block_height = $2::integer
)
ORDER BY wallet_id FOR UPDATE;

-- name: insert_block
-- A block's header and what follows from its body.
INSERT INTO blocks (
    height, block_hash, previous_hash, version, merkle_root, timestamp, difficulty, nonce,
    miner_wallet_id, miner_reward, fees, transaction_count, size_bytes, created_at
) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
RETURNING id, height, block_hash, previous_hash, version, merkle_root, timestamp, difficulty, nonce,
    miner_wallet_id, miner_reward, fees, transaction_count, size_bytes;

-- name: insert_coinbase
-- A block's first transaction, confirmed from birth.
INSERT INTO transactions (
    transaction_hash, recipient_wallet_id, amount, timestamp, encoding, size_bytes,
    status, block_id, block_height, block_position
) VALUES ($1, $2, $3, $4, $5, $6, 'confirmed', $7, $8, 0);

-- name: insert_coinbase_output
-- The reward, which nobody can spend before it is mature.
INSERT INTO utxos (transaction_hash, output_index, wallet_id, amount, is_coinbase, block_height)
VALUES ($1, 0, $2, $3, true, $4);

-- name: confirm_transactions
-- Puts waiting transactions into a block, in this order after the coinbase.
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
SELECT (SELECT count(*) FROM confirmed),
       (SELECT coalesce(sum(amount) * 100000000, 0)::bigint FROM confirmed),
       (SELECT count(*) FROM credits),
       ARRAY(SELECT wallet_id::text FROM credited ORDER BY wallet_id);

-- name: put_chain_head
-- Moves the tip. The network and the maturity stay as genesis made them.
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
-- The outputs that these transactions made, and the height at which each is said to be.
SELECT transaction_hash, output_index, wallet_id, (amount * 100000000)::bigint, is_coinbase, is_change, block_height
FROM utxos WHERE transaction_hash = ANY($1::text[]);

-- name: replay_spends
-- The outputs that these transactions spent, and as which input.
SELECT spent_in_tx_hash, spent_input_index, transaction_hash, output_index
FROM utxos WHERE spent_in_tx_hash = ANY($1::text[]);

-- name: replay_mempool
-- Waiting transactions after a sequence number, in order of acceptance.
SELECT sequence, transaction_hash, encoding FROM transactions
WHERE status = 'pending' AND sequence > $1 ORDER BY sequence LIMIT $2;

-- name: replay_confirmed_outputs
-- All outputs in blocks, in the order of their outpoints: who spends each, and whether that is in a block as well. A
-- subquery a row and no join: a page must cost what it holds, not what the tables hold.
SELECT u.transaction_hash, u.output_index, u.wallet_id, (u.amount * 100000000)::bigint, u.block_height, u.is_coinbase,
       u.spent_in_tx_hash,
       coalesce((SELECT s.status = 'confirmed' FROM transactions s WHERE s.transaction_hash = u.spent_in_tx_hash), false)
FROM utxos u WHERE u.block_height IS NOT NULL AND (u.transaction_hash, u.output_index) > ($1, $2)
ORDER BY u.transaction_hash, u.output_index LIMIT $3;

-- name: replay_balances
-- Stored balances after a wallet id.
SELECT wallet_id, (balance * 100000000)::bigint FROM wallet_balances WHERE wallet_id > $1 ORDER BY wallet_id LIMIT $2;

-- name: chain_info
-- All that is known of the chain as a whole.
SELECT network, coinbase_maturity, tip_hash, tip_height, total_coins, circulating_coins, burned_coins,
       total_transactions, total_blocks, current_difficulty, average_block_time, halving_height,
       current_halving_number, updated_at
FROM blockchain_info;
