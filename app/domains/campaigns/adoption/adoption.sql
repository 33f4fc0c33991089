-- name: adopt_participants
-- Participants of a tenant, but for those whom it has, or whose IDs or codes it has: tenant, mode, and for each: ID,
-- times, and what is set. Returns the IDs of new ones.
INSERT INTO participants (id, tenant_id, livemode, created_at, last_active_at, telegram_id, discord_id, username,
    first_name, last_name, email, locale, time_zone, has_notifications, attributes, is_active, is_verified,
    referral_code)
SELECT n.id, $1::uuid, $2::boolean, n.created_at, n.last_active_at, n.telegram_id, n.discord_id, n.username,
    n.first_name, n.last_name, n.email, n.locale, n.time_zone, n.has_notifications, n.attributes::jsonb, n.is_active,
    n.is_verified, n.referral_code
FROM unnest($3::uuid[], $4::timestamptz[], $5::timestamptz[], $6::bigint[], $7::text[], $8::text[], $9::text[],
    $10::text[], $11::text[], $12::text[], $13::text[], $14::boolean[], $15::text[], $16::boolean[], $17::boolean[],
    $18::text[]) AS n (id, created_at, last_active_at, telegram_id, discord_id, username, first_name, last_name, email,
    locale, time_zone, has_notifications, attributes, is_active, is_verified, referral_code)
ON CONFLICT DO NOTHING RETURNING id;

-- name: adopted_participants
-- Which of these participants a tenant has: tenant, mode, IDs.
SELECT id FROM participants WHERE tenant_id = $1 AND livemode = $2 AND id = ANY ($3::uuid[]);

-- name: adopt_wallets
-- Wallets of participants who have none in that network: tenant, mode, and for each: participant, network, address,
-- whether it may be one that nobody can sign for, time. Returns whose.
INSERT INTO participant_wallets (participant_id, tenant_id, livemode, network, address, allows_off_curve, created_at)
SELECT n.participant_id, $1::uuid, $2::boolean, n.network, n.address, n.allows_off_curve, n.created_at
FROM unnest($3::uuid[], $4::text[], $5::text[], $6::boolean[], $7::timestamptz[])
    AS n (participant_id, network, address, allows_off_curve, created_at)
ON CONFLICT DO NOTHING RETURNING participant_id;

-- name: adopt_referrals
-- Says who has referred participants of whom that is not known, and counts it: tenant, mode, who, by whom. Returns who.
WITH referred AS (
    UPDATE participants p SET referred_by = n.referrer FROM unnest($3::uuid[], $4::uuid[]) AS n (id, referrer)
    WHERE p.id = n.id AND p.tenant_id = $1::uuid AND p.livemode = $2::boolean AND p.referred_by IS NULL
    RETURNING p.id, p.referred_by
)
SELECT id, referred_by FROM referred;

-- name: count_referrals
-- Adds to the number of referrals of participants: IDs, how many.
UPDATE participants p SET total_referrals = p.total_referrals + n.number
FROM unnest($1::uuid[], $2::integer[]) AS n (id, number) WHERE p.id = n.id;

-- name: adopt_project
-- A project, unless there is one with its ID or key: ID, tenant, mode, key, time, and what is set. Returns its ID.
INSERT INTO projects (id, tenant_id, livemode, key, created_at, name, description, network, token_name, token_symbol,
    token_address, token_decimals, total_supply, distribution, claim_amount, max_participants,
    max_claims_per_participant, is_active, is_public, starts_at, ends_at)
VALUES ($1, $2, $3, $4, $5::timestamptz, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19,
    $20::timestamptz, $21::timestamptz)
ON CONFLICT DO NOTHING RETURNING id;

-- name: adopted_projects
-- Which of these projects a tenant has, and the points that a level of each takes: tenant, mode, IDs.
SELECT id, level_thresholds FROM projects WHERE tenant_id = $1 AND livemode = $2 AND id = ANY ($3::uuid[]);

-- name: adopt_participation
-- What a participant takes part in, unless they do already: ID, tenant, mode, project, participant, status,
-- verification, when it began, when it was last changed. Returns its ID.
INSERT INTO participations (id, tenant_id, livemode, project_id, participant_id, status, verification_status,
    joined_at, left_at, banned_at, next_level_points)
SELECT $1, p.tenant_id, p.livemode, p.id, $5, $6::text, $7, $8::timestamptz,
    CASE $6::text WHEN 'left' THEN $9::timestamptz END, CASE $6::text WHEN 'banned' THEN $9::timestamptz END,
    p.level_thresholds[1]
FROM projects p WHERE p.id = $4 AND p.tenant_id = $2 AND p.livemode = $3
ON CONFLICT DO NOTHING RETURNING id;

-- name: adopted_participations
-- Which of these participations a tenant has: tenant, mode, IDs.
SELECT id FROM participations WHERE tenant_id = $1 AND livemode = $2 AND id = ANY ($3::uuid[]);

-- name: totals
-- What a tenant has of these participants, projects and participations: tenant, mode, the IDs of each.
SELECT (SELECT count(*) FROM participants p WHERE p.id = ANY ($3::uuid[]) AND p.tenant_id = $1 AND p.livemode = $2)
        AS participants,
    (SELECT count(*) FROM participant_wallets w WHERE w.participant_id = ANY ($3::uuid[])) AS wallets,
    (SELECT count(*) FROM participants p WHERE p.referred_by = ANY ($3::uuid[])) AS referrals,
    (SELECT coalesce(sum(p.total_referrals), 0)::bigint FROM participants p WHERE p.id = ANY ($3::uuid[]))
        AS referrals_counted,
    (SELECT count(*) FROM projects p WHERE p.id = ANY ($4::uuid[]) AND p.tenant_id = $1 AND p.livemode = $2)
        AS projects,
    (SELECT count(*) FROM project_wallets w WHERE w.project_id = ANY ($4::uuid[])) AS project_wallets,
    (SELECT count(*) FROM participations p WHERE p.id = ANY ($5::uuid[])) AS participations,
    (SELECT count(*) FROM participations p WHERE p.project_id = ANY ($4::uuid[]) AND p.status = 'active') AS active,
    (SELECT coalesce(sum(c.participants), 0)::bigint FROM project_counters c WHERE c.project_id = ANY ($4::uuid[]))
        AS active_counted,
    (SELECT coalesce(sum(p.points), 0)::bigint FROM participations p WHERE p.id = ANY ($5::uuid[])) AS points,
    (SELECT coalesce(sum(e.amount), 0)::bigint FROM point_entries e WHERE e.participation_id = ANY ($5::uuid[]))
        AS entries;
