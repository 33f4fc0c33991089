-- Many servers grant what is created to roles of their own, by default privileges (Supabase: anon, authenticated). Rows
-- with an owner are kept by row-level security; events, jobs, and partitions asked for by name would be open to them.
-- Nobody makes or drops partitions meanwhile, and all locks are taken in one order: two such loops would meet in them.
SELECT pg_advisory_xact_lock(hashtext('moneta.partitions'));
DO $$
DECLARE
    granted record;
BEGIN
    FOR granted IN
        SELECT DISTINCT
            CASE d.defaclobjtype WHEN 'r' THEN 'TABLES' WHEN 'S' THEN 'SEQUENCES' ELSE 'FUNCTIONS' END AS kind,
            CASE WHEN d.defaclnamespace = 0 THEN '' ELSE 'IN SCHEMA public' END AS place,
            CASE WHEN a.grantee = 0 THEN 'PUBLIC' ELSE a.grantee::regrole::text END AS grantee
        FROM pg_default_acl d CROSS JOIN aclexplode(d.defaclacl) a
        WHERE d.defaclrole = current_user::regrole AND d.defaclobjtype IN ('r', 'S', 'f')
            AND d.defaclnamespace IN (0, 'public'::regnamespace)
            AND a.grantee NOT IN (current_user::regrole, 'moneta_app'::regrole)
        ORDER BY 1, 2, 3
    LOOP
        EXECUTE format(
            'ALTER DEFAULT PRIVILEGES %s REVOKE ALL ON %s FROM %s', granted.place, granted.kind, granted.grantee
        );
    END LOOP;
    FOR granted IN
        SELECT DISTINCT
            c.oid,
            CASE c.relkind WHEN 'S' THEN 'SEQUENCE' ELSE 'TABLE' END AS kind,
            c.oid::regclass::text AS name,
            CASE WHEN a.grantee = 0 THEN 'PUBLIC' ELSE a.grantee::regrole::text END AS grantee
        FROM pg_class c CROSS JOIN aclexplode(c.relacl) a
        WHERE c.relnamespace = 'public'::regnamespace AND c.relowner = current_user::regrole
            AND c.relkind IN ('r', 'p', 'v', 'm', 'S')
            AND a.grantee NOT IN (current_user::regrole, 'moneta_app'::regrole)
        ORDER BY c.oid, grantee
    LOOP
        EXECUTE format('REVOKE ALL ON %s %s FROM %s', granted.kind, granted.name, granted.grantee);
    END LOOP;
    -- Those of extensions are the server's, and everybody may use what is built in.
    FOR granted IN
        SELECT p.oid, p.oid::regprocedure::text AS name, a.grantee::regrole::text AS grantee
        FROM pg_proc p CROSS JOIN aclexplode(p.proacl) a
        WHERE p.pronamespace = 'public'::regnamespace AND p.proowner = current_user::regrole
            AND a.grantee NOT IN (0, current_user::regrole, 'moneta_app'::regrole)
            AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = p.oid AND d.deptype = 'e')
        ORDER BY p.oid, grantee
    LOOP
        EXECUTE format('REVOKE ALL ON FUNCTION %s FROM %s', granted.name, granted.grantee);
    END LOOP;
END
$$;

-- A partition is reached through its parent, whose policies then hold; asked for by its own name it shows nothing.
CREATE FUNCTION close_partition(partition text) RETURNS void
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    EXECUTE format('REVOKE ALL ON %I FROM moneta_app', partition);
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', partition);
END
$$;
REVOKE ALL ON FUNCTION close_partition FROM PUBLIC;

SELECT close_partition(c.relname)
FROM pg_inherits h JOIN pg_class c ON c.oid = h.inhrelid
WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r'
ORDER BY c.oid;

-- Makes the partition of a month; false where there is one.
CREATE FUNCTION make_partition(of_table text, month timestamptz) RETURNS boolean
LANGUAGE plpgsql SET search_path = public, pg_temp SET timezone = 'UTC' AS $$
DECLARE
    partition text := format('%s_%s', of_table, to_char(month, 'YYYY_MM'));
BEGIN
    IF to_regclass(partition) IS NOT NULL THEN
        RETURN false;
    END IF;
    EXECUTE format(
        'CREATE TABLE %I PARTITION OF %I FOR VALUES FROM (%L) TO (%L)',
        partition, of_table, month, month + interval '1 month'
    );
    PERFORM close_partition(partition);
    RETURN true;
END
$$;
REVOKE ALL ON FUNCTION make_partition FROM PUBLIC;

-- Both as before, but for how a partition is made.
CREATE OR REPLACE FUNCTION maintain_partitions(at timestamptz, months_ahead integer DEFAULT 3)
RETURNS TABLE (created integer, dropped integer)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp SET timezone = 'UTC' AS $$
DECLARE
    parent record;
    child record;
BEGIN
    created := 0;
    dropped := 0;
    IF months_ahead NOT BETWEEN 0 AND 24 THEN
        RAISE EXCEPTION 'months_ahead must be between 0 and 24';
    END IF;
    PERFORM pg_advisory_xact_lock(hashtext('moneta.partitions'));
    FOR parent IN SELECT table_name, retention FROM partitioned_tables ORDER BY table_name LOOP
        FOR i IN 0..months_ahead LOOP
            created := created
                + make_partition(parent.table_name, date_trunc('month', at) + make_interval(months => i))::integer;
        END LOOP;
        CONTINUE WHEN parent.retention IS NULL;
        FOR child IN
            SELECT c.relname FROM pg_inherits h JOIN pg_class c ON c.oid = h.inhrelid
            WHERE h.inhparent = parent.table_name::regclass AND c.relname ~ '_\d{4}_\d{2}$'
        LOOP
            -- Never by a date to come: whoever may call this must not be able to empty an append-only log.
            IF to_date(right(child.relname, 7), 'YYYY_MM') + interval '1 month'
                <= (least(at, now()) - parent.retention) THEN
                EXECUTE format('DROP TABLE %I', child.relname);
                dropped := dropped + 1;
            END IF;
        END LOOP;
    END LOOP;
    RETURN NEXT;
END
$$;

CREATE OR REPLACE FUNCTION make_partitions(of_table text, since timestamptz, until timestamptz) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp SET timezone = 'UTC' AS $$
DECLARE
    kept interval;
    month timestamptz;
    created integer := 0;
BEGIN
    SELECT retention INTO STRICT kept FROM partitioned_tables WHERE table_name = of_table;
    month := date_trunc('month', greatest(since, now() - coalesce(kept, interval '3 years')));
    IF until > month + interval '3 years' THEN
        RAISE EXCEPTION 'partitions for more than 3 years at once';
    END IF;
    PERFORM pg_advisory_xact_lock(hashtext('moneta.partitions'));
    WHILE month <= until LOOP
        created := created + make_partition(of_table, month)::integer;
        month := month + interval '1 month';
    END LOOP;
    RETURN created;
END
$$;
