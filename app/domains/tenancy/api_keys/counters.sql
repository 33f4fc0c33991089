-- name: differing_uses
-- API keys that were used and never, or never and at some time, up to $1. Each use is in no row of its own, so that
-- nothing can be counted anew.
SELECT k.key_id::text AS key, k.usage_count || ' calls' AS stored,
    coalesce('last used ' || to_char(k.last_used_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'), 'never used')
        AS counted,
    count(*) OVER () AS found
FROM api_keys k WHERE (k.usage_count = 0) <> (k.last_used_at IS NULL) ORDER BY k.key_id LIMIT $1;
