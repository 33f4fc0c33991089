-- name: beneficiaries_by_ids
-- Beneficiaries with these ids, where they are the viewer's.
SELECT id, user_id, beneficiary_wallet_id, beneficiary_name, nickname, created_at
FROM beneficiaries WHERE id = ANY($1::uuid[]);

-- name: beneficiaries_by_user
-- A user's beneficiaries, with the text that they can be found by.
SELECT id, user_id, beneficiary_wallet_id, beneficiary_name, nickname, created_at,
       concat_ws(' ', beneficiary_name, nickname) AS names
FROM beneficiaries WHERE user_id = {key::uuid};

-- name: insert_beneficiary
-- Saves a recipient. No row: the wallet does not exist. Null: the wallet is saved already.
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
-- Changes the names of a beneficiary of a user: each only if the parameter before it is true.
UPDATE beneficiaries
SET beneficiary_name = CASE WHEN $3::boolean THEN $4::text ELSE beneficiary_name END,
    nickname = CASE WHEN $5::boolean THEN $6::text ELSE nickname END
WHERE id = $1 AND user_id = $2
RETURNING id, user_id, beneficiary_wallet_id, beneficiary_name, nickname, created_at;

-- name: delete_beneficiary
-- Deletes a beneficiary of a user.
DELETE FROM beneficiaries WHERE id = $1 AND user_id = $2;
