-- What happens in the projects of tenants: what tenants track, and what Moneta itself does. A month that is older than
-- a year is written into files, and only then dropped.

CREATE TABLE analytics_events (
    id uuid NOT NULL DEFAULT gen_random_uuid(),
    tenant_id uuid NOT NULL,
    livemode boolean NOT NULL,
    project_id uuid NOT NULL,
    participant_id uuid,
    source text NOT NULL CHECK (source IN ('tenant', 'moneta')),
    event_type text NOT NULL CHECK (event_type ~ '^[a-z][a-z0-9_.]{0,99}$'),
    event_name text NOT NULL CHECK (length(event_name) BETWEEN 1 AND 255),
    properties jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(properties) = 'object'),
    user_properties jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(user_properties) = 'object'),
    session_id text CHECK (length(session_id) BETWEEN 1 AND 128),
    ip_address inet,
    user_agent text CHECK (length(user_agent) BETWEEN 1 AND 512),
    occurred_at timestamptz NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (id, occurred_at),
    CONSTRAINT analytics_events_project FOREIGN KEY (tenant_id, livemode, project_id)
        REFERENCES projects (tenant_id, livemode, id) ON DELETE CASCADE,
    CONSTRAINT analytics_events_participant FOREIGN KEY (tenant_id, livemode, participant_id)
        REFERENCES participants (tenant_id, livemode, id) ON DELETE SET NULL (participant_id)
) PARTITION BY RANGE (occurred_at);
COMMENT ON COLUMN analytics_events.source IS 'moneta: it has done this itself, and no tenant can claim that it has.';
COMMENT ON COLUMN analytics_events.ip_address IS 'Emptied after 90 days, as is the user agent.';
CREATE INDEX analytics_events_project_time
    ON analytics_events (tenant_id, livemode, project_id, occurred_at DESC, id DESC);
CREATE INDEX analytics_events_type_time
    ON analytics_events (tenant_id, livemode, project_id, event_type, occurred_at DESC, id DESC);
CREATE INDEX analytics_events_participant_time
    ON analytics_events (tenant_id, livemode, participant_id, project_id, occurred_at DESC, id DESC);
CREATE INDEX analytics_events_origins ON analytics_events (occurred_at)
    WHERE ip_address IS NOT NULL OR user_agent IS NOT NULL;

-- How often -------------------------------------------------------------------------------------------------------

-- What is counted of an event, until it is: a row is deleted in the transaction that adds it to the counts, so that
-- each counts once whatever stops in between, and no event is written twice.
CREATE TABLE analytics_inbox (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant_id uuid NOT NULL,
    livemode boolean NOT NULL,
    project_id uuid NOT NULL,
    participant_id uuid,
    kind text NOT NULL,
    points bigint NOT NULL DEFAULT 0,
    occurred_at timestamptz NOT NULL,
    CONSTRAINT analytics_inbox_project FOREIGN KEY (tenant_id, livemode, project_id)
        REFERENCES projects (tenant_id, livemode, id) ON DELETE CASCADE,
    CONSTRAINT analytics_inbox_participant FOREIGN KEY (tenant_id, livemode, participant_id)
        REFERENCES participants (tenant_id, livemode, id) ON DELETE SET NULL (participant_id)
);
COMMENT ON COLUMN analytics_inbox.kind IS 'The type of an event of Moneta, or `tracked`.';
CREATE INDEX analytics_inbox_project ON analytics_inbox (tenant_id, livemode, project_id, occurred_at);
CREATE INDEX analytics_inbox_participant ON analytics_inbox (tenant_id, livemode, participant_id);

