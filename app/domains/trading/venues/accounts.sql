-- name: accounts_by_ids
-- Accounts with these ids.
SELECT id, user_id, exchange, label, status, may_withdraw, failure, failing_since, reached_at, created_at,
    disconnected_at
FROM exchange_accounts WHERE id = ANY ($1::uuid[]);

-- name: accounts_by_user
-- The accounts of a user.
SELECT id, user_id, exchange, label, status, may_withdraw, failure, failing_since, reached_at, created_at,
    disconnected_at
FROM exchange_accounts WHERE user_id = {key::uuid};

-- name: lock_accounts_of_user
-- Lets one transaction at a time change which accounts a user has.
SELECT pg_advisory_xact_lock(hashtextextended('moneta.exchange_accounts:' || $1::text, 0));

-- name: terms_of_connecting
-- The plan of a user, and how many accounts they have connected: user, time.
SELECT coalesce(
        (
            SELECT f.subscription_tier FROM profiles f
            WHERE f.user_id = $1::uuid
                AND (f.subscription_expires_at IS NULL OR f.subscription_expires_at > $2::timestamptz)
        ), 'free'
    ) AS tier,
    (SELECT count(*) FROM exchange_accounts a WHERE a.user_id = $1 AND a.status <> 'disconnected') AS accounts;

-- name: insert_account
-- Inserts an account with its credentials: id, user, exchange, label, whether its key may withdraw, time,
-- key-encryption key, wrapped key, ciphertext.
WITH made AS (
    INSERT INTO exchange_accounts (id, user_id, exchange, label, may_withdraw, reached_at, created_at)
    VALUES ($1::uuid, $2::uuid, $3::text, $4::text, $5::boolean, $6::timestamptz, $6)
    RETURNING id
)
INSERT INTO exchange_credentials (account_id, kek_id, wrapped_key, ciphertext, created_at)
SELECT id, $7::text, $8::bytea, $9::bytea, $6 FROM made;

-- name: lock_account
-- Locks an account of this user; returns its status.
SELECT status FROM exchange_accounts WHERE id = $1::uuid AND user_id = $2::uuid FOR UPDATE;

-- name: live_portfolio_of_account
-- The portfolio that belongs to an account.
SELECT id FROM portfolios WHERE exchange_account_id = $1 AND status <> 'deleted';

-- name: disconnect_account
-- Nothing is sent to an account any more.
UPDATE exchange_accounts SET status = 'disconnecting' WHERE id = $1 AND status = 'connected';

-- name: cancel_orders_of_account
-- Asks for the cancellation of what is active at an account: account, reason, time.
UPDATE venue_orders SET cancel_asked_at = $3::timestamptz, cancel_reason = $2::text
WHERE account_id = $1::uuid AND state IN ('held', 'waiting', 'sending', 'open')
    AND (cancel_asked_at IS NULL OR cancel_reason = 'replaced');

-- name: end_account
-- An account of which nothing is active any more is disconnected, and its credentials are deleted: account, time.
WITH ended AS (
    UPDATE exchange_accounts SET status = 'disconnected', disconnected_at = $2::timestamptz, failure = NULL,
        failing_since = NULL
    WHERE id = $1::uuid AND status = 'disconnecting' AND NOT EXISTS (
        SELECT FROM venue_orders v WHERE v.account_id = $1 AND v.state IN ('held', 'waiting', 'sending', 'open')
    )
    RETURNING id
)
DELETE FROM exchange_credentials c USING ended WHERE c.account_id = ended.id;

-- name: credentials_of_account
-- The credentials of an account.
SELECT c.account_id, a.user_id, c.kek_id, c.wrapped_key, c.ciphertext
FROM exchange_credentials c JOIN exchange_accounts a ON a.id = c.account_id WHERE c.account_id = $1;

-- name: note_reached
-- An account was reached: account, time. Not written each time.
UPDATE exchange_accounts SET reached_at = $2::timestamptz, failure = NULL, failing_since = NULL
WHERE id = $1::uuid
    AND (failure IS NOT NULL OR reached_at IS NULL OR reached_at < $2::timestamptz - interval '1 minute');

-- name: note_unreachable
-- An account cannot be reached: account, why, time.
UPDATE exchange_accounts SET failure = $2::text, failing_since = coalesce(failing_since, $3::timestamptz)
WHERE id = $1::uuid AND failure IS DISTINCT FROM $2;

-- name: open_accounts
-- The accounts that are not disconnected, with their portfolios: what is due or asked of each.
SELECT a.id, a.user_id, a.exchange, a.status, a.failure, p.id AS portfolio_id, p.status AS portfolio_status,
    EXISTS (
        SELECT FROM venue_orders v WHERE v.account_id = a.id AND v.state IN ('waiting', 'sending', 'open')
    ) AS has_due,
    EXISTS (SELECT FROM reconciliations r WHERE r.account_id = a.id AND r.status = 'asked') AS has_asked
FROM exchange_accounts a
LEFT JOIN portfolios p ON p.exchange_account_id = a.id AND p.status <> 'deleted'
WHERE a.status <> 'disconnected';

-- name: has_account
-- Whether a user has a connected account.
SELECT EXISTS (SELECT FROM exchange_accounts WHERE user_id = $1 AND status = 'connected');

-- name: credentials_to_rewrap
-- Credentials that are not under this key-encryption key: at most so many.
SELECT c.account_id, a.user_id, c.kek_id, c.wrapped_key, c.ciphertext
FROM exchange_credentials c JOIN exchange_accounts a ON a.id = c.account_id
WHERE c.kek_id <> $1 ORDER BY c.account_id LIMIT $2 FOR UPDATE OF c;

-- name: rewrap_credentials
-- Puts data keys under another key-encryption key: its ID, accounts, wrapped keys, time.
UPDATE exchange_credentials c SET kek_id = $1, wrapped_key = n.wrapped_key, rotated_at = $4::timestamptz
FROM unnest($2::uuid[], $3::bytea[]) AS n (account_id, wrapped_key) WHERE c.account_id = n.account_id;
