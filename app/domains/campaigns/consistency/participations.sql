-- name: differing_counts
-- Rows of the counters of projects that differ from what they count, up to $1: a project and the number of the row,
-- with participants and completions.
SELECT project_id || '/' || shard AS key,
    coalesce(c.participants, 0) || ' and ' || coalesce(c.completions, 0) AS stored,
    coalesce(k.participants, 0) || ' and ' || coalesce(k.completions, 0) AS counted, count(*) OVER () AS found
FROM (
    SELECT r.tenant_id, r.livemode, r.project_id, r.shard, r.participants, r.completions FROM project_counters r
    JOIN projects j ON j.id = r.project_id AND j.tenant_id = r.tenant_id AND j.livemode = r.livemode
) c
FULL JOIN (
    SELECT p.tenant_id, p.livemode, p.project_id, mod(abs(hashtext(p.id::text)::bigint), 16)::smallint AS shard,
        count(*) FILTER (WHERE p.status = 'active') AS participants, coalesce(sum(d.number), 0) AS completions
    FROM participations p
    JOIN projects j ON j.id = p.project_id AND j.tenant_id = p.tenant_id AND j.livemode = p.livemode
    LEFT JOIN (
        SELECT participation_id, count(*) AS number FROM task_completions WHERE status = 'accepted' GROUP BY 1
    ) d ON d.participation_id = p.id
    GROUP BY 1, 2, 3, 4
) k USING (tenant_id, livemode, project_id, shard)
WHERE coalesce(c.participants, 0) <> coalesce(k.participants, 0)
    OR coalesce(c.completions, 0) <> coalesce(k.completions, 0)
ORDER BY project_id, shard LIMIT $1;

-- name: lock_counts
-- Locks rows of counters, and makes those that are missing: who joins or completes counts in them.
INSERT INTO project_counters AS c (tenant_id, livemode, project_id, shard)
SELECT p.tenant_id, p.livemode, p.id, split_part(g.key, '/', 2)::smallint
FROM unnest($1::text[]) AS g (key) JOIN projects p ON p.id = split_part(g.key, '/', 1)::uuid
ORDER BY p.id, split_part(g.key, '/', 2)::smallint
ON CONFLICT (tenant_id, livemode, project_id, shard) DO UPDATE SET is_announced = c.is_announced;

-- name: mend_counts
-- Counts anew what these rows count.
UPDATE project_counters c SET participants = k.participants, completions = k.completions, is_announced = false
FROM (
    SELECT b.tenant_id, b.livemode, b.project_id, b.shard, b.participants || ' and ' || b.completions AS before,
        coalesce(n.participants, 0) AS participants, coalesce(n.completions, 0) AS completions
    FROM project_counters b
    LEFT JOIN (
        SELECT p.project_id, mod(abs(hashtext(p.id::text)::bigint), 16)::smallint AS shard,
            count(*) FILTER (WHERE p.status = 'active') AS participants, coalesce(sum(d.number), 0) AS completions
        FROM participations p
        JOIN projects j ON j.id = p.project_id AND j.tenant_id = p.tenant_id AND j.livemode = p.livemode
        LEFT JOIN (
            SELECT t.participation_id, count(*) AS number FROM task_completions t
            WHERE t.status = 'accepted' AND t.project_id = ANY (
                ARRAY(SELECT split_part(g.key, '/', 1)::uuid FROM unnest($1::text[]) AS g (key))
            )
            GROUP BY 1
        ) d ON d.participation_id = p.id
        WHERE p.project_id = ANY (ARRAY(SELECT split_part(g.key, '/', 1)::uuid FROM unnest($1::text[]) AS g (key)))
        GROUP BY 1, 2
    ) n ON n.project_id = b.project_id AND n.shard = b.shard
    WHERE b.project_id || '/' || b.shard = ANY ($1::text[])
) k
WHERE c.tenant_id = k.tenant_id AND c.livemode = k.livemode AND c.project_id = k.project_id AND c.shard = k.shard
    AND (c.participants <> k.participants OR c.completions <> k.completions)
RETURNING c.project_id || '/' || c.shard AS key, k.before, k.participants || ' and ' || k.completions AS after;

-- name: differing_points
-- Participations whose points are not the sum of their entries, up to $1.
SELECT p.id::text AS key, p.points::text AS stored, coalesce(e.points, 0)::text AS counted, count(*) OVER () AS found
FROM participations p
LEFT JOIN (SELECT participation_id, sum(amount) AS points FROM point_entries GROUP BY 1) e ON e.participation_id = p.id
WHERE p.points <> coalesce(e.points, 0) ORDER BY p.id LIMIT $1;

-- name: lock_participations
-- Locks participations: who gives points does so as well.
SELECT id FROM participations WHERE id = ANY ($1::text[]::uuid[]) ORDER BY id FOR NO KEY UPDATE;

-- name: mend_points
-- Adds up the points of these participations anew, and gives them the level for them.
UPDATE participations p SET points = c.points, level = 1 + width_bucket(c.points, c.level_thresholds),
    next_level_points = c.level_thresholds[1 + width_bucket(c.points, c.level_thresholds)]
FROM (
    SELECT q.id, q.points AS before, j.level_thresholds, (
            SELECT coalesce(sum(e.amount), 0)::bigint FROM point_entries e WHERE e.participation_id = q.id
        ) AS points
    FROM participations q JOIN projects j ON j.id = q.project_id WHERE q.id = ANY ($1::text[]::uuid[])
) c
WHERE p.id = c.id AND c.before <> c.points
RETURNING p.id::text AS key, c.before::text AS before, c.points::text AS after;

-- name: differing_levels
-- Participations whose level is not that of their points, up to $1.
SELECT p.id::text AS key,
    format('level %s, next at %s', p.level, coalesce(p.next_level_points::text, 'none')) AS stored,
    format('level %s, next at %s', 1 + width_bucket(p.points, j.level_thresholds),
        coalesce(j.level_thresholds[1 + width_bucket(p.points, j.level_thresholds)]::text, 'none')) AS counted,
    count(*) OVER () AS found
FROM participations p JOIN projects j ON j.id = p.project_id
WHERE p.level <> 1 + width_bucket(p.points, j.level_thresholds)
    OR p.next_level_points IS DISTINCT FROM j.level_thresholds[1 + width_bucket(p.points, j.level_thresholds)]
ORDER BY p.id LIMIT $1;

-- name: mend_levels
-- Gives these participations the level for their points.
UPDATE participations p SET level = c.level, next_level_points = c.next_level_points
FROM (
    SELECT q.id, format('level %s, next at %s', q.level, coalesce(q.next_level_points::text, 'none')) AS before,
        1 + width_bucket(q.points, j.level_thresholds) AS level,
        j.level_thresholds[1 + width_bucket(q.points, j.level_thresholds)] AS next_level_points
    FROM participations q JOIN projects j ON j.id = q.project_id WHERE q.id = ANY ($1::text[]::uuid[])
) c
WHERE p.id = c.id AND (p.level <> c.level OR p.next_level_points IS DISTINCT FROM c.next_level_points)
RETURNING p.id::text AS key, c.before,
    format('level %s, next at %s', p.level, coalesce(p.next_level_points::text, 'none')) AS after;
