-- name: participants_by_ids
-- Participants with these IDs.
SELECT id, tenant_id, livemode, telegram_id, discord_id, username, first_name, last_name, email, locale, time_zone,
    has_notifications, attributes, is_active, is_verified, referral_code, referred_by, total_referrals, user_id,
    created_at, updated_at, last_active_at
FROM participants WHERE id = ANY ($1::uuid[]);

-- name: participants_by_telegram_ids
-- Participants of the tenant in which the caller acts, with these IDs of Telegram.
SELECT id, tenant_id, livemode, telegram_id, discord_id, username, first_name, last_name, email, locale, time_zone,
    has_notifications, attributes, is_active, is_verified, referral_code, referred_by, total_referrals, user_id,
    created_at, updated_at, last_active_at
FROM participants WHERE telegram_id = ANY ($1::bigint[])
    AND tenant_id = (SELECT app_tenant()) AND livemode = (SELECT app_livemode());

-- name: participants_by_discord_ids
-- Participants of the tenant in which the caller acts, with these IDs of Discord.
SELECT id, tenant_id, livemode, telegram_id, discord_id, username, first_name, last_name, email, locale, time_zone,
    has_notifications, attributes, is_active, is_verified, referral_code, referred_by, total_referrals, user_id,
    created_at, updated_at, last_active_at
FROM participants WHERE discord_id = ANY ($1::text[])
    AND tenant_id = (SELECT app_tenant()) AND livemode = (SELECT app_livemode());

-- name: participants_by_referral_codes
-- Participants of the tenant in which the caller acts, with these codes.
SELECT id, tenant_id, livemode, telegram_id, discord_id, username, first_name, last_name, email, locale, time_zone,
    has_notifications, attributes, is_active, is_verified, referral_code, referred_by, total_referrals, user_id,
    created_at, updated_at, last_active_at
FROM participants WHERE referral_code = ANY ($1::text[])
    AND tenant_id = (SELECT app_tenant()) AND livemode = (SELECT app_livemode());

-- name: participants_by_wallet_addresses
-- Participants of the tenant in which the caller acts, who have proven wallets with these addresses.
SELECT p.id, p.tenant_id, p.livemode, p.telegram_id, p.discord_id, p.username, p.first_name, p.last_name, p.email,
    p.locale, p.time_zone, p.has_notifications, p.attributes, p.is_active, p.is_verified, p.referral_code,
    p.referred_by, p.total_referrals, p.user_id, p.created_at, p.updated_at, p.last_active_at, w.address
FROM participant_wallets w JOIN participants p ON p.id = w.participant_id
WHERE w.address = ANY ($1::text[]) AND w.verified_at IS NOT NULL
    AND w.tenant_id = (SELECT app_tenant()) AND w.livemode = (SELECT app_livemode());

-- name: participants_by_tenant
-- The participants of a tenant in which the caller acts.
SELECT id, tenant_id, livemode, telegram_id, discord_id, username, first_name, last_name, email, locale, time_zone,
    has_notifications, attributes, is_active, is_verified, referral_code, referred_by, total_referrals, user_id,
    created_at, updated_at, last_active_at, username_lower
FROM participants WHERE tenant_id = {key::uuid} AND tenant_id = (SELECT app_tenant())
    AND livemode = (SELECT app_livemode());

-- name: participants_by_user
-- The participants that a user is linked to.
SELECT id, tenant_id, livemode, telegram_id, discord_id, username, first_name, last_name, email, locale, time_zone,
    has_notifications, attributes, is_active, is_verified, referral_code, referred_by, total_referrals, user_id,
    created_at, updated_at, last_active_at
FROM participants WHERE user_id = {key::uuid};

-- name: wallets_by_participants
-- The wallets of participants: their position, and a wallet.
SELECT k.ord, w.participant_id, w.network, w.address, w.allows_off_curve, w.created_at, w.verified_at
FROM unnest($1::uuid[]) WITH ORDINALITY AS k (id, ord) JOIN participant_wallets w ON w.participant_id = k.id
ORDER BY k.ord, w.network;

-- name: lock_participant
-- A participant of a tenant, locked: its ID, tenant, mode.
SELECT id, tenant_id, livemode, telegram_id, discord_id, username, first_name, last_name, email, locale, time_zone,
    has_notifications, attributes, is_active, is_verified, referral_code, referred_by, total_referrals, user_id,
    created_at, updated_at, last_active_at
