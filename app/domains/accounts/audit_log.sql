-- name: audit_extent
-- The first and last entries of the audit log, and the head of its chain.
SELECT (SELECT count(*) FROM audit_logs) AS entries, f.seq AS first_seq, f.previous_hash AS first_previous_hash,
       l.seq AS last_seq, l.hash AS last_hash, c.seq AS head_seq, c.hash AS head_hash
FROM audit_chain c
LEFT JOIN LATERAL (SELECT seq, previous_hash FROM audit_logs ORDER BY seq LIMIT 1) f ON true
LEFT JOIN LATERAL (SELECT seq, hash FROM audit_logs ORDER BY seq DESC LIMIT 1) l ON true;

-- name: audit_anchors
-- Where each month begins in the chain, and whether it is old enough to have been dropped.
SELECT a.month, a.seq, a.previous_hash, a.month + interval '1 month' <= $1::timestamptz - p.retention AS droppable
FROM audit_anchors a CROSS JOIN partitioned_tables p
WHERE p.table_name = 'audit_logs' ORDER BY a.seq;

-- name: audit_break
-- The first entry that was changed or does not follow from its predecessor. One that was redacted is what a later entry
-- says that it became.
WITH redacted AS MATERIALIZED (
    SELECT DISTINCT ON (e.key::bigint) e.key::bigint AS seq, e.value AS hash
    FROM audit_logs r CROSS JOIN LATERAL jsonb_each_text(r.details -> 'redacted') e
    WHERE r.resource_type = 'audit_logs' ORDER BY e.key::bigint, r.seq DESC
)
SELECT seq, finding FROM (
    SELECT a.seq, CASE
        WHEN audit_row_hash(a) <> coalesce(d.hash, a.hash) THEN 'edited'
        WHEN a.seq <> lag(a.seq) OVER w + 1 THEN 'gap'
        WHEN a.previous_hash <> lag(a.hash) OVER w THEN 'unlinked'
    END AS finding
    FROM audit_logs a LEFT JOIN redacted d ON d.seq = a.seq WINDOW w AS (ORDER BY a.seq)
) checked
WHERE finding IS NOT NULL ORDER BY seq LIMIT 1;
