-- name: ask
-- Asks for a comparison of an account, unless one is asked for: account, whether it corrects balances, time. Returns
-- the one that is asked for.
WITH asked AS (
    INSERT INTO reconciliations AS r (account_id, portfolio_id, adopts, created_at)
    SELECT $1::uuid, (SELECT p.id FROM portfolios p WHERE p.exchange_account_id = $1 AND p.status <> 'deleted'),
        $2::boolean, $3::timestamptz
    ON CONFLICT (account_id) WHERE status = 'asked' DO UPDATE SET adopts = r.adopts OR excluded.adopts
    RETURNING r.id
)
SELECT id FROM asked;

-- name: ask_all
-- Asks for a comparison of each connected account that has a portfolio: time. Returns the accounts.
INSERT INTO reconciliations (account_id, portfolio_id, created_at)
SELECT a.id, p.id, $1::timestamptz
FROM exchange_accounts a JOIN portfolios p ON p.exchange_account_id = a.id AND p.status = 'open'
WHERE a.status = 'connected'
ON CONFLICT (account_id) WHERE status = 'asked' DO NOTHING
RETURNING account_id;

-- name: asked
-- The comparison that is asked for of an account.
SELECT r.id, r.adopts, r.attempts, r.portfolio_id FROM reconciliations r WHERE r.account_id = $1 AND r.status = 'asked';

-- name: note_attempt
-- A comparison did not succeed: its ID.
UPDATE reconciliations SET attempts = attempts + 1 WHERE id = $1;

-- name: finish
-- Ends a comparison: its ID, status, the number of differences, time, portfolio.
UPDATE reconciliations SET status = $2::text, difference_count = $3::integer, finished_at = $4::timestamptz,
    portfolio_id = coalesce(portfolio_id, $5::uuid)
WHERE id = $1::uuid AND status = 'asked';

-- name: insert_differences
-- Inserts what does not agree: comparison, kinds, subjects, orders, quantities in the books and at the exchange,
-- whether they were corrected.
INSERT INTO reconciliation_differences (reconciliation_id, account_id, number, kind, subject, order_id, in_books,
    at_exchange, is_corrected)
SELECT r.id, r.account_id, n.ord, n.kind, n.subject, n.order_id, n.in_books, n.at_exchange, n.is_corrected
FROM reconciliations r,
    unnest($2::text[], $3::text[], $4::uuid[], $5::numeric[], $6::numeric[], $7::boolean[]) WITH ORDINALITY
        AS n (kind, subject, order_id, in_books, at_exchange, is_corrected, ord)
WHERE r.id = $1::uuid;

-- name: books
-- What the books say of the cash and the tokens of a portfolio, and the newest prices; cash is USD.
SELECT 'USD' AS asset, b.balance AS quantity, b.reserved, 1::numeric AS price
FROM cash_balances b WHERE b.portfolio_id = $1::uuid
UNION ALL
SELECT h.symbol, h.quantity, h.reserved, q.price_usd
FROM positions h
LEFT JOIN LATERAL (
    SELECT m.price_usd FROM market_data m WHERE m.symbol = h.symbol AND m.price_usd > 0
    ORDER BY m.last_updated DESC LIMIT 1
) q ON true
WHERE h.portfolio_id = $1;

-- name: version_of_books
-- Another text after each change of what a portfolio holds or has sent.
SELECT concat_ws(' ', b.balance, b.reserved,
    (SELECT max(h.updated_at) FROM positions h WHERE h.portfolio_id = $1::uuid),
    (SELECT count(*) FROM venue_orders v WHERE v.portfolio_id = $1 AND v.state = 'sending'),
    (SELECT sum(v.filled_quantity) FROM venue_orders v WHERE v.portfolio_id = $1))
FROM cash_balances b WHERE b.portfolio_id = $1;

-- name: sent_now
-- What is active at an account: ID, order, market, state, the exchange's ID.
SELECT v.id, v.order_id, v.market, v.state, v.exchange_order_id FROM venue_orders v
WHERE v.account_id = $1 AND v.state IN ('sending', 'open');

-- name: given_up
-- What was sent since a moment and has been given up: account, time.
SELECT v.id FROM venue_orders v WHERE v.account_id = $1::uuid AND v.state = 'absent' AND v.sent_at >= $2::timestamptz;

-- name: markets_of_account
-- The markets in which an account has traded, or may have.
SELECT DISTINCT v.market FROM venue_orders v WHERE v.account_id = $1 AND v.sent_at IS NOT NULL;

-- name: trades_since
-- The trades of an account in a market that have been settled, since a moment.
SELECT t.market, t.trade_id FROM venue_trades t
WHERE t.account_id = $1::uuid AND t.market = $2::text AND t.traded_at >= $3::timestamptz;

-- name: delete_old_reports
-- Deletes reports from before a moment: at most so many.
DELETE FROM reconciliations WHERE id IN (
    SELECT r.id FROM reconciliations r WHERE r.created_at < $1::timestamptz AND r.status <> 'asked'
    ORDER BY r.created_at LIMIT $2::bigint
);

-- name: reconciliations_by_account
-- The comparisons of an account.
SELECT id, account_id, adopts, status, difference_count, created_at, finished_at
FROM reconciliations WHERE account_id = {key::uuid};

-- name: reconciliations_by_ids
-- Comparisons with these ids.
SELECT id, account_id, adopts, status, difference_count, created_at, finished_at
FROM reconciliations WHERE id = ANY ($1::uuid[]);

-- name: differences_by_reconciliation
-- What a comparison has found.
SELECT reconciliation_id, number, kind, subject, order_id, in_books, at_exchange, is_corrected
FROM reconciliation_differences WHERE reconciliation_id = {key::uuid};
