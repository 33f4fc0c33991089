-- name: present
-- The present by the clock that bounds what is stored.
SELECT present_moment();

-- name: delete_candles_ahead
-- Deletes candles that begin after a moment: a probe of the index for each series, not a scan of a month.
DELETE FROM candles c
USING market_data m, unnest(ARRAY['1m', '5m', '1h', '1d']) AS i (interval)
WHERE c.symbol = m.symbol AND c.exchange = m.exchange AND c.interval = i.interval AND c.opened_at > $1::timestamptz;

-- name: delete_prices_ahead
-- Deletes price samples that are dated after a moment.
DELETE FROM price_history h USING market_data m
WHERE h.symbol = m.symbol AND h.exchange = m.exchange AND h.timestamp > $1::timestamptz;

-- name: date_quotes_back
-- Dates quotes back to a moment, so that the next quote is newer.
UPDATE market_data SET last_updated = $1 WHERE last_updated > $1::timestamptz;

-- name: delete_marks_ahead
-- Deletes marks of values that were measured after a moment. Marks with a position do not depend on their time.
DELETE FROM alert_marks WHERE at > $1::timestamptz AND position IS NULL;

-- name: date_alerts_back
-- Dates alerts back to a moment: when they were created, armed and fired.
UPDATE alerts SET armed_at = least(armed_at, $1), created_at = least(created_at, $1),
    triggered_at = CASE WHEN triggered_at > $1 THEN $1 ELSE triggered_at END
WHERE armed_at > $1::timestamptz OR triggered_at > $1 OR created_at > $1;

-- name: date_notifications_back
-- Dates notifications back to a moment, so that they do not stay first in the list.
UPDATE notifications SET created_at = $1 WHERE created_at > $1::timestamptz;

-- name: date_news_back
-- Dates articles back to a moment, and their mentions of tokens.
WITH mentioned AS (
    UPDATE news_mentions SET published_at = $1 WHERE published_at > $1::timestamptz
)
UPDATE news_articles SET published_at = least(published_at, $1), created_at = least(created_at, $1)
WHERE published_at > $1 OR created_at > $1;

-- name: delete_analyses_ahead
-- Deletes analyses that were made after a moment: they would be valid for too long.
DELETE FROM analysis_cache WHERE created_at > $1::timestamptz;
