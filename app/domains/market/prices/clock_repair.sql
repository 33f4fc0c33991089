-- name: present
-- The clock that bounds what is stored.
SELECT present_moment();

-- name: delete_candles_ahead
-- Deletes candles that begin after a moment: a probe of the index for each series, not a scan of a month.
DELETE FROM candles c
USING market_data m, unnest(ARRAY['1m', '5m', '1h', '1d']) AS i (interval)
WHERE c.symbol = m.symbol AND c.exchange = m.exchange AND c.interval = i.interval AND c.opened_at > $1::timestamptz;

-- name: delete_prices_ahead
-- Deletes samples of prices of after a moment.
DELETE FROM price_history h USING market_data m
WHERE h.symbol = m.symbol AND h.exchange = m.exchange AND h.timestamp > $1::timestamptz;

-- name: date_quotes_back
-- Dates quotes that are of after a moment at it, so that the next is newer.
UPDATE market_data SET last_updated = $1 WHERE last_updated > $1::timestamptz;

-- name: delete_marks_ahead
-- Forgets what was measured after a moment. Not how far a chain was followed: that counts by its position.
DELETE FROM alert_marks WHERE at > $1::timestamptz AND position IS NULL;

-- name: date_alerts_back
-- Lets alerts be armed, and have fired, no later than a moment.
UPDATE alerts SET armed_at = least(armed_at, $1), created_at = least(created_at, $1),
    triggered_at = CASE WHEN triggered_at > $1 THEN $1 ELSE triggered_at END
WHERE armed_at > $1::timestamptz OR triggered_at > $1 OR created_at > $1;

-- name: date_notifications_back
-- Dates notifications that are of after a moment at it, so that they do not head the list until then.
UPDATE notifications SET created_at = $1 WHERE created_at > $1::timestamptz;

-- name: date_news_back
-- Dates articles that are of after a moment at it, and where they are listed by the tokens that they name.
WITH mentioned AS (
    UPDATE news_mentions SET published_at = $1 WHERE published_at > $1::timestamptz
)
UPDATE news_articles SET published_at = least(published_at, $1), created_at = least(created_at, $1)
WHERE published_at > $1 OR created_at > $1;

-- name: delete_analyses_ahead
-- Forgets analyses that were made after a moment: they would hold for as long again.
DELETE FROM analysis_cache WHERE created_at > $1::timestamptz;
