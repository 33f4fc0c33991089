-- name: wallets_by_ids
-- Wallets with these ids.
SELECT wallet_id, user_id, public_key, custody, created_at
FROM wallets WHERE wallet_id = ANY($1::text[]);

-- name: wallets_by_users
-- Wallets of these users; each has one.
SELECT wallet_id, user_id, public_key, custody, created_at
FROM wallets WHERE user_id = ANY($1::uuid[]);

-- name: balances_by_wallets
-- Spendable coins of these wallets, where they are the viewer's.
SELECT wallet_id, user_id, balance, updated_at
FROM wallet_balances WHERE wallet_id = ANY($1::text[]);

-- name: pending_by_wallets
-- Coins on the way to and from these wallets, where they are the viewer's.
SELECT b.wallet_id,
       (SELECT coalesce(sum(u.amount), 0)::numeric(20, 8) FROM utxos u
        WHERE u.wallet_id = b.wallet_id AND NOT u.is_spent AND u.block_height IS NULL AND NOT u.is_change) AS incoming,
       (SELECT coalesce(sum(t.amount + t.fee), 0)::numeric(20, 8) FROM transactions t
        WHERE t.sender_wallet_id = b.wallet_id AND t.status = 'pending') AS outgoing,
       (SELECT coalesce(sum(u.amount), 0)::numeric(20, 8) FROM utxos u CROSS JOIN blockchain_info c
        WHERE u.is_coinbase AND NOT u.is_spent AND u.block_height > c.tip_height + 1 - c.coinbase_maturity
          AND u.wallet_id = b.wallet_id) AS immature
FROM wallet_balances b WHERE b.wallet_id = ANY($1::text[]);

-- name: utxos_by_wallet
-- A page of the unspent outputs of each wallet, where it is the viewer's, by transaction hash and place.
SELECT k.ord, u.id, u.transaction_hash, u.output_index, u.wallet_id, u.amount, u.is_coinbase, u.is_change,
       u.block_height, u.spent_in_tx_hash, u.spent_input_index
FROM unnest($1::text[]) WITH ORDINALITY AS k (key, ord)
JOIN wallet_balances b ON b.wallet_id = k.key
CROSS JOIN LATERAL (
    SELECT o.id, o.transaction_hash, o.output_index, o.wallet_id, o.amount, o.is_coinbase, o.is_change,
           o.block_height, o.spent_in_tx_hash, o.spent_input_index
    FROM utxos o
    WHERE o.wallet_id = k.key AND NOT o.is_spent
      AND (o.transaction_hash, o.output_index) > (coalesce($3::text, ''), coalesce($4::integer, -1))
    ORDER BY o.transaction_hash, o.output_index LIMIT $2
) u
ORDER BY k.ord, u.transaction_hash, u.output_index;

-- name: utxos_by_wallet_count
-- How many unspent outputs each wallet has, where it is the viewer's, up to a limit.
SELECT k.ord, (
    SELECT count(*) FROM (SELECT FROM utxos u WHERE u.wallet_id = k.key AND NOT u.is_spent LIMIT $2) counted
) AS value
FROM unnest($1::text[]) WITH ORDINALITY AS k (key, ord)
JOIN wallet_balances b ON b.wallet_id = k.key;

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
-- Blocks that stand on the blocks with these hashes.
SELECT id, height, block_hash, previous_hash, version, merkle_root, timestamp, difficulty, nonce, miner_wallet_id,
       miner_reward, fees, transaction_count, size_bytes
FROM blocks WHERE previous_hash = ANY($1::text[]);

-- name: blocks_by_heights
-- Blocks at these heights.
SELECT id, height, block_hash, previous_hash, version, merkle_root, timestamp, difficulty, nonce, miner_wallet_id,
       miner_reward, fees, transaction_count, size_bytes
FROM blocks WHERE height = ANY($1::integer[]);

-- name: blocks_page
-- A page of all blocks, the newest first.
SELECT id, height, block_hash, previous_hash, version, merkle_root, timestamp, difficulty, nonce, miner_wallet_id,
       miner_reward, fees, transaction_count, size_bytes
FROM blocks WHERE height < coalesce($2::integer, 2147483647) ORDER BY height DESC LIMIT $1;

