-- name: statistics_by_project
-- What happened in a project of the tenant in which the caller acts, in each interval from one time until another: what
-- is counted, and what is not yet.
SELECT b.started_at, (b.started_at AT TIME ZONE 'UTC' + ('1 ' || {step::text})::interval) AT TIME ZONE 'UTC'
    AS ended_at,
    coalesce(s.joins, 0) + coalesce(f.joins, 0) AS joins, coalesce(s.leaves, 0) + coalesce(f.leaves, 0) AS leaves,
    coalesce(s.completions, 0) + coalesce(f.completions, 0) AS completions,
    coalesce(s.verifications, 0) + coalesce(f.verifications, 0) AS verifications,
    coalesce(s.points, 0) + coalesce(f.points, 0)::bigint AS points,
    coalesce(s.tracked, 0) + coalesce(f.tracked, 0) AS tracked,
    coalesce(s.active_participants, 0) + coalesce(f.active_participants, 0) AS active_participants
FROM projects p
CROSS JOIN LATERAL (
    SELECT t.at AT TIME ZONE 'UTC' AS started_at
    FROM generate_series(
        date_trunc({step::text}, {since::timestamptz} AT TIME ZONE 'UTC'),
        {until::timestamptz} AT TIME ZONE 'UTC' - interval '1 microsecond', ('1 ' || {step::text})::interval
    ) AS t (at)
) b
LEFT JOIN project_statistics s ON s.tenant_id = p.tenant_id AND s.livemode = p.livemode AND s.project_id = p.id
    AND s.interval = {step::text} AND s.started_at = b.started_at
LEFT JOIN (
    SELECT date_trunc({step::text}, i.occurred_at, 'UTC') AS started_at,
        count(*) FILTER (WHERE i.kind IN ('participation.joined', 'participation.rejoined', 'participation.unbanned'))
            AS joins,
        count(*) FILTER (WHERE i.kind IN ('participation.left', 'participation.banned')) AS leaves,
        count(*) FILTER (WHERE i.kind = 'task.completed') AS completions,
        count(*) FILTER (WHERE i.kind = 'participation.verified') AS verifications,
        sum(i.points) AS points, count(*) FILTER (WHERE i.kind = 'tracked') AS tracked,
        count(DISTINCT i.participant_id) FILTER (
            WHERE i.kind IN ('participation.joined', 'participation.rejoined', 'task.completed', 'tracked')
                AND NOT EXISTS (
                    SELECT FROM participant_activity a
                    WHERE a.tenant_id = i.tenant_id AND a.livemode = i.livemode AND a.project_id = i.project_id
                        AND a.interval = {step::text} AND a.participant_id = i.participant_id
                        AND a.started_at = date_trunc({step::text}, i.occurred_at, 'UTC')
                )
        ) AS active_participants
    FROM analytics_inbox i
    WHERE i.tenant_id = (SELECT app_tenant()) AND i.livemode = (SELECT app_livemode()) AND i.project_id = {key::uuid}
    GROUP BY 1
) f ON f.started_at = b.started_at
WHERE p.id = {key::uuid} AND p.tenant_id = (SELECT app_tenant()) AND p.livemode = (SELECT app_livemode());

-- name: retention_by_project
-- Of those who first joined a project of the tenant in which the caller acts in a week, how many were active in each.
SELECT r.joined_week, r.active_week, j.participants AS joined, r.participants AS active
FROM project_retention r
JOIN project_retention j ON j.tenant_id = r.tenant_id AND j.livemode = r.livemode AND j.project_id = r.project_id
    AND j.joined_week = r.joined_week AND j.active_week = r.joined_week
WHERE r.tenant_id = (SELECT app_tenant()) AND r.livemode = (SELECT app_livemode()) AND r.project_id = {key::uuid};

-- name: funnels_by_projects
-- How far the participants of these projects of the tenant in which the caller acts got.
SELECT p.id AS project_id, coalesce(sum(c.participants), 0)::bigint AS joined,
    coalesce(sum(c.participants) FILTER (WHERE c.has_completed), 0)::bigint AS completed,
    coalesce(sum(c.participants) FILTER (WHERE c.has_completed AND c.is_verified), 0)::bigint AS verified,
    ARRAY(
        SELECT coalesce(sum(l.participants) FILTER (WHERE l.level >= n), 0)::bigint
        FROM generate_series(2, cardinality(p.level_thresholds) + 1) n
        LEFT JOIN unnest(
            array_agg(c.level) FILTER (WHERE c.has_completed AND c.is_verified),
            array_agg(c.participants) FILTER (WHERE c.has_completed AND c.is_verified)
        ) AS l (level, participants) ON true
        GROUP BY n ORDER BY n
    ) AS level_counts
FROM projects p
LEFT JOIN funnel_counts c ON c.tenant_id = p.tenant_id AND c.livemode = p.livemode AND c.project_id = p.id
WHERE p.id = ANY ($1::uuid[]) AND p.tenant_id = (SELECT app_tenant()) AND p.livemode = (SELECT app_livemode())
GROUP BY p.id, p.level_thresholds;

-- name: statistics_by_participants
-- What these participants do in all projects of their tenant.
SELECT w.id AS participant_id, (
        SELECT count(*) FROM participations p
        WHERE p.tenant_id = w.tenant_id AND p.livemode = w.livemode AND p.participant_id = w.id
    ) AS projects_joined, w.total_referrals
FROM participants w WHERE w.id = ANY ($1::uuid[]);

