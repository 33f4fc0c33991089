-- name: watchlist_items_by_ids
-- Watched tokens with these ids, where they are the viewer's.
SELECT w.id, w.user_id, w.symbol, w.notes, (
    SELECT count(*) FROM watchlist_items o WHERE o.user_id = w.user_id AND o.rank < w.rank
) AS position, w.added_at, w.last_viewed_at, w.rank
FROM watchlist_items w WHERE w.id = ANY($1::uuid[]);

-- name: watchlist_by_user
-- A page of each user's watchlist, in its owner's order.
SELECT k.ord, w.id, w.user_id, w.symbol, w.notes, w.place AS position, w.added_at, w.last_viewed_at, w.rank
FROM unnest($1::uuid[]) WITH ORDINALITY AS k (key, ord)
CROSS JOIN LATERAL (
    SELECT i.id, i.user_id, i.symbol, i.notes, i.place, i.added_at, i.last_viewed_at, i.rank
    FROM (
        SELECT id, user_id, symbol, notes, row_number() OVER (ORDER BY rank) - 1 AS place, added_at, last_viewed_at, rank
        FROM watchlist_items WHERE user_id = k.key
    ) i
    WHERE $3::numeric IS NULL OR i.rank > $3
    ORDER BY i.rank LIMIT $2
) w
ORDER BY k.ord, w.rank;

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
    SELECT i.symbol, i.rank FROM watchlist_items i WHERE i.user_id = k.key ORDER BY i.rank LIMIT 1000
) w
ORDER BY k.ord, w.rank;

-- name: lock_watchlist
-- Makes what a user adds and moves meanwhile wait until the commit: ranks and their number depend on all of them.
SELECT pg_advisory_xact_lock(hashtextextended('moneta.watchlist:' || $1::text, 0));

-- name: insert_watchlist_item
-- Puts a token at the end of a watchlist of less than $4; one row: its id, and whether the token was there already.
WITH present AS (
    SELECT count(*) AS items, coalesce(bool_or(symbol = $2::text), false) AS is_watched
    FROM watchlist_items WHERE user_id = $1::uuid
), added AS (
    INSERT INTO watchlist_items (user_id, symbol, notes, added_at)
    SELECT $1, $2, $3::text, $5::timestamptz FROM present WHERE items < $4::integer AND NOT is_watched
    RETURNING id
)
SELECT (SELECT id FROM added) AS id, is_watched FROM present;

-- name: watchlist_item
-- One watched token of this user.
SELECT w.id, w.user_id, w.symbol, w.notes, (
    SELECT count(*) FROM watchlist_items o WHERE o.user_id = w.user_id AND o.rank < w.rank
) AS position, w.added_at, w.last_viewed_at, w.rank
FROM watchlist_items w WHERE w.id = $1 AND w.user_id = $2;

-- name: update_watchlist_item
-- Sets the notes of an item if $3, when it was viewed unless $5 is null, and its rank unless $6 is.
UPDATE watchlist_items
SET notes = CASE WHEN $3::boolean THEN $4::text ELSE notes END,
    last_viewed_at = coalesce($5::timestamptz, last_viewed_at),
    rank = coalesce($6::numeric, rank)
WHERE id = $1 AND user_id = $2;

-- name: watchlist_place
-- An item's rank, and the ranks before and after the place $3 among the others of its user's list; `beyond`, one behind
-- all ranks, where none comes after it.
WITH others AS (
    SELECT rank, row_number() OVER (ORDER BY rank) - 1 AS place
    FROM watchlist_items WHERE user_id = $1::uuid AND id <> $2::uuid
), wanted AS (
    SELECT least($3::bigint, count(*)) AS place FROM others
)
SELECT i.rank, b.rank AS before, a.rank AS after,
    CASE WHEN a.rank IS NULL THEN nextval('watchlist_ranks')::numeric END AS beyond
FROM watchlist_items i CROSS JOIN wanted
LEFT JOIN others b ON b.place = wanted.place - 1
LEFT JOIN others a ON a.place = wanted.place
WHERE i.id = $2 AND i.user_id = $1;

-- name: spread_watchlist
-- Gives a user's list new ranks, in its order and behind all former ones: who is reading it reads it once more.
UPDATE watchlist_items w SET rank = fresh.rank
FROM (
    SELECT o.id, nextval('watchlist_ranks') AS rank
    FROM (SELECT id FROM watchlist_items WHERE user_id = $1::uuid ORDER BY rank) o
) fresh
WHERE w.id = fresh.id;

-- name: delete_watchlist_item
-- Forgets one watched token of this user.
DELETE FROM watchlist_items WHERE id = $1 AND user_id = $2;
