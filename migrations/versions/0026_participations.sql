-- Participants join projects, complete tasks, and get points for them. What a participation holds that not everybody may
-- read is in tables of its own, so that no policy has to hide a column.

-- Levels are a column of the project: they are changed as a whole, checked as a whole, and read with the project, under
-- the lock that points are given under.
CREATE FUNCTION is_ascending(given bigint[]) RETURNS boolean LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN given = ARRAY(SELECT DISTINCT n FROM unnest(given) AS n ORDER BY n);

ALTER TABLE projects ADD COLUMN level_thresholds bigint[] NOT NULL
    DEFAULT '{100,250,500,1000,2000,4000,8000,16000,32000}';
ALTER TABLE projects ADD CONSTRAINT projects_level_thresholds CHECK (
    cardinality(level_thresholds) BETWEEN 0 AND 99 AND is_ascending(level_thresholds)
    AND (cardinality(level_thresholds) = 0 OR level_thresholds[1] > 0)
);
COMMENT ON COLUMN projects.level_thresholds IS 'The points from which on a participant has level 2, 3 and so on.';

-- Counted in `project_counters`, where joining waits for nobody.
ALTER TABLE projects DROP COLUMN total_participants;

CREATE TABLE participations (
    id uuid PRIMARY KEY,
    tenant_id uuid NOT NULL,
    livemode boolean NOT NULL,
    project_id uuid NOT NULL,
    participant_id uuid NOT NULL,
    status text NOT NULL DEFAULT 'active' CHECK (status IN ('active', 'banned', 'left')),
    points bigint NOT NULL DEFAULT 0 CHECK (points >= 0),
    level integer NOT NULL DEFAULT 1 CHECK (level BETWEEN 1 AND 100),
    next_level_points bigint CHECK (next_level_points > points),
    verification_status text NOT NULL DEFAULT 'pending'
        CHECK (verification_status IN ('pending', 'verified', 'rejected')),
    joined_at timestamptz NOT NULL,
    left_at timestamptz,
    banned_at timestamptz,
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT participations_id UNIQUE (tenant_id, livemode, id),
    CONSTRAINT participations_project_id UNIQUE (tenant_id, livemode, project_id, id),
    CONSTRAINT participations_participant UNIQUE (tenant_id, livemode, participant_id, project_id),
    CONSTRAINT participations_of_project FOREIGN KEY (tenant_id, livemode, project_id)
        REFERENCES projects (tenant_id, livemode, id) ON DELETE CASCADE,
    CONSTRAINT participations_of_participant FOREIGN KEY (tenant_id, livemode, participant_id)
        REFERENCES participants (tenant_id, livemode, id) ON DELETE CASCADE,
    -- One that is banned has left before, or has not.
    CONSTRAINT participations_left CHECK (status = 'banned' OR (status = 'left') = (left_at IS NOT NULL)),
    CONSTRAINT participations_banned CHECK ((status = 'banned') = (banned_at IS NOT NULL))
);
COMMENT ON COLUMN participations.points IS 'The sum of its point entries.';
COMMENT ON COLUMN participations.next_level_points IS 'The points that the next level takes. Null: there is none.';
COMMENT ON COLUMN participations.joined_at IS 'When they first joined; joining again leaves it.';
CREATE INDEX participations_joined_at ON participations (tenant_id, livemode, project_id, joined_at, id);
CREATE INDEX participations_points ON participations (tenant_id, livemode, project_id, points, id);
CREATE INDEX participations_status ON participations (tenant_id, livemode, project_id, status, joined_at, id);
CREATE INDEX participations_status_points ON participations (tenant_id, livemode, project_id, status, points, id);
CREATE INDEX participations_verification
    ON participations (tenant_id, livemode, project_id, verification_status, joined_at, id);
CREATE INDEX participations_verification_points
    ON participations (tenant_id, livemode, project_id, verification_status, points, id);
CREATE INDEX participations_participant_id ON participations (participant_id, joined_at, id);
CREATE TRIGGER participations_updated_at BEFORE UPDATE ON participations
    FOR EACH ROW EXECUTE FUNCTION set_updated_at();
-- What somebody has decided about one. The log is one chain, and to join or to get points must not wait for it: these
-- are in the events and in the entries.
CREATE CONSTRAINT TRIGGER participations_audit AFTER UPDATE ON participations
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
    WHEN (old.verification_status <> new.verification_status
        OR (old.status <> new.status AND 'banned' IN (old.status, new.status)))
    EXECUTE FUNCTION write_audit('id');

