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