-- name: blocks_count
-- How many blocks there are, up to a limit.
SELECT count(*) FROM (SELECT FROM blocks LIMIT $1) counted;

-- name: blocks_by_miner
-- A page of the blocks that each wallet has mined, the newest first.
SELECT k.ord, b.id, b.height, b.block_hash, b.previous_hash, b.version, b.merkle_root, b.timestamp, b.difficulty,
       b.nonce, b.miner_wallet_id, b.miner_reward, b.fees, b.transaction_count, b.size_bytes
FROM unnest($1::text[]) WITH ORDINALITY AS k (key, ord)
CROSS JOIN LATERAL (
    SELECT m.id, m.height, m.block_hash, m.previous_hash, m.version, m.merkle_root, m.timestamp, m.difficulty,
           m.nonce, m.miner_wallet_id, m.miner_reward, m.fees, m.transaction_count, m.size_bytes
    FROM blocks m
    WHERE m.miner_wallet_id = k.key AND m.height < coalesce($3::integer, 2147483647)
    ORDER BY m.height DESC LIMIT $2
) b
ORDER BY k.ord, b.height DESC;

-- name: blocks_by_miner_count
-- How many blocks each wallet has mined, up to a limit.
SELECT k.ord, (
    SELECT count(*) FROM (SELECT FROM blocks b WHERE b.miner_wallet_id = k.key LIMIT $2) counted
) AS value
FROM unnest($1::text[]) WITH ORDINALITY AS k (key, ord);

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

-- name: mempool_page
-- A page of the transactions that wait for a block, in the order of acceptance.
SELECT transaction_hash, sender_wallet_id, recipient_wallet_id, amount, fee, memo, timestamp, status,
       failure_reason, size_bytes, block_height, block_position, sequence
FROM transactions WHERE status = 'pending' AND sequence > coalesce($2::bigint, 0) ORDER BY sequence LIMIT $1;

-- name: mempool_count
-- How many transactions wait for a block, up to a limit.
SELECT count(*) FROM (SELECT FROM transactions WHERE status = 'pending' LIMIT $1) counted;

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

-- name: chain_state
-- The tip and its sums; no row before the genesis block. The key is always true: there is one chain.
SELECT k.ord, c.network, c.coinbase_maturity, c.tip_hash, c.tip_height, c.total_coins, c.circulating_coins,
       c.burned_coins, c.total_transactions, c.total_blocks, c.current_difficulty, c.average_block_time,
       c.halving_height, c.current_halving_number, c.updated_at
FROM unnest($1::boolean[]) WITH ORDINALITY AS k (key, ord)
JOIN blockchain_info c ON c.singleton = k.key;

-- name: beneficiaries_by_ids
-- Beneficiaries with these ids, where they are the viewer's.
SELECT id, user_id, beneficiary_wallet_id, beneficiary_name, nickname, created_at
FROM beneficiaries WHERE id = ANY($1::uuid[]);

-- name: beneficiaries_by_user
-- A page of each user's beneficiaries, the newest first.
SELECT k.ord, b.id, b.user_id, b.beneficiary_wallet_id, b.beneficiary_name, b.nickname, b.created_at
FROM unnest($1::uuid[]) WITH ORDINALITY AS k (key, ord)
CROSS JOIN LATERAL (
    SELECT s.id, s.user_id, s.beneficiary_wallet_id, s.beneficiary_name, s.nickname, s.created_at
    FROM beneficiaries s
    WHERE s.user_id = k.key
      AND (s.created_at, s.id) < (coalesce($3::timestamptz, 'infinity'),
                                  coalesce($4::uuid, '00000000-0000-0000-0000-000000000000'))
    ORDER BY s.created_at DESC, s.id DESC LIMIT $2
) b
ORDER BY k.ord, b.created_at DESC, b.id DESC;

-- name: beneficiaries_by_user_count
-- How many beneficiaries each user has, up to a limit.
SELECT k.ord, (
    SELECT count(*) FROM (SELECT FROM beneficiaries b WHERE b.user_id = k.key LIMIT $2) counted
) AS value
FROM unnest($1::uuid[]) WITH ORDINALITY AS k (key, ord);
