-- name: performance_by_portfolio
-- What a portfolio did in each day, week, month or year, those of earlier lives as well: a row for a period.
SELECT g.portfolio_id, g.period, g.period_start, g.period_end, g.life, g.is_final, g.computed_at,
    (SELECT p.currency FROM portfolios p WHERE p.id = g.portfolio_id) AS currency,
    v.measured_from, v.measured_until, v.opening_value, v.closing_value, v.net_flow, v.gain, v.time_weighted_return,
    v.is_estimated, v.money_weighted_return, v.max_drawdown, v.peak_at, v.trough_at, v.daily_returns, v.volatility,
    v.sharpe, v.sortino, v.exposure, v.time_in_market, v.trades, v.fills, v.turnover, v.turnover_ratio, v.fees,
    v.round_trips, v.realized_pnl, v.win_rate, v.profit_factor, v.best_pnl, v.worst_pnl
FROM performance_metrics g
LEFT JOIN LATERAL (
    SELECT min((m.metadata ->> 'at')::timestamptz) FILTER (WHERE m.metric_type = 'opening_value') AS measured_from,
        min((m.metadata ->> 'at')::timestamptz) FILTER (WHERE m.metric_type = 'closing_value') AS measured_until,
        min(m.value) FILTER (WHERE m.metric_type = 'opening_value') AS opening_value,
        min(m.value) FILTER (WHERE m.metric_type = 'closing_value') AS closing_value,
        min(m.value) FILTER (WHERE m.metric_type = 'net_flow') AS net_flow,
        min(m.value) FILTER (WHERE m.metric_type = 'gain') AS gain,
        min(m.value::float8) FILTER (WHERE m.metric_type = 'time_weighted_return') AS time_weighted_return,
        bool_or((m.metadata ->> 'estimated')::boolean) AS is_estimated,
        min(m.value::float8) FILTER (WHERE m.metric_type = 'money_weighted_return') AS money_weighted_return,
        min(m.value::float8) FILTER (WHERE m.metric_type = 'max_drawdown') AS max_drawdown,
        min((m.metadata ->> 'peak_at')::timestamptz) AS peak_at,
        min((m.metadata ->> 'trough_at')::timestamptz) AS trough_at,
        min(m.value::bigint) FILTER (WHERE m.metric_type = 'daily_returns') AS daily_returns,
        min(m.value::float8) FILTER (WHERE m.metric_type = 'volatility') AS volatility,
        min(m.value::float8) FILTER (WHERE m.metric_type = 'sharpe') AS sharpe,
        min(m.value::float8) FILTER (WHERE m.metric_type = 'sortino') AS sortino,
        min(m.value::float8) FILTER (WHERE m.metric_type = 'exposure') AS exposure,
        min(m.value::float8) FILTER (WHERE m.metric_type = 'time_in_market') AS time_in_market,
        min(m.value::bigint) FILTER (WHERE m.metric_type = 'trades') AS trades,
        min(m.value::bigint) FILTER (WHERE m.metric_type = 'fills') AS fills,
        min(m.value) FILTER (WHERE m.metric_type = 'turnover') AS turnover,
        min(m.value::float8) FILTER (WHERE m.metric_type = 'turnover_ratio') AS turnover_ratio,
        min(m.value) FILTER (WHERE m.metric_type = 'fees') AS fees,
        min(m.value::bigint) FILTER (WHERE m.metric_type = 'round_trips') AS round_trips,
        min(m.value) FILTER (WHERE m.metric_type = 'realized_pnl') AS realized_pnl,
        min(m.value::float8) FILTER (WHERE m.metric_type = 'win_rate') AS win_rate,
        min(m.value::float8) FILTER (WHERE m.metric_type = 'profit_factor') AS profit_factor,
        min(m.value) FILTER (WHERE m.metric_type = 'best_pnl') AS best_pnl,
        min(m.value) FILTER (WHERE m.metric_type = 'worst_pnl') AS worst_pnl
    FROM performance_metrics m
    WHERE m.portfolio_id = g.portfolio_id AND m.period = g.period AND m.period_start = g.period_start
) v ON true
WHERE g.portfolio_id = {key::uuid} AND g.period = {period::text} AND g.metric_type = 'gain';