-- Sums for each part of the calendar, in UTC. Kept for ever: they name nobody.
CREATE TABLE project_statistics (
    tenant_id uuid NOT NULL,
    livemode boolean NOT NULL,
    project_id uuid NOT NULL,
    interval text NOT NULL CHECK (interval IN ('hour', 'day', 'week', 'month')),
    started_at timestamptz NOT NULL CHECK (started_at = date_trunc(interval, started_at, 'UTC')),
    joins bigint NOT NULL DEFAULT 0 CHECK (joins >= 0),
    leaves bigint NOT NULL DEFAULT 0 CHECK (leaves >= 0),
    completions bigint NOT NULL DEFAULT 0 CHECK (completions >= 0),
    verifications bigint NOT NULL DEFAULT 0 CHECK (verifications >= 0),
    points bigint NOT NULL DEFAULT 0,
    tracked bigint NOT NULL DEFAULT 0 CHECK (tracked >= 0),
    active_participants bigint NOT NULL DEFAULT 0 CHECK (active_participants >= 0),
    PRIMARY KEY (tenant_id, livemode, project_id, interval, started_at),
    CONSTRAINT project_statistics_project FOREIGN KEY (tenant_id, livemode, project_id)
        REFERENCES projects (tenant_id, livemode, id) ON DELETE CASCADE
);
COMMENT ON COLUMN project_statistics.points IS 'Points that were given, less those that were taken.';

-- Who is among those that `active_participants` counts, as long as events of that time can still come. Participants are
-- named without a key: they go with their tenant, as the sums do, and to look each up would double what counting costs.
CREATE TABLE participant_activity (
    tenant_id uuid NOT NULL,
    livemode boolean NOT NULL,
    project_id uuid NOT NULL,
    interval text NOT NULL,
    started_at timestamptz NOT NULL,
    participant_id uuid NOT NULL,
    PRIMARY KEY (tenant_id, livemode, project_id, interval, started_at, participant_id),
    CONSTRAINT participant_activity_statistics FOREIGN KEY (tenant_id, livemode, project_id, interval, started_at)
        REFERENCES project_statistics (tenant_id, livemode, project_id, interval, started_at) ON DELETE CASCADE
);
CREATE INDEX participant_activity_started_at ON participant_activity (started_at);

-- Of those who first joined in a week, how many were active in a later week, or in that one. Kept for ever.
CREATE TABLE project_retention (
    tenant_id uuid NOT NULL,
    livemode boolean NOT NULL,
    project_id uuid NOT NULL,
    joined_week timestamptz NOT NULL CHECK (joined_week = date_trunc('week', joined_week, 'UTC')),
    active_week timestamptz NOT NULL CHECK (active_week = date_trunc('week', active_week, 'UTC')),
    participants bigint NOT NULL CHECK (participants > 0),
    PRIMARY KEY (tenant_id, livemode, project_id, joined_week, active_week),
    CONSTRAINT project_retention_project FOREIGN KEY (tenant_id, livemode, project_id)
        REFERENCES projects (tenant_id, livemode, id) ON DELETE CASCADE,
    CONSTRAINT project_retention_later CHECK (active_week >= joined_week)
);

-- Of each statement, so that many events at once are one more statement.
CREATE FUNCTION note_analytics() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    before text := app_see_as('on');
BEGIN
    INSERT INTO analytics_inbox (tenant_id, livemode, project_id, participant_id, kind, points, occurred_at)
    SELECT n.tenant_id, n.livemode, n.project_id, n.participant_id,
        CASE WHEN n.source = 'moneta' THEN n.event_type ELSE 'tracked' END,
        CASE WHEN n.source = 'moneta' THEN coalesce((n.properties ->> 'points')::bigint, 0) ELSE 0 END, n.occurred_at
    FROM noted n;
    PERFORM app_see_as(before);
    RETURN NULL;
END
$$;
REVOKE ALL ON FUNCTION note_analytics FROM PUBLIC;
CREATE TRIGGER analytics_events_noted AFTER INSERT ON analytics_events REFERENCING NEW TABLE AS noted
    FOR EACH STATEMENT EXECUTE FUNCTION note_analytics();

-- What Moneta itself does, in the transaction that does it, each once: what is counted of a project is counted from
-- these and from nothing else, and no tenant can track one of them.

CREATE FUNCTION record_project_event(
    of_row jsonb, participant uuid, type text, name text, properties jsonb, at timestamptz
) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    before text := app_see_as('on');
    tenant uuid := (of_row ->> 'tenant_id')::uuid;
    live boolean := (of_row ->> 'livemode')::boolean;
    project uuid := (of_row ->> 'project_id')::uuid;
