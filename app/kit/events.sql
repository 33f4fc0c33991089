-- name: append_events
-- Numbers and stores facts in the current transaction. Streams are locked in sorted order, until the commit.
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
INSERT INTO events (stream, seq, kind, payload)
SELECT g.stream,
       t.seq - c.facts + row_number() OVER (PARTITION BY g.stream ORDER BY g.ord),
       g.kind,
       g.payload
FROM given g JOIN taken t USING (stream) JOIN counted c USING (stream)
ORDER BY g.ord;

-- name: unpublished_events
-- The oldest facts that Redis has not been given; within a stream they are always a gapless run.
SELECT id, stream, seq, kind, payload, created_at FROM events WHERE published_at IS NULL ORDER BY id LIMIT $1;

-- name: mark_published
-- Notes that Redis has been given these facts.
UPDATE events SET published_at = now() WHERE id = ANY($1::bigint[]) AND published_at IS NULL;

-- name: events_after
-- What a stream holds after a sequence number, in order.
SELECT stream, seq, kind, payload, created_at FROM events WHERE stream = $1 AND seq > $2 ORDER BY seq LIMIT $3;

-- name: stream_tops
-- The newest sequence number of each of these streams that has any.
SELECT stream, seq FROM event_streams WHERE stream = ANY($1::text[]);

-- name: try_relay_lock
-- Whether this session is now the one active relay.
SELECT pg_try_advisory_lock(hashtext('moneta.relay'));
