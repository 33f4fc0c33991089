-- Participants are imported from files, exported to files, and erased. A file is kept encrypted and in parts, for a day
-- at most: of an import it is deleted as soon as that has ended.

-- Files ----------------------------------------------------------------------------------------------------------

CREATE TABLE campaign_files (
    id uuid PRIMARY KEY,
    tenant_id uuid NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
    livemode boolean NOT NULL,
    kind text NOT NULL CHECK (kind IN ('upload', 'export')),
    size_bytes bigint NOT NULL DEFAULT 0 CHECK (size_bytes >= 0),
    chunks integer NOT NULL DEFAULT 0 CHECK (chunks >= 0),
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    completed_at timestamptz,
    CONSTRAINT campaign_files_id UNIQUE (id, tenant_id, livemode),
    CONSTRAINT campaign_files_expires_later CHECK (expires_at > created_at)
);
COMMENT ON COLUMN campaign_files.completed_at IS 'Null: the file is still being sent or written.';
CREATE INDEX campaign_files_expires_at ON campaign_files (expires_at);

CREATE TABLE campaign_file_chunks (
    file_id uuid NOT NULL,
    tenant_id uuid NOT NULL,
    livemode boolean NOT NULL,
    number integer NOT NULL CHECK (number >= 0),
    sealed bytea NOT NULL,
    PRIMARY KEY (file_id, number),
    CONSTRAINT campaign_file_chunks_file FOREIGN KEY (tenant_id, livemode, file_id)
        REFERENCES campaign_files (tenant_id, livemode, id) ON DELETE CASCADE
);
COMMENT ON COLUMN campaign_file_chunks.sealed IS 'AES-256-GCM under a key that is derived from MONETA_SECRET_KEY.';
CREATE INDEX campaign_file_chunks_tenant_id ON campaign_file_chunks (tenant_id, livemode, file_id);

-- Imports --------------------------------------------------------------------------------------------------------

CREATE TABLE participant_imports (
    id uuid PRIMARY KEY,
    tenant_id uuid NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
    livemode boolean NOT NULL,
    status text NOT NULL DEFAULT 'queued'
        CHECK (status IN ('queued', 'running', 'completed', 'failed', 'cancelled')),
    status_reason text CHECK (length(status_reason) BETWEEN 1 AND 500),
    on_duplicate text NOT NULL CHECK (on_duplicate IN ('skip', 'update')),
    file_id uuid,
    size_bytes bigint NOT NULL CHECK (size_bytes > 0),
    delimiter text NOT NULL CHECK (length(delimiter) = 1),
    fields text[] NOT NULL CHECK (cardinality(fields) BETWEEN 1 AND 200),
    total_rows integer CHECK (total_rows >= 0),
    processed_rows integer NOT NULL DEFAULT 0 CHECK (processed_rows >= 0),
    imported_count integer NOT NULL DEFAULT 0 CHECK (imported_count >= 0),
    updated_count integer NOT NULL DEFAULT 0 CHECK (updated_count >= 0),
    skipped_count integer NOT NULL DEFAULT 0 CHECK (skipped_count >= 0),
    refused_count integer NOT NULL DEFAULT 0 CHECK (refused_count >= 0),
    attempts integer NOT NULL DEFAULT 0 CHECK (attempts >= 0),
    created_by uuid REFERENCES users (id) ON DELETE SET NULL,
    created_at timestamptz NOT NULL,
    started_at timestamptz,
    finished_at timestamptz,
    CONSTRAINT participant_imports_id UNIQUE (id, tenant_id, livemode),
    CONSTRAINT participant_imports_file FOREIGN KEY (tenant_id, livemode, file_id)
        REFERENCES campaign_files (tenant_id, livemode, id) ON DELETE SET NULL (file_id),
    CONSTRAINT participant_imports_counts
        CHECK (imported_count + updated_count + skipped_count + refused_count = processed_rows),
    CONSTRAINT participant_imports_finished
        CHECK ((finished_at IS NOT NULL) = (status IN ('completed', 'failed', 'cancelled')))
);
COMMENT ON COLUMN participant_imports.fields IS 'What each column of the file is, in order; empty: nothing.';
CREATE INDEX participant_imports_created_at ON participant_imports (tenant_id, livemode, created_at, id);
CREATE INDEX participant_imports_status ON participant_imports (tenant_id, livemode, status, created_at, id);
CREATE INDEX participant_imports_old ON participant_imports (created_at);
CREATE INDEX participant_imports_created_by ON participant_imports (created_by);
CREATE INDEX participant_imports_file_id ON participant_imports (tenant_id, livemode, file_id)
    WHERE file_id IS NOT NULL;

