-- name: differing_sums
-- Sums of projects that differ from their events, as far back as there are events of all of their time, up to $1:
-- project, interval and time, with joins, leaves, completions, verifications, points and tracked events.
WITH hours AS (
    SELECT x.tenant_id, x.livemode, x.project_id, date_trunc('hour', x.occurred_at, 'UTC') AS started_at,
        coalesce(sum(x.number) FILTER (
            WHERE x.kind IN ('participation.joined', 'participation.rejoined', 'participation.unbanned')
        ), 0) AS joins,
        coalesce(sum(x.number) FILTER (WHERE x.kind IN ('participation.left', 'participation.banned')), 0) AS leaves,
        coalesce(sum(x.number) FILTER (WHERE x.kind = 'task.completed'), 0) AS completions,
        coalesce(sum(x.number) FILTER (WHERE x.kind = 'participation.verified'), 0) AS verifications,
        coalesce(sum(x.number * x.points), 0) AS points,
        coalesce(sum(x.number) FILTER (WHERE x.kind = 'tracked'), 0) AS tracked
    FROM (
        SELECT tenant_id, livemode, project_id, occurred_at, 1 AS number,
            CASE WHEN source = 'moneta' THEN event_type ELSE 'tracked' END AS kind,
            CASE WHEN source = 'moneta' THEN coalesce((properties ->> 'points')::bigint, 0) ELSE 0 END AS points
        FROM analytics_events
        UNION ALL
        SELECT tenant_id, livemode, project_id, occurred_at, -1, kind, points FROM analytics_inbox
    ) x
    GROUP BY 1, 2, 3, 4
), counted AS (
    SELECT h.tenant_id, h.livemode, h.project_id, s.interval, date_trunc(s.interval, h.started_at, 'UTC') AS started_at,
        format('%s, %s, %s, %s, %s, %s', sum(h.joins), sum(h.leaves), sum(h.completions), sum(h.verifications),
            sum(h.points), sum(h.tracked)) AS sums
    FROM hours h CROSS JOIN unnest('{hour,day,week,month}'::text[]) AS s (interval)
    GROUP BY 1, 2, 3, 4, 5
), stored AS (
    SELECT s.tenant_id, s.livemode, s.project_id, s.interval, s.started_at,
        format('%s, %s, %s, %s, %s, %s', s.joins, s.leaves, s.completions, s.verifications, s.points, s.tracked) AS sums
    FROM project_statistics s
)
SELECT project_id || '/' || interval || '/' || to_char(started_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI"Z"') AS key,
    coalesce(s.sums, '0, 0, 0, 0, 0, 0') AS stored, coalesce(c.sums, '0, 0, 0, 0, 0, 0') AS counted,
    count(*) OVER () AS found
FROM stored s FULL JOIN counted c USING (tenant_id, livemode, project_id, interval, started_at)
JOIN projects j ON j.id = project_id AND j.tenant_id = coalesce(s.tenant_id, c.tenant_id)
    AND j.livemode = coalesce(s.livemode, c.livemode)
WHERE started_at >= (
        SELECT min(to_date(right(p.relname, 7), 'YYYY_MM')::timestamp AT TIME ZONE 'UTC')
        FROM pg_inherits h JOIN pg_class p ON p.oid = h.inhrelid WHERE h.inhparent = 'analytics_events'::regclass
    )
    AND coalesce(s.sums, '0, 0, 0, 0, 0, 0') <> coalesce(c.sums, '0, 0, 0, 0, 0, 0')
ORDER BY project_id, interval, started_at LIMIT $1;

-- name: lock_sums
-- Lets nobody else count: $1 are those that will be mended.
SELECT pg_advisory_xact_lock(hashtext('moneta.project_statistics')) WHERE cardinality($1::text[]) > 0;

-- name: mend_sums
-- Adds up these sums anew. Who was active is forgotten, and stays as it was counted.
WITH meant AS (
    SELECT p.tenant_id, p.livemode, p.id AS project_id, split_part(g.key, '/', 2) AS interval,
        split_part(g.key, '/', 3)::timestamptz AS started_at
    FROM unnest($1::text[]) AS g (key) JOIN projects p ON p.id = split_part(g.key, '/', 1)::uuid
), made AS (
    SELECT m.tenant_id, m.livemode, m.project_id, m.interval, m.started_at,
        coalesce(sum(x.number) FILTER (
            WHERE x.kind IN ('participation.joined', 'participation.rejoined', 'participation.unbanned')
        ), 0)::bigint AS joins,
        coalesce(sum(x.number) FILTER (WHERE x.kind IN ('participation.left', 'participation.banned')), 0)::bigint
            AS leaves,
        coalesce(sum(x.number) FILTER (WHERE x.kind = 'task.completed'), 0)::bigint AS completions,
        coalesce(sum(x.number) FILTER (WHERE x.kind = 'participation.verified'), 0)::bigint AS verifications,
        coalesce(sum(x.number * x.points), 0)::bigint AS points,
        coalesce(sum(x.number) FILTER (WHERE x.kind = 'tracked'), 0)::bigint AS tracked
    FROM meant m
    LEFT JOIN LATERAL (
        SELECT 1 AS number, CASE WHEN e.source = 'moneta' THEN e.event_type ELSE 'tracked' END AS kind,
            CASE WHEN e.source = 'moneta' THEN coalesce((e.properties ->> 'points')::bigint, 0) ELSE 0 END AS points
        FROM analytics_events e
        WHERE e.tenant_id = m.tenant_id AND e.livemode = m.livemode AND e.project_id = m.project_id
            AND e.occurred_at >= m.started_at
            AND e.occurred_at < (m.started_at AT TIME ZONE 'UTC' + ('1 ' || m.interval)::interval) AT TIME ZONE 'UTC'
        UNION ALL
        SELECT -1, i.kind, i.points FROM analytics_inbox i
        WHERE i.tenant_id = m.tenant_id AND i.livemode = m.livemode AND i.project_id = m.project_id
            AND date_trunc(m.interval, i.occurred_at, 'UTC') = m.started_at
    ) x ON true
    GROUP BY 1, 2, 3, 4, 5
), before AS (
    SELECT s.project_id, s.interval, s.started_at,
        format('%s, %s, %s, %s, %s, %s', s.joins, s.leaves, s.completions, s.verifications, s.points, s.tracked) AS sums
    FROM project_statistics s JOIN meant USING (tenant_id, livemode, project_id, interval, started_at)
), mended AS (
    INSERT INTO project_statistics AS s (tenant_id, livemode, project_id, interval, started_at, joins, leaves,
        completions, verifications, points, tracked)
    SELECT tenant_id, livemode, project_id, interval, started_at, joins, leaves, completions, verifications, points,
        tracked FROM made
    ON CONFLICT (tenant_id, livemode, project_id, interval, started_at) DO UPDATE SET joins = excluded.joins,
        leaves = excluded.leaves, completions = excluded.completions, verifications = excluded.verifications,
        points = excluded.points, tracked = excluded.tracked
    WHERE (s.joins, s.leaves, s.completions, s.verifications, s.points, s.tracked) IS DISTINCT FROM
        (excluded.joins, excluded.leaves, excluded.completions, excluded.verifications, excluded.points,
            excluded.tracked)
    RETURNING project_id, interval, started_at,
        format('%s, %s, %s, %s, %s, %s', joins, leaves, completions, verifications, points, tracked) AS sums
)
SELECT project_id || '/' || interval || '/' || to_char(started_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI"Z"') AS key,
    coalesce(b.sums, '0, 0, 0, 0, 0, 0') AS before, m.sums AS after
FROM mended m LEFT JOIN before b USING (project_id, interval, started_at);
