-- name: differing_leaderboards
-- Projects whose leaderboards are not as their participations are, up to $1, with how many rows are wrong.
SELECT j.id::text AS key, format('%s wrong', f.faults) AS stored, 'as participations are' AS counted,
    count(*) OVER () AS found
FROM projects j, leaderboard_faults(j.id) AS f (faults) WHERE f.faults > 0 ORDER BY j.id LIMIT $1;

-- name: lock_leaderboards
-- Waits until nobody changes the leaderboards of these projects, and keeps others waiting.
SELECT pg_advisory_xact_lock(hashtextextended('moneta.leaderboard:' || g.key, 0)) FROM (
    SELECT DISTINCT key FROM unnest($1::text[]) AS key ORDER BY key
) g;

-- name: mend_leaderboards
-- Makes the leaderboards of these projects anew, where they are wrong.
SELECT g.key, format('%s wrong', f.faults) AS before, 'as participations are' AS after
FROM unnest($1::text[]) AS g (key), repair_leaderboard(g.key::uuid) AS f (faults) WHERE f.faults > 0;