-- name: measured_portfolios
-- Portfolios after this one, by id, and how far each is measured in each period: a part of them. Measured is from the
-- first period of the present life that is not final, or from the end of the last that is.
SELECT p.id AS portfolio_id, p.life, p.life_began_at, r.period, o.period_start AS open_from, o.computed_at,
    (SELECT m.period_end FROM performance_metrics m
        WHERE m.portfolio_id = p.id AND m.period = r.period AND m.is_final
        ORDER BY m.period_start DESC LIMIT 1) AS final_until
FROM (
    SELECT i.id, i.life, i.life_began_at FROM portfolios i
    WHERE i.status <> 'deleted' AND ($1::uuid IS NULL OR i.id > $1) ORDER BY i.id LIMIT $2::bigint
) p
CROSS JOIN unnest($3::text[]) AS r (period)
LEFT JOIN LATERAL (
    SELECT m.period_start, m.computed_at FROM performance_metrics m
    WHERE m.portfolio_id = p.id AND m.period = r.period AND NOT m.is_final AND m.life = p.life
    ORDER BY m.period_start LIMIT 1
) o ON true
ORDER BY p.id;

-- name: values_within
-- The values of a life of a portfolio from the last one until a moment, or the first, until another moment: portfolio,
-- life, the two, now. Of several of one time, the one at a flow. At the beginning of a day, or of this hour, for which
-- none was recorded it is the last one, if nothing was held then and nothing has been posted since.
WITH regular AS (
    SELECT x.at, x.value, x.cash, x.contributed, x.unquoted FROM portfolio_value_history x
    WHERE x.portfolio_id = $1::uuid AND x.life = $2::integer AND x.resolution IN ('1h', '1d')
)
SELECT DISTINCT ON (v.at) v.at, v.value, v.cash, v.contributed, v.is_flow
FROM (
    SELECT h.at, h.value, h.cash, h.contributed, h.resolution = 'flow' AS is_flow
    FROM portfolio_value_history h
    WHERE h.portfolio_id = $1 AND h.life = $2 AND h.resolution IN ('1h', '1d', 'flow') AND h.at <= $4::timestamptz
        AND h.at >= coalesce((SELECT max(r.at) FROM regular r WHERE r.at <= $3::timestamptz), '-infinity')
    UNION ALL
    SELECT d.at, l.value, l.cash, l.contributed, false
    FROM (
        SELECT generate_series(date_trunc('day', $3, 'UTC'), least($4, $5::timestamptz), interval '24 hours')
        UNION SELECT least($4, date_trunc('hour', $5, 'UTC'))
    ) AS d (at)
    CROSS JOIN LATERAL (SELECT r.* FROM regular r WHERE r.at <= d.at ORDER BY r.at DESC LIMIT 1) l
    WHERE l.at < d.at AND l.cash = l.value AND l.unquoted = 0 AND NOT EXISTS (
        SELECT FROM journal_entries e WHERE e.portfolio_id = $1 AND e.created_at > l.at AND e.created_at <= d.at
    )
) v
ORDER BY v.at, v.is_flow DESC;

-- name: contributed
-- What the present life of a portfolio has been given so far.
SELECT contributed FROM cash_balances WHERE portfolio_id = $1;

-- name: flows_since
-- What was paid into and out of a life of a portfolio since a moment, after its opening.
SELECT e.created_at AS at, sum(-l.amount) AS amount
FROM journal_entries e
JOIN journal_lines l ON l.entry_id = e.id AND l.created_at = e.created_at
WHERE e.portfolio_id = $1::uuid AND e.life = $2::integer AND e.created_at >= $3::timestamptz
    AND e.kind IN ('deposit', 'withdrawal', 'correction') AND l.account = 'external'
GROUP BY e.id, e.created_at
ORDER BY e.created_at, e.id;

