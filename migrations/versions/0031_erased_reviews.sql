-- Which participants an export is of. No part of a name: it would be stored here and in the audit log.
ALTER TABLE participant_exports
    ADD COLUMN of_verified boolean,
    ADD COLUMN of_active boolean;
COMMENT ON COLUMN participant_exports.of_verified IS 'Whether its participants are verified. Null: either.';
COMMENT ON COLUMN participant_exports.of_active IS 'Whether its participants are active. Null: either.';

-- As before, and also what was noted when somebody decided about them: reviews, bans, completions, points. Notes of
-- points are in entries that the application cannot change.
CREATE OR REPLACE FUNCTION redact_audit_of_participant(participant uuid) RETURNS integer
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
