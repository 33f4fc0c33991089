-- Who takes part in a project, in the order of their points, and how many have more than somebody. Both follow from
-- `participations`, in the transactions that change those.

-- What everybody sees of a participation who sees its project. All else is the tenant's and the participant's.
CREATE TABLE leaderboard_entries (
    tenant_id uuid NOT NULL,
    livemode boolean NOT NULL,
    participation_id uuid NOT NULL,
    project_id uuid NOT NULL,
    points bigint NOT NULL CHECK (points >= 0),
    level integer NOT NULL CHECK (level BETWEEN 1 AND 100),
    CONSTRAINT leaderboard_entries_id PRIMARY KEY (tenant_id, livemode, participation_id),
    CONSTRAINT leaderboard_entries_participation FOREIGN KEY (tenant_id, livemode, project_id, participation_id)
        REFERENCES participations (tenant_id, livemode, project_id, id) ON DELETE CASCADE
);
COMMENT ON TABLE leaderboard_entries IS 'The participations that are active.';
CREATE INDEX leaderboard_entries_points ON leaderboard_entries (project_id, points, participation_id);

-- How many have so many points, in a radix tree: a row of level n counts those whose points have the same digits, to the
-- base of 32, but for the last n. Where the last of those digits is 0 there is no row, since nobody has less. So whoever
-- has no points is in none, and a few points more change the rows of a level or two. To know how many have more points
-- than somebody, at most 31 rows of each level are added.
CREATE TABLE leaderboard_counts (
    tenant_id uuid NOT NULL,
    livemode boolean NOT NULL,
    project_id uuid NOT NULL,
    level smallint NOT NULL CHECK (level BETWEEN 0 AND 12),
    prefix bigint NOT NULL CHECK (prefix & 31 <> 0),
    participants integer NOT NULL CHECK (participants >= 0),
    CONSTRAINT leaderboard_counts_id PRIMARY KEY (tenant_id, livemode, project_id, level, prefix),
    CONSTRAINT leaderboard_counts_project FOREIGN KEY (tenant_id, livemode, project_id)
        REFERENCES projects (tenant_id, livemode, id) ON DELETE CASCADE
) WITH (fillfactor = 80);

-- The projects whose leaderboard has changed since that was last announced.
CREATE TABLE leaderboard_changes (
    tenant_id uuid NOT NULL,
    livemode boolean NOT NULL,
    project_id uuid NOT NULL,
    CONSTRAINT leaderboard_changes_id PRIMARY KEY (tenant_id, livemode, project_id),
    CONSTRAINT leaderboard_changes_project FOREIGN KEY (tenant_id, livemode, project_id)
        REFERENCES projects (tenant_id, livemode, id) ON DELETE CASCADE
);

-- The rows of `leaderboard_counts` that count somebody with so many points. None for null.
CREATE FUNCTION leaderboard_digits(points bigint) RETURNS TABLE (level smallint, prefix bigint)
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT n::smallint, points >> (5 * n) FROM generate_series(0, 12) AS n
    WHERE points >> (5 * n) > 0 AND points >> (5 * n) & 31 <> 0
$$;

-- Keeps both as a participation is. It is deferred: it runs when the events of the transaction are appended, for which
-- those of a project take turns in any case, so that nobody waits longer for a row of `leaderboard_counts`.
CREATE FUNCTION keep_leaderboard() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    part participations := CASE WHEN TG_OP = 'DELETE' THEN old ELSE new END;
    was bigint := CASE WHEN TG_OP <> 'INSERT' AND old.status = 'active' THEN old.points END;
    becomes bigint := CASE WHEN TG_OP <> 'DELETE' AND new.status = 'active' THEN new.points END;
    fewer record;
