-- name: leaderboards_by_keys
-- The leaderboards of the projects with these keys, and whether everybody sees them.
SELECT key, id AS project_id,
    is_public AND is_active AND livemode AND archived_at IS NULL AND app_tenant_is_open(tenant_id) AS is_public
FROM projects WHERE key = ANY ($1::text[]);

-- name: entries_by_project
-- Who takes part in a project, with their ranks.
SELECT participation_id, project_id, leaderboard_rank(tenant_id, livemode, project_id, points) AS rank, points, level,
    leaderboard_name(participation_id) AS public_name
FROM leaderboard_entries WHERE project_id = {key::uuid};

-- name: ranks_by_participations
-- The ranks of these participations; null: it is not active.
SELECT id AS participation_id,
    CASE WHEN status = 'active' THEN leaderboard_rank(tenant_id, livemode, project_id, points) END AS rank
FROM participations WHERE id = ANY ($1::uuid[]);

-- name: take_changes
-- Takes the projects whose leaderboard has changed since that was last announced: at most so many.
WITH due AS (
    SELECT tenant_id, livemode, project_id FROM leaderboard_changes
    ORDER BY tenant_id, livemode, project_id LIMIT $1 FOR UPDATE SKIP LOCKED
)
DELETE FROM leaderboard_changes c USING due d
WHERE c.tenant_id = d.tenant_id AND c.livemode = d.livemode AND c.project_id = d.project_id
RETURNING c.project_id;

-- name: put_changes_back
-- Has the change of these projects announced again.
INSERT INTO leaderboard_changes (tenant_id, livemode, project_id)
SELECT tenant_id, livemode, id FROM projects WHERE id = ANY ($1::uuid[]) ORDER BY tenant_id, livemode, id
ON CONFLICT DO NOTHING;

-- name: projects_after
-- The IDs of projects after one, at most so many.
SELECT id FROM projects WHERE id > $1 ORDER BY id LIMIT $2;

-- name: leaderboard_faults
-- What is not on the leaderboards of these projects as their participations are, where anything is.
SELECT f.project_id, f.faults FROM (
    SELECT k.id AS project_id, leaderboard_faults(k.id) AS faults FROM unnest($1::uuid[]) AS k (id)
) AS f WHERE f.faults > 0 ORDER BY f.project_id;

-- name: repair_leaderboard
-- Makes the leaderboard of a project as its participations are; returns how much was wrong.
SELECT repair_leaderboard($1);
