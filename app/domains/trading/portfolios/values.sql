-- name: value_points
-- The history of the value of a portfolio.
SELECT v.portfolio_id, v.resolution, v.at, v.life, v.value, v.cash, v.contributed, v.unquoted,
    (SELECT p.currency FROM portfolios p WHERE p.id = v.portfolio_id) AS currency
FROM portfolio_value_history v WHERE v.portfolio_id = {key::uuid} AND v.resolution = {resolution::text};

-- name: record_values
-- Stores the value of each portfolio as that of the minute, hour and day of a moment, where it is the first.
INSERT INTO portfolio_value_history (portfolio_id, resolution, at, life, value, cash, contributed, unquoted)
SELECT v.portfolio_id, r.resolution, date_trunc(r.field, $1::timestamptz, 'UTC'), p.life, v.total_value, v.cash,
    v.contributed, cardinality(v.unquoted)
FROM portfolio_values v
JOIN portfolios p ON p.id = v.portfolio_id
CROSS JOIN (VALUES ('1m', 'minute'), ('1h', 'hour'), ('1d', 'day')) AS r (resolution, field)
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
-- Summarises the portfolios of each user. Australian dollars are converted by the newest quote; without one they are
-- left out of the value, and of the return.
INSERT INTO portfolio_summaries (user_id, portfolio_count, total_value_usd, average_return_fraction, updated_at)
SELECT v.user_id, count(*), round(coalesce(sum(v.total_value * c.rate), 0), 8),
    round(sum(v.total_pnl * c.rate) / nullif(sum(v.contributed * c.rate), 0), 8), $1::timestamptz
FROM portfolio_values v
LEFT JOIN (SELECT m.price_usd / m.price_aud AS usd FROM market_data m ORDER BY m.last_updated DESC LIMIT 1) aud ON true
CROSS JOIN LATERAL (SELECT CASE v.currency WHEN 'AUD' THEN aud.usd ELSE 1 END AS rate) c
GROUP BY v.user_id
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
