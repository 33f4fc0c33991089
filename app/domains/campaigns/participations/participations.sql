-- name: participations_by_ids
-- Participations with these IDs.
SELECT id, tenant_id, livemode, project_id, participant_id, status, points, level, next_level_points,
    verification_status, joined_at, left_at, banned_at, updated_at
FROM participations WHERE id = ANY ($1::uuid[]);

-- name: participations_by_project
-- The participations in a project of the tenant in which the caller acts.
SELECT id, tenant_id, livemode, project_id, participant_id, status, points, level, next_level_points,
    verification_status, joined_at, left_at, banned_at, updated_at
FROM participations WHERE project_id = {key::uuid} AND tenant_id = (SELECT app_tenant())
    AND livemode = (SELECT app_livemode());

-- name: participations_by_participant
-- What a participant takes part in.
SELECT id, tenant_id, livemode, project_id, participant_id, status, points, level, next_level_points,
    verification_status, joined_at, left_at, banned_at, updated_at
FROM participations WHERE participant_id = {key::uuid};

-- name: participations_by_user
-- What a user takes part in, as any of the participants that they are linked to.
SELECT id, tenant_id, livemode, project_id, participant_id, status, points, level, next_level_points,
    verification_status, joined_at, left_at, banned_at, updated_at
FROM participations WHERE user_id = {key::uuid};

-- name: own_participations_by_projects
-- The participations of the user who asks in these projects.
SELECT id, tenant_id, livemode, project_id, participant_id, status, points, level, next_level_points,
    verification_status, joined_at, left_at, banned_at, updated_at
FROM participations WHERE user_id = (SELECT app_user_id()) AND project_id = ANY ($1::uuid[]);

-- name: reviews_by_participations
-- What was decided about these participations, and why.
SELECT participation_id, verification_data, verification_note, reviewed_by, reviewed_at, ban_reason, banned_by
FROM participation_reviews WHERE participation_id = ANY ($1::uuid[]);

-- name: project_of_key
-- The project with a key, as it is to join: the key.
SELECT p.id, p.tenant_id, p.livemode, p.key, p.network, p.requirements, p.is_active, p.is_public, p.starts_at,
    p.ends_at, p.archived_at, p.level_thresholds,
    least(p.max_participants, t.max_users_per_project) AS participant_limit,
    t.subscription_status = 'active' AND t.deleted_at IS NULL AS is_tenant_open
FROM projects p JOIN tenants t ON t.id = p.tenant_id WHERE p.key = $1;

-- name: share_project
-- A project, locked against changes, but not against others who read it like this: its ID.
SELECT p.id, p.tenant_id, p.livemode, p.key, p.network, p.requirements, p.is_active, p.is_public, p.starts_at,
    p.ends_at, p.archived_at, p.level_thresholds,
    least(p.max_participants, t.max_users_per_project) AS participant_limit,
    t.subscription_status = 'active' AND t.deleted_at IS NULL AS is_tenant_open
FROM projects p JOIN tenants t ON t.id = p.tenant_id WHERE p.id = $1 FOR SHARE OF p;

-- name: share_project_of_key
-- As `share_project`: the key.
SELECT p.id, p.tenant_id, p.livemode, p.key, p.network, p.requirements, p.is_active, p.is_public, p.starts_at,
    p.ends_at, p.archived_at, p.level_thresholds,
    least(p.max_participants, t.max_users_per_project) AS participant_limit,
    t.subscription_status = 'active' AND t.deleted_at IS NULL AS is_tenant_open
FROM projects p JOIN tenants t ON t.id = p.tenant_id WHERE p.key = $1 FOR SHARE OF p;

-- name: hold_project
-- A project, locked for one at a time, when all who share it have ended: its ID.
SELECT p.id, p.tenant_id, p.livemode, p.key, p.network, p.requirements, p.is_active, p.is_public, p.starts_at,
    p.ends_at, p.archived_at, p.level_thresholds,
    least(p.max_participants, t.max_users_per_project) AS participant_limit,
    t.subscription_status = 'active' AND t.deleted_at IS NULL AS is_tenant_open
FROM projects p JOIN tenants t ON t.id = p.tenant_id WHERE p.id = $1 FOR NO KEY UPDATE OF p;

-- name: hold_project_of_key
-- As `hold_project`: the key.
SELECT p.id, p.tenant_id, p.livemode, p.key, p.network, p.requirements, p.is_active, p.is_public, p.starts_at,
    p.ends_at, p.archived_at, p.level_thresholds,
    least(p.max_participants, t.max_users_per_project) AS participant_limit,
    t.subscription_status = 'active' AND t.deleted_at IS NULL AS is_tenant_open
FROM projects p JOIN tenants t ON t.id = p.tenant_id WHERE p.key = $1 FOR NO KEY UPDATE OF p;

-- name: count_of_project
-- How many take part in a project, as far as it is committed, and how many transactions can be open at once: tenant,
-- mode, project.
SELECT coalesce(sum(participants), 0)::bigint AS count, current_setting('max_connections')::integer AS most_at_once
FROM project_counters WHERE tenant_id = $1 AND livemode = $2 AND project_id = $3;

