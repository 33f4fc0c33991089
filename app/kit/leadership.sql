-- name: try_lead
-- Whether this session now holds the lock of a name.
SELECT pg_try_advisory_lock(hashtextextended('moneta.lead.' || $1::text, 0));

-- name: is_there
-- Answers while the session is alive.
SELECT true;