BEGIN
    IF to_regclass('analytics_events_' || to_char(at AT TIME ZONE 'UTC', 'YYYY_MM')) IS NULL THEN
        -- What was brought along from a time of which no events are kept is counted all the same.
        INSERT INTO analytics_inbox (tenant_id, livemode, project_id, participant_id, kind, points, occurred_at)
        VALUES (tenant, live, project, participant, type, coalesce((properties ->> 'points')::bigint, 0), at);
    ELSE
        INSERT INTO analytics_events (tenant_id, livemode, project_id, participant_id, source, event_type, event_name,
            properties, occurred_at)
        VALUES (tenant, live, project, participant, 'moneta', type, name, properties, at);
    END IF;
    PERFORM app_see_as(before);
END
$$;
REVOKE ALL ON FUNCTION record_project_event FROM PUBLIC;

-- Who had left does not leave again by a ban, nor by its end: these are events of other types, which are not counted.
CREATE FUNCTION record_participation() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    type text;
    name text;
BEGIN
    IF TG_OP = 'INSERT' THEN
        PERFORM record_project_event(to_jsonb(NEW), NEW.participant_id, 'participation.joined', 'Joined', '{}',
            NEW.joined_at);
        RETURN NULL;
    END IF;
    IF NEW.status <> OLD.status THEN
        name := CASE WHEN NEW.status = 'banned' THEN 'banned' WHEN OLD.status = 'banned' THEN 'unbanned'
            WHEN NEW.status = 'left' THEN 'left' ELSE 'rejoined' END;
        type := CASE WHEN name IN ('banned', 'unbanned') AND NEW.left_at IS NOT NULL THEN 'left.' ELSE '' END || name;
        PERFORM record_project_event(to_jsonb(NEW), NEW.participant_id, 'participation.' || type, initcap(name), '{}',
            coalesce(CASE name WHEN 'left' THEN NEW.left_at WHEN 'banned' THEN NEW.banned_at END, clock_timestamp()));
    END IF;
    IF NEW.verification_status <> OLD.verification_status AND NEW.verification_status <> 'pending' THEN
        PERFORM record_project_event(to_jsonb(NEW), NEW.participant_id, 'participation.' || NEW.verification_status,
            initcap(NEW.verification_status), '{}', clock_timestamp());
    END IF;
    RETURN NULL;
END
$$;
REVOKE ALL ON FUNCTION record_participation FROM PUBLIC;
CREATE TRIGGER participations_joined AFTER INSERT ON participations FOR EACH ROW
    EXECUTE FUNCTION record_participation();
CREATE TRIGGER participations_changed AFTER UPDATE ON participations FOR EACH ROW
    WHEN (OLD.status <> NEW.status OR OLD.verification_status <> NEW.verification_status)
    EXECUTE FUNCTION record_participation();

CREATE FUNCTION record_completion() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    before text := app_see_as('on');
    who uuid;
    task record;
BEGIN
    SELECT p.participant_id INTO STRICT who FROM participations p WHERE p.id = NEW.participation_id;
    SELECT t.key, t.name INTO STRICT task FROM tasks t WHERE t.id = NEW.task_id;
    PERFORM record_project_event(to_jsonb(NEW), who, 'task.completed', task.name, jsonb_build_object('task', task.key),
        coalesce(NEW.reviewed_at, NEW.created_at));
    PERFORM app_see_as(before);
    RETURN NULL;
END
$$;
REVOKE ALL ON FUNCTION record_completion FROM PUBLIC;
CREATE TRIGGER task_completions_completed AFTER INSERT ON task_completions FOR EACH ROW
    WHEN (NEW.status = 'accepted') EXECUTE FUNCTION record_completion();
CREATE TRIGGER task_completions_accepted AFTER UPDATE ON task_completions FOR EACH ROW
    WHEN (NEW.status = 'accepted' AND OLD.status <> 'accepted') EXECUTE FUNCTION record_completion();

CREATE FUNCTION record_points() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    before text := app_see_as('on');
    who uuid;
