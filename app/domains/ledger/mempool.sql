-- name: mempool
-- The pending transactions. The recipient as an expression, so that what it ever received is not looked through.
SELECT transaction_hash, sender_wallet_id, recipient_wallet_id, amount, fee, memo, timestamp, status,
       failure_reason, size_bytes, block_height, block_position, sequence, recipient_wallet_id || '' AS recipient
FROM transactions WHERE status = 'pending';

-- name: mempool_is_full
-- Whether more than $1 transactions are pending.
SELECT EXISTS (SELECT FROM transactions WHERE status = 'pending' ORDER BY sequence OFFSET $1 LIMIT 1);

-- name: template_basis
-- What a block template is built from: the tip, and the newest pending transaction (0: none).
SELECT i.tip_hash,
       coalesce((SELECT max(t.sequence) FROM transactions t WHERE t.status = 'pending'), 0) AS newest_sequence
FROM blockchain_info i;

-- name: pending_transactions
-- The oldest transactions of the mempool, without their bytes.
SELECT transaction_hash, (fee * 100000000)::bigint AS fee_units, octet_length(encoding) AS encoding_bytes,
       octet_length(signature) AS signature_bytes, sequence
FROM transactions WHERE status = 'pending' ORDER BY sequence LIMIT $1;

-- name: pending_parents
-- Pairs of unconfirmed transactions in which the second spends an output of the first.
SELECT DISTINCT u.transaction_hash, t.transaction_hash
FROM transactions t JOIN utxos u ON u.spent_in_tx_hash = t.transaction_hash
WHERE t.status = 'pending' AND u.block_height IS NULL;

-- name: transactions_to_mine
-- The bytes of these transactions.
SELECT transaction_hash, encoding, signature FROM transactions WHERE transaction_hash = ANY($1::text[]);

-- name: outputs_spent_by
-- The outputs that these transactions spend. The height is null if the parent is unconfirmed too.
SELECT transaction_hash, output_index, wallet_id, (amount * 100000000)::bigint AS amount_units, block_height,
       is_coinbase, spent_in_tx_hash
FROM utxos WHERE spent_in_tx_hash = ANY($1::text[]);

-- name: overdue_senders
-- Senders of the oldest transactions that are pending since before $1, up to $2.
SELECT DISTINCT o.sender_wallet_id
FROM (
    SELECT sender_wallet_id FROM transactions
    WHERE status = 'pending' AND created_at < $1 ORDER BY created_at LIMIT $2
) o
ORDER BY o.sender_wallet_id;

-- name: overdue_family
-- Overdue transactions of these senders and all that spend their outputs, parents first.
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
-- Deletes the outputs of these transactions, which nothing spends any more.
DELETE FROM utxos WHERE transaction_hash = ANY($1::text[]);

-- name: fail_transactions
-- Marks pending transactions as failed, each with its reason.
UPDATE transactions t SET status = 'failed', failure_reason = g.reason
FROM unnest($1::text[], $2::text[]) AS g (hash, reason)
WHERE t.transaction_hash = g.hash AND t.status = 'pending';
