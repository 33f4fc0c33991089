-- name: months_to_archive
-- The months of events that are over for more than a year, by a time.
SELECT analytics_months_to_archive($1);

-- name: lock_archiving
-- Lets one transaction at a time write archives. False: another does.
SELECT pg_try_advisory_xact_lock(hashtext('moneta.analytics_archives'));

-- name: fingerprint_of_month
-- What the events from one time until another are.
SELECT count(*) AS events, coalesce(bit_xor(hashtextextended(e::text, 0)), 0) AS value, min(e.occurred_at) AS first_at,
    max(e.occurred_at) AS last_at
FROM analytics_events e WHERE e.occurred_at >= $1 AND e.occurred_at < $2;

-- name: events_after
-- Events from one time until another after an ID, by their IDs: at most so many.
SELECT id, tenant_id, livemode, project_id, participant_id, source, event_type, event_name, properties, user_properties,
    session_id, host(ip_address) AS ip_address, user_agent, occurred_at, created_at
FROM analytics_events WHERE occurred_at >= $1 AND occurred_at < $2 AND ($3::uuid IS NULL OR id > $3::uuid)
ORDER BY id LIMIT $4;

-- name: drop_month
-- Drops a month whose events are in files: the month, how many and which were written, the time. False: it has others.
SELECT drop_analytics_month($1, $2, $3, $4);

-- name: archived_months
-- The months that are in files and no more in the table.
SELECT month FROM analytics_archives ORDER BY month;