BEGIN
    SELECT p.participant_id INTO STRICT who FROM participations p WHERE p.id = NEW.participation_id;
    PERFORM record_project_event(to_jsonb(NEW), who,
        CASE WHEN NEW.amount > 0 THEN 'points.awarded' ELSE 'points.taken' END,
        CASE WHEN NEW.amount > 0 THEN 'Points awarded' ELSE 'Points taken' END,
        jsonb_build_object('points', NEW.amount, 'reason', NEW.reason), NEW.created_at);
    PERFORM app_see_as(before);
    RETURN NULL;
END
$$;
REVOKE ALL ON FUNCTION record_points FROM PUBLIC;
CREATE TRIGGER point_entries_recorded AFTER INSERT ON point_entries FOR EACH ROW EXECUTE FUNCTION record_points();

-- Archives --------------------------------------------------------------------------------------------------------

-- Which months are in files and no more in the table. What the files are is in their manifest, beside them.
CREATE TABLE analytics_archives (
    month date PRIMARY KEY CHECK (extract(day FROM month) = 1),
    events bigint NOT NULL CHECK (events >= 0),
    fingerprint bigint NOT NULL,
    archived_at timestamptz NOT NULL DEFAULT now()
);

-- The months of events that are over for longer than a year by a time, the oldest first.
CREATE FUNCTION analytics_months_to_archive(at timestamptz) RETURNS SETOF date
LANGUAGE sql STABLE SET search_path = public, pg_temp AS $$
    SELECT to_date(right(c.relname, 7), 'YYYY_MM') AS month
    FROM pg_inherits h JOIN pg_class c ON c.oid = h.inhrelid
    WHERE h.inhparent = 'analytics_events'::regclass AND c.relname ~ '_\d{4}_\d{2}$'
        AND (to_date(right(c.relname, 7), 'YYYY_MM') + interval '1 month') AT TIME ZONE 'UTC'
            <= at - interval '1 year'
    ORDER BY month
$$;

-- Drops a month of events that are in files: as many, and the same, as were written. False: they are not, or the month
-- is not old enough. Others are kept from changing it while it is compared.
CREATE FUNCTION drop_analytics_month(of_month date, written bigint, of_written bigint, at timestamptz) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp SET timezone = 'UTC' SET lock_timeout = '10s' AS $$
DECLARE
    partition text := format('analytics_events_%s', to_char(of_month, 'YYYY_MM'));
    found bigint;
    of_found bigint;
BEGIN
    -- Never by a time to come: whoever may call this must not be able to empty the table.
    IF of_month NOT IN (SELECT analytics_months_to_archive(least(at, present_moment()))) THEN
        RETURN false;
    END IF;
    PERFORM pg_advisory_xact_lock(hashtext('moneta.partitions'));
    EXECUTE format('LOCK TABLE %I IN SHARE MODE', partition);
    EXECUTE format('SELECT count(*), coalesce(bit_xor(hashtextextended(e::text, 0)), 0) FROM %I e', partition)
        INTO found, of_found;
    IF (found, of_found) IS DISTINCT FROM (written, of_written) THEN
        RETURN false;
    END IF;
    EXECUTE format('DROP TABLE %I', partition);
    INSERT INTO analytics_archives (month, events, fingerprint) VALUES (of_month, found, of_found);
    RETURN true;
END
$$;
REVOKE ALL ON FUNCTION drop_analytics_month FROM PUBLIC;
GRANT EXECUTE ON FUNCTION drop_analytics_month TO moneta_app;
REVOKE ALL ON FUNCTION analytics_months_to_archive FROM PUBLIC;
GRANT EXECUTE ON FUNCTION analytics_months_to_archive TO moneta_app;

-- The doctor of data ----------------------------------------------------------------------------------------------

-- Rows whose parent by a foreign key is missing, of which there are none unless somebody has switched triggers off: how
-- many, and some of them.
CREATE FUNCTION find_orphans(of_key bigint, most integer) RETURNS TABLE (found bigint, examples text[])
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    k pg_constraint;
    given text;
    same text;
    shown text;
    before text := app_see_as('on');