-- What was refused, without any of its values.
CREATE TABLE participant_import_refusals (
    import_id uuid NOT NULL,
    tenant_id uuid NOT NULL,
    livemode boolean NOT NULL,
    number integer NOT NULL CHECK (number > 0),
    row_number integer NOT NULL CHECK (row_number > 0),
    field text CHECK (length(field) BETWEEN 1 AND 100),
    reason text NOT NULL CHECK (reason IN (
        'malformed', 'invalid', 'duplicate_in_file', 'taken', 'contradiction', 'unknown_referrer', 'other_referrer',
        'erased'
    )),
    detail text NOT NULL CHECK (length(detail) BETWEEN 1 AND 500),
    PRIMARY KEY (import_id, number),
    CONSTRAINT participant_import_refusals_import FOREIGN KEY (tenant_id, livemode, import_id)
        REFERENCES participant_imports (tenant_id, livemode, id) ON DELETE CASCADE
);
CREATE INDEX participant_import_refusals_tenant_id ON participant_import_refusals (tenant_id, livemode, import_id);

-- Who was erased while an import runs, as keyed hashes of what they were known by: it makes none of them again.
CREATE TABLE participant_import_exclusions (
    import_id uuid NOT NULL,
    tenant_id uuid NOT NULL,
    livemode boolean NOT NULL,
    digest hash NOT NULL,
    PRIMARY KEY (import_id, digest),
    CONSTRAINT participant_import_exclusions_import FOREIGN KEY (tenant_id, livemode, import_id)
        REFERENCES participant_imports (tenant_id, livemode, id) ON DELETE CASCADE
);
CREATE INDEX participant_import_exclusions_tenant_id
    ON participant_import_exclusions (tenant_id, livemode, import_id);

-- Exports --------------------------------------------------------------------------------------------------------

CREATE TABLE participant_exports (
    id uuid PRIMARY KEY,
    tenant_id uuid NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
    livemode boolean NOT NULL,
    status text NOT NULL DEFAULT 'queued'
        CHECK (status IN ('queued', 'running', 'completed', 'failed', 'cancelled', 'expired')),
    status_reason text CHECK (length(status_reason) BETWEEN 1 AND 500),
    file_id uuid,
    size_bytes bigint CHECK (size_bytes > 0),
    total_rows integer CHECK (total_rows >= 0),
    written_rows integer NOT NULL DEFAULT 0 CHECK (written_rows >= 0),
    after_at timestamptz,
    after_id uuid,
    late_ids uuid[],
    of_verified boolean,
    of_active boolean,
    late_written integer NOT NULL DEFAULT 0 CHECK (late_written >= 0),
    attempts integer NOT NULL DEFAULT 0 CHECK (attempts >= 0),
    created_by uuid REFERENCES users (id) ON DELETE SET NULL,
    created_at timestamptz NOT NULL,
    started_at timestamptz,
    finished_at timestamptz,
    expires_at timestamptz,
    CONSTRAINT participant_exports_id UNIQUE (id, tenant_id, livemode),
    CONSTRAINT participant_exports_file FOREIGN KEY (tenant_id, livemode, file_id)
        REFERENCES campaign_files (tenant_id, livemode, id) ON DELETE SET NULL (file_id),
    CONSTRAINT participant_exports_complete CHECK (status <> 'completed' OR num_nulls(size_bytes, expires_at) = 0),
    CONSTRAINT participant_exports_after CHECK ((after_at IS NULL) = (after_id IS NULL)),
    CONSTRAINT participant_exports_finished
        CHECK ((finished_at IS NOT NULL) = (status IN ('completed', 'failed', 'cancelled', 'expired')))
);
COMMENT ON COLUMN participant_exports.late_ids IS
    'Who comes last in the file, in order: those whose referrer is newer than they are, and whom they have referred.';
