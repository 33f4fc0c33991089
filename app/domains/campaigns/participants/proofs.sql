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

-- name: is_proven
-- Whether another participant has proven a wallet: tenant, mode, network, address, participant.
SELECT EXISTS (
    SELECT FROM participant_wallets WHERE tenant_id = $1 AND livemode = $2 AND network = $3 AND address = $4
        AND participant_id <> $5 AND verified_at IS NOT NULL
);

-- name: set_verified
-- Notes that a wallet was proven: participant, network, when.
UPDATE participant_wallets SET verified_at = $3::timestamptz WHERE participant_id = $1 AND network = $2;

-- name: put_link
-- A token that links a user to a participant, in place of the one before: participant, tenant, mode, hash, until when.
INSERT INTO participant_links (participant_id, tenant_id, livemode, token_hash, expires_at)
VALUES ($1, $2, $3, $4, $5::timestamptz)
ON CONFLICT (participant_id) DO UPDATE SET token_hash = excluded.token_hash, expires_at = excluded.expires_at;

-- name: lock_link
-- The participant that a token links to, locked: hash of the token, now.
SELECT p.id AS participant_id, p.tenant_id, p.livemode, p.user_id IS NOT NULL AS is_linked,
    t.deleted_at IS NULL AND t.subscription_status = 'active' AS is_open
FROM participant_links l JOIN participants p ON p.id = l.participant_id JOIN tenants t ON t.id = p.tenant_id
WHERE l.token_hash = $1 AND l.expires_at > $2::timestamptz FOR NO KEY UPDATE OF l, p;

-- name: is_participant
-- Whether a user is linked to a participant of a tenant: tenant, mode, user.
SELECT EXISTS (SELECT FROM participants WHERE tenant_id = $1 AND livemode = $2 AND user_id = $3);

-- name: set_user
-- Links a user to a participant: its ID, user.
UPDATE participants SET user_id = $2 WHERE id = $1;

-- name: delete_link
-- Uses up the token of a participant.
DELETE FROM participant_links WHERE participant_id = $1;

-- name: unlink
-- Unlinks the user of a participant: its ID.
UPDATE participants SET user_id = NULL WHERE id = $1;

-- name: lock_own
-- A participant that a user is linked to, locked: its ID, the user.
SELECT id FROM participants WHERE id = $1 AND user_id = $2 FOR NO KEY UPDATE;

-- name: remove_challenges
-- Removes what can be signed no more.
DELETE FROM wallet_challenges WHERE expires_at < $1::timestamptz;

-- name: remove_links
-- Removes tokens that have expired.
DELETE FROM participant_links WHERE expires_at < $1::timestamptz;
