-- name: insert_wallet
-- A wallet with an empty balance, and its sealed key if it is custodial. No row: the public key has a wallet already.
WITH wallet AS (
    INSERT INTO wallets (wallet_id, user_id, public_key, custody)
    VALUES ($1, $2, $3, CASE WHEN $4::text IS NULL THEN 'external' ELSE 'custodial' END)
    ON CONFLICT (wallet_id) DO NOTHING
    RETURNING wallet_id, user_id
), sealed AS (
    INSERT INTO wallet_keys (wallet_id, user_id, kek_id, wrapped_key, ciphertext)
    SELECT wallet_id, user_id, $4, $5, $6 FROM wallet WHERE $4::text IS NOT NULL
)
INSERT INTO wallet_balances (wallet_id, user_id) SELECT wallet_id, user_id FROM wallet RETURNING wallet_id;

-- name: keys_to_rewrap
-- A batch of wallet keys that are not under the active key-encryption key, locked.
SELECT wallet_id, user_id, kek_id, wrapped_key, ciphertext
FROM wallet_keys WHERE kek_id <> $1 ORDER BY wallet_id LIMIT $2 FOR UPDATE SKIP LOCKED;

-- name: count_keys_to_rewrap
-- How many wallet keys are not under the active key-encryption key.
SELECT count(*) FROM wallet_keys WHERE kek_id <> $1;

-- name: rewrap_keys
-- Stores data keys that were wrapped anew.
UPDATE wallet_keys k SET kek_id = $1, wrapped_key = g.wrapped_key, rotated_at = $4
FROM unnest($2::text[], $3::bytea[]) AS g (wallet_id, wrapped_key)
WHERE k.wallet_id = g.wallet_id;

-- name: lock_payer
-- Locks the balance of a user's wallet: whoever spends from it, or returns coins to it, waits here.
SELECT wallet_id FROM wallet_balances WHERE user_id = $1 FOR UPDATE;

-- name: payer
-- All that a payment from a user's wallet needs to know, with the coins it may choose from. A transaction has at most
-- 256 inputs, so the $3 = 256 largest coins decide what can be paid; the $4 smallest are there to be tidied away.
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
-- What is needed to judge a transaction of this wallet, and whether its hash is known already.
SELECT w.public_key, c.network, c.coinbase_maturity, c.tip_height,
       EXISTS (SELECT FROM wallets r WHERE r.wallet_id = $3) AS recipient_exists,
       EXISTS (SELECT FROM transactions t WHERE t.transaction_hash = $2) AS is_known
FROM wallets w LEFT JOIN blockchain_info c ON c.singleton
WHERE w.wallet_id = $1;

-- name: unspent_at
-- The unspent outputs at these places.
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

-- name: mempool_is_full
-- Whether more than $1 transactions wait for a block.
SELECT EXISTS (SELECT FROM transactions WHERE status = 'pending' ORDER BY sequence OFFSET $1 LIMIT 1);

-- name: lock_chain
-- Locks the tip: no block is connected until the end of this transaction.
SELECT tip_height FROM blockchain_info FOR UPDATE;

-- name: overdue_senders
-- Senders of the oldest transactions that have waited since before $1, up to $2.
SELECT DISTINCT o.sender_wallet_id
FROM (
    SELECT sender_wallet_id FROM transactions
    WHERE status = 'pending' AND created_at < $1 ORDER BY created_at LIMIT $2
) o
ORDER BY o.sender_wallet_id;

-- name: lock_balances
-- Locks the balances of these wallets in the order of their ids.
SELECT wallet_id FROM wallet_balances WHERE wallet_id = ANY($1::text[]) ORDER BY wallet_id FOR UPDATE;

-- name: overdue_family
-- Overdue transactions of these senders and all that spend their outputs, the children last.
WITH RECURSIVE family AS (
    SELECT t.transaction_hash FROM transactions t
    WHERE t.status = 'pending' AND t.created_at < $2 AND t.sender_wallet_id = ANY($1::text[])
    UNION
    SELECT u.spent_in_tx_hash FROM family f JOIN utxos u ON u.transaction_hash = f.transaction_hash AND u.is_spent
)
SELECT t.transaction_hash, t.sender_wallet_id, t.recipient_wallet_id, t.created_at < $2 AS is_overdue
FROM family f JOIN transactions t ON t.transaction_hash = f.transaction_hash
ORDER BY t.sequence;

-- name: release_inputs
-- Makes what these transactions spend spendable again.
UPDATE utxos SET spent_in_tx_hash = NULL, spent_input_index = NULL WHERE spent_in_tx_hash = ANY($1::text[]);

-- name: delete_outputs
-- Removes the outputs of these transactions, which nothing spends any more.
DELETE FROM utxos WHERE transaction_hash = ANY($1::text[]);

-- name: fail_transactions
-- Marks pending transactions as failed, each for its reason.
UPDATE transactions t SET status = 'failed', failure_reason = g.reason
FROM unnest($1::text[], $2::text[]) AS g (hash, reason)
WHERE t.transaction_hash = g.hash AND t.status = 'pending';

-- name: wallet_balance_sums
-- What the balances of these wallets must be: the sum of the outputs each can spend in the next block. A subquery a
-- wallet and no join, which a plan for any number of wallets would answer from the whole table.
SELECT w.wallet_id, (
    SELECT coalesce(sum(u.amount), 0)::numeric(20, 8)
    FROM utxos u CROSS JOIN blockchain_info c
    WHERE u.wallet_id = w.wallet_id AND NOT u.is_spent AND (u.block_height IS NOT NULL OR u.is_change)
      AND (NOT u.is_coinbase OR u.block_height <= c.tip_height + 1 - c.coinbase_maturity)
) AS balance
FROM wallets w WHERE w.wallet_id = ANY($1::text[]);

-- name: store_balances
-- Stores sums as the balances of these wallets.
UPDATE wallet_balances b SET balance = g.balance, updated_at = $3
FROM unnest($1::text[], $2::numeric[]) AS g (wallet_id, balance)
WHERE b.wallet_id = g.wallet_id AND b.balance <> g.balance;

-- name: insert_beneficiary
-- Saves a recipient. No row: the wallet does not exist. A wallet that is saved already gives a null id.
WITH wallet AS (
    SELECT wallet_id FROM wallets WHERE wallet_id = $2
), added AS (
    INSERT INTO beneficiaries (user_id, beneficiary_wallet_id, beneficiary_name, nickname, created_at)
    SELECT $1, wallet_id, $3, $4, $5 FROM wallet
    ON CONFLICT (user_id, beneficiary_wallet_id) DO NOTHING
    RETURNING id
)
SELECT (SELECT id FROM added) AS id FROM wallet;

-- name: beneficiary
-- One beneficiary of a user.
SELECT id, user_id, beneficiary_wallet_id, beneficiary_name, nickname, created_at
FROM beneficiaries WHERE id = $1 AND user_id = $2;

-- name: update_beneficiary
-- Renames a beneficiary of a user.
UPDATE beneficiaries SET beneficiary_name = $3, nickname = $4
WHERE id = $1 AND user_id = $2
RETURNING id, user_id, beneficiary_wallet_id, beneficiary_name, nickname, created_at;

-- name: delete_beneficiary
-- Forgets a beneficiary of a user.
DELETE FROM beneficiaries WHERE id = $1 AND user_id = $2;