-- name: traded_within
-- What a life of a portfolio traded in each of some spans: portfolio, life, their beginnings, their ends. Fees are
-- converted at the rate of the fill. A round trip is what an order sold in the span; a fill without an order is one.
SELECT f.trades, f.fills, f.turnover, f.fees, f.round_trips, f.wins, f.profits, f.losses, f.best, f.worst
FROM unnest($3::timestamptz[], $4::timestamptz[]) WITH ORDINALITY AS s (begins_at, ends_at, ord)
CROSS JOIN LATERAL (
    SELECT count(*) AS trades, coalesce(sum(o.fills), 0)::bigint AS fills, coalesce(sum(o.amount), 0) AS turnover,
        coalesce(sum(o.fee), 0) AS fees, count(o.pnl) AS round_trips, count(*) FILTER (WHERE o.pnl > 0) AS wins,
        coalesce(sum(o.pnl) FILTER (WHERE o.pnl > 0), 0) AS profits,
        coalesce(-sum(o.pnl) FILTER (WHERE o.pnl < 0), 0) AS losses, max(o.pnl) AS best, min(o.pnl) AS worst
    FROM (
        SELECT count(*) AS fills, sum(abs(l.cash + l.fee)) AS amount, sum(l.fee) AS fee, sum(d.pnl) AS pnl
        FROM journal_entries e
        CROSS JOIN LATERAL (
            SELECT t.cash, round(t.fee * coalesce(-t.bought / nullif(t.dollars, 0), 1), 8) AS fee
            FROM (
                SELECT coalesce(sum(x.amount) FILTER (WHERE x.account = 'cash'), 0) AS cash,
                    coalesce(sum(x.amount) FILTER (WHERE x.account = 'fees'), 0) AS fee,
                    sum(x.amount) FILTER (WHERE x.account = 'fx' AND x.asset = 'USD') AS dollars,
                    sum(x.amount) FILTER (WHERE x.account = 'fx' AND x.asset <> 'USD') AS bought
                FROM journal_lines x WHERE x.entry_id = e.id AND x.created_at = e.created_at
            ) t
        ) l
        CROSS JOIN LATERAL (SELECT sum(y.pnl) AS pnl FROM disposals y WHERE y.fill_id = e.fill_id) d
        WHERE e.portfolio_id = $1::uuid AND e.life = $2::integer AND e.kind = 'fill'
            AND e.created_at >= s.begins_at AND e.created_at < s.ends_at
        GROUP BY coalesce(e.order_id, e.fill_id)
    ) o
) f
ORDER BY s.ord;

-- name: put_metrics
-- Stores metrics of a portfolio in place of those of their periods: portfolio, life, time, periods, beginnings, ends,
-- whether they are final, types, values, metadata. Those of a later life stay.
INSERT INTO performance_metrics AS m (portfolio_id, life, computed_at, period, period_start, period_end, is_final,
    metric_type, value, metadata, created_at)
SELECT $1::uuid, $2::integer, $3::timestamptz, n.period, n.period_start, n.period_end, n.is_final, n.metric_type,
    n.value, n.metadata, $3
FROM unnest(
    $4::text[], $5::timestamptz[], $6::timestamptz[], $7::boolean[], $8::text[], $9::numeric[], $10::jsonb[]
) AS n (period, period_start, period_end, is_final, metric_type, value, metadata)
ON CONFLICT (portfolio_id, period, period_start, metric_type) DO UPDATE
SET life = excluded.life, computed_at = excluded.computed_at, period_end = excluded.period_end,
    is_final = excluded.is_final, value = excluded.value, metadata = excluded.metadata
WHERE m.life <= excluded.life;

-- name: finish_ended_lives
-- What was measured of lives that have ended is final.
UPDATE performance_metrics m SET is_final = true
FROM portfolios p
WHERE p.id = m.portfolio_id AND NOT m.is_final AND (m.life < p.life OR p.status = 'deleted');

-- name: delete_old_days
-- Deletes what was measured of days that ended before a moment.
DELETE FROM performance_metrics WHERE period = 'day' AND period_end < $1::timestamptz;
