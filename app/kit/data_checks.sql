-- name: foreign_keys
-- Every foreign key of the tables: its OID, table and name.
SELECT k.oid::bigint AS oid, k.conrelid::regclass || '.' || k.conname AS name
FROM pg_constraint k
WHERE k.contype = 'f' AND k.conparentid = 0 AND k.connamespace = 'public'::regnamespace
ORDER BY 2;

-- name: orphans
-- Rows of the table of a foreign key whose parent is missing: the OID of the key. With up to $2 examples.
SELECT found, examples FROM find_orphans($1, $2);

-- name: lost_partitions
-- Partitions without their table, or of a table that nobody maintains; tables whose rows of a month from now have no
-- partition. With up to $1 examples.
SELECT count(*) AS found, coalesce((array_agg(x.subject ORDER BY x.subject))[1:$1::integer], '{}') AS examples FROM (
    SELECT c.relname || ' is a partition of no table' AS subject
    FROM pg_class c JOIN partitioned_tables t
        ON c.relname ~ ('^' || t.table_name || '_\d{4}_\d{2}$')
    WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' AND NOT c.relispartition
    UNION ALL
    SELECT t.table_name || ' does not exist' FROM partitioned_tables t
    WHERE NOT EXISTS (
        SELECT FROM pg_class c
        WHERE c.relnamespace = 'public'::regnamespace AND c.relname = t.table_name AND c.relkind = 'p'
    )
    UNION ALL
    SELECT c.relname || ' gets no partitions' FROM pg_class c
    WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'p'
        AND NOT EXISTS (SELECT FROM partitioned_tables t WHERE t.table_name = c.relname)
    UNION ALL
    SELECT t.table_name || ' has no partition for ' || to_char(m.month, 'YYYY-MM')
    FROM partitioned_tables t
    CROSS JOIN (SELECT now() AT TIME ZONE 'UTC' + n * interval '1 month' AS month FROM generate_series(0, 1) n) m
    WHERE to_regclass(format('%s_%s', t.table_name, to_char(m.month, 'YYYY_MM'))) IS NULL
) x;

-- name: lost_events
-- Events of no stream, or beyond the end of theirs. With up to $1 examples.
SELECT count(*) AS found, coalesce((array_agg(x.subject ORDER BY x.subject))[1:$1::integer], '{}') AS examples FROM (
    SELECT format('%s: its events end at %s, and it at %s', e.stream, e.top, coalesce(s.seq::text, 'none')) AS subject
    FROM (SELECT stream, max(seq) AS top FROM events GROUP BY stream) e
    LEFT JOIN event_streams s ON s.stream = e.stream
    WHERE s.seq IS NULL OR s.seq < e.top
) x;