-- name: usage_by_tenants
-- What these tenants have in the mode of the caller: participants, and API keys that can be used.
SELECT t.id AS tenant_id, (
        SELECT count(*) FROM participants p WHERE p.tenant_id = t.id AND p.livemode = (SELECT app_livemode())
    ) AS participant_count, (
        SELECT count(*) FROM api_keys k
        WHERE k.tenant_id = t.id AND k.livemode = (SELECT app_livemode()) AND k.is_active
            AND (k.expires_at IS NULL OR k.expires_at > now())
    ) AS api_key_count
FROM tenants t WHERE t.id = ANY ($1::uuid[]) AND t.id = (SELECT app_tenant());

-- name: lock_counting
-- Lets one transaction at a time count.
SELECT pg_advisory_xact_lock(hashtext('moneta.project_statistics'));

-- name: count_events
-- Counts up to $1 events that are not counted yet, the oldest first, and notes when participants were last active. How
-- many rows of statistics that has changed.
WITH taken AS (
    DELETE FROM analytics_inbox WHERE id IN (SELECT id FROM analytics_inbox ORDER BY id LIMIT $1)
    RETURNING tenant_id, livemode, project_id, participant_id, kind, points, occurred_at
), placed AS (
    SELECT t.tenant_id, t.livemode, t.project_id, t.participant_id, t.kind, t.points, s.interval,
        date_trunc(s.interval, t.occurred_at, 'UTC') AS started_at
    FROM taken t CROSS JOIN unnest('{hour,day,week,month}'::text[]) AS s (interval)
), seen AS (
    INSERT INTO participant_activity (tenant_id, livemode, project_id, interval, started_at, participant_id)
    SELECT DISTINCT tenant_id, livemode, project_id, interval, started_at, participant_id FROM placed
    WHERE participant_id IS NOT NULL
        AND kind IN ('participation.joined', 'participation.rejoined', 'task.completed', 'tracked')
    ON CONFLICT DO NOTHING
    RETURNING tenant_id, livemode, project_id, interval, started_at, participant_id
), awake AS (
    SELECT w.id, t.at FROM participants w JOIN (
        SELECT participant_id, max(occurred_at) AS at FROM taken
        WHERE kind IN ('participation.joined', 'participation.rejoined', 'task.completed', 'tracked') GROUP BY 1
    ) t ON t.participant_id = w.id
    WHERE w.last_active_at < t.at - interval '1 minute' AND w.erased_at IS NULL
    ORDER BY w.id FOR NO KEY UPDATE OF w
), moved AS (
    UPDATE participants w SET last_active_at = a.at FROM awake a WHERE w.id = a.id
), active AS (
    SELECT tenant_id, livemode, project_id, interval, started_at, count(*) AS active_participants FROM seen
    GROUP BY 1, 2, 3, 4, 5
), returned AS (
    SELECT tenant_id, livemode, project_id, started_at AS joined_week, started_at AS active_week FROM placed
    WHERE kind = 'participation.joined' AND interval = 'week'
    UNION ALL
    SELECT p.tenant_id, p.livemode, p.project_id, date_trunc('week', p.joined_at, 'UTC'), s.started_at
    FROM seen s JOIN participations p ON p.tenant_id = s.tenant_id AND p.livemode = s.livemode
        AND p.participant_id = s.participant_id AND p.project_id = s.project_id
    WHERE s.interval = 'week' AND s.started_at > date_trunc('week', p.joined_at, 'UTC')
), retained AS (
    INSERT INTO project_retention AS r (tenant_id, livemode, project_id, joined_week, active_week, participants)
    SELECT tenant_id, livemode, project_id, joined_week, active_week, count(*) FROM returned GROUP BY 1, 2, 3, 4, 5
    ON CONFLICT (tenant_id, livemode, project_id, joined_week, active_week)
    DO UPDATE SET participants = r.participants + excluded.participants
)
INSERT INTO project_statistics AS s (tenant_id, livemode, project_id, interval, started_at, joins, leaves, completions,
    verifications, points, tracked, active_participants)
SELECT p.tenant_id, p.livemode, p.project_id, p.interval, p.started_at,
    count(*) FILTER (WHERE p.kind IN ('participation.joined', 'participation.rejoined', 'participation.unbanned')),
    count(*) FILTER (WHERE p.kind IN ('participation.left', 'participation.banned')),
    count(*) FILTER (WHERE p.kind = 'task.completed'), count(*) FILTER (WHERE p.kind = 'participation.verified'),
    sum(p.points), count(*) FILTER (WHERE p.kind = 'tracked'), coalesce(max(a.active_participants), 0)
FROM placed p LEFT JOIN active a USING (tenant_id, livemode, project_id, interval, started_at)
GROUP BY 1, 2, 3, 4, 5
ON CONFLICT (tenant_id, livemode, project_id, interval, started_at) DO UPDATE SET joins = s.joins + excluded.joins,
    leaves = s.leaves + excluded.leaves, completions = s.completions + excluded.completions,
    verifications = s.verifications + excluded.verifications, points = s.points + excluded.points,
    tracked = s.tracked + excluded.tracked,
    active_participants = s.active_participants + excluded.active_participants;

-- name: forget_activity
-- Removes up to $2 rows of who was active at a time from which nothing comes any more: what is tracked is from after
-- $1.
DELETE FROM participant_activity WHERE ctid = ANY (ARRAY(
    SELECT ctid FROM participant_activity
    WHERE started_at + ('1 ' || interval)::interval
        <= least($1::timestamptz, (SELECT min(occurred_at) FROM analytics_inbox))
        AND started_at < $1::timestamptz
    LIMIT $2
));
