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
