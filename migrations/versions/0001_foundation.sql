-- The role that the application assumes. It owns nothing and cannot bypass row-level security.
DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'moneta_app') THEN
        CREATE ROLE moneta_app NOLOGIN NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE;
    END IF;
    IF NOT pg_has_role(current_user, 'moneta_app', 'MEMBER') THEN
        EXECUTE format('GRANT moneta_app TO %I', current_user);
    END IF;
END
$$;

REVOKE CREATE ON SCHEMA public FROM PUBLIC;
GRANT USAGE ON SCHEMA public TO moneta_app;
ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO moneta_app;
ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT USAGE ON SEQUENCES TO moneta_app;

-- Not pgcrypto, which the embedded server lacks: `sha256()` and `gen_random_uuid()` are built in. Databases made before
-- this was so have it, and may keep it.
CREATE EXTENSION IF NOT EXISTS pg_trgm;
CREATE EXTENSION IF NOT EXISTS citext;

CREATE TABLE schema_migrations (
    version text PRIMARY KEY,
    applied_at timestamptz NOT NULL DEFAULT now(),
    execution_time_ms integer NOT NULL CHECK (execution_time_ms >= 0)
);
REVOKE INSERT, UPDATE, DELETE ON schema_migrations FROM moneta_app;

-- On whose behalf the current transaction runs. An unset or emptied setting is null: nobody.
CREATE FUNCTION app_user_id() RETURNS uuid LANGUAGE sql STABLE PARALLEL SAFE
    RETURN nullif(current_setting('app.user_id', true), '')::uuid;
CREATE FUNCTION app_tenant_id() RETURNS uuid LANGUAGE sql STABLE PARALLEL SAFE
    RETURN nullif(current_setting('app.tenant_id', true), '')::uuid;
CREATE FUNCTION app_is_system() RETURNS boolean LANGUAGE sql STABLE PARALLEL SAFE
    RETURN coalesce(current_setting('app.system', true), '') = 'on';

-- 64 lower-case hex digits: SHA-256 as shown to people.
CREATE DOMAIN hash AS text CHECK (VALUE ~ '^[0-9a-f]{64}$');

CREATE FUNCTION set_updated_at() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.updated_at = now();
    RETURN NEW;
END
$$;

-- Partitions ------------------------------------------------------------------------------------------------------

-- What is partitioned by month, on which column, and for how long it is kept.
CREATE TABLE partitioned_tables (
    table_name text PRIMARY KEY,
    retention interval CHECK (retention > interval '0')
);
COMMENT ON COLUMN partitioned_tables.retention IS 'Partitions wholly older than this are dropped; null keeps all.';
REVOKE INSERT, UPDATE, DELETE ON partitioned_tables FROM moneta_app;

-- Makes the partitions of this month and the next `months_ahead`, and drops those past their retention.
-- SECURITY DEFINER: the application may ask for it but cannot create or drop a table itself.
CREATE FUNCTION maintain_partitions(at timestamptz, months_ahead integer DEFAULT 3)
RETURNS TABLE (created integer, dropped integer)
-- In UTC: a month's length must not depend on the clock changes of whoever calls.
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp SET timezone = 'UTC' AS $$
DECLARE
    parent record;
    child record;
    month timestamptz;
    partition text;
BEGIN
    created := 0;
    dropped := 0;
    IF months_ahead NOT BETWEEN 0 AND 24 THEN
        RAISE EXCEPTION 'months_ahead must be between 0 and 24';
    END IF;
    PERFORM pg_advisory_xact_lock(hashtext('moneta.partitions'));
    FOR parent IN SELECT table_name, retention FROM partitioned_tables ORDER BY table_name LOOP
        FOR i IN 0..months_ahead LOOP
            month := date_trunc('month', at) + make_interval(months => i);
            partition := format('%s_%s', parent.table_name, to_char(month, 'YYYY_MM'));
            IF to_regclass(partition) IS NULL THEN
                EXECUTE format(
                    'CREATE TABLE %I PARTITION OF %I FOR VALUES FROM (%L) TO (%L)',
                    partition, parent.table_name, month, month + interval '1 month'
                );
                -- Reached through its parent only: a partition has no row-level security of its own.
                EXECUTE format('REVOKE ALL ON %I FROM moneta_app', partition);
                created := created + 1;
            END IF;
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
REVOKE ALL ON FUNCTION maintain_partitions FROM PUBLIC;
GRANT EXECUTE ON FUNCTION maintain_partitions TO moneta_app;