-- name: joiner_by_id
-- A participant of a tenant who is to join, and is neither linked, unlinked nor erased until the end: ID, tenant, mode,
-- network of the project.
SELECT p.id, p.user_id, p.is_active, p.is_verified, p.attributes ->> 'country' AS country,
    least(p.created_at, u.created_at) AS since, EXISTS (
        SELECT FROM participant_wallets w
        WHERE w.participant_id = p.id AND w.network = $4::text AND w.verified_at IS NOT NULL
    ) AS has_wallet
FROM participants p LEFT JOIN users u ON u.id = p.user_id
WHERE p.id = $1 AND p.tenant_id = $2 AND p.livemode = $3 FOR KEY SHARE OF p;

-- name: participant_of_user
-- The participant of a tenant that a user is linked to: tenant, mode, user.
SELECT id FROM participants WHERE tenant_id = $1 AND livemode = $2 AND user_id = $3;

-- name: username_of_user
-- The user name of a user.
SELECT username FROM profiles WHERE user_id = $1;

-- name: insert_joiner
-- A participant who is a user: ID, tenant, mode, user, user name, code, time. No row: the code is taken.
INSERT INTO participants (id, tenant_id, livemode, user_id, username, referral_code, created_at, last_active_at)
VALUES ($1, $2, $3, $4, $5, $6, $7::timestamptz, $7::timestamptz)
ON CONFLICT (tenant_id, livemode, referral_code) DO NOTHING RETURNING id;

-- name: lock_participation
-- A participation, locked: its ID.
SELECT p.id, p.tenant_id, p.livemode, p.project_id, p.participant_id, p.status, p.points, p.level,
    p.next_level_points, p.verification_status, p.joined_at, p.left_at, p.banned_at, p.updated_at, p.user_id,
    who.erased_at IS NOT NULL AS is_erased, who.is_active AS can_take_part
FROM participations p JOIN participants who ON who.id = p.participant_id
WHERE p.id = $1 FOR NO KEY UPDATE OF p;

-- name: lock_participation_of
-- The participation of a participant in a project, locked: tenant, mode, participant, project.
SELECT p.id, p.tenant_id, p.livemode, p.project_id, p.participant_id, p.status, p.points, p.level,
    p.next_level_points, p.verification_status, p.joined_at, p.left_at, p.banned_at, p.updated_at, p.user_id,
    who.erased_at IS NOT NULL AS is_erased, who.is_active AS can_take_part
FROM participations p JOIN participants who ON who.id = p.participant_id
WHERE p.tenant_id = $1 AND p.livemode = $2 AND p.participant_id = $3 AND p.project_id = $4 FOR NO KEY UPDATE OF p;

-- name: place_of_participation
-- Where a participation is, whose participant is neither linked, unlinked nor erased until the end: its ID. Returns
-- project, tenant, mode, user.
SELECT p.project_id, p.tenant_id, p.livemode, p.user_id
FROM participations p JOIN participants who ON who.id = p.participant_id WHERE p.id = $1 FOR KEY SHARE OF who;

-- name: insert_participation
-- A participation, unless there is one: ID, tenant, mode, project, participant, time, points of the next level. Returns
-- it.
INSERT INTO participations (id, tenant_id, livemode, project_id, participant_id, joined_at, next_level_points)
VALUES ($1, $2, $3, $4, $5, $6::timestamptz, $7)
ON CONFLICT (tenant_id, livemode, participant_id, project_id) DO NOTHING
RETURNING id, tenant_id, livemode, project_id, participant_id, status, points, level, next_level_points,
    verification_status, joined_at, left_at, banned_at, updated_at, user_id, false AS is_erased,
    true AS can_take_part;

-- name: set_status
-- What becomes of a participation: its ID, status, when it was left, when it was banned.
UPDATE participations SET status = $2, left_at = $3::timestamptz, banned_at = $4::timestamptz WHERE id = $1;

-- name: set_verification
-- What verification a participation has: its ID, status.
UPDATE participations SET verification_status = $2 WHERE id = $1;

-- name: put_verification
-- What was reviewed of a participation: its ID, tenant, mode, data, note, by whom, when.
INSERT INTO participation_reviews (participation_id, tenant_id, livemode, verification_data, verification_note,
    reviewed_by, reviewed_at)
VALUES ($1, $2, $3, $4, $5, $6, $7::timestamptz)
ON CONFLICT (participation_id) DO UPDATE SET verification_data = excluded.verification_data,
    verification_note = excluded.verification_note, reviewed_by = excluded.reviewed_by,
    reviewed_at = excluded.reviewed_at;

-- name: put_ban
-- Why a participation was banned, and by whom; null: it is not: its ID, tenant, mode, reason, by whom.
INSERT INTO participation_reviews (participation_id, tenant_id, livemode, ban_reason, banned_by)
VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (participation_id) DO UPDATE SET ban_reason = excluded.ban_reason, banned_by = excluded.banned_by;
