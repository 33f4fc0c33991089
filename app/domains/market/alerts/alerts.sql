-- name: alerts_by_ids
-- Alerts with these ids.
SELECT id, user_id, symbol, alert_type, threshold_value, condition_details, rearm, cooldown_s, enabled, triggered,
       triggered_at, trigger_count, current_value, armed_at, created_at, updated_at, expires_at, is_armed
FROM alerts WHERE id = ANY($1::uuid[]);

-- name: alerts_by_user
-- A user's alerts.
SELECT id, user_id, symbol, alert_type, threshold_value, condition_details, rearm, cooldown_s, enabled, triggered,
       triggered_at, trigger_count, current_value, armed_at, created_at, updated_at, expires_at, is_armed
FROM alerts WHERE user_id = {key::uuid};

-- name: lock_alerts_of
-- Lets one transaction at a time count and add alerts of this user. Held until the end of the transaction.
SELECT pg_advisory_xact_lock(hashtextextended('moneta.alerts:' || $1::uuid::text, 0));

-- name: count_alerts
-- How many alerts a user has.
SELECT count(*) FROM alerts WHERE user_id = $1;

-- name: insert_alert
-- Adds an alert.
INSERT INTO alerts (user_id, symbol, alert_type, threshold_value, condition_details, rearm, cooldown_s, enabled,
                    expires_at, armed_at, created_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $10)
RETURNING id;

-- name: lock_alert
-- Locks an alert of the user until the end of the transaction.
SELECT id, user_id, symbol, alert_type, threshold_value, condition_details, rearm, cooldown_s, enabled, triggered,
       triggered_at, trigger_count, current_value, armed_at, created_at, updated_at, expires_at, is_armed
FROM alerts WHERE id = $1 AND user_id = $2 FOR UPDATE;

-- name: update_alert
-- Replaces what the owner decides. An enabled alert is rearmed, at $9; a disabled one keeps its state.
UPDATE alerts
SET threshold_value = $3, condition_details = $4, rearm = $5, cooldown_s = $6, enabled = $7, expires_at = $8,
    armed_at = CASE WHEN $7 THEN $9 ELSE armed_at END,
    triggered = triggered AND NOT $7,
    triggered_at = CASE WHEN $7 THEN NULL ELSE triggered_at END,
    trigger_count = CASE WHEN $7 THEN 0 ELSE trigger_count END,
    current_value = CASE WHEN $7 THEN NULL ELSE current_value END
WHERE id = $1 AND user_id = $2
RETURNING id, user_id, symbol, alert_type, threshold_value, condition_details, rearm, cooldown_s, enabled, triggered,
          triggered_at, trigger_count, current_value, armed_at, created_at, updated_at, expires_at, is_armed;

-- name: delete_alert
-- Deletes an alert of the user.
DELETE FROM alerts WHERE id = $1 AND user_id = $2;

-- name: delete_expired_alerts
-- Deletes alerts that can never fire again.
DELETE FROM alerts WHERE expires_at <= $1 RETURNING id, user_id;

-- name: crossed_alerts
-- Locks each alert that may fire and whose threshold was crossed, with the position of its crossing: a range scan of
-- alerts_crossings for each crossing, from one value to the other. The levels only find; the exact values decide. At
-- most $10 alerts, and none that has fired since $11, if that is given: so a backlog is worked off in batches.
SELECT a.id, a.user_id, a.symbol, a.alert_type, a.threshold_value, a.condition_details, a.armed_at, p.ord
FROM unnest($1::text[], $2::text[], $3::jsonb[], $4::numeric[], $5::numeric[], $6::float8[], $7::float8[],
            $8::timestamptz[])
     WITH ORDINALITY AS p (symbol, alert_type, details, before, after, low, high, armed_before, ord)
JOIN alerts a ON a.is_armed AND a.symbol = p.symbol AND a.alert_type = p.alert_type
    AND a.threshold_level >= p.low AND a.threshold_level <= p.high
WHERE a.threshold_value <> p.before
  AND a.threshold_value BETWEEN least(p.before, p.after) AND greatest(p.before, p.after)
  AND a.condition_details @> p.details
  AND (p.armed_before IS NULL OR a.armed_at < p.armed_before)
  AND (a.expires_at IS NULL OR a.expires_at > $9::timestamptz)
  AND (a.rearm <> 'after_cooldown' OR a.triggered_at IS NULL
       OR a.triggered_at + make_interval(secs => a.cooldown_s) <= $9)
  AND (a.triggered_at IS NULL OR $11::timestamptz IS NULL OR a.triggered_at < $11)
ORDER BY a.id, p.ord LIMIT $10
FOR UPDATE OF a;