-- Events ----------------------------------------------------------------------------------------------------------

-- One row a stream: its row lock makes the order of seq the order of commit, and a rollback leaves no gap.
CREATE TABLE event_streams (
    stream text PRIMARY KEY,
    seq bigint NOT NULL CHECK (seq > 0)
);

-- One epoch a life of the database: a restore from backup changes it, and cursors of another epoch are refused.
CREATE TABLE event_epoch (
    singleton boolean PRIMARY KEY DEFAULT true CHECK (singleton),
    epoch uuid NOT NULL DEFAULT gen_random_uuid()
);
INSERT INTO event_epoch DEFAULT VALUES;

CREATE TABLE events (
    id bigint GENERATED ALWAYS AS IDENTITY,
    stream text NOT NULL,
    seq bigint NOT NULL,
    kind text NOT NULL,
    payload jsonb NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    published_at timestamptz,
    PRIMARY KEY (stream, seq, created_at)
) PARTITION BY RANGE (created_at);
CREATE INDEX events_unpublished ON events (id) WHERE published_at IS NULL;
INSERT INTO partitioned_tables VALUES ('events', interval '2 months');
COMMENT ON TABLE events IS 'Facts a client may see, appended in the transaction that made them true.';

-- Idempotency -----------------------------------------------------------------------------------------------------

CREATE TABLE idempotency_keys (
    owner text NOT NULL,
    key text NOT NULL CHECK (length(key) BETWEEN 1 AND 200),
    operation text NOT NULL,
    request_hash hash NOT NULL,
    result jsonb,
    user_id uuid,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (owner, key)
);
COMMENT ON COLUMN idempotency_keys.owner IS 'The user id, or for a caller without one, what identifies the attempt.';
CREATE INDEX idempotency_keys_created_at ON idempotency_keys (created_at);
ALTER TABLE idempotency_keys ENABLE ROW LEVEL SECURITY;
ALTER TABLE idempotency_keys FORCE ROW LEVEL SECURITY;
CREATE POLICY idempotency_keys_owner ON idempotency_keys
    USING (user_id = app_user_id() OR app_is_system()) WITH CHECK (user_id = app_user_id() OR app_is_system());

-- Jobs (pgqueuer 1.6.0) -------------------------------------------------------------------------------------------

CREATE TYPE pgqueuer_status AS ENUM ('queued', 'picked', 'successful', 'exception', 'canceled', 'deleted', 'failed');

CREATE TABLE pgqueuer (
    id bigserial NOT NULL PRIMARY KEY,
    priority integer NOT NULL,
    queue_manager_id uuid,
    created timestamp with time zone NOT NULL DEFAULT now(),
    updated timestamp with time zone NOT NULL DEFAULT now(),
    heartbeat timestamp with time zone NOT NULL DEFAULT now(),
    execute_after timestamp with time zone NOT NULL DEFAULT now(),
    status pgqueuer_status NOT NULL,
    entrypoint text NOT NULL,
    dedupe_key text,
    payload bytea,
    headers jsonb,
    attempts integer NOT NULL DEFAULT 0,
    slot bigint
);

CREATE TABLE pgqueuer_log (
    id bigint GENERATED BY DEFAULT AS IDENTITY NOT NULL PRIMARY KEY,
    created timestamp with time zone NOT NULL DEFAULT now(),
    job_id bigint NOT NULL,
    status pgqueuer_status NOT NULL,
    priority integer NOT NULL,
    entrypoint text NOT NULL,
    traceback jsonb,
    aggregated boolean DEFAULT false
);

CREATE TABLE pgqueuer_schedules (
    id bigserial NOT NULL PRIMARY KEY,
    expression text NOT NULL,
    entrypoint text NOT NULL,
    heartbeat timestamp with time zone NOT NULL DEFAULT now(),
    created timestamp with time zone NOT NULL DEFAULT now(),
    updated timestamp with time zone NOT NULL DEFAULT now(),
    next_run timestamp with time zone NOT NULL DEFAULT now(),
    last_run timestamp with time zone,
    status pgqueuer_status DEFAULT 'queued'::pgqueuer_status,
    UNIQUE (expression, entrypoint)
);

