-- What lists and funnels of campaigns are read by: whose a participation is, and how far participants have got.

-- Whose a participation is, and whether anything was completed in it ------------------------------------------------

ALTER TABLE participations
    ADD COLUMN user_id uuid REFERENCES users (id) ON DELETE SET NULL,
    ADD COLUMN has_completed boolean NOT NULL DEFAULT false;
COMMENT ON COLUMN participations.user_id IS 'The user who is linked to the participant, as the participant has it.';
COMMENT ON COLUMN participations.has_completed IS 'Whether a completion of a task was accepted.';

-- Nobody has changed anything of them.
ALTER TABLE participations DISABLE TRIGGER participations_updated_at;
UPDATE participations p SET user_id = w.user_id FROM participants w
WHERE w.id = p.participant_id AND w.user_id IS NOT NULL;
UPDATE participations p SET has_completed = true
WHERE p.id IN (SELECT c.participation_id FROM task_completions c WHERE c.status = 'accepted');
ALTER TABLE participations ENABLE TRIGGER participations_updated_at;

CREATE INDEX participations_user_id ON participations (user_id, joined_at, id) WHERE user_id IS NOT NULL;

-- The key share makes whoever joins wait for who links or unlinks the participant, and the other way round: `user_id`
-- is a part of a key of `participants`.
CREATE FUNCTION note_user_of_participation() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    SELECT w.user_id INTO NEW.user_id FROM participants w
    WHERE w.id = NEW.participant_id AND w.tenant_id = NEW.tenant_id AND w.livemode = NEW.livemode FOR KEY SHARE;
    RETURN NEW;
END
$$;
CREATE TRIGGER participations_user BEFORE INSERT ON participations
    FOR EACH ROW EXECUTE FUNCTION note_user_of_participation();

-- By whomever the participant is changed: also by the deletion of the user.
CREATE FUNCTION note_user_of_participant() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    before text := app_see_as('on');
BEGIN
    UPDATE participations p SET user_id = NEW.user_id
    WHERE p.tenant_id = NEW.tenant_id AND p.livemode = NEW.livemode AND p.participant_id = NEW.id
        AND p.user_id IS DISTINCT FROM NEW.user_id;
    PERFORM app_see_as(before);
    RETURN NULL;
END
$$;
REVOKE ALL ON FUNCTION note_user_of_participant FROM PUBLIC;
CREATE TRIGGER participants_user AFTER UPDATE OF user_id ON participants FOR EACH ROW
    WHEN (old.user_id IS DISTINCT FROM new.user_id) EXECUTE FUNCTION note_user_of_participant();

-- The participation is locked by whoever completes a task.
CREATE FUNCTION note_completion() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE participations p SET has_completed = true WHERE p.id = NEW.participation_id AND NOT p.has_completed;
    RETURN NULL;
END
$$;
CREATE TRIGGER task_completions_noted_insert AFTER INSERT ON task_completions FOR EACH ROW
    WHEN (new.status = 'accepted') EXECUTE FUNCTION note_completion();
CREATE TRIGGER task_completions_noted_update AFTER UPDATE ON task_completions FOR EACH ROW
    WHEN (new.status = 'accepted' AND old.status <> 'accepted') EXECUTE FUNCTION note_completion();

-- Funnels -----------------------------------------------------------------------------------------------------------

-- How many participations of a project have got equally far.
CREATE TABLE funnel_counts (
    tenant_id uuid NOT NULL,
    livemode boolean NOT NULL,
    project_id uuid NOT NULL,
    has_completed boolean NOT NULL,
    is_verified boolean NOT NULL,
    level integer NOT NULL CHECK (level BETWEEN 1 AND 100),
    participants integer NOT NULL CHECK (participants >= 0),
    CONSTRAINT funnel_counts_id PRIMARY KEY (tenant_id, livemode, project_id, has_completed, is_verified, level),
    CONSTRAINT funnel_counts_project FOREIGN KEY (tenant_id, livemode, project_id)
        REFERENCES projects (tenant_id, livemode, id) ON DELETE CASCADE
) WITH (fillfactor = 50);

