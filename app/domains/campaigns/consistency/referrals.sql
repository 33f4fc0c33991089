-- name: differing_referrals
-- Participants of whom others were referred than are counted, up to $1.
SELECT p.id::text AS key, p.total_referrals::text AS stored, coalesce(r.number, 0)::text AS counted,
    count(*) OVER () AS found
FROM participants p
LEFT JOIN (
    SELECT tenant_id, livemode, referred_by, count(*) AS number FROM participants WHERE referred_by IS NOT NULL
    GROUP BY 1, 2, 3
) r ON r.tenant_id = p.tenant_id AND r.livemode = p.livemode AND r.referred_by = p.id
WHERE p.total_referrals <> coalesce(r.number, 0) ORDER BY p.id LIMIT $1;

-- name: lock_participants
-- Locks participants: who refers or is given a wallet does so as well.
SELECT id FROM participants WHERE id = ANY ($1::text[]::uuid[]) ORDER BY id FOR NO KEY UPDATE;

-- name: mend_referrals
-- Counts anew whom these participants have referred.
UPDATE participants p SET total_referrals = c.number
FROM (
    SELECT q.id, q.total_referrals AS before, (
            SELECT count(*) FROM participants r
            WHERE r.tenant_id = q.tenant_id AND r.livemode = q.livemode AND r.referred_by = q.id
        ) AS number
    FROM participants q WHERE q.id = ANY ($1::text[]::uuid[])
) c
WHERE p.id = c.id AND c.before <> c.number
RETURNING p.id::text AS key, c.before::text AS before, c.number::text AS after;

-- name: differing_addresses
-- Participants that are not found by the addresses of their wallets, up to $1.
SELECT p.id::text AS key, p.wallet_addresses::text AS stored, w.addresses::text AS counted, count(*) OVER () AS found
FROM participants p
CROSS JOIN LATERAL (
    SELECT coalesce(array_agg(w.address ORDER BY w.network), '{}') AS addresses FROM participant_wallets w
    WHERE w.tenant_id = p.tenant_id AND w.livemode = p.livemode AND w.participant_id = p.id
) w
WHERE NOT (p.wallet_addresses @> w.addresses AND p.wallet_addresses <@ w.addresses) ORDER BY p.id LIMIT $1;

-- name: mend_addresses
-- Has these participants be found by the addresses of their wallets.
UPDATE participants p SET wallet_addresses = c.addresses
FROM (
    SELECT q.id, q.wallet_addresses AS before, (
            SELECT coalesce(array_agg(w.address ORDER BY w.network), '{}') FROM participant_wallets w
            WHERE w.tenant_id = q.tenant_id AND w.livemode = q.livemode AND w.participant_id = q.id
        ) AS addresses
    FROM participants q WHERE q.id = ANY ($1::text[]::uuid[])
) c
WHERE p.id = c.id AND NOT (c.before @> c.addresses AND c.before <@ c.addresses)
RETURNING p.id::text AS key, c.before::text AS before, c.addresses::text AS after;
