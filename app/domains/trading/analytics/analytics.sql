-- name: analytics_events_by_user
-- Events of a user.
SELECT id, event_type, event_data, session_id, source, host(ip_address) AS ip_address, user_agent, created_at
FROM user_analytics WHERE user_id = {key::uuid};

-- name: record_event
-- Records an event of a user, unless they have opted out. Null if they have.
SELECT record_analytics($1, $2, $3, $4, $5, $6::text::inet, $7);

-- name: wait_for_event
-- How many seconds pass until a user's clients have tracked fewer than $3 events within $2 seconds. No row: they have.
SELECT extract(epoch FROM created_at - clock_timestamp())::float8 + $2::float8 AS wait FROM user_analytics
WHERE user_id = $1 AND source = 'client' AND created_at > clock_timestamp() - make_interval(secs => $2)
ORDER BY created_at DESC, id DESC OFFSET $3::integer - 1 LIMIT 1;

-- name: empty_origins
-- Empties where up to $2 events from before a moment came from, the oldest first.
WITH old AS (
    SELECT id, created_at FROM user_analytics
    WHERE created_at < $1 AND (ip_address IS NOT NULL OR user_agent IS NOT NULL)
    ORDER BY created_at LIMIT $2
)
UPDATE user_analytics u SET ip_address = NULL, user_agent = NULL
FROM old WHERE u.id = old.id AND u.created_at = old.created_at AND u.created_at < $1;

-- name: count_events
-- Counts the events of each day since the last day that was counted, that day once more: the most frequent 200 types.
INSERT INTO analytics_counts (day, event_type, source, events, users)
SELECT day, event_type, source, events, users FROM (
    SELECT date_trunc('day', created_at, 'UTC') AS day, event_type, source, count(*) AS events,
        count(DISTINCT user_id) AS users, row_number() OVER (
            PARTITION BY date_trunc('day', created_at, 'UTC') ORDER BY count(*) DESC, event_type, source
        ) AS place
    FROM user_analytics
    WHERE created_at >= (SELECT coalesce(max(day), '-infinity') FROM analytics_counts)
    GROUP BY 1, 2, 3
) counted
WHERE place <= 200
ON CONFLICT (day, event_type, source) DO UPDATE SET events = EXCLUDED.events, users = EXCLUDED.users;

-- name: analytics_counts
-- How often each type of event happened on each day.
SELECT id, day, event_type, source, events, users FROM analytics_counts;
