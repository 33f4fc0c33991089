-- name: differing_participations
-- Participations that have another user than their participant, or say wrongly whether anything was completed, up to
-- $1.
SELECT p.id::text AS key,
    format('user %s, %s', coalesce(p.user_id::text, 'none'), CASE WHEN p.has_completed THEN 'tasks' ELSE 'no task' END)
        AS stored,
    format('user %s, %s', coalesce(w.user_id::text, 'none'), CASE WHEN c.id IS NULL THEN 'no task' ELSE 'tasks' END)
        AS counted,
    count(*) OVER () AS found
FROM participations p
JOIN participants w ON w.id = p.participant_id
LEFT JOIN (SELECT DISTINCT participation_id AS id FROM task_completions WHERE status = 'accepted') c ON c.id = p.id
WHERE p.user_id IS DISTINCT FROM w.user_id OR p.has_completed <> (c.id IS NOT NULL)
ORDER BY p.id LIMIT $1;

-- name: mend_participations
-- Gives these participations the user of their participant, and looks for what was completed.
UPDATE participations p SET user_id = n.user_id, has_completed = n.has_completed
FROM (
    SELECT q.id, format('user %s, %s', coalesce(q.user_id::text, 'none'),
            CASE WHEN q.has_completed THEN 'tasks' ELSE 'no task' END) AS before,
        w.user_id, EXISTS (
            SELECT FROM task_completions c WHERE c.participation_id = q.id AND c.status = 'accepted'
        ) AS has_completed
    FROM participations q JOIN participants w ON w.id = q.participant_id WHERE q.id = ANY ($1::text[]::uuid[])
) n
WHERE p.id = n.id AND (p.user_id IS DISTINCT FROM n.user_id OR p.has_completed <> n.has_completed)
RETURNING p.id::text AS key, n.before,
    format('user %s, %s', coalesce(p.user_id::text, 'none'), CASE WHEN p.has_completed THEN 'tasks' ELSE 'no task' END)
        AS after;

-- name: differing_funnels
-- Rows of the funnels of projects that differ from what they count, up to $1: a project, whether anything was
-- completed, whether the participation is verified, and the level.
SELECT format('%s/%s/%s/%s', project_id, has_completed, is_verified, level) AS key,
    coalesce(c.participants, 0)::text AS stored, coalesce(k.participants, 0)::text AS counted,
    count(*) OVER () AS found
FROM funnel_counts c
FULL JOIN (
    SELECT p.tenant_id, p.livemode, p.project_id, p.has_completed, p.verification_status = 'verified' AS is_verified,
        p.level, count(*) AS participants
    FROM participations p
    JOIN projects j ON j.id = p.project_id AND j.tenant_id = p.tenant_id AND j.livemode = p.livemode
    GROUP BY 1, 2, 3, 4, 5, 6
) k USING (tenant_id, livemode, project_id, has_completed, is_verified, level)
WHERE coalesce(c.participants, 0) <> coalesce(k.participants, 0)
ORDER BY project_id, has_completed, is_verified, level LIMIT $1;

-- name: lock_funnels
-- Waits until nobody changes the funnels of these projects, and keeps others waiting.
SELECT pg_advisory_xact_lock(hashtextextended('moneta.funnel:' || g.project_id, 0)) FROM (
    SELECT DISTINCT split_part(key, '/', 1) AS project_id FROM unnest($1::text[]) AS key ORDER BY 1
) g;

-- name: mend_funnels
-- Counts anew what these rows count.
WITH given AS (
    SELECT DISTINCT j.tenant_id, j.livemode, j.id AS project_id, split_part(g.key, '/', 2) = 't' AS has_completed,
        split_part(g.key, '/', 3) = 't' AS is_verified, split_part(g.key, '/', 4)::integer AS level
    FROM unnest($1::text[]) AS g (key) JOIN projects j ON j.id = split_part(g.key, '/', 1)::uuid
), counted AS (
    SELECT g.tenant_id, g.livemode, g.project_id, g.has_completed, g.is_verified, g.level,
        coalesce(c.participants, 0) AS before, coalesce(n.participants, 0) AS participants
    FROM given g
    LEFT JOIN funnel_counts c USING (tenant_id, livemode, project_id, has_completed, is_verified, level)
    LEFT JOIN (
        SELECT p.project_id, p.has_completed, p.verification_status = 'verified' AS is_verified, p.level,
            count(*) AS participants
        FROM participations p WHERE p.project_id = ANY (ARRAY(SELECT g.project_id FROM given g)) GROUP BY 1, 2, 3, 4
    ) n USING (project_id, has_completed, is_verified, level)
), stored AS (
    INSERT INTO funnel_counts (tenant_id, livemode, project_id, has_completed, is_verified, level, participants)
    SELECT tenant_id, livemode, project_id, has_completed, is_verified, level, participants FROM counted
    WHERE before <> participants
    ON CONFLICT (tenant_id, livemode, project_id, has_completed, is_verified, level)
    DO UPDATE SET participants = excluded.participants
    RETURNING project_id, has_completed, is_verified, level, participants
)
SELECT format('%s/%s/%s/%s', s.project_id, s.has_completed, s.is_verified, s.level) AS key, c.before::text AS before,
    s.participants::text AS after
FROM stored s JOIN counted c USING (project_id, has_completed, is_verified, level);
