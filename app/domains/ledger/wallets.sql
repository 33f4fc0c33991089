-- name: wallets_by_ids
-- Wallets with these ids.
SELECT wallet_id, user_id, public_key, custody, created_at
FROM wallets WHERE wallet_id = ANY($1::text[]);

-- name: wallets_by_users
-- Wallets of these users; each has one.
SELECT wallet_id, user_id, public_key, custody, created_at
FROM wallets WHERE user_id = ANY($1::uuid[]);

-- name: balances_by_wallets
-- Balances of these wallets, where they are the viewer's.
SELECT wallet_id, user_id, balance, updated_at
FROM wallet_balances WHERE wallet_id = ANY($1::text[]);

-- name: pending_by_wallets
-- Unconfirmed payments to and from these wallets, where they are the viewer's, and immature rewards.
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
-- The unspent outputs of a wallet, where it is the viewer's.
SELECT o.id, o.transaction_hash, o.output_index, o.wallet_id, o.amount, o.is_coinbase, o.is_change, o.block_height,
       o.spent_in_tx_hash, o.spent_input_index, o.block_height IS NOT NULL AS is_confirmed
FROM utxos o
WHERE o.wallet_id = {key::text} AND NOT o.is_spent
  AND EXISTS (SELECT FROM wallet_balances b WHERE b.wallet_id = {key::text});

-- name: insert_wallet
-- Inserts a wallet with its balance, and its key if it is custodial. No row: the public key has a wallet already.
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

-- name: public_keys
-- The public keys of these wallets.
SELECT wallet_id, public_key FROM wallets WHERE wallet_id = ANY($1::text[]);

-- name: keys_to_rewrap
-- A batch of wallet keys that are not under the active key-encryption key, locked.
SELECT wallet_id, user_id, kek_id, wrapped_key, ciphertext
FROM wallet_keys WHERE kek_id <> $1 ORDER BY wallet_id LIMIT $2 FOR UPDATE SKIP LOCKED;

-- name: count_keys_to_rewrap
-- How many wallet keys are not under the active key-encryption key.
SELECT count(*) FROM wallet_keys WHERE kek_id <> $1;

-- name: rewrap_keys
-- Stores rewrapped data keys.
UPDATE wallet_keys k SET kek_id = $1, wrapped_key = g.wrapped_key, rotated_at = $4
FROM unnest($2::text[], $3::bytea[]) AS g (wallet_id, wrapped_key)
WHERE k.wallet_id = g.wallet_id;

-- name: lock_balances
-- Locks the balances of these wallets in the order of their ids.
SELECT wallet_id FROM wallet_balances WHERE wallet_id = ANY($1::text[]) ORDER BY wallet_id FOR UPDATE;

-- name: wallet_balance_sums
-- What the balances of these wallets must be: the sum of the outputs each can spend in the next block. A subquery for
-- each wallet instead of a join, which a generic plan would answer from the whole table.
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
