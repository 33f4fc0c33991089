-- name: events_by_project
-- Events of a project of the tenant in which the caller acts.
SELECT id, project_id, participant_id, source, event_type, event_name, properties, user_properties, session_id,
    host(ip_address) AS ip_address, user_agent, occurred_at, created_at
FROM analytics_events
WHERE tenant_id = (SELECT app_tenant()) AND livemode = (SELECT app_livemode()) AND project_id = {key::uuid};

-- name: project_to_track
-- A project of a tenant, which stays until the end: tenant, mode, its ID or its key. With whether it is archived.
SELECT id, archived_at IS NOT NULL FROM projects
WHERE tenant_id = $1 AND livemode = $2 AND (id = $3::uuid OR key = $4::text) FOR KEY SHARE;

-- name: known_participants
-- Those of these participants whom a tenant has, who are neither removed nor erased until the end, and whether they
-- were erased before: tenant, mode, their IDs.
SELECT id, erased_at IS NOT NULL FROM participants
WHERE tenant_id = $1 AND livemode = $2 AND id = ANY ($3::uuid[]) ORDER BY id FOR KEY SHARE;

-- name: insert_events
-- What a tenant tracks: tenant, mode, project, time, and for each event what is known of it.
INSERT INTO analytics_events (tenant_id, livemode, project_id, source, created_at, participant_id, event_type,
    event_name, properties, user_properties, session_id, ip_address, user_agent, occurred_at)
SELECT $1, $2, $3, 'tenant', $4::timestamptz, n.participant_id, n.event_type, n.event_name, n.properties,
    n.user_properties, n.session_id, n.ip_address::inet, n.user_agent, n.occurred_at
FROM unnest($5::uuid[], $6::text[], $7::text[], $8::jsonb[], $9::jsonb[], $10::text[], $11::text[], $12::text[],
    $13::timestamptz[]) AS n (participant_id, event_type, event_name, properties, user_properties, session_id,
    ip_address, user_agent, occurred_at);

-- name: empty_origins
-- Empties where up to $2 events from before a moment came from, the oldest first.
WITH old AS (
    SELECT id, occurred_at FROM analytics_events
    WHERE occurred_at < $1 AND (ip_address IS NOT NULL OR user_agent IS NOT NULL)
    ORDER BY occurred_at LIMIT $2
)
UPDATE analytics_events e SET ip_address = NULL, user_agent = NULL
FROM old WHERE e.id = old.id AND e.occurred_at = old.occurred_at AND e.occurred_at < $1;

-- name: redact_events
-- Empties what events say of participants: tenant, mode, their IDs. That something happened stays.
UPDATE analytics_events SET participant_id = NULL, user_properties = '{}', session_id = NULL, ip_address = NULL,
    user_agent = NULL, properties = CASE WHEN source = 'tenant' THEN '{}' ELSE properties END
WHERE tenant_id = $1 AND livemode = $2 AND participant_id = ANY ($3::uuid[]);
