-- name: access_codes_by_ids
-- Access codes with these ids.
SELECT id, code, redeemed, redeemed_by, redeemed_at, created_at FROM access_codes WHERE id = ANY($1::uuid[]);

-- name: access_codes
-- All access codes.
SELECT id, code, redeemed, redeemed_by, redeemed_at, created_at FROM access_codes;

-- name: access_code_is_spent
-- Whether a code has been redeemed. No row: it does not exist. Read before anything slow is done for the request.
SELECT redeemed FROM access_codes WHERE code = $1;

-- name: lock_free_access_code
-- Locks a code that is not redeemed. A concurrent transaction waits here, and then finds it redeemed.
SELECT id FROM access_codes WHERE code = $1 AND NOT redeemed FOR UPDATE;

-- name: redeem_access_code
-- Redeems a code.
UPDATE access_codes SET redeemed_by = $2, redeemed_at = $3 WHERE id = $1;

-- name: insert_access_codes
-- Inserts codes. Codes that exist already are not in the result.
INSERT INTO access_codes (code, created_at) SELECT unnest($1::text[]), $2
ON CONFLICT (code) DO NOTHING RETURNING id, code;

-- name: unspent_codes
-- Which of these codes are not redeemed.
SELECT code FROM access_codes WHERE code = ANY ($1::text[]) AND NOT redeemed ORDER BY code;