-- What is known of a participation that others must not read.
CREATE TABLE participation_reviews (
    participation_id uuid PRIMARY KEY,
    tenant_id uuid NOT NULL,
    livemode boolean NOT NULL,
    verification_data jsonb NOT NULL DEFAULT '{}'
        CHECK (jsonb_typeof(verification_data) = 'object' AND pg_column_size(verification_data) < 65536),
    verification_note text CHECK (length(verification_note) BETWEEN 1 AND 1000),
    reviewed_by uuid REFERENCES users (id) ON DELETE SET NULL,
    reviewed_at timestamptz,
    ban_reason text CHECK (length(ban_reason) BETWEEN 1 AND 1000),
    banned_by uuid REFERENCES users (id) ON DELETE SET NULL,
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT participation_reviews_id UNIQUE (tenant_id, livemode, participation_id),
    CONSTRAINT participation_reviews_participation FOREIGN KEY (tenant_id, livemode, participation_id)
        REFERENCES participations (tenant_id, livemode, id) ON DELETE CASCADE
);
COMMENT ON COLUMN participation_reviews.reviewed_by IS 'Null: a key of the tenant, or a user who is no more.';
CREATE INDEX participation_reviews_reviewed_by ON participation_reviews (reviewed_by) WHERE reviewed_by IS NOT NULL;
CREATE INDEX participation_reviews_banned_by ON participation_reviews (banned_by) WHERE banned_by IS NOT NULL;
CREATE TRIGGER participation_reviews_updated_at BEFORE UPDATE ON participation_reviews
    FOR EACH ROW EXECUTE FUNCTION set_updated_at();
-- What was shown to whoever reviewed it is kept in one place.
CREATE CONSTRAINT TRIGGER participation_reviews_audit AFTER INSERT OR UPDATE OR DELETE ON participation_reviews
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION write_audit('participation_id', 'verification_data');

CREATE TABLE tasks (
    id uuid PRIMARY KEY,
    tenant_id uuid NOT NULL,
    livemode boolean NOT NULL,
    project_id uuid NOT NULL,
    key text NOT NULL CHECK (key ~ '^[a-z0-9][a-z0-9_-]{0,49}$'),
    name text NOT NULL CHECK (length(name) BETWEEN 1 AND 255),
    description text CHECK (length(description) BETWEEN 1 AND 10000),
    points integer NOT NULL CHECK (points BETWEEN 0 AND 1000000),
    max_completions integer CHECK (max_completions > 0),
    cooldown_s integer NOT NULL DEFAULT 0 CHECK (cooldown_s BETWEEN 0 AND 31622400),
    proof_kind text NOT NULL CHECK (proof_kind IN ('manual', 'api', 'payment', 'quiz')),
    payment_wallet_id hash,
    payment_min_amount numeric(20, 8) CHECK (payment_min_amount > 0),
    is_active boolean NOT NULL DEFAULT true,
    position integer NOT NULL DEFAULT 0 CHECK (position BETWEEN 0 AND 1000000),
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL DEFAULT now(),
    archived_at timestamptz,
    CONSTRAINT tasks_id UNIQUE (tenant_id, livemode, id),
    CONSTRAINT tasks_project_id UNIQUE (tenant_id, livemode, project_id, id),
    CONSTRAINT tasks_key UNIQUE (tenant_id, livemode, project_id, key),
    CONSTRAINT tasks_project FOREIGN KEY (tenant_id, livemode, project_id)
        REFERENCES projects (tenant_id, livemode, id) ON DELETE CASCADE,
    CONSTRAINT tasks_payment CHECK (
        (proof_kind = 'payment') = (payment_wallet_id IS NOT NULL)
        AND (proof_kind = 'payment') = (payment_min_amount IS NOT NULL)
    ),
    -- Whoever can repeat what nobody else has to do is given points without end.
    CONSTRAINT tasks_ends CHECK (max_completions IS NOT NULL OR cooldown_s > 0 OR proof_kind IN ('api', 'payment'))
);
COMMENT ON COLUMN tasks.max_completions IS 'How often each participant can complete it. Null: without end.';
COMMENT ON COLUMN tasks.cooldown_s IS 'How long after a completion the next one can follow.';
CREATE INDEX tasks_position ON tasks (tenant_id, livemode, project_id, position, id);
CREATE INDEX tasks_current ON tasks (tenant_id, livemode, project_id, position, id)
    WHERE is_active AND archived_at IS NULL;
CREATE TRIGGER tasks_updated_at BEFORE UPDATE ON tasks FOR EACH ROW EXECUTE FUNCTION set_updated_at();
CREATE CONSTRAINT TRIGGER tasks_audit AFTER INSERT OR UPDATE OR DELETE ON tasks
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION write_audit('id');

