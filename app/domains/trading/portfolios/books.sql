-- name: counts
-- How many portfolios, entries and lines there are.
SELECT (SELECT count(*) FROM portfolios), (SELECT count(*) FROM journal_entries), (SELECT count(*) FROM journal_lines);

-- name: unbalanced_entries
-- Entries whose lines do not add up to zero in each asset, or that have no lines and are not the end of a life.
SELECT 'entry ' || x.entry_id AS subject, x.message FROM (
    SELECT l.entry_id, format('its lines add up to %s %s', sum(l.amount), l.asset) AS message
    FROM journal_lines l GROUP BY l.entry_id, l.asset HAVING sum(l.amount) <> 0
    UNION ALL
    SELECT e.id, 'it has no lines' FROM journal_entries e
    WHERE e.kind NOT IN ('reset', 'closing') AND NOT EXISTS (SELECT FROM journal_lines l WHERE l.entry_id = e.id)
) x ORDER BY x.entry_id LIMIT $1::bigint;

-- name: misplaced_lines
-- Lines without their entry, or of another portfolio or time than it; gaps in the numbers of an entry's lines.
SELECT 'entry ' || x.entry_id AS subject, x.message FROM (
    SELECT l.entry_id, format('line %s has another portfolio or time, or no entry', l.line_no) AS message
    FROM journal_lines l
    LEFT JOIN journal_entries e ON e.id = l.entry_id AND e.created_at = l.created_at
    WHERE e.id IS NULL OR e.portfolio_id IS DISTINCT FROM l.portfolio_id
    UNION ALL
    SELECT l.entry_id, 'a line is missing' FROM journal_lines l GROUP BY l.entry_id HAVING max(l.line_no) <> count(*)
) x ORDER BY x.entry_id LIMIT $1::bigint;

-- name: wrong_balances
-- Portfolios whose cash is not the sum of its lines, or whose contributions are not those of this life.
SELECT 'portfolio ' || p.id AS subject,
    format('cash is %s, its lines add up to %s; contributed is %s, its entries add up to %s', b.balance, s.cash,
        b.contributed, s.contributed) AS message
FROM portfolios p
LEFT JOIN cash_balances b ON b.portfolio_id = p.id
LEFT JOIN LATERAL (
    SELECT coalesce(sum(l.amount) FILTER (WHERE l.account = 'cash' AND l.asset = p.currency), 0) AS cash,
        count(*) FILTER (WHERE l.account = 'cash' AND l.asset <> p.currency) AS foreign_lines,
        CASE WHEN bool_or(e.kind = 'closing') THEN 0 ELSE
            -coalesce(sum(l.amount) FILTER (WHERE l.account = 'external' AND e.life = p.life
                AND e.kind NOT IN ('reset', 'fill', 'transfer')), 0)
        END AS contributed
    FROM journal_entries e LEFT JOIN journal_lines l ON l.entry_id = e.id
    WHERE e.portfolio_id = p.id
) s ON true
WHERE b.balance IS DISTINCT FROM s.cash OR b.contributed IS DISTINCT FROM s.contributed OR s.foreign_lines > 0
ORDER BY p.id LIMIT $1::bigint;

-- name: wrong_positions
-- Positions whose quantity is not the sum of their lines.
SELECT format('portfolio %s %s', x.portfolio_id, x.symbol) AS subject,
    format('quantity is %s, its lines add up to %s', x.quantity, x.amount) AS message
FROM (
    SELECT coalesce(h.portfolio_id, s.portfolio_id) AS portfolio_id, coalesce(h.symbol, s.asset) AS symbol,
        coalesce(h.quantity, 0) AS quantity, coalesce(s.amount, 0) AS amount
    FROM positions h
    FULL JOIN (
        SELECT l.portfolio_id, l.asset, sum(l.amount) AS amount
        FROM journal_lines l WHERE l.account = 'position' GROUP BY l.portfolio_id, l.asset
    ) s ON s.portfolio_id = h.portfolio_id AND s.asset = h.symbol
) x
WHERE x.quantity <> x.amount
ORDER BY x.portfolio_id, x.symbol LIMIT $1::bigint;

-- name: wrong_lots
-- Positions whose quantity, cost or profit is not that of their lots and disposals.
SELECT format('portfolio %s %s', x.portfolio_id, x.symbol) AS subject,
    format('holds %s at a cost of %s, its lots %s at %s; realized is %s, its disposals %s', x.quantity, x.cost,
        x.remaining, x.remaining_cost, x.realized_pnl, x.pnl) AS message
