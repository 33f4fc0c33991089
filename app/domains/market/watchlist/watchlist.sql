-- name: watchlist_items_by_ids
-- Watched tokens with these ids that are the viewer's.
SELECT w.id, w.user_id, w.symbol, w.notes, (
    SELECT count(*) FROM watchlist_items o WHERE o.user_id = w.user_id AND o.rank < w.rank
) AS position, w.added_at, w.last_viewed_at, w.rank
FROM watchlist_items w WHERE w.id = ANY($1::uuid[]);

-- name: watchlist_by_user
-- The watchlist of a user.
SELECT id, user_id, symbol, notes, row_number() OVER (ORDER BY rank) - 1 AS position, added_at, last_viewed_at, rank
FROM watchlist_items WHERE user_id = {key::uuid};

-- name: watched_symbols
-- The symbols of the watchlist of each user, in the user's order. No watchlist may be longer than this limit.
SELECT k.ord, w.symbol
FROM unnest($1::uuid[]) WITH ORDINALITY AS k (key, ord)
CROSS JOIN LATERAL (
    SELECT i.symbol, i.rank FROM watchlist_items i WHERE i.user_id = k.key ORDER BY i.rank LIMIT 1000
) w
ORDER BY k.ord, w.rank;

-- name: lock_watchlist
-- Lets one transaction at a time change the watchlist of a user: the limit and the ranks depend on all items.
SELECT pg_advisory_xact_lock(hashtextextended('moneta.watchlist:' || $1::text, 0));

-- name: insert_watchlist_item
-- Adds a token to the end of a watchlist with fewer than $4; one row: its id, and whether the token was already there.
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
-- A watched token of this user.
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

-- name: rank_gap
-- The rank of an item, and the ranks before and after position $3 among the other items of the user; `beyond`, a rank
-- after all others, where no item follows.
WITH others AS (
    SELECT rank, row_number() OVER (ORDER BY rank) - 1 AS position
    FROM watchlist_items WHERE user_id = $1::uuid AND id <> $2::uuid
), wanted AS (
    SELECT least($3::bigint, count(*)) AS position FROM others
)
SELECT i.rank, b.rank AS before, a.rank AS after,
    CASE WHEN a.rank IS NULL THEN nextval('watchlist_ranks')::numeric END AS beyond
FROM watchlist_items i CROSS JOIN wanted
LEFT JOIN others b ON b.position = wanted.position - 1
LEFT JOIN others a ON a.position = wanted.position
WHERE i.id = $2 AND i.user_id = $1;

-- name: renumber_watchlist
-- Gives the items of a user new ranks, in the same order and after all former ones: pages that are being read restart.
UPDATE watchlist_items w SET rank = fresh.rank
FROM (
    SELECT o.id, nextval('watchlist_ranks') AS rank
    FROM (SELECT id FROM watchlist_items WHERE user_id = $1::uuid ORDER BY rank) o
) fresh
WHERE w.id = fresh.id;

-- name: delete_watchlist_item
-- Deletes a watched token of this user.
DELETE FROM watchlist_items WHERE id = $1 AND user_id = $2;