-- The answer of a quiz, under a secret of Moneta: nobody reads it, and who has the table alone cannot try answers.
CREATE TABLE task_answers (
    task_id uuid PRIMARY KEY,
    tenant_id uuid NOT NULL,
    livemode boolean NOT NULL,
    answer_hash hash NOT NULL,
    created_at timestamptz NOT NULL,
    CONSTRAINT task_answers_id UNIQUE (tenant_id, livemode, task_id),
    CONSTRAINT task_answers_task FOREIGN KEY (tenant_id, livemode, task_id)
        REFERENCES tasks (tenant_id, livemode, id) ON DELETE CASCADE
);

-- How often a participant has answered wrong. A new answer of the quiz begins anew.
CREATE TABLE task_guesses (
    tenant_id uuid NOT NULL,
    livemode boolean NOT NULL,
    participation_id uuid NOT NULL,
    task_id uuid NOT NULL,
    guesses smallint NOT NULL CHECK (guesses BETWEEN 1 AND 100),
    guessed_at timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, livemode, participation_id, task_id),
    CONSTRAINT task_guesses_participation FOREIGN KEY (tenant_id, livemode, participation_id)
        REFERENCES participations (tenant_id, livemode, id) ON DELETE CASCADE,
    CONSTRAINT task_guesses_answer FOREIGN KEY (tenant_id, livemode, task_id)
        REFERENCES task_answers (tenant_id, livemode, task_id) ON DELETE CASCADE
);
CREATE INDEX task_guesses_task_id ON task_guesses (tenant_id, livemode, task_id);

CREATE TABLE task_completions (
    id uuid PRIMARY KEY,
    tenant_id uuid NOT NULL,
    livemode boolean NOT NULL,
    project_id uuid NOT NULL,
    participation_id uuid NOT NULL,
    task_id uuid NOT NULL,
    ordinal integer NOT NULL CHECK (ordinal > 0),
    status text NOT NULL CHECK (status IN ('pending', 'accepted', 'rejected')),
    points integer NOT NULL CHECK (points BETWEEN 0 AND 1000000),
    proof text CHECK (length(proof) BETWEEN 1 AND 2000),
    transaction_hash hash,
    created_at timestamptz NOT NULL,
    reviewed_at timestamptz,
    reviewed_by uuid REFERENCES users (id) ON DELETE SET NULL,
    review_note text CHECK (length(review_note) BETWEEN 1 AND 1000),
    CONSTRAINT task_completions_id UNIQUE (tenant_id, livemode, id),
    CONSTRAINT task_completions_entry UNIQUE (tenant_id, livemode, participation_id, id),
    CONSTRAINT task_completions_ordinal UNIQUE (tenant_id, livemode, participation_id, task_id, ordinal),
    -- A payment counts once.
    CONSTRAINT task_completions_transaction UNIQUE (tenant_id, livemode, project_id, transaction_hash),
    CONSTRAINT task_completions_participation FOREIGN KEY (tenant_id, livemode, project_id, participation_id)
        REFERENCES participations (tenant_id, livemode, project_id, id) ON DELETE CASCADE,
    CONSTRAINT task_completions_task FOREIGN KEY (tenant_id, livemode, project_id, task_id)
        REFERENCES tasks (tenant_id, livemode, project_id, id) ON DELETE CASCADE,
    CONSTRAINT task_completions_reviewed CHECK (status <> 'rejected' OR reviewed_at IS NOT NULL),
    CONSTRAINT task_completions_pending CHECK (status <> 'pending' OR reviewed_at IS NULL)
);
COMMENT ON COLUMN task_completions.points IS 'What the task gives, as it was when it was completed.';
CREATE INDEX task_completions_created_at ON task_completions (tenant_id, livemode, project_id, created_at, id);
CREATE INDEX task_completions_status ON task_completions (tenant_id, livemode, project_id, status, created_at, id);
CREATE INDEX task_completions_participation_id ON task_completions (participation_id, created_at, id);
CREATE INDEX task_completions_task_id ON task_completions (tenant_id, livemode, project_id, task_id, created_at, id);
CREATE INDEX task_completions_reviewed_by ON task_completions (reviewed_by) WHERE reviewed_by IS NOT NULL;
CREATE CONSTRAINT TRIGGER task_completions_audit AFTER UPDATE ON task_completions
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION write_audit('id', 'proof');

