-- name: watchlist_items_by_ids
-- Watched tokens with these ids, where they are the viewer's.
SELECT id, user_id, symbol, notes, position, added_at, last_viewed_at
FROM watchlist_items WHERE id = ANY($1::uuid[]);

-- name: watchlist_by_user
-- A page of each user's watchlist, in its owner's order.
SELECT k.ord, w.id, w.user_id, w.symbol, w.notes, w.position, w.added_at, w.last_viewed_at
FROM unnest($1::uuid[]) WITH ORDINALITY AS k (key, ord)
CROSS JOIN LATERAL (
    SELECT i.id, i.user_id, i.symbol, i.notes, i.position, i.added_at, i.last_viewed_at
    FROM watchlist_items i
    WHERE i.user_id = k.key AND i.position > coalesce($3::integer, -1)
    ORDER BY i.position LIMIT $2
) w
ORDER BY k.ord, w.position;

-- name: watchlist_by_user_count
-- How many tokens each user watches, up to a limit.
SELECT k.ord, (
    SELECT count(*) FROM (SELECT FROM watchlist_items i WHERE i.user_id = k.key LIMIT $2) counted
) AS value
FROM unnest($1::uuid[]) WITH ORDINALITY AS k (key, ord);

-- name: watched_symbols
-- The symbols of each user's watchlist, in its owner's order; no watchlist may be longer than the limit here.
SELECT k.ord, w.symbol
FROM unnest($1::uuid[]) WITH ORDINALITY AS k (key, ord)
CROSS JOIN LATERAL (
    SELECT i.symbol, i.position FROM watchlist_items i WHERE i.user_id = k.key ORDER BY i.position LIMIT 1000
) w
ORDER BY k.ord, w.position;

-- name: lock_watchlist
-- Makes a user's other changes of the watchlist wait until the commit: places and their number depend on all of it.
SELECT pg_advisory_xact_lock(hashtextextended('moneta.watchlist:' || $1::text, 0));

-- name: insert_watchlist_item
-- Puts a token at the end of a watchlist of less than $4; one row: its id, and whether the token was there already.
WITH present AS (
    SELECT count(*) AS items, coalesce(max(position) + 1, 0) AS place,
        coalesce(bool_or(symbol = $2::text), false) AS is_watched
    FROM watchlist_items WHERE user_id = $1::uuid
), added AS (
    INSERT INTO watchlist_items (user_id, symbol, notes, position, added_at)
    SELECT $1, $2, $3::text, place, $5::timestamptz FROM present WHERE items < $4::integer AND NOT is_watched
    RETURNING id
)
SELECT (SELECT id FROM added) AS id, is_watched FROM present;

-- name: watchlist_item
-- One watched token of this user.
SELECT id, user_id, symbol, notes, position, added_at, last_viewed_at
FROM watchlist_items WHERE id = $1 AND user_id = $2;

-- name: update_watchlist_item
-- Sets the notes of an item if $3, and when it was viewed unless $5 is null.
UPDATE watchlist_items
SET notes = CASE WHEN $3::boolean THEN $4::text ELSE notes END,
    last_viewed_at = coalesce($5::timestamptz, last_viewed_at)
WHERE id = $1 AND user_id = $2;

-- name: arrange_watchlist
-- Numbers a user's watchlist from 0 without gaps; the item $2 comes to the place $3, at most the last.
UPDATE watchlist_items w SET position = arranged.position
FROM (
    SELECT o.id, row_number() OVER (ORDER BY o.place, o.id <> $2::uuid, o.position) - 1 AS position
    FROM (
        SELECT i.id, i.position, CASE WHEN i.id = $2::uuid THEN $3::bigint ELSE
            row_number() OVER (PARTITION BY i.id = $2::uuid ORDER BY i.position) - 1 END AS place
        FROM watchlist_items i WHERE i.user_id = $1::uuid
    ) o
) arranged
WHERE w.user_id = $1::uuid AND w.id = arranged.id AND w.position <> arranged.position;

-- name: delete_watchlist_item
-- Forgets one watched token of this user.
DELETE FROM watchlist_items WHERE id = $1 AND user_id = $2;