-- No part of a name is a filter: it would be stored here and in the audit log.
COMMENT ON COLUMN participant_exports.of_verified IS 'Whether its participants are verified. Null: either.';
COMMENT ON COLUMN participant_exports.of_active IS 'Whether its participants are active. Null: either.';
CREATE INDEX participant_exports_created_at ON participant_exports (tenant_id, livemode, created_at, id);
CREATE INDEX participant_exports_status ON participant_exports (tenant_id, livemode, status, created_at, id);
CREATE INDEX participant_exports_old ON participant_exports (created_at);
CREATE INDEX participant_exports_expires_at ON participant_exports (expires_at) WHERE status = 'completed';
CREATE INDEX participant_exports_created_by ON participant_exports (created_by);
CREATE INDEX participant_exports_file_id ON participant_exports (tenant_id, livemode, file_id)
    WHERE file_id IS NOT NULL;

-- Erasure --------------------------------------------------------------------------------------------------------

-- Who was erased: what keeps copies elsewhere, such as archives, applies this list.
CREATE TABLE erased_participants (
    tenant_id uuid NOT NULL,
    livemode boolean NOT NULL,
    participant_id uuid NOT NULL,
    erased_at timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, livemode, participant_id),
    CONSTRAINT erased_participants_participant FOREIGN KEY (tenant_id, livemode, participant_id)
        REFERENCES participants (tenant_id, livemode, id) ON DELETE CASCADE
);

ALTER TABLE participants
    ADD COLUMN erased_at timestamptz,
    ADD COLUMN import_id uuid,
    ADD CONSTRAINT participants_erased CHECK (
        erased_at IS NULL OR (
            num_nonnulls(telegram_id, discord_id, username, first_name, last_name, email, locale, time_zone) = 0
            AND user_id IS NULL
            AND attributes = '{}' AND NOT is_active AND NOT is_verified
            AND NOT has_notifications
        )
    ) NOT VALID;
COMMENT ON COLUMN participants.erased_at IS 'Since when nothing personal is left. Counters stay true.';
COMMENT ON COLUMN participants.import_id IS 'The import that has created or changed them last; it may be gone.';
ALTER TABLE participant_wallets ADD COLUMN import_id uuid;

-- That a participant has done something changes nothing of them: `updated_at` stays.
DROP TRIGGER participants_updated_at ON participants;
CREATE TRIGGER participants_updated_at
    BEFORE UPDATE OF telegram_id, discord_id, username, first_name, last_name, email, locale, time_zone,
        has_notifications, attributes, is_active, is_verified, referral_code, referred_by, total_referrals, user_id,
        erased_at, import_id
    ON participants FOR EACH ROW EXECUTE FUNCTION set_updated_at();

CREATE FUNCTION stay_erased() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'an erased participant stays erased' USING ERRCODE = 'check_violation';
END
$$;
CREATE TRIGGER participants_stay_erased BEFORE UPDATE ON participants FOR EACH ROW
    WHEN (OLD.erased_at IS NOT NULL AND (
        NEW.erased_at IS DISTINCT FROM OLD.erased_at OR NEW.referral_code <> OLD.referral_code
    ))
    EXECUTE FUNCTION stay_erased();

-- The audit log --------------------------------------------------------------------------------------------------

-- Adds an entry: the action, what it is about, and more.
CREATE FUNCTION append_audit(action text, resource_type text, resource_id text, details jsonb) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp SET timezone = 'UTC' AS $$
DECLARE
    scope text;
    ip text := nullif(current_setting('app.ip', true), '');
    head audit_chain;
    entry audit_logs;