-- name: armed_alerts
-- Locks the alerts of a type, on these symbols, that may fire.
SELECT a.id, a.user_id, a.symbol, a.alert_type, a.threshold_value, a.condition_details, a.armed_at
FROM alerts a
WHERE a.is_armed AND a.alert_type = $1 AND a.alert_type NOT IN ('price_above', 'price_below')
  AND a.symbol = ANY($2::text[]) AND (a.expires_at IS NULL OR a.expires_at > $3::timestamptz)
  AND (a.rearm <> 'after_cooldown' OR a.triggered_at IS NULL
       OR a.triggered_at + make_interval(secs => a.cooldown_s) <= $3)
ORDER BY a.id FOR UPDATE;

-- name: armed_symbols
-- The symbols for which an alert of a type is armed.
SELECT DISTINCT symbol FROM alerts
WHERE is_armed AND alert_type = $1 AND alert_type NOT IN ('price_above', 'price_below')
  AND (expires_at IS NULL OR expires_at > $2)
ORDER BY symbol;

-- name: armed_measures
-- What armed alerts of a type measure: the symbol, and the details with these names.
SELECT DISTINCT symbol,
    (
        SELECT jsonb_object_agg(d.key, d.value) FROM jsonb_each(condition_details) d WHERE d.key = ANY($3::text[])
    ) AS details
FROM alerts
WHERE is_armed AND alert_type = $1 AND alert_type NOT IN ('price_above', 'price_below')
  AND (expires_at IS NULL OR expires_at > $2)
ORDER BY symbol, details;

-- name: fire_alerts
-- Fires the alerts that may still fire, each once.
UPDATE alerts a
SET triggered = true, triggered_at = $5, trigger_count = a.trigger_count + 1, current_value = g.value
FROM unnest($1::uuid[], $2::numeric[], $3::text[], $4::text[]) AS g (alert_id, value, title, message)
WHERE a.id = g.alert_id AND a.is_armed AND (a.expires_at IS NULL OR a.expires_at > $5::timestamptz)
  AND (a.rearm <> 'after_cooldown' OR a.triggered_at IS NULL
       OR a.triggered_at + make_interval(secs => a.cooldown_s) <= $5)
RETURNING a.id, a.user_id, a.symbol, a.alert_type, g.value::text AS value, g.title, g.message;

-- name: marks
-- The marks of these subjects. A mark in the future is of a clock that was wrong, and is ignored unless it has a
-- position.
SELECT subject, value, position, at FROM alert_marks
WHERE kind = $1 AND subject = ANY($2::text[])
  AND (position IS NOT NULL OR at <= (SELECT present_moment()) + interval '1 minute');

-- name: lock_marks
-- The same, locked until the end of the transaction.
SELECT subject, value, basis, position, at FROM alert_marks
WHERE kind = $1 AND subject = ANY($2::text[])
  AND (position IS NOT NULL OR at <= (SELECT present_moment()) + interval '1 minute')
ORDER BY subject FOR UPDATE;

-- name: move_marks
-- Stores what was measured of these subjects at $5, and the source. Returns those without a mark as new. A time in the
-- future was not measured: it is not stored, and a mark in the future is replaced.
INSERT INTO alert_marks AS m (kind, subject, value, basis, at)
SELECT $1, g.subject, g.value, g.basis, $5
FROM unnest($2::text[], $3::numeric[], $4::text[]) AS g (subject, value, basis)
WHERE $5::timestamptz <= (SELECT present_moment()) + interval '1 minute'
ORDER BY g.subject
ON CONFLICT (kind, subject) DO UPDATE SET value = excluded.value, basis = excluded.basis, at = excluded.at
    WHERE m.at < excluded.at OR m.at > (SELECT present_moment()) + interval '1 minute'
RETURNING subject;

-- name: move_position
-- Stores how far a subject was evaluated; changes nothing if it was evaluated as far before.
INSERT INTO alert_marks AS m (kind, subject, position, at) VALUES ($1, $2, $3, $4)
ON CONFLICT (kind, subject) DO UPDATE SET position = excluded.position, at = excluded.at
    WHERE m.position < excluded.position;

-- name: delete_marks_of_deleted_alerts
-- Deletes the sentiment marks of alerts that no longer exist.
DELETE FROM alert_marks m WHERE m.kind = 'sentiment_change' AND NOT EXISTS (
    SELECT FROM alerts a WHERE a.id = m.subject::uuid
);

-- name: claim_news
-- Claims articles for the alerts on news, each once, the oldest first.
WITH taken AS (
    UPDATE news_articles n SET alerts_evaluated_at = $2
    FROM (
        SELECT id FROM news_articles WHERE id = ANY($1::uuid[]) AND alerts_evaluated_at IS NULL ORDER BY id FOR UPDATE
    ) unasked
    WHERE n.id = unasked.id AND n.alerts_evaluated_at IS NULL
    RETURNING n.id, n.title, n.url, n.impact, n.symbols_mentioned, n.published_at, n.created_at
)
SELECT title, url, impact, symbols_mentioned, created_at FROM taken ORDER BY published_at, id;
