-- name: value_points
-- The history of the value of a portfolio.
SELECT v.portfolio_id, v.resolution, v.at, v.life, v.value, v.cash, v.contributed, v.unquoted,
    (SELECT p.currency FROM portfolios p WHERE p.id = v.portfolio_id) AS currency
FROM portfolio_value_history v WHERE v.portfolio_id = {key::uuid} AND v.resolution = {resolution::text};

-- name: record_values
-- Stores the value of portfolios as that of the minute, hour and day of a moment, where it is the first: of those
-- that have held a token in this life, and of those whose cash has changed since the hour before began. What others
-- are worth is what they were worth last.
INSERT INTO portfolio_value_history (portfolio_id, resolution, at, life, value, cash, contributed, unquoted)
SELECT v.portfolio_id, r.resolution, date_trunc(r.field, $1::timestamptz, 'UTC'), p.life, v.total_value, v.cash,
    v.contributed, cardinality(v.unquoted)
FROM portfolio_values v
JOIN portfolios p ON p.id = v.portfolio_id
JOIN cash_balances b ON b.portfolio_id = p.id
CROSS JOIN (VALUES ('1m', 'minute'), ('1h', 'hour'), ('1d', 'day')) AS r (resolution, field)
WHERE b.updated_at >= date_trunc('hour', $1, 'UTC') - interval '1 hour'
    OR EXISTS (SELECT FROM positions h WHERE h.portfolio_id = p.id)
ON CONFLICT DO NOTHING;

-- name: record_flow
-- Stores what a portfolio was worth before an amount that has just been paid in, or out if it is negative: portfolio,
-- amount, time of its entry.
INSERT INTO portfolio_value_history (portfolio_id, resolution, at, life, value, cash, contributed, unquoted)
SELECT v.portfolio_id, 'flow', $3::timestamptz, p.life, v.total_value - $2::numeric, v.cash - $2, v.contributed - $2,
    cardinality(v.unquoted)
FROM portfolio_values v JOIN portfolios p ON p.id = v.portfolio_id
WHERE v.portfolio_id = $1::uuid
ON CONFLICT DO NOTHING;

-- name: delete_old_values
-- Deletes values of a resolution from before a moment.
DELETE FROM portfolio_value_history WHERE resolution = $1 AND at < $2;

-- name: summarize
-- Summarises the portfolios of each user, and writes what has changed. Australian dollars are converted by the newest
-- quote; without one they are left out of the value, and of the return.
INSERT INTO portfolio_summaries (user_id, portfolio_count, total_value_usd, average_return_fraction, updated_at)
SELECT n.user_id, n.portfolio_count, n.total_value_usd, n.average_return_fraction, $1::timestamptz
FROM (
    SELECT v.user_id, count(*) AS portfolio_count,
        round(coalesce(sum(v.total_value * c.rate), 0), 8) AS total_value_usd,
        round(sum(v.total_pnl * c.rate) / nullif(sum(v.contributed * c.rate), 0), 8) AS average_return_fraction
    FROM portfolio_values v
    LEFT JOIN (
        SELECT m.price_usd / m.price_aud AS usd FROM market_data m ORDER BY m.last_updated DESC LIMIT 1
    ) aud ON true
    CROSS JOIN LATERAL (SELECT CASE v.currency WHEN 'AUD' THEN aud.usd ELSE 1 END AS rate) c
    GROUP BY v.user_id
) n
LEFT JOIN portfolio_summaries s ON s.user_id = n.user_id
-- Not in the clause of the conflict: that would lock the rows that stay, which is to write them.
WHERE s.user_id IS NULL OR (s.portfolio_count, s.total_value_usd, s.average_return_fraction)
    IS DISTINCT FROM (n.portfolio_count, n.total_value_usd, n.average_return_fraction)
ON CONFLICT (user_id) DO UPDATE
SET portfolio_count = excluded.portfolio_count, total_value_usd = excluded.total_value_usd,
    average_return_fraction = excluded.average_return_fraction, updated_at = excluded.updated_at;

-- name: delete_empty_summaries
-- Deletes the summaries of users who have no portfolio any more.
DELETE FROM portfolio_summaries s WHERE NOT EXISTS (SELECT FROM portfolios p WHERE p.user_id = s.user_id);

-- name: summaries_by_users
-- The summaries of these users.
SELECT user_id, portfolio_count, total_value_usd, average_return_fraction, updated_at
FROM portfolio_summaries WHERE user_id = ANY ($1::uuid[]);
