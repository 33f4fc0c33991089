-- name: access_codes_by_ids
-- Access codes with these ids.
SELECT id, code, redeemed, redeemed_by, redeemed_at, created_at FROM access_codes WHERE id = ANY($1::uuid[]);

-- name: access_codes_page
-- Access codes, the newest first; those redeemed or not, or all when that is null.
SELECT id, code, redeemed, redeemed_by, redeemed_at, created_at
FROM access_codes
WHERE redeemed = coalesce($2::boolean, redeemed)
  AND (created_at, id) < (coalesce($3::timestamptz, 'infinity'),
                          coalesce($4::uuid, 'ffffffff-ffff-ffff-ffff-ffffffffffff'))
ORDER BY created_at DESC, id DESC LIMIT $1::integer;

-- name: access_codes_count
-- How many access codes there are in a state.
SELECT count(*)::integer FROM (
    SELECT FROM access_codes WHERE redeemed = coalesce($2::boolean, redeemed) LIMIT $1::integer
) AS counted;

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