INSERT INTO funnel_counts (tenant_id, livemode, project_id, has_completed, is_verified, level, participants)
SELECT p.tenant_id, p.livemode, p.project_id, p.has_completed, p.verification_status = 'verified', p.level, count(*)
FROM participations p GROUP BY 1, 2, 3, 4, 5, 6;

-- Keeps them as a participation is. It is deferred, as `keep_leaderboard` is: it runs when the events of the
-- transaction are appended, for which those of a project take turns in any case.
CREATE FUNCTION keep_funnel() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    part participations := CASE WHEN TG_OP = 'DELETE' THEN old ELSE new END;
BEGIN
    -- Against those who count anew.
    PERFORM pg_advisory_xact_lock_shared(hashtextextended('moneta.funnel:' || part.project_id, 0));
    IF TG_OP <> 'INSERT' THEN
        -- Rows that have been lost are no reason to refuse points: the doctor of data finds them.
        UPDATE funnel_counts c SET participants = greatest(c.participants - 1, 0)
        WHERE c.tenant_id = old.tenant_id AND c.livemode = old.livemode AND c.project_id = old.project_id
            AND c.has_completed = old.has_completed AND c.is_verified = (old.verification_status = 'verified')
            AND c.level = old.level;
    END IF;
    IF TG_OP <> 'DELETE' THEN
        INSERT INTO funnel_counts AS c (tenant_id, livemode, project_id, has_completed, is_verified, level,
            participants)
        VALUES (new.tenant_id, new.livemode, new.project_id, new.has_completed, new.verification_status = 'verified',
            new.level, 1)
        ON CONFLICT (tenant_id, livemode, project_id, has_completed, is_verified, level)
        DO UPDATE SET participants = c.participants + 1;
    END IF;
    RETURN NULL;
END
$$;
CREATE CONSTRAINT TRIGGER participations_funnel_insert AFTER INSERT ON participations
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION keep_funnel();
CREATE CONSTRAINT TRIGGER participations_funnel_update AFTER UPDATE ON participations
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
    WHEN (old.has_completed <> new.has_completed OR old.level <> new.level
        OR (old.verification_status = 'verified') <> (new.verification_status = 'verified'))
    EXECUTE FUNCTION keep_funnel();
CREATE CONSTRAINT TRIGGER participations_funnel_delete AFTER DELETE ON participations
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION keep_funnel();

ALTER TABLE funnel_counts ENABLE ROW LEVEL SECURITY;
ALTER TABLE funnel_counts FORCE ROW LEVEL SECURITY;
-- Nobody but Moneta writes: not even what is one's own.
CREATE POLICY funnel_counts_system ON funnel_counts USING (app_is_system()) WITH CHECK (app_is_system());
CREATE POLICY funnel_counts_tenant ON funnel_counts FOR SELECT
    USING (tenant_id = (SELECT app_tenant()) AND livemode = (SELECT app_livemode()));

-- Who sees what -----------------------------------------------------------------------------------------------------

ALTER POLICY participations_self ON participations USING (user_id = (SELECT app_user_id()));
DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['participation_reviews', 'task_completions', 'point_entries'] LOOP
        EXECUTE format(
            'ALTER POLICY %I ON %I USING ('
            'participation_id IN (SELECT p.id FROM participations p WHERE p.user_id = (SELECT app_user_id())))',
            name || '_self', name
        );
    END LOOP;
    -- Not EXISTS: of a long list Postgres would first ask for all projects.
    FOREACH name IN ARRAY ARRAY['tasks', 'project_counters'] LOOP
        EXECUTE format(
            'ALTER POLICY %I ON %I USING ((SELECT true FROM projects p WHERE p.id = project_id))',
            name || '_project', name
        );
    END LOOP;
END
$$;
