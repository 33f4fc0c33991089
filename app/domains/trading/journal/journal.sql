-- name: entries_by_ids
-- Entries with these ids.
SELECT e.id, e.kind, e.portfolio_id, e.life, e.order_id, e.fill_id, e.memo, e.created_at
FROM unnest($1::bigint[]) AS k (id)
CROSS JOIN LATERAL (
    SELECT i.id, i.kind, i.portfolio_id, i.life, i.order_id, i.fill_id, i.memo, i.created_at FROM journal_entries i
    WHERE i.id = k.id AND i.created_at >= entry_month(k.id) AND i.created_at < month_after_entry(k.id) LIMIT 1
) e;

-- name: entries_by_portfolio
-- The entries of a portfolio, those of earlier lives as well.
SELECT id, kind, portfolio_id, life, order_id, fill_id, memo, created_at
FROM journal_entries WHERE portfolio_id = {key::uuid};

-- name: lines_by_entry
-- The lines of an entry.
SELECT entry_id, line_no, account, asset, amount FROM journal_lines
WHERE entry_id = {key::bigint} AND created_at >= entry_month({key::bigint})
    AND created_at < month_after_entry({key::bigint});

-- name: lots_by_portfolio
-- The lots of a portfolio, those of earlier lives as well.
SELECT l.id, l.portfolio_id, l.life, l.symbol, l.number, l.quantity, l.remaining, l.cost, l.remaining_cost,
    l.acquired_at, (SELECT p.currency FROM portfolios p WHERE p.id = l.portfolio_id) AS currency,
    round(l.cost / l.quantity, 8) AS average_cost, l.remaining > 0 AS is_open
FROM lots l WHERE l.portfolio_id = {key::uuid};

-- name: disposals_by_portfolio
-- What a portfolio sold of its lots, in earlier lives as well.
SELECT d.id, d.portfolio_id, d.life, d.symbol, d.quantity, d.cost, d.proceeds, d.pnl, d.acquired_at, d.disposed_at,
    (SELECT p.currency FROM portfolios p WHERE p.id = d.portfolio_id) AS currency
FROM disposals d WHERE d.portfolio_id = {key::uuid};

-- name: post_entry
-- Inserts an entry with its lines and changes the cash of its portfolio: kind, portfolio, life, order, fill, memo,
-- time, accounts, assets, amounts, cash, contributed (null: none any more).
WITH entry AS (
    INSERT INTO journal_entries (kind, portfolio_id, life, order_id, fill_id, memo, created_at)
    VALUES ($1::text, $2::uuid, $3::integer, $4::uuid, $5::uuid, $6::text, $7::timestamptz)
    RETURNING id
), lines AS (
    INSERT INTO journal_lines (entry_id, line_no, account, portfolio_id, asset, amount, created_at)
    SELECT entry.id, l.line_no, l.account, $2, l.asset, l.amount, $7
    FROM entry, unnest($8::text[], $9::text[], $10::numeric[]) WITH ORDINALITY AS l (account, asset, amount, line_no)
), cash AS (
    UPDATE cash_balances
    SET balance = balance + $11::numeric,
        contributed = CASE WHEN $12::numeric IS NULL THEN 0 ELSE contributed + $12 END, updated_at = $7
    WHERE portfolio_id = $2
    RETURNING portfolio_id
)
SELECT entry.id, (SELECT count(*) FROM cash) AS balances FROM entry;

-- name: end_lots
-- Nothing remains of the lots of a portfolio, whose life has ended.
UPDATE lots SET remaining = 0, remaining_cost = 0 WHERE portfolio_id = $1 AND remaining > 0;

-- name: delete_positions
-- Deletes the positions of a portfolio, whose life has ended.
DELETE FROM positions WHERE portfolio_id = $1;
