-- name: seal
-- Seals changes that are committed and can get no older sibling, at most so many with one seal; returns how many.
SELECT seal_order_changes($1::bigint);

-- name: seal_extent
-- The first and last seals of the audit log, how far sealing is, and changes that no seal can be of: time.
SELECT f.number AS first, l.number AS last, l.to_id AS last_to, s.number, s.sealed_to, (
    SELECT count(*) FROM order_changes c
    WHERE c.id <= coalesce(f.after_id, s.sealed_to)
        AND date_trunc('month', c.created_at, 'UTC') + interval '1 month' > $1::timestamptz - p.retention
) AS strays
FROM order_sealing s
JOIN partitioned_tables p ON p.table_name = 'order_changes'
LEFT JOIN LATERAL (
    SELECT a.resource_id::bigint AS number, (a.details #>> '{new,after_id}')::bigint AS after_id
    FROM audit_logs a WHERE a.resource_type = 'order_seals' AND a.action = 'insert' ORDER BY a.seq LIMIT 1
) f ON true
LEFT JOIN LATERAL (
    SELECT a.resource_id::bigint AS number, (a.details #>> '{new,to_id}')::bigint AS to_id
    FROM audit_logs a WHERE a.resource_type = 'order_seals' AND a.action = 'insert' ORDER BY a.seq DESC LIMIT 1
) l ON true;

-- name: broken_seal
-- The first of these seals that does not follow from the one before, or whose changes are not what it states: from, to,
-- time. Where retention may have dropped some of them, there is only the seal.
SELECT number, finding FROM (
    SELECT k.number, CASE
        WHEN a.seq IS NULL THEN 'missing'
        WHEN s.after_id <> lag(s.to_id, 1, CASE k.number WHEN 1 THEN 0 ELSE s.after_id END) OVER w THEN 'unlinked'
        WHEN d.changes < s.changes THEN 'fewer'
        WHEN d.changes > s.changes THEN 'more'
        WHEN d.digest <> s.digest THEN 'edited'
    END AS finding
    FROM generate_series($1::bigint - 1, $2::bigint) k (number)
    LEFT JOIN audit_logs a
        ON a.resource_type = 'order_seals' AND a.resource_id = k.number::text AND a.action = 'insert'
    LEFT JOIN LATERAL jsonb_to_record(a.details -> 'new') AS s (
        after_id bigint, to_id bigint, changes bigint, first_at timestamptz, digest text
    ) ON true
    JOIN partitioned_tables p ON p.table_name = 'order_changes'
    LEFT JOIN LATERAL order_changes_digest(s.after_id, s.to_id) d
        ON date_trunc('month', s.first_at, 'UTC') + interval '1 month' > $3::timestamptz - p.retention
    WINDOW w AS (ORDER BY k.number, a.seq)
) checked
WHERE number >= $1 AND finding IS NOT NULL ORDER BY number LIMIT 1;
