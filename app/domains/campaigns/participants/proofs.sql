-- name: address_of_wallet
-- The address of the wallet of a participant, locked: participant, network, tenant, mode.
SELECT address FROM participant_wallets
WHERE participant_id = $1 AND network = $2 AND tenant_id = $3 AND livemode = $4 FOR NO KEY UPDATE;

-- name: put_challenge
-- What the owner of a wallet signs, in place of the one before: participant, network, tenant, mode, address, message,
-- until when.
INSERT INTO wallet_challenges (participant_id, network, tenant_id, livemode, address, message, expires_at)
VALUES ($1, $2, $3, $4, $5, $6, $7::timestamptz)
ON CONFLICT (participant_id, network) DO UPDATE
SET address = excluded.address, message = excluded.message, expires_at = excluded.expires_at;

-- name: challenge_of_wallet
-- What the owner of a wallet signs: participant, network, tenant, mode, now.
SELECT address, message, expires_at FROM wallet_challenges
WHERE participant_id = $1 AND network = $2 AND tenant_id = $3 AND livemode = $4 AND expires_at > $5::timestamptz;

-- name: use_challenge
-- Uses up what was signed: participant, network, message, now. Returns the address.
DELETE FROM wallet_challenges
WHERE participant_id = $1 AND network = $2 AND message = $3 AND expires_at > $4::timestamptz RETURNING address;

-- name: lock_claims
-- Which participants of a tenant have a wallet, locked, and whether they have proven it: tenant, mode, network,
-- address.
SELECT participant_id, verified_at IS NOT NULL AS is_proven FROM participant_wallets
WHERE tenant_id = $1 AND livemode = $2 AND network = $3 AND address = $4 ORDER BY participant_id FOR UPDATE;

-- name: remove_claims
-- Removes a wallet from the participants of a tenant who have not proven it, but one: tenant, mode, network, address,
-- that one.
DELETE FROM participant_wallets WHERE tenant_id = $1 AND livemode = $2 AND network = $3 AND address = $4
    AND participant_id <> $5 AND verified_at IS NULL;

-- name: set_verified
-- Notes that a wallet was proven: participant, network, when.
UPDATE participant_wallets SET verified_at = $3::timestamptz WHERE participant_id = $1 AND network = $2;

-- name: remove_challenges
-- Removes what can be signed no more.
DELETE FROM wallet_challenges WHERE expires_at < $1::timestamptz;
