-- name: append_events
-- Numbers and stores facts in the current transaction. Streams are locked in sorted order, until the commit. The time
-- is read under the lock, not at the start of the transaction: within a stream it never goes back.
WITH given AS (
    SELECT g.stream, g.kind, g.payload, g.ord
    FROM unnest($1::text[], $2::text[], $3::jsonb[]) WITH ORDINALITY AS g (stream, kind, payload, ord)
), counted AS (
    SELECT stream, count(*) AS facts FROM given GROUP BY stream
), taken AS (
    INSERT INTO event_streams AS s (stream, seq)
    SELECT stream, facts FROM counted ORDER BY stream
    ON CONFLICT (stream) DO UPDATE SET seq = s.seq + excluded.seq
    RETURNING s.stream, s.seq
)
INSERT INTO events (stream, seq, kind, payload, created_at)
SELECT g.stream,
       t.seq - c.facts + row_number() OVER (PARTITION BY g.stream ORDER BY g.ord),
       g.kind,
       g.payload,
       clock_timestamp()
FROM given g JOIN taken t USING (stream) JOIN counted c USING (stream)
ORDER BY g.ord;

-- name: unpublished_events
-- The oldest facts that are not published to Redis, and the epoch they belong to; within a stream always a gapless run.
SELECT v.id, e.epoch, v.stream, v.seq, v.kind, v.payload, v.created_at
FROM events v CROSS JOIN event_epoch e
WHERE v.published_at IS NULL ORDER BY v.id LIMIT $1;

-- name: oldest_unpublished
-- When the oldest fact that is not published was appended; now if there is none.
SELECT coalesce(
    (SELECT v.created_at FROM events v WHERE v.published_at IS NULL ORDER BY v.id LIMIT 1), clock_timestamp()
);

-- name: mark_published
-- Marks facts as published. The commit does not wait for the disk: a mark that a crash loses costs a repeat, which
-- Redis refuses.
WITH hurried AS MATERIALIZED (SELECT set_config('synchronous_commit', 'off', true) AS value)
UPDATE events SET published_at = now() FROM hurried
WHERE id = ANY($1::bigint[]) AND published_at IS NULL AND hurried.value = 'off';

-- name: events_after
-- What a stream holds after a sequence number, in order.
SELECT stream, seq, kind, payload, created_at FROM events WHERE stream = $1 AND seq > $2 ORDER BY seq LIMIT $3;

-- name: events_and_top
-- The events of a stream after a sequence number, in order, with the epoch and the stream's newest number.
SELECT e.epoch, coalesce(s.seq, 0) AS top, v.stream, v.seq, v.kind, v.payload, v.created_at
FROM event_epoch e
LEFT JOIN event_streams s ON s.stream = $1
LEFT JOIN LATERAL (
    SELECT stream, seq, kind, payload, created_at FROM events WHERE stream = $1 AND seq > $2 ORDER BY seq LIMIT $3
) v ON true
ORDER BY v.seq;

-- name: epoch_and_positions
-- The epoch, renewed first after a restore, and the newest number of each of these streams that has any.
SELECT e.epoch, s.stream, s.seq
FROM current_event_epoch() AS e (epoch) LEFT JOIN event_streams s ON s.stream = ANY($1::text[]);

-- name: stream_positions
-- The newest number of each of these streams, 0 where nothing has happened yet, and the epoch.
SELECT g.stream, coalesce(s.seq, 0) AS seq, e.epoch
FROM unnest($1::text[]) AS g (stream) CROSS JOIN event_epoch e LEFT JOIN event_streams s ON s.stream = g.stream;

-- name: renew_epoch
-- Begins a new epoch: every reader of a stream must resynchronize.
UPDATE event_epoch SET epoch = gen_random_uuid() RETURNING epoch;

-- name: try_relay_lock
-- Whether this session is now the one active relay.
SELECT pg_try_advisory_lock(hashtext('moneta.relay'));