BEGIN
    SELECT * INTO head FROM audit_chain FOR UPDATE;
    entry.id := gen_random_uuid();
    entry.seq := head.seq + 1;
    entry.user_id := app_user_id();
    entry.action := action;
    entry.resource_type := resource_type;
    entry.resource_id := resource_id;
    entry.details := details;
    entry.ip_address := CASE WHEN pg_input_is_valid(ip, 'inet') THEN ip::inet END;
    entry.user_agent := nullif(current_setting('app.user_agent', true), '');
    entry.created_at := greatest(clock_timestamp(), head.changed_at);
    entry.previous_hash := head.hash;
    entry.hash := audit_row_hash(entry);
    scope := app_see_as('on');
    INSERT INTO audit_logs SELECT entry.*;
    PERFORM app_see_as(scope);
    UPDATE audit_chain SET seq = entry.seq, hash = entry.hash, changed_at = entry.created_at;
    INSERT INTO audit_anchors VALUES (date_trunc('month', entry.created_at), entry.seq, entry.previous_hash)
        ON CONFLICT DO NOTHING;
END
$$;
REVOKE ALL ON FUNCTION append_audit FROM PUBLIC;

-- One entry for the rows that a batch of an import has created and changed, in place of one for each.
CREATE FUNCTION audit_import(import_id uuid, created uuid[], updated uuid[]) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM append_audit(
        'insert', 'participant_imports', import_id::text, jsonb_build_object('created', created, 'updated', updated)
    );
END
$$;
REVOKE ALL ON FUNCTION audit_import FROM PUBLIC;
GRANT EXECUTE ON FUNCTION audit_import TO moneta_app;

-- Redacts what the audit log says of a participant who was erased; returns in how many entries. An entry keeps its
-- hash, so that the chain holds, and another entry says what each redacted one has to be from now on: who changes an
-- entry otherwise is found as before. What was noted when somebody decided about them is redacted as well: reviews, bans,
-- completions and points, of which the application itself cannot change the entries.
CREATE FUNCTION redact_audit_of_participant(participant uuid) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp SET timezone = 'UTC' AS $$
DECLARE
    kept CONSTANT text[] := ARRAY[
        'id', 'tenant_id', 'livemode', 'is_active', 'is_verified', 'has_notifications', 'referred_by',
        'total_referrals', 'created_at', 'updated_at', 'last_active_at', 'erased_at', 'import_id', 'participant_id',
        'network', 'allows_off_curve', 'verified_at', 'project_id', 'participation_id', 'task_id', 'ordinal', 'status',
        'points', 'reviewed_at', 'reviewed_by', 'banned_by'
    ];
    redacted jsonb := '{}';
    reviewed text[];
    completed text[];
    linked text;
    row audit_logs;
    part text;
    side jsonb;
    before audit_logs;
