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

-- name: open_tenant
-- The tenant with a slug, if it takes part.
SELECT id FROM tenants WHERE slug = $1 AND deleted_at IS NULL AND subscription_status = 'active';

-- name: put_link_challenge
-- What a user signs who links themself, in place of the one before: user, tenant, mode, network, address, message,
-- until when.
INSERT INTO participant_link_challenges (user_id, tenant_id, livemode, network, address, message, expires_at)
VALUES ($1, $2, $3, $4, $5, $6, $7::timestamptz)
ON CONFLICT (user_id, tenant_id, livemode, network) DO UPDATE
SET address = excluded.address, message = excluded.message, expires_at = excluded.expires_at;

-- name: link_challenge
-- What a user signs: user, tenant, mode, network, now.
SELECT address, message, expires_at FROM participant_link_challenges
WHERE user_id = $1 AND tenant_id = $2 AND livemode = $3 AND network = $4 AND expires_at > $5::timestamptz;

-- name: use_link_challenge
-- Uses up what was signed: user, tenant, mode, network, message, now. Returns the address.
DELETE FROM participant_link_challenges WHERE user_id = $1 AND tenant_id = $2 AND livemode = $3 AND network = $4
    AND message = $5 AND expires_at > $6::timestamptz RETURNING address;

-- name: lock_owners
-- The participants of a tenant with a wallet, locked, up to two, who has proven it first: tenant, mode, network,
-- address.
SELECT p.id AS participant_id, w.verified_at IS NOT NULL AS is_proven, p.user_id IS NOT NULL AS is_linked
FROM participant_wallets w JOIN participants p ON p.id = w.participant_id
WHERE w.tenant_id = $1 AND w.livemode = $2 AND w.network = $3 AND w.address = $4
ORDER BY w.verified_at IS NULL, p.id LIMIT 2 FOR NO KEY UPDATE OF p, w;

-- name: remove_link_challenges
-- Removes what can be signed no more.
DELETE FROM participant_link_challenges WHERE expires_at < $1::timestamptz;

-- name: remove_links
-- Removes tokens that have expired.
DELETE FROM participant_links WHERE expires_at < $1::timestamptz;
