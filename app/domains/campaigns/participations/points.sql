-- name: entries_by_participation
-- The points that a participation was given.
SELECT id, participation_id, amount, balance, reason, note, completion_id, created_by, created_at
FROM point_entries WHERE participation_id = {key::uuid};

-- name: point_entries_by_ids
-- Entries with these IDs.
SELECT id, participation_id, amount, balance, reason, note, completion_id, created_by, created_at
FROM point_entries WHERE id = ANY ($1::uuid[]);

-- name: add_points
-- Gives points to a participation, which then has the level of its project for them: its ID, how many, ID of the entry,
-- reason, note, completion, by whom, when. Returns what it has then.
WITH changed AS (
    UPDATE participations p SET points = p.points + $2::bigint,
        level = 1 + width_bucket(p.points + $2::bigint, j.level_thresholds),
        next_level_points = j.level_thresholds[1 + width_bucket(p.points + $2::bigint, j.level_thresholds)]
    FROM projects j WHERE p.id = $1 AND j.id = p.project_id
    RETURNING p.id, p.tenant_id, p.livemode, p.project_id, p.points, p.level
), entry AS (
    INSERT INTO point_entries (id, tenant_id, livemode, project_id, participation_id, amount, balance, reason, note,
        completion_id, created_by, created_at)
    SELECT $3, c.tenant_id, c.livemode, c.project_id, c.id, $2::bigint, c.points, $4, $5, $6, $7, $8::timestamptz
    FROM changed c
)
SELECT points, level FROM changed;

-- name: count
-- Counts for a project, in the row for one of its participations: tenant, mode, project, participation, how many more
-- participants, completions. Where it counts down, there is the row in which it has counted up.
INSERT INTO project_counters AS c (tenant_id, livemode, project_id, shard, participants, completions)
VALUES ($1, $2, $3, mod(abs(hashtext($4::uuid::text)::bigint), 16), greatest($5::integer, 0), $6)
ON CONFLICT (tenant_id, livemode, project_id, shard) DO UPDATE
SET participants = c.participants + $5::integer, completions = c.completions + excluded.completions,
    is_announced = false;

-- name: counts_by_projects
-- What was counted of these projects.
SELECT project_id, sum(participants)::bigint AS participants, sum(completions)::bigint AS completions
FROM project_counters WHERE project_id = ANY ($1::uuid[]) GROUP BY project_id;

-- name: announce_counts
-- Takes the projects of which something was counted that there is no event for: at most so many rows.
WITH due AS (
    SELECT tenant_id, livemode, project_id, shard FROM project_counters WHERE NOT is_announced
    ORDER BY project_id, shard LIMIT $1 FOR NO KEY UPDATE SKIP LOCKED
), taken AS (
    UPDATE project_counters c SET is_announced = true FROM due d
    WHERE c.tenant_id = d.tenant_id AND c.livemode = d.livemode AND c.project_id = d.project_id AND c.shard = d.shard
    RETURNING c.project_id
)
SELECT DISTINCT project_id FROM taken ORDER BY project_id;

-- name: set_levels
-- The thresholds of a project: its ID, thresholds.
UPDATE projects SET level_thresholds = $2::bigint[] WHERE id = $1;

-- name: participations_to_level
-- Participations of a project after one, by ID, whose level is not what its thresholds say: project, after, at most so
-- many.
SELECT p.id FROM projects j
JOIN participations p ON p.tenant_id = j.tenant_id AND p.livemode = j.livemode AND p.project_id = j.id
WHERE j.id = $1 AND p.id > $2
    AND (p.level <> 1 + width_bucket(p.points, j.level_thresholds) OR p.next_level_points
        IS DISTINCT FROM j.level_thresholds[1 + width_bucket(p.points, j.level_thresholds)])
ORDER BY p.id LIMIT $3;

-- name: level_participations
-- Gives participations the level of their project for their points: their IDs. Returns whose, and what they have then.
UPDATE participations p SET level = 1 + width_bucket(p.points, j.level_thresholds),
    next_level_points = j.level_thresholds[1 + width_bucket(p.points, j.level_thresholds)]
FROM projects j WHERE p.id = ANY ($1::uuid[]) AND j.id = p.project_id
RETURNING p.id, p.project_id, p.participant_id, p.user_id, p.points, p.level;