BEGIN
    -- Against `repair_leaderboard`.
    PERFORM pg_advisory_xact_lock_shared(hashtextextended('moneta.leaderboard:' || part.project_id, 0));
    IF becomes IS NOT NULL THEN
        INSERT INTO leaderboard_entries (tenant_id, livemode, participation_id, project_id, points, level)
        VALUES (part.tenant_id, part.livemode, part.id, part.project_id, part.points, part.level)
        ON CONFLICT (tenant_id, livemode, participation_id) DO UPDATE
        SET points = excluded.points, level = excluded.level;
    ELSIF TG_OP = 'UPDATE' THEN
        DELETE FROM leaderboard_entries e
        WHERE e.tenant_id = part.tenant_id AND e.livemode = part.livemode AND e.participation_id = part.id;
    ELSIF NOT EXISTS (SELECT FROM projects j WHERE j.id = part.project_id) THEN
        RETURN NULL;
    END IF;
    IF was IS DISTINCT FROM becomes THEN
        INSERT INTO leaderboard_counts AS c (tenant_id, livemode, project_id, level, prefix, participants)
        SELECT part.tenant_id, part.livemode, part.project_id, d.level, d.prefix, 1 FROM (
            SELECT * FROM leaderboard_digits(becomes) EXCEPT SELECT * FROM leaderboard_digits(was)
        ) AS d ORDER BY d.level, d.prefix
        ON CONFLICT (tenant_id, livemode, project_id, level, prefix) DO UPDATE
        SET participants = c.participants + 1;
        -- Each by its key: joined with the digits Postgres would read all rows of the project.
        FOR fewer IN
            SELECT * FROM leaderboard_digits(was) EXCEPT SELECT * FROM leaderboard_digits(becomes) ORDER BY 1, 2
        LOOP
            DELETE FROM leaderboard_counts c
            WHERE c.tenant_id = part.tenant_id AND c.livemode = part.livemode AND c.project_id = part.project_id
                AND c.level = fewer.level AND c.prefix = fewer.prefix AND c.participants <= 1;
            -- Rows that have been lost are no reason to refuse points: `repair_leaderboard` finds them.
            CONTINUE WHEN FOUND;
            UPDATE leaderboard_counts c SET participants = c.participants - 1
            WHERE c.tenant_id = part.tenant_id AND c.livemode = part.livemode AND c.project_id = part.project_id
                AND c.level = fewer.level AND c.prefix = fewer.prefix;
        END LOOP;
    END IF;
    INSERT INTO leaderboard_changes (tenant_id, livemode, project_id)
    VALUES (part.tenant_id, part.livemode, part.project_id) ON CONFLICT DO NOTHING;
    RETURN NULL;
END
$$;
CREATE CONSTRAINT TRIGGER participations_leaderboard_insert AFTER INSERT ON participations
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (new.status = 'active') EXECUTE FUNCTION keep_leaderboard();
CREATE CONSTRAINT TRIGGER participations_leaderboard_update AFTER UPDATE ON participations
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
    WHEN (old.status <> new.status OR old.points <> new.points OR old.level <> new.level)
    EXECUTE FUNCTION keep_leaderboard();
CREATE CONSTRAINT TRIGGER participations_leaderboard_delete AFTER DELETE ON participations
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (old.status = 'active') EXECUTE FUNCTION keep_leaderboard();

-- What is wrong with the leaderboard of a project, as `participations` are: entries, and rows of counts.
CREATE FUNCTION leaderboard_faults(project uuid) RETURNS bigint LANGUAGE sql STABLE AS $$
    WITH entries AS (
        SELECT p.id, p.points, p.level FROM participations p WHERE p.project_id = project AND p.status = 'active'
    ), counts AS (
        SELECT d.level, d.prefix, count(*) AS participants FROM entries e, leaderboard_digits(e.points) AS d
        GROUP BY d.level, d.prefix
    )
    SELECT (
        SELECT count(*) FROM entries e FULL JOIN (
            SELECT participation_id AS id, points, level FROM leaderboard_entries WHERE project_id = project
        ) AS f USING (id) WHERE (e.points, e.level) IS DISTINCT FROM (f.points, f.level)
    ) + (
        SELECT count(*) FROM counts c FULL JOIN (
            SELECT level, prefix, participants FROM leaderboard_counts WHERE project_id = project
        ) AS f USING (level, prefix) WHERE c.participants IS DISTINCT FROM f.participants::bigint
    )
$$;