CREATE TABLE pgqueuer_statistics (
    id bigserial NOT NULL PRIMARY KEY,
    created timestamp with time zone NOT NULL DEFAULT date_trunc('sec'::text, now()),
    count bigint NOT NULL,
    priority integer NOT NULL,
    status pgqueuer_status NOT NULL,
    entrypoint text NOT NULL
);

CREATE INDEX pgqueuer_ep_ea_idx ON pgqueuer USING btree (entrypoint, execute_after) WHERE (status = 'queued'::pgqueuer_status);

CREATE INDEX pgqueuer_ep_prio_id_idx ON pgqueuer USING btree (entrypoint, priority DESC, id) WHERE (status = 'queued'::pgqueuer_status);

CREATE INDEX pgqueuer_log_created ON pgqueuer_log USING btree (created);

CREATE INDEX pgqueuer_log_job_id_status ON pgqueuer_log USING btree (job_id, created DESC);

CREATE INDEX pgqueuer_log_not_aggregated ON pgqueuer_log USING btree ((1)) WHERE (NOT aggregated);

CREATE INDEX pgqueuer_log_status ON pgqueuer_log USING btree (status);

CREATE INDEX pgqueuer_picked_heartbeat_idx ON pgqueuer USING btree (heartbeat) WHERE (status = 'picked'::pgqueuer_status);

CREATE UNIQUE INDEX pgqueuer_picked_slot_idx ON pgqueuer USING btree (entrypoint, slot) WHERE ((status = 'picked'::pgqueuer_status) AND (slot IS NOT NULL));

CREATE INDEX pgqueuer_priority_id_id1_idx ON pgqueuer USING btree (priority, id DESC) INCLUDE (id) WHERE (status = 'queued'::pgqueuer_status);

CREATE INDEX pgqueuer_queue_manager_id_idx ON pgqueuer USING btree (queue_manager_id) WHERE (queue_manager_id IS NOT NULL);

CREATE UNIQUE INDEX pgqueuer_statistics_unique_count ON pgqueuer_statistics USING btree (priority, date_trunc('sec'::text, timezone('UTC'::text, created)), status, entrypoint);

CREATE UNIQUE INDEX pgqueuer_unique_dedupe_key ON pgqueuer USING btree (dedupe_key) WHERE ((status = ANY (ARRAY['queued'::pgqueuer_status, 'picked'::pgqueuer_status])) AND (dedupe_key IS NOT NULL));

CREATE INDEX pgqueuer_updated_id_id1_idx ON pgqueuer USING btree (updated, id DESC) INCLUDE (id) WHERE (status = 'picked'::pgqueuer_status);

CREATE FUNCTION fn_pgqueuer_changed() RETURNS TRIGGER AS $$
DECLARE
    to_emit BOOLEAN := false;  -- Flag to decide whether to emit a notification
BEGIN
    -- Check operation type and set the emit flag accordingly
    IF TG_OP = 'UPDATE' AND OLD IS DISTINCT FROM NEW THEN
        to_emit := true;
    ELSIF TG_OP = 'DELETE' THEN
        to_emit := true;
    ELSIF TG_OP = 'INSERT' THEN
        to_emit := true;
    ELSIF TG_OP = 'TRUNCATE' THEN
        to_emit := true;
    END IF;

    -- Perform notification if the emit flag is set
    IF to_emit THEN
        PERFORM pg_notify(
            'ch_pgqueuer',
            json_build_object(
                'channel', 'ch_pgqueuer',
                'operation', lower(TG_OP),
                'sent_at', NOW(),
                'table', TG_TABLE_NAME,
                'type', 'table_changed_event'
            )::text
        );
    END IF;

    -- Return appropriate value based on the operation
    IF TG_OP IN ('INSERT', 'UPDATE') THEN
        RETURN NEW;
    ELSIF TG_OP = 'DELETE' THEN
        RETURN OLD;
    ELSE
        RETURN NULL; -- For TRUNCATE and other non-row-specific contexts
    END IF;

END;
$$ LANGUAGE plpgsql;

CREATE TRIGGER tg_pgqueuer_changed
AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON pgqueuer
EXECUTE FUNCTION fn_pgqueuer_changed();

-- What a scheduled job did last, for an admin to see.
CREATE TABLE job_runs (
    job text PRIMARY KEY,
    started_at timestamptz NOT NULL,
    finished_at timestamptz,
    succeeded boolean,
    detail text
);

SELECT maintain_partitions(now());
