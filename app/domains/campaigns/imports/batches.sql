-- name: known
-- The participants of a tenant with these IDs or codes, locked: tenant, mode, IDs of Telegram, of Discord, codes.
SELECT p.id, p.telegram_id, p.discord_id, p.username, p.first_name, p.last_name, p.email, p.locale, p.time_zone,
    p.has_notifications, p.attributes, p.is_active, p.is_verified, p.referral_code, p.last_active_at, p.import_id,
    p.erased_at IS NOT NULL AS is_erased,
    (SELECT r.referral_code FROM participants r WHERE r.id = p.referred_by) AS referrer_code
FROM participants p WHERE p.id = ANY (
    ARRAY(
        SELECT f.id FROM unnest($3::bigint[]) AS k (value) CROSS JOIN LATERAL (
            SELECT id FROM participants
            WHERE tenant_id = $1::uuid AND livemode = $2::boolean AND telegram_id = k.value LIMIT 1
        ) f
        UNION
        SELECT f.id FROM unnest($4::text[]) AS k (value) CROSS JOIN LATERAL (
            SELECT id FROM participants WHERE tenant_id = $1 AND livemode = $2 AND discord_id = k.value LIMIT 1
        ) f
        UNION
        SELECT f.id FROM unnest($5::text[]) AS k (value) CROSS JOIN LATERAL (
            SELECT id FROM participants WHERE tenant_id = $1 AND livemode = $2 AND referral_code = k.value LIMIT 1
        ) f
    )
) ORDER BY p.id FOR NO KEY UPDATE OF p;

-- name: referrers
-- The participants of a tenant with these codes, who can refer others: tenant, mode, codes.
SELECT f.referral_code, f.id FROM unnest($3::text[]) AS k (value) CROSS JOIN LATERAL (
    SELECT referral_code, id FROM participants
    WHERE tenant_id = $1::uuid AND livemode = $2::boolean AND referral_code = k.value AND erased_at IS NULL LIMIT 1
) f;

-- name: insert_participants
-- Participants of an import: tenant, mode, import, time, and of each the ID, how much later it is, what is set, who has
-- referred them, how many they have referred, when they were last active (null: now).
INSERT INTO participants (id, tenant_id, livemode, import_id, created_at, last_active_at, telegram_id, discord_id,
    username, first_name, last_name, email, locale, time_zone, has_notifications, attributes, is_active, is_verified,
    referral_code, referred_by, total_referrals)
SELECT n.id, $1::uuid, $2::boolean, $3::uuid, $4::timestamptz + n.later * interval '1 microsecond',
    coalesce(n.last_active_at, $4::timestamptz), n.telegram_id, n.discord_id, n.username, n.first_name, n.last_name,
    n.email, n.locale, n.time_zone, n.has_notifications, n.attributes, n.is_active, n.is_verified, n.referral_code,
    n.referred_by, n.total_referrals
FROM unnest(
    $5::uuid[], $6::bigint[], $7::bigint[], $8::text[], $9::text[], $10::text[], $11::text[], $12::text[], $13::text[],
    $14::text[], $15::boolean[], $16::jsonb[], $17::boolean[], $18::boolean[], $19::text[], $20::uuid[],
    $21::integer[], $22::timestamptz[]
) AS n (
    id, later, telegram_id, discord_id, username, first_name, last_name, email, locale, time_zone, has_notifications,
    attributes, is_active, is_verified, referral_code, referred_by, total_referrals, last_active_at
);

-- name: update_participants
-- Changes participants: the import, and of each the ID, what is set, when they were last active.
UPDATE participants p SET import_id = $1::uuid, telegram_id = n.telegram_id, discord_id = n.discord_id,
    username = n.username, first_name = n.first_name, last_name = n.last_name, email = n.email, locale = n.locale,
    time_zone = n.time_zone, has_notifications = n.has_notifications, attributes = n.attributes,
    is_active = n.is_active, is_verified = n.is_verified, referral_code = n.referral_code,
    last_active_at = greatest(p.last_active_at, n.last_active_at)
FROM unnest(
    $2::uuid[], $3::bigint[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[], $10::text[],
    $11::boolean[], $12::jsonb[], $13::boolean[], $14::boolean[], $15::text[], $16::timestamptz[]
) AS n (
    id, telegram_id, discord_id, username, first_name, last_name, email, locale, time_zone, has_notifications,
    attributes, is_active, is_verified, referral_code, last_active_at
) WHERE p.id = n.id AND p.id = ANY ($2);

-- name: remove_wallets
-- Removes wallets that others replace: of each the participant, the network, the new address.
DELETE FROM participant_wallets w USING unnest($1::uuid[], $2::text[], $3::text[]) AS n (id, network, address)
WHERE w.participant_id = ANY ($1) AND w.participant_id = n.id AND w.network = n.network AND w.address <> n.address;

-- name: put_wallets
-- Wallets of participants; one that is there stays as it is: tenant, mode, import, time, and of each the participant,
-- the network, the address, whether it may be one that nobody can sign for.
INSERT INTO participant_wallets (participant_id, tenant_id, livemode, import_id, created_at, network, address,
    allows_off_curve)
SELECT n.id, $1::uuid, $2::boolean, $3::uuid, $4::timestamptz, n.network, n.address, n.allows_off_curve
FROM unnest($5::uuid[], $6::text[], $7::text[], $8::boolean[]) AS n (id, network, address, allows_off_curve)
ON CONFLICT (participant_id, network) DO UPDATE SET allows_off_curve = excluded.allows_off_curve;

-- name: audit_import
-- Notes in the audit log what a batch has done: import, who was created, who was changed.
SELECT audit_import($1::uuid, $2::uuid[], $3::uuid[]);
