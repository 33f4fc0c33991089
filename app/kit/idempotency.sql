-- name: claim_key
-- Claims a key for this transaction, with its result if that is known; a second claimer waits here until the first
-- commits or rolls back.
INSERT INTO idempotency_keys (owner, key, operation, request_hash, user_id, result)
VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (owner, key) DO NOTHING RETURNING true;

-- name: claimed_key
-- What a key was claimed for, and its stored result.
SELECT operation, request_hash, result FROM idempotency_keys WHERE owner = $1 AND key = $2;

-- name: store_result
-- Stores the result that a replay of the key gets.
UPDATE idempotency_keys SET result = $3 WHERE owner = $1 AND key = $2;
