-- name: database_time
-- The database's clock.
SELECT clock_timestamp();
