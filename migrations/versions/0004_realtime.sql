-- A cursor names an epoch and a place. After a restore the places are given out a second time, to other facts, so the
-- epoch must change. `life` is what the epoch was seen with; where it differs, the epoch is renewed. What it finds:
--
--   pg_dump and pg_restore, anywhere        the table gets another oid, and often another cluster or database
--   CREATE DATABASE ... TEMPLATE            another database oid
--   point-in-time recovery, promotion of a  a new timeline. A standby that was promoted may lack the last commits, so
--   standby                                 this is a restore too, even where none was lost
--   pg_upgrade                              another cluster: needless, and harmless; streams are read anew
--   pg_restore --data-only, a copy of the   nothing that shows: `python -m app new-epoch` must be said
--   files, a disk snapshot
--
-- Null until it is first looked at, as after this revision. The previous release does not read this table.
ALTER TABLE event_epoch ADD COLUMN life text;
COMMENT ON COLUMN event_epoch.life IS
    'Cluster, timeline, database and table that the epoch belongs to. Null: not looked at yet.';

-- SECURITY DEFINER: the owner may have been given pg_control_system where the application was not.
CREATE FUNCTION current_event_epoch() RETURNS uuid
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    cluster text := '?';
    seen text;
    noted public.event_epoch;
BEGIN
    SELECT * INTO STRICT noted FROM public.event_epoch;
    -- A standby cannot write; it will look when it is promoted.
    IF pg_is_in_recovery() THEN
        RETURN noted.epoch;
    END IF;
    BEGIN
        -- Not every owner may ask, and then the rest must do.
        SELECT system_identifier INTO cluster FROM pg_control_system();
    EXCEPTION WHEN insufficient_privilege OR feature_not_supported THEN
        NULL;
    END;
    -- The timeline from the name of the present WAL file: the control file tells it only after the next checkpoint.
    seen := concat_ws(
        '/',
        cluster,
        left(pg_walfile_name(pg_current_wal_insert_lsn()), 8),
        (SELECT oid FROM pg_database WHERE datname = current_database()),
        'public.event_epoch'::regclass::oid
    );
    IF noted.life = seen THEN
        RETURN noted.epoch;
    END IF;
    UPDATE public.event_epoch
    SET life = seen, epoch = CASE WHEN life IS NULL THEN epoch ELSE gen_random_uuid() END
    WHERE life IS DISTINCT FROM seen;
    -- Read again: of several that notice at once, one renews.
    RETURN (SELECT epoch FROM public.event_epoch);
EXCEPTION WHEN feature_not_supported THEN
    -- A Postgres that has no WAL of its own to name.
    RETURN noted.epoch;
END;
$$;
COMMENT ON FUNCTION current_event_epoch IS
    'The epoch of the event streams, renewed first where the database was restored since it was last asked.';
REVOKE ALL ON FUNCTION current_event_epoch FROM PUBLIC;
GRANT EXECUTE ON FUNCTION current_event_epoch TO moneta_app;