BEGIN
    IF NOT EXISTS (SELECT FROM participants WHERE id = participant AND erased_at IS NOT NULL AND app_is_system()) THEN
        RAISE EXCEPTION 'only what is about an erased participant is redacted' USING ERRCODE = 'insufficient_privilege';
    END IF;
    -- What this transaction has changed of them has its entries now, and not at the commit.
    SET CONSTRAINTS ALL IMMEDIATE;
    reviewed := ARRAY(SELECT p.id::text FROM participations p WHERE p.participant_id = participant);
    completed := ARRAY(
        SELECT c.id::text FROM task_completions c JOIN participations p ON p.id = c.participation_id
        WHERE p.participant_id = participant
    );
    UPDATE point_entries e SET note = '[redacted]' FROM participations p
    WHERE p.participant_id = participant AND e.participation_id = p.id AND e.note IS NOT NULL;
    SELECT array_to_string(array_agg(DISTINCT found.value), ' ') INTO linked
    FROM audit_logs a, LATERAL (VALUES (a.details #>> '{new,user_id}'), (a.details #>> '{old,user_id}')) found (value)
    WHERE a.resource_type = 'participants' AND a.resource_id = participant::text AND found.value <> '[redacted]';
    FOR row IN
        SELECT * FROM audit_logs a
        WHERE a.resource_type IN ('participants', 'participant_wallets') AND a.resource_id = participant::text
            OR a.resource_type = 'participation_reviews' AND a.resource_id = ANY (reviewed)
            OR a.resource_type = 'task_completions' AND a.resource_id = ANY (completed)
        ORDER BY a.seq
    LOOP
        before := row;
        FOREACH part IN ARRAY ARRAY['old', 'new'] LOOP
            SELECT jsonb_object_agg(key, CASE
                WHEN key = ANY (kept) OR value IN ('null', '{}', '[]') THEN value ELSE '"[redacted]"'
            END) INTO side FROM jsonb_each(row.details -> part);
            IF side IS NOT NULL THEN
                row.details := jsonb_set(row.details, ARRAY[part], side);
            END IF;
        END LOOP;
        -- Who was linked to them did this by themself.
        IF linked LIKE '%' || row.user_id::text || '%' THEN
            row.user_id := NULL;
            row.ip_address := NULL;
            row.user_agent := NULL;
        END IF;
        IF row IS DISTINCT FROM before THEN
            UPDATE audit_logs a
            SET details = row.details, user_id = row.user_id, ip_address = row.ip_address, user_agent = row.user_agent
            WHERE a.seq = row.seq AND a.created_at = row.created_at;
            redacted := redacted || jsonb_build_object(row.seq::text, audit_row_hash(row));
        END IF;
    END LOOP;
    IF redacted <> '{}' THEN
        PERFORM append_audit('update', 'audit_logs', participant::text, jsonb_build_object('redacted', redacted));
    END IF;
    RETURN (SELECT count(*) FROM jsonb_object_keys(redacted));
END
$$;
REVOKE ALL ON FUNCTION redact_audit_of_participant FROM PUBLIC;
GRANT EXECUTE ON FUNCTION redact_audit_of_participant TO moneta_app;

-- What an import has done is in its own entries. How many somebody has referred follows from whom they have referred.
DROP TRIGGER participants_audit ON participants;
CREATE CONSTRAINT TRIGGER participants_audit_insert AFTER INSERT ON participants
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (NEW.import_id IS NULL)
    EXECUTE FUNCTION write_audit('id', 'first_name', 'last_name', 'email', 'attributes');
CREATE CONSTRAINT TRIGGER participants_audit_update
    AFTER UPDATE OF telegram_id, discord_id, username, first_name, last_name, email, locale, time_zone,
        has_notifications, attributes, is_active, is_verified, referral_code, referred_by, user_id, erased_at
    ON participants
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (NEW.import_id IS NOT DISTINCT FROM OLD.import_id)
    EXECUTE FUNCTION write_audit('id', 'first_name', 'last_name', 'email', 'attributes');
CREATE CONSTRAINT TRIGGER participants_audit_delete AFTER DELETE ON participants
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
    EXECUTE FUNCTION write_audit('id', 'first_name', 'last_name', 'email', 'attributes');
DROP TRIGGER participant_wallets_audit ON participant_wallets;
CREATE CONSTRAINT TRIGGER participant_wallets_audit_insert AFTER INSERT ON participant_wallets
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (NEW.import_id IS NULL)
    EXECUTE FUNCTION write_audit('participant_id');
CREATE CONSTRAINT TRIGGER participant_wallets_audit AFTER UPDATE OR DELETE ON participant_wallets
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION write_audit('participant_id');
CREATE CONSTRAINT TRIGGER participant_imports_audit AFTER INSERT ON participant_imports
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION write_audit('id');
CREATE CONSTRAINT TRIGGER participant_exports_audit AFTER INSERT ON participant_exports
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION write_audit('id');

-- Who sees what --------------------------------------------------------------------------------------------------

DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY[
        'campaign_files', 'campaign_file_chunks', 'participant_imports', 'participant_import_refusals',
        'participant_import_exclusions', 'participant_exports', 'erased_participants'
    ] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', name);
        -- Nobody but Moneta writes: not even what is one's own.
        EXECUTE format(
            'CREATE POLICY %I ON %I USING (app_is_system()) WITH CHECK (app_is_system())', name || '_system', name
        );
    END LOOP;
    FOREACH name IN ARRAY ARRAY['participant_imports', 'participant_import_refusals', 'participant_exports'] LOOP
        EXECUTE format(
            'CREATE POLICY %I ON %I FOR SELECT'
            ' USING (tenant_id = (SELECT app_tenant()) AND livemode = (SELECT app_livemode()))',
            name || '_tenant', name
        );
    END LOOP;
END
$$;
