-- name: lock_cash
-- Locks portfolios with their cash, in the order of their IDs.
SELECT b.portfolio_id, b.balance, b.reserved
FROM portfolios p JOIN cash_balances b ON b.portfolio_id = p.id
WHERE p.id = ANY ($1::uuid[]) ORDER BY p.id FOR NO KEY UPDATE;

-- name: positions_of
-- The positions of these portfolios in these tokens, pair by pair.
SELECT h.portfolio_id, h.symbol, h.quantity, h.reserved, h.cost, h.realized_pnl, h.opened_at
FROM unnest($1::uuid[], $2::text[]) AS k (portfolio_id, symbol)
JOIN positions h ON h.portfolio_id = k.portfolio_id AND h.symbol = k.symbol;

-- name: lots_of
-- The oldest open lots of these portfolios in these tokens, pair by pair: at most so many after these numbers.
SELECT l.portfolio_id, l.symbol, l.id, l.number, l.remaining, l.remaining_cost, l.acquired_at
FROM unnest($1::uuid[], $2::text[], $3::bigint[]) AS k (portfolio_id, symbol, number)
CROSS JOIN LATERAL (
    SELECT i.portfolio_id, i.symbol, i.id, i.number, i.remaining, i.remaining_cost, i.acquired_at FROM lots i
    WHERE i.portfolio_id = k.portfolio_id AND i.symbol = k.symbol AND i.remaining > 0 AND i.number > k.number
    ORDER BY i.number LIMIT $4::bigint
) l
ORDER BY l.number;

-- name: entry_ids
-- Takes IDs for so many entries of this time.
SELECT entry_id(nextval(pg_get_serial_sequence('journal_entries', 'id')), $2::timestamptz)
FROM generate_series(1, $1::integer);

-- name: insert_entries
-- Inserts entries and their lines: IDs, kinds, portfolios, lives, orders, fills, memos, times; of each line its entry,
-- place, account, portfolio, asset, amount, time.
WITH entries AS (
    INSERT INTO journal_entries (id, kind, portfolio_id, life, order_id, fill_id, memo, created_at)
    OVERRIDING SYSTEM VALUE
    SELECT e.id, e.kind, e.portfolio_id, e.life, e.order_id, e.fill_id, e.memo, e.at
    FROM unnest($1::bigint[], $2::text[], $3::uuid[], $4::integer[], $5::uuid[], $6::uuid[], $7::text[],
        $8::timestamptz[]) AS e (id, kind, portfolio_id, life, order_id, fill_id, memo, at)
)
INSERT INTO journal_lines (entry_id, line_no, account, portfolio_id, asset, amount, created_at)
SELECT l.entry_id, l.line_no, l.account, l.portfolio_id, l.asset, l.amount, l.at
FROM unnest($9::bigint[], $10::smallint[], $11::text[], $12::uuid[], $13::text[], $14::numeric[], $15::timestamptz[])
    AS l (entry_id, line_no, account, portfolio_id, asset, amount, at);

-- name: put_cash
-- Sets the cash of locked portfolios: IDs, balances, reserved, time.
UPDATE cash_balances b SET balance = n.balance, reserved = n.reserved, updated_at = $4::timestamptz
FROM unnest($1::uuid[], $2::numeric[], $3::numeric[]) AS n (id, balance, reserved)
WHERE b.portfolio_id = n.id AND (b.balance, b.reserved) IS DISTINCT FROM (n.balance, n.reserved);

-- name: put_positions
-- Sets positions of locked portfolios: portfolios, symbols, quantities, reserved, costs, profits, opening times, time.
INSERT INTO positions AS p (portfolio_id, symbol, quantity, reserved, cost, realized_pnl, opened_at, updated_at)
SELECT n.portfolio_id, n.symbol, n.quantity, n.reserved, n.cost, n.realized_pnl, n.opened_at, $8::timestamptz
FROM unnest($1::uuid[], $2::text[], $3::numeric[], $4::numeric[], $5::numeric[], $6::numeric[], $7::timestamptz[])
    AS n (portfolio_id, symbol, quantity, reserved, cost, realized_pnl, opened_at)
ON CONFLICT (portfolio_id, symbol) DO UPDATE
SET quantity = excluded.quantity, reserved = excluded.reserved, cost = excluded.cost,
    realized_pnl = excluded.realized_pnl, opened_at = excluded.opened_at, updated_at = excluded.updated_at;

-- name: insert_lots
-- Inserts lots in the order in which they were bought: IDs, portfolios, lives, symbols, fills, quantities, what
-- remains, costs, the costs of what remains, times.
INSERT INTO lots (id, portfolio_id, life, symbol, fill_id, quantity, remaining, cost, remaining_cost, acquired_at)
SELECT n.id, n.portfolio_id, n.life, n.symbol, n.fill_id, n.quantity, n.remaining, n.cost, n.remaining_cost, n.at
FROM unnest($1::uuid[], $2::uuid[], $3::integer[], $4::text[], $5::uuid[], $6::numeric[], $7::numeric[],
    $8::numeric[], $9::numeric[], $10::timestamptz[]) WITH ORDINALITY
    AS n (id, portfolio_id, life, symbol, fill_id, quantity, remaining, cost, remaining_cost, at, ord)
ORDER BY n.ord;

-- name: put_lots
-- Sets what remains of lots of locked portfolios: IDs, quantities, costs.
UPDATE lots l SET remaining = n.remaining, remaining_cost = n.cost
FROM unnest($1::uuid[], $2::numeric[], $3::numeric[]) AS n (id, remaining, cost) WHERE l.id = n.id;

-- name: insert_disposals
-- Inserts what was sold of lots: lots, fills, portfolios, lives, symbols, quantities, costs, proceeds, times of buying
-- and selling.
INSERT INTO disposals (lot_id, fill_id, portfolio_id, life, symbol, quantity, cost, proceeds, acquired_at, disposed_at)
SELECT n.lot_id, n.fill_id, n.portfolio_id, n.life, n.symbol, n.quantity, n.cost, n.proceeds, n.acquired_at, n.at
FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::integer[], $5::text[], $6::numeric[], $7::numeric[],
    $8::numeric[], $9::timestamptz[], $10::timestamptz[]) WITH ORDINALITY
    AS n (lot_id, fill_id, portfolio_id, life, symbol, quantity, cost, proceeds, acquired_at, at, ord)
ORDER BY n.ord;