FROM participants WHERE id = $1 AND tenant_id = $2 AND livemode = $3 FOR NO KEY UPDATE;

-- name: taken
-- What another participant of a tenant has: tenant, mode, who is not another, ID of Telegram, of Discord, code.
SELECT coalesce(bool_or(telegram_id = $4::bigint), false) AS telegram_id,
    coalesce(bool_or(discord_id = $5::text), false) AS discord_id,
    coalesce(bool_or(referral_code = $6::text), false) AS referral_code
FROM (
    SELECT id, telegram_id, discord_id, referral_code FROM participants
    WHERE tenant_id = $1::uuid AND livemode = $2::boolean AND telegram_id = $4::bigint
    UNION ALL
    SELECT id, telegram_id, discord_id, referral_code FROM participants
    WHERE tenant_id = $1::uuid AND livemode = $2::boolean AND discord_id = $5::text
    UNION ALL
    SELECT id, telegram_id, discord_id, referral_code FROM participants
    WHERE tenant_id = $1::uuid AND livemode = $2::boolean AND referral_code = $6::text
) AS others WHERE id <> $3::uuid;

-- name: insert_participant
-- Inserts a participant: ID, tenant, mode, time, and what is set.
INSERT INTO participants (id, tenant_id, livemode, created_at, last_active_at, telegram_id, discord_id, username,
    first_name, last_name, email, locale, time_zone, has_notifications, attributes, is_active, is_verified,
    referral_code, referred_by)
VALUES ($1, $2, $3, $4::timestamptz, $4::timestamptz, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18);

-- name: update_participant
-- Changes what is set of a participant: its ID, and all of that, when it was last active (null: unchanged).
UPDATE participants SET telegram_id = $2, discord_id = $3, username = $4, first_name = $5, last_name = $6, email = $7,
    locale = $8, time_zone = $9, has_notifications = $10, attributes = $11, is_active = $12, is_verified = $13,
    referral_code = $14, referred_by = $15,
    last_active_at = coalesce(greatest(last_active_at, $16::timestamptz), last_active_at)
WHERE id = $1;

-- name: lock_referrals
-- Lets one transaction at a time change who has referred whom in a tenant: its ID, with the mode.
SELECT pg_advisory_xact_lock(hashtextextended('moneta.referrals:' || $1::text, 0));

-- name: count_referral
-- Counts one referral more for the participant of a tenant with a code: tenant, mode, code. Returns its ID.
UPDATE participants SET total_referrals = total_referrals + 1
WHERE tenant_id = $1 AND livemode = $2 AND referral_code = $3 RETURNING id;

-- name: referrer_of_code
-- The participant of a tenant with a code: tenant, mode, code.
SELECT id FROM participants WHERE tenant_id = $1 AND livemode = $2 AND referral_code = $3;

-- name: is_referred_by
-- Whether a participant is another, or was referred by that one, by way of others as well.
WITH RECURSIVE above AS (
    SELECT id, referred_by FROM participants WHERE id = $1::uuid
    UNION
    SELECT p.id, p.referred_by FROM participants p JOIN above a ON p.id = a.referred_by
)
SELECT EXISTS (SELECT FROM above WHERE id = $2::uuid);

-- name: add_referrals
-- Adds to the number of referrals of participants: their IDs in order, how many each.
UPDATE participants p SET total_referrals = p.total_referrals + n.count
FROM unnest($1::uuid[], $2::integer[]) AS n (id, count) WHERE p.id = n.id;

-- name: remove_other_wallets
-- Removes the wallets of a participant but for these: networks, addresses.
DELETE FROM participant_wallets w WHERE w.participant_id = $1 AND NOT EXISTS (
    SELECT FROM unnest($2::text[], $3::text[]) AS n (network, address)
    WHERE n.network = w.network AND n.address = w.address
);

-- name: put_wallets
-- The wallets of a participant; one that is there stays as it is: participant, tenant, mode, time, networks, addresses,
-- whether each may be one that nobody can sign for.
INSERT INTO participant_wallets (participant_id, tenant_id, livemode, created_at, network, address, allows_off_curve)
SELECT $1::uuid, $2::uuid, $3::boolean, $4::timestamptz, n.network, n.address, n.allows_off_curve
FROM unnest($5::text[], $6::text[], $7::boolean[]) AS n (network, address, allows_off_curve)
ON CONFLICT (participant_id, network) DO UPDATE SET allows_off_curve = excluded.allows_off_curve;