BEGIN
    SELECT * INTO STRICT k FROM pg_constraint c
    WHERE c.oid = of_key::oid AND c.contype = 'f' AND c.connamespace = 'public'::regnamespace;
    SELECT string_agg(format('c.%I IS NOT NULL', a.attname), ' AND '),
        string_agg(format('p.%I = c.%I', b.attname, a.attname), ' AND '),
        string_agg(format('%L, c.%I', a.attname, a.attname), ', ')
    INTO given, same, shown
    FROM unnest(k.conkey, k.confkey) AS pair (child, parent)
    JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = pair.child
    JOIN pg_attribute b ON b.attrelid = k.confrelid AND b.attnum = pair.parent;
    RETURN QUERY EXECUTE format(
        'WITH lost AS (SELECT jsonb_build_object(%s)::text AS line FROM %s c WHERE %s'
        ' AND NOT EXISTS (SELECT FROM %s p WHERE %s))'
        ' SELECT (SELECT count(*) FROM lost), ARRAY(SELECT line FROM lost ORDER BY line LIMIT $1)',
        shown, k.conrelid::regclass, given, k.confrelid::regclass, same
    ) USING most;
    PERFORM app_see_as(before);
END
$$;
REVOKE ALL ON FUNCTION find_orphans FROM PUBLIC;
GRANT EXECUTE ON FUNCTION find_orphans TO moneta_app;

-- Who sees what ---------------------------------------------------------------------------------------------------

DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['analytics_events', 'analytics_inbox', 'project_statistics', 'participant_activity',
        'project_retention', 'analytics_archives'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', name);
        -- Nobody but Moneta writes: not even what is one's own.
        EXECUTE format(
            'CREATE POLICY %I ON %I USING (app_is_system()) WITH CHECK (app_is_system())', name || '_system', name
        );
    END LOOP;
    FOREACH name IN ARRAY ARRAY['analytics_events', 'analytics_inbox', 'project_statistics', 'participant_activity',
        'project_retention'] LOOP
        EXECUTE format(
            'CREATE POLICY %I ON %I FOR SELECT'
            ' USING (tenant_id = (SELECT app_tenant()) AND livemode = (SELECT app_livemode()))',
            name || '_tenant', name
        );
    END LOOP;
END
$$;

-- Of what happened only that is changed which says who it was.
REVOKE ALL ON analytics_events, analytics_archives FROM moneta_app;
GRANT SELECT, INSERT, UPDATE (participant_id, properties, user_properties, session_id, ip_address, user_agent)
    ON analytics_events TO moneta_app;
GRANT SELECT ON analytics_archives TO moneta_app;

-- A rare type is in no sample of a month, which makes Postgres believe that the index without the type is as good.
ALTER TABLE analytics_events ALTER event_type SET (n_distinct = 50);
ALTER TABLE user_analytics ALTER event_type SET (n_distinct = 50);

-- Gives a partition what its parent says of the values of its columns: of an inherited table Postgres asks each child.
CREATE FUNCTION describe_partition(partition regclass) RETURNS void
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
    described record;
BEGIN
    FOR described IN
        SELECT a.attname, array_to_string(a.attoptions, ', ') AS options
        FROM pg_inherits h JOIN pg_attribute a ON a.attrelid = h.inhparent
        WHERE h.inhrelid = partition AND a.attoptions IS NOT NULL
    LOOP
        EXECUTE format('ALTER TABLE %s ALTER %I SET (%s)', partition, described.attname, described.options);
    END LOOP;
END
$$;
REVOKE ALL ON FUNCTION describe_partition FROM PUBLIC;

-- As before, but for what is said of its columns.
CREATE OR REPLACE FUNCTION make_partition(of_table text, month timestamptz) RETURNS boolean
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
    PERFORM close_partition(partition), describe_partition(partition::regclass);
    RETURN true;
END
$$;
SELECT describe_partition(inhrelid) FROM pg_inherits WHERE inhparent = 'user_analytics'::regclass;

INSERT INTO partitioned_tables VALUES ('analytics_events', NULL);
SELECT maintain_partitions(now());
-- What is tracked may have happened a week ago.
SELECT make_partitions('analytics_events', now() - interval '7 days', now());