FROM (
    SELECT coalesce(h.portfolio_id, s.portfolio_id) AS portfolio_id, coalesce(h.symbol, s.symbol) AS symbol,
        coalesce(h.quantity, 0) AS quantity, coalesce(h.cost, 0) AS cost, coalesce(h.realized_pnl, 0) AS realized_pnl,
        coalesce(s.remaining, 0) AS remaining, coalesce(s.remaining_cost, 0) AS remaining_cost,
        coalesce(s.pnl, 0) AS pnl
    FROM positions h
    FULL JOIN (
        SELECT l.portfolio_id, l.symbol, sum(l.remaining) AS remaining, sum(l.remaining_cost) AS remaining_cost,
            coalesce(sum(d.pnl), 0) AS pnl
        FROM lots l
        JOIN portfolios p ON p.id = l.portfolio_id AND p.life = l.life
            AND NOT EXISTS (SELECT FROM journal_entries e WHERE e.portfolio_id = p.id AND e.kind = 'closing')
        LEFT JOIN (SELECT lot_id, sum(proceeds - cost) AS pnl FROM disposals GROUP BY lot_id) d ON d.lot_id = l.id
        GROUP BY l.portfolio_id, l.symbol
    ) s ON s.portfolio_id = h.portfolio_id AND s.symbol = h.symbol
) x
WHERE (x.quantity, x.cost, x.realized_pnl) IS DISTINCT FROM (x.remaining, x.remaining_cost, x.pnl)
ORDER BY x.portfolio_id, x.symbol LIMIT $1::bigint;

-- name: wrong_disposals
-- Lots of which more or less was taken than their disposals say, and disposals that are not like their lot.
SELECT 'lot ' || l.id AS subject,
    format('%s at %s remain, its disposals leave %s at %s', l.remaining, l.remaining_cost, l.quantity - d.quantity,
        l.cost - d.cost) AS message
FROM lots l
JOIN portfolios p ON p.id = l.portfolio_id
CROSS JOIN LATERAL (
    SELECT coalesce(sum(x.quantity), 0) AS quantity, coalesce(sum(x.cost), 0) AS cost,
        coalesce(bool_or((x.portfolio_id, x.symbol, x.life, x.acquired_at)
            IS DISTINCT FROM (l.portfolio_id, l.symbol, l.life, l.acquired_at)
            OR x.pnl <> x.proceeds - x.cost), false) AS is_unlike
    FROM disposals x WHERE x.lot_id = l.id
) d
WHERE d.is_unlike OR CASE
    WHEN l.life = p.life
        AND NOT EXISTS (SELECT FROM journal_entries e WHERE e.portfolio_id = p.id AND e.kind = 'closing')
        THEN (l.remaining, l.remaining_cost) <> (l.quantity - d.quantity, l.cost - d.cost)
    ELSE d.quantity > l.quantity OR d.cost > l.cost
END
ORDER BY l.id LIMIT $1::bigint;

-- name: wrong_lives
-- What belongs to a life that has ended, and is still held; entries of lives to come.
SELECT 'portfolio ' || p.id AS subject, x.message
FROM portfolios p
CROSS JOIN LATERAL (
    SELECT format('%s of life %s remain', l.symbol, l.life) AS message FROM lots l
    WHERE l.portfolio_id = p.id AND l.remaining > 0 AND l.life <> p.life
    UNION ALL
    SELECT format('entry %s is of life %s', e.id, e.life) FROM journal_entries e
    WHERE e.portfolio_id = p.id AND e.life > p.life
) x
ORDER BY p.id LIMIT $1::bigint;

-- name: wrong_reservations
-- Portfolios whose reserved cash or coins are not what their orders keep.
SELECT x.subject, format('%s %s are reserved, its orders keep %s', x.reserved, x.asset, x.kept) AS message FROM (
    SELECT 'portfolio ' || b.portfolio_id AS subject, p.currency AS asset, b.reserved, coalesce(o.kept, 0) AS kept
    FROM cash_balances b
    JOIN portfolios p ON p.id = b.portfolio_id
    LEFT JOIN (
        SELECT portfolio_id, sum(reserved + reserved_for_changes) AS kept FROM orders WHERE side = 'buy' GROUP BY 1
    ) o ON o.portfolio_id = b.portfolio_id
    UNION ALL
    SELECT format('portfolio %s %s', coalesce(h.portfolio_id, o.portfolio_id), coalesce(h.symbol, o.symbol)),
        coalesce(h.symbol, o.symbol), coalesce(h.reserved, 0), coalesce(o.kept, 0)
    FROM positions h
    FULL JOIN (
        SELECT portfolio_id, symbol, sum(reserved + reserved_for_changes) AS kept
        FROM orders WHERE side = 'sell' GROUP BY 1, 2
    ) o ON o.portfolio_id = h.portfolio_id AND o.symbol = h.symbol
) x
WHERE x.reserved <> x.kept
ORDER BY x.subject LIMIT $1::bigint;

-- name: wrong_fills
-- Orders that were filled otherwise than their fills add up to. Older ones than six years may have lost some.
SELECT 'order ' || o.id AS subject,
    format('%s are filled for %s with fees of %s, its fills add up to %s for %s with %s', o.filled_quantity,
        o.filled_quote, o.fees, f.quantity, f.quote, f.fees) AS message
FROM orders o
CROSS JOIN LATERAL (
    SELECT coalesce(sum(x.quantity), 0) AS quantity, coalesce(sum(x.quote_quantity), 0) AS quote,
        coalesce(sum(x.fee), 0) AS fees
    FROM fills x WHERE x.order_id = o.id
) f
WHERE o.created_at > statement_timestamp() - interval '6 years'
    AND (o.filled_quantity, o.filled_quote, o.fees) IS DISTINCT FROM (f.quantity, f.quote, f.fees)
ORDER BY o.id LIMIT $1::bigint;