-- Makes the leaderboard of a project anew from `participations`, where it is wrong. Who gets points meanwhile waits.
CREATE FUNCTION repair_leaderboard(project uuid) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    faults bigint;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('moneta.leaderboard:' || project, 0));
    faults := leaderboard_faults(project);
    IF faults > 0 THEN
        DELETE FROM leaderboard_entries e WHERE e.project_id = project AND NOT EXISTS (
            SELECT FROM participations p WHERE p.id = e.participation_id AND p.status = 'active'
        );
        INSERT INTO leaderboard_entries AS e (tenant_id, livemode, participation_id, project_id, points, level)
        SELECT p.tenant_id, p.livemode, p.id, p.project_id, p.points, p.level FROM participations p
        WHERE p.project_id = project AND p.status = 'active'
        ON CONFLICT (tenant_id, livemode, participation_id) DO UPDATE
        SET points = excluded.points, level = excluded.level
        WHERE (e.points, e.level) IS DISTINCT FROM (excluded.points, excluded.level);
        DELETE FROM leaderboard_counts c WHERE c.project_id = project;
        INSERT INTO leaderboard_counts (tenant_id, livemode, project_id, level, prefix, participants)
        SELECT e.tenant_id, e.livemode, e.project_id, d.level, d.prefix, count(*)
        FROM leaderboard_entries e, leaderboard_digits(e.points) AS d WHERE e.project_id = project
        GROUP BY e.tenant_id, e.livemode, e.project_id, d.level, d.prefix;
        INSERT INTO leaderboard_changes (tenant_id, livemode, project_id)
        SELECT j.tenant_id, j.livemode, j.id FROM projects j WHERE j.id = project ON CONFLICT DO NOTHING;
    END IF;
    RETURN faults;
END
$$;

-- Those who take part already.
SELECT repair_leaderboard(j.id) FROM projects j;

-- Who sees what ---------------------------------------------------------------------------------------------------

DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['leaderboard_entries', 'leaderboard_counts', 'leaderboard_changes'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', name);
        -- Nobody but Moneta writes: not even what is one's own.
        EXECUTE format(
            'CREATE POLICY %I ON %I USING (app_is_system()) WITH CHECK (app_is_system())', name || '_system', name
        );
    END LOOP;
END
$$;
CREATE POLICY leaderboard_entries_tenant ON leaderboard_entries FOR SELECT
    USING (tenant_id = (SELECT app_tenant()) AND livemode = (SELECT app_livemode()));
-- Who sees a project sees who is how far in it. Not EXISTS: of a long list Postgres would first ask for all projects.
CREATE POLICY leaderboard_entries_project ON leaderboard_entries FOR SELECT
    USING ((SELECT true FROM projects p WHERE p.id = project_id));

-- The rank of so many points in a project: 1, and how many have more. Those who have as many share it. It tells nothing
-- else of others, and whoever asks has an entry that they see, or a participation. Each level is added up apart: a join
-- might be made by reading all rows of the project.
CREATE FUNCTION leaderboard_rank(tenant uuid, mode boolean, project uuid, points bigint) RETURNS bigint
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp SET app.system = 'on' AS $$
BEGIN
    RETURN (
        SELECT 1 + coalesce(sum((
            SELECT sum(c.participants) FROM leaderboard_counts c
            WHERE c.tenant_id = tenant AND c.livemode = mode AND c.project_id = project AND c.level = n
                AND c.prefix > points >> (5 * n) AND c.prefix <= (points >> (5 * n) | 31)
        )), 0)
        FROM generate_series(0, (
            SELECT max(c.level) FROM leaderboard_counts c
            WHERE c.tenant_id = tenant AND c.livemode = mode AND c.project_id = project
        )) AS n
    );
END
$$;

-- The name that a participant has agreed to be shown by: an attribute of theirs. Null: none.
CREATE FUNCTION leaderboard_name(participation uuid) RETURNS text
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp SET app.system = 'on' AS $$
BEGIN
    RETURN (
        SELECT who.attributes ->> 'public_name'
        FROM participations p JOIN participants who ON who.id = p.participant_id WHERE p.id = participation
    );
END
$$;
REVOKE ALL ON FUNCTION leaderboard_rank, leaderboard_name FROM PUBLIC;
GRANT EXECUTE ON FUNCTION leaderboard_rank, leaderboard_name TO moneta_app;