CREATE TABLE point_entries (
    id uuid PRIMARY KEY,
    tenant_id uuid NOT NULL,
    livemode boolean NOT NULL,
    project_id uuid NOT NULL,
    participation_id uuid NOT NULL,
    amount bigint NOT NULL CHECK (amount <> 0),
    balance bigint NOT NULL CHECK (balance >= 0),
    reason text NOT NULL CHECK (reason IN ('task', 'bonus', 'referral', 'correction')),
    note text CHECK (length(note) BETWEEN 1 AND 1000),
    completion_id uuid,
    created_by uuid REFERENCES users (id) ON DELETE SET NULL,
    created_at timestamptz NOT NULL,
    CONSTRAINT point_entries_id UNIQUE (tenant_id, livemode, id),
    CONSTRAINT point_entries_completion UNIQUE (tenant_id, livemode, completion_id),
    CONSTRAINT point_entries_of_participation FOREIGN KEY (tenant_id, livemode, project_id, participation_id)
        REFERENCES participations (tenant_id, livemode, project_id, id) ON DELETE CASCADE,
    CONSTRAINT point_entries_of_completion FOREIGN KEY (tenant_id, livemode, participation_id, completion_id)
        REFERENCES task_completions (tenant_id, livemode, participation_id, id) ON DELETE CASCADE,
    CONSTRAINT point_entries_reason CHECK ((reason = 'task') = (completion_id IS NOT NULL)),
    CONSTRAINT point_entries_noted CHECK (reason = 'task' OR note IS NOT NULL)
);
COMMENT ON COLUMN point_entries.balance IS 'The points of the participation after it.';
CREATE INDEX point_entries_participation_id ON point_entries (participation_id, created_at, id);
CREATE INDEX point_entries_created_by ON point_entries (created_by) WHERE created_by IS NOT NULL;

-- Each participation counts in one of a few rows of its project, so that those who join at once do not wait for each
-- other.
CREATE TABLE project_counters (
    tenant_id uuid NOT NULL,
    livemode boolean NOT NULL,
    project_id uuid NOT NULL,
    shard smallint NOT NULL CHECK (shard BETWEEN 0 AND 15),
    participants integer NOT NULL DEFAULT 0 CHECK (participants >= 0),
    completions bigint NOT NULL DEFAULT 0 CHECK (completions >= 0),
    is_announced boolean NOT NULL DEFAULT false,
    PRIMARY KEY (tenant_id, livemode, project_id, shard),
    CONSTRAINT project_counters_project FOREIGN KEY (tenant_id, livemode, project_id)
        REFERENCES projects (tenant_id, livemode, id) ON DELETE CASCADE
);
COMMENT ON COLUMN project_counters.participants IS 'Those who take part: neither banned nor gone.';
COMMENT ON COLUMN project_counters.completions IS 'Completions that were accepted.';
COMMENT ON COLUMN project_counters.is_announced IS 'Whether there is an event for what was counted.';
CREATE INDEX project_counters_due ON project_counters (project_id) WHERE NOT is_announced;

-- Who sees what ---------------------------------------------------------------------------------------------------

DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY[
        'participations', 'participation_reviews', 'tasks', 'task_answers', 'task_guesses', 'task_completions',
        'point_entries', 'project_counters'
    ] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', name);
        -- Nobody but Moneta writes: not even what is one's own.
        EXECUTE format(
            'CREATE POLICY %I ON %I USING (app_is_system()) WITH CHECK (app_is_system())', name || '_system', name
        );
    END LOOP;
    FOREACH name IN ARRAY ARRAY[
        'participations', 'participation_reviews', 'tasks', 'task_completions', 'point_entries', 'project_counters'
    ] LOOP
        EXECUTE format(
            'CREATE POLICY %I ON %I FOR SELECT'
            ' USING (tenant_id = (SELECT app_tenant()) AND livemode = (SELECT app_livemode()))',
            name || '_tenant', name
        );
    END LOOP;
    -- The user who is linked to the participant.
    FOREACH name IN ARRAY ARRAY['participation_reviews', 'task_completions', 'point_entries'] LOOP
        EXECUTE format(
            'CREATE POLICY %I ON %I FOR SELECT USING (participation_id IN (SELECT p.id FROM participations p'
            ' JOIN participants who ON who.id = p.participant_id WHERE who.user_id = (SELECT app_user_id())))',
            name || '_self', name
        );
    END LOOP;
    -- Who sees a project sees what it asks of participants, and how many there are.
    FOREACH name IN ARRAY ARRAY['tasks', 'project_counters'] LOOP
        EXECUTE format(
            'CREATE POLICY %I ON %I FOR SELECT USING (EXISTS (SELECT FROM projects p WHERE p.id = project_id))',
            name || '_project', name
        );
    END LOOP;
END
$$;
CREATE POLICY participations_self ON participations FOR SELECT
    USING (participant_id IN (SELECT p.id FROM participants p WHERE p.user_id = (SELECT app_user_id())));

-- Entries are added to and never changed; a correction is one more. They go with their participation.
REVOKE UPDATE, DELETE, TRUNCATE ON point_entries FROM moneta_app;
