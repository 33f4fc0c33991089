-- name: portfolios_exist
-- Whether there has ever been a portfolio besides those that users begin with.
SELECT EXISTS (SELECT FROM portfolios WHERE NOT is_default);

-- name: hourly_close
-- The price of a token at an exchange in dollars at a moment.
SELECT close FROM candles
WHERE symbol = $1 AND exchange = $2 AND interval = '1h' AND opened_at <= $3::timestamptz
ORDER BY opened_at DESC LIMIT 1;

-- name: note_price
-- Puts a price into the inbox of the exchange: token, source, in dollars, in Australian dollars, time.
INSERT INTO exchange_inbox (kind, created_at, payload)
SELECT 'prices', $5::timestamptz, jsonb_build_object($1::text, jsonb_build_object(
    'usd', ($3::numeric)::text, 'aud', ($4::numeric)::text, 'volume', coalesce(max(m.volume_24h_usd), 0)::text,
    'volatility', '0.03', 'at', (extract(epoch FROM $5) * 1000)::bigint, 'source', $2::text
))
FROM market_data m WHERE m.symbol = $1 AND m.exchange = $2;

-- name: fill_in_values
-- Fills in what a portfolio was worth, from its journal and the candles of an exchange: portfolio, exchange, the
-- currency for a dollar, now.
INSERT INTO portfolio_value_history (portfolio_id, resolution, at, life, value, cash, contributed)
SELECT p.id, r.resolution, t.at, p.life, c.cash + coalesce(h.value, 0), c.cash, p.initial_balance
FROM portfolios p
CROSS JOIN (VALUES
    ('1m', 'minute', interval '1 minute', interval '1 day', '1m'),
    ('1h', 'hour', interval '1 hour', interval '31 days', '1h'),
    ('1d', 'day', interval '1 day', interval '10 years', '1h')
) AS r (resolution, field, step, kept, candles)
CROSS JOIN LATERAL generate_series(
    date_trunc(r.field, greatest(p.created_at, $4::timestamptz - r.kept), 'UTC') + r.step, $4, r.step
) AS t (at)
CROSS JOIN LATERAL (
    SELECT coalesce(sum(l.amount), 0) AS cash FROM journal_lines l
    WHERE l.portfolio_id = p.id AND l.account = 'cash' AND l.created_at <= t.at
) c
LEFT JOIN LATERAL (
    SELECT round(sum(s.quantity * q.close * $3::numeric), 8) AS value
    FROM (
        SELECT l.asset, sum(l.amount) AS quantity FROM journal_lines l
        WHERE l.portfolio_id = p.id AND l.account = 'position' AND l.created_at <= t.at GROUP BY l.asset
    ) s
    CROSS JOIN LATERAL (
        SELECT k.close FROM candles k
        WHERE k.symbol = s.asset AND k.exchange = $2 AND k.interval = r.candles AND k.opened_at <= t.at
        ORDER BY k.opened_at DESC LIMIT 1
    ) q
) h ON true
WHERE p.id = $1
ON CONFLICT DO NOTHING;
