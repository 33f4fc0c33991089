-- As before, but who had left does not leave again by a ban, nor by its end: these are events of other types, which are
-- not counted, and each is of the time at which it happened.
CREATE OR REPLACE FUNCTION record_participation() RETURNS trigger
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

-- That a participant has done something changes nothing of them: `updated_at` stays.
DROP TRIGGER participants_updated_at ON participants;
CREATE TRIGGER participants_updated_at
    BEFORE UPDATE OF telegram_id, discord_id, username, first_name, last_name, email, locale, time_zone,
        has_notifications, attributes, is_active, is_verified, referral_code, referred_by, total_referrals, user_id,
        erased_at, import_id
    ON participants FOR EACH ROW EXECUTE FUNCTION set_updated_at();
