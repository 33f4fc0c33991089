-- name: lock_payer
-- Locks the balance of a user's wallet. Transactions that spend from it or return coins to it wait here.
SELECT wallet_id FROM wallet_balances WHERE user_id = $1 FOR UPDATE;

-- name: payer
-- What a payment from a user's wallet is built from, with the coins that it may spend. A transaction has at most 256
-- inputs, so the $3 = 256 largest coins decide what can be paid; the $4 smallest are candidates for merging.
SELECT w.wallet_id, w.custody, w.public_key, b.balance,
       k.kek_id, k.wrapped_key, k.ciphertext,
       c.network, c.coinbase_maturity, c.tip_height,
       EXISTS (SELECT FROM wallets r WHERE r.wallet_id = $2) AS recipient_exists,
       coins.hashes, coins.indexes, coins.units, coins.heights, coins.coinbases, coins.ancestors
FROM wallets w
JOIN wallet_balances b ON b.wallet_id = w.wallet_id
LEFT JOIN wallet_keys k ON k.wallet_id = w.wallet_id
LEFT JOIN blockchain_info c ON c.singleton
CROSS JOIN LATERAL (
    SELECT array_agg(u.transaction_hash::text) AS hashes, array_agg(u.output_index) AS indexes,
           array_agg((u.amount * 100000000)::bigint) AS units, array_agg(u.block_height) AS heights,
           array_agg(u.is_coinbase) AS coinbases,
           -- A subquery and no join: only the few unconfirmed coins look their transaction up.
           array_agg(CASE WHEN u.block_height IS NULL THEN (
               SELECT t.ancestors FROM transactions t WHERE t.transaction_hash = u.transaction_hash
           ) ELSE 0 END) AS ancestors
    FROM (
        (SELECT l.transaction_hash, l.output_index, l.amount, l.block_height, l.is_coinbase
         FROM utxos l
         WHERE l.wallet_id = w.wallet_id AND NOT l.is_spent AND (l.block_height IS NOT NULL OR l.is_change)
           AND (NOT l.is_coinbase OR l.block_height <= c.tip_height + 1 - c.coinbase_maturity)
         ORDER BY l.amount DESC LIMIT $3)
        UNION
        (SELECT s.transaction_hash, s.output_index, s.amount, s.block_height, s.is_coinbase
         FROM utxos s
         WHERE s.wallet_id = w.wallet_id AND NOT s.is_spent AND (s.block_height IS NOT NULL OR s.is_change)
           AND (NOT s.is_coinbase OR s.block_height <= c.tip_height + 1 - c.coinbase_maturity)
         ORDER BY s.amount LIMIT $4)
    ) u
) coins
WHERE w.user_id = $1;

-- name: submitter
-- What a transaction of this wallet is checked against, and whether it exists already.
SELECT w.public_key, c.network, c.coinbase_maturity, c.tip_height,
       EXISTS (SELECT FROM wallets r WHERE r.wallet_id = $3) AS recipient_exists,
       EXISTS (SELECT FROM transactions t WHERE t.transaction_hash = $2) AS is_known
FROM wallets w LEFT JOIN blockchain_info c ON c.singleton
WHERE w.wallet_id = $1;

-- name: unspent_at
-- The unspent outputs at these outpoints.
SELECT u.transaction_hash, u.output_index, u.wallet_id, (u.amount * 100000000)::bigint AS units, u.block_height,
       u.is_coinbase, u.is_change,
       CASE WHEN u.block_height IS NULL THEN (
           SELECT t.ancestors FROM transactions t WHERE t.transaction_hash = u.transaction_hash
       ) ELSE 0 END AS ancestors
FROM unnest($1::text[], $2::integer[]) AS g (hash, place)
JOIN utxos u ON u.transaction_hash = g.hash AND u.output_index = g.place AND NOT u.is_spent;

-- name: accept_payment
-- Stores a pending transaction with its outputs, marks what it spends and takes it off the sender's balance. The value
-- is how many inputs were unspent: unless it is all of them, roll back.
WITH accepted AS (
    INSERT INTO transactions (transaction_hash, sender_wallet_id, recipient_wallet_id, amount, fee, memo, timestamp,
                              signature, encoding, size_bytes, ancestors, created_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
), made AS (
    INSERT INTO utxos (transaction_hash, output_index, wallet_id, amount, is_change)
    SELECT $1, g.ord - 1, g.wallet_id, g.amount, g.wallet_id = $2
    FROM unnest($13::text[], $14::numeric[]) WITH ORDINALITY AS g (wallet_id, amount, ord)
), spent AS (
    UPDATE utxos u SET spent_in_tx_hash = $1, spent_input_index = g.ord - 1
    FROM unnest($15::text[], $16::integer[]) WITH ORDINALITY AS g (hash, place, ord)
    WHERE u.transaction_hash = g.hash AND u.output_index = g.place AND u.spent_in_tx_hash IS NULL
    RETURNING u.id
), paid AS (
    UPDATE wallet_balances SET balance = balance - $4 - $5, updated_at = $12 WHERE wallet_id = $2
)
SELECT count(*) FROM spent;
