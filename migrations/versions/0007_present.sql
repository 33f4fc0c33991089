-- What is stored is stamped by this clock, or bounded by it. A process's own clock may be wrong by hours, and what it
-- dated ahead would stand there as the newest until then. A function, and no call of clock_timestamp() at each place,
-- so that a test can say what time it is.
CREATE FUNCTION present_moment() RETURNS timestamptz
LANGUAGE sql VOLATILE PARALLEL SAFE AS $$ SELECT clock_timestamp() $$;
GRANT EXECUTE ON FUNCTION present_moment TO moneta_app;

COMMENT ON COLUMN blocks.created_at IS
    'When it was connected, by the clock that it was judged by. The doctor judges it by the same moment.';
