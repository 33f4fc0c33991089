-- name: note_success
-- Counts an answer of a source: the accepted values, and the rejected ones by reason.
INSERT INTO market_sources AS s (source, kind, last_success_at, accepted, ignored)
VALUES ($1, $2, $3, $4, $5::jsonb)
ON CONFLICT (source, kind) DO UPDATE SET
    last_success_at = greatest(s.last_success_at, excluded.last_success_at),
    accepted = s.accepted + excluded.accepted,
    ignored = CASE WHEN excluded.ignored = '{}' THEN s.ignored ELSE (
        SELECT jsonb_object_agg(reason, total)
        FROM (
            SELECT counted.reason, sum(counted.number::bigint) AS total
            FROM (
                SELECT k.key AS reason, k.value AS number FROM jsonb_each_text(s.ignored) k
                UNION ALL
                SELECT k.key, k.value FROM jsonb_each_text(excluded.ignored) k
            ) counted
            GROUP BY counted.reason
        ) sums
    ) END,
    updated_at = excluded.last_success_at;

-- name: note_failure
-- Notes a failure of a source, and why.
INSERT INTO market_sources AS s (source, kind, last_failure_at, last_failure)
VALUES ($1, $2, $3, $4)
ON CONFLICT (source, kind) DO UPDATE SET
    last_failure_at = greatest(s.last_failure_at, excluded.last_failure_at),
    last_failure = excluded.last_failure,
    updated_at = excluded.last_failure_at;

-- name: market_sources
-- All sources, by kind and name, at most $1.
SELECT source, kind, last_success_at, last_failure_at, last_failure, accepted, ignored
FROM market_sources
ORDER BY kind, source
LIMIT $1::integer;
