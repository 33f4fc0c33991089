-- name: differing_comparisons
-- Comparisons with an exchange that have other differences than they count, up to $1.
SELECT r.id::text AS key, r.difference_count::text AS stored, coalesce(d.number, 0)::text AS counted,
    count(*) OVER () AS found
FROM reconciliations r
LEFT JOIN (SELECT reconciliation_id, count(*) AS number FROM reconciliation_differences GROUP BY 1) d
    ON d.reconciliation_id = r.id
WHERE r.difference_count <> coalesce(d.number, 0) ORDER BY r.id LIMIT $1;

-- name: lock_comparisons
-- Locks comparisons, as who finishes one does.
SELECT id FROM reconciliations WHERE id = ANY ($1::text[]::uuid[]) ORDER BY id FOR NO KEY UPDATE;

-- name: mend_comparisons
-- Counts the differences of these comparisons anew.
UPDATE reconciliations r SET difference_count = c.number
FROM (
    SELECT q.id, q.difference_count AS before, (
            SELECT count(*)::integer FROM reconciliation_differences d WHERE d.reconciliation_id = q.id
        ) AS number
    FROM reconciliations q WHERE q.id = ANY ($1::text[]::uuid[])
) c
WHERE r.id = c.id AND c.before <> c.number
RETURNING r.id::text AS key, c.before::text AS before, c.number::text AS after;
