-- name: portfolios_by_ids
-- Portfolios with these ids that were not deleted.
SELECT id, user_id, name, mode, currency, is_default, status, life, life_began_at, initial_balance, created_at,
    updated_at, exchange_account_id
FROM portfolios WHERE id = ANY ($1::uuid[]) AND status <> 'deleted';

-- name: portfolios_by_accounts
-- The portfolios that belong to these accounts.
SELECT id, user_id, name, mode, currency, is_default, status, life, life_began_at, initial_balance, created_at,
    updated_at, exchange_account_id
FROM portfolios WHERE exchange_account_id = ANY ($1::uuid[]) AND status <> 'deleted';

-- name: portfolios_by_user
-- The portfolios of a user.
SELECT id, user_id, name, mode, currency, is_default, status, life, life_began_at, initial_balance, created_at,
    updated_at, exchange_account_id
FROM portfolios WHERE user_id = {key::uuid};

-- name: default_portfolios
-- The default portfolios of these users.
SELECT id, user_id, name, mode, currency, is_default, status, life, life_began_at, initial_balance, created_at,
    updated_at, exchange_account_id
FROM portfolios WHERE user_id = ANY ($1::uuid[]) AND is_default;

-- name: balances_by_portfolios
-- The cash of these portfolios.
SELECT b.portfolio_id, p.currency, b.balance, b.reserved, b.balance - b.reserved AS available, b.contributed
FROM cash_balances b JOIN portfolios p ON p.id = b.portfolio_id WHERE b.portfolio_id = ANY ($1::uuid[]);

-- name: positions_by_portfolio
-- The positions of a portfolio, each at the newest quote of its token.
SELECT h.portfolio_id, h.symbol, p.currency, h.quantity, h.reserved, h.quantity - h.reserved AS available, h.cost,
    round(h.cost / nullif(h.quantity, 0), 8) AS average_cost, h.realized_pnl, h.opened_at, h.updated_at, q.price,
    q.last_updated AS quoted_at, round(h.quantity * q.price, 8) AS market_value,
    round(h.quantity * q.price, 8) - h.cost AS unrealized_pnl,
    round(h.quantity * q.price / nullif(b.balance + coalesce(sum(h.quantity * q.price) OVER (), 0), 0), 8) AS weight,
    h.quantity > 0 AS is_held
FROM positions h
JOIN portfolios p ON p.id = h.portfolio_id
JOIN cash_balances b ON b.portfolio_id = h.portfolio_id
LEFT JOIN LATERAL (
    SELECT CASE p.currency WHEN 'AUD' THEN m.price_aud ELSE m.price_usd END AS price, m.last_updated
    FROM market_data m WHERE m.symbol = h.symbol ORDER BY m.last_updated DESC LIMIT 1
) q ON true
WHERE h.portfolio_id = {key::uuid};

-- name: holdings_by_portfolios
-- The cash of each portfolio with each token that it holds, at the newest quote; one row if it holds none. None holds
-- more than this limit.
SELECT k.ord, p.user_id, p.currency, b.balance AS cash, b.reserved, b.contributed, h.symbol, h.quantity, h.cost,
    q.price, q.last_updated AS quoted_at, concat_ws(' ', b.xmin, v.updated_at) AS version
FROM unnest($1::uuid[]) WITH ORDINALITY AS k (id, ord)
JOIN portfolios p ON p.id = k.id
JOIN cash_balances b ON b.portfolio_id = k.id
CROSS JOIN LATERAL (SELECT max(i.updated_at) AS updated_at FROM positions i WHERE i.portfolio_id = k.id) v
LEFT JOIN LATERAL (
    SELECT i.symbol, i.quantity, i.cost FROM positions i
    WHERE i.portfolio_id = k.id AND i.quantity > 0 ORDER BY i.symbol LIMIT 300
) h ON true
LEFT JOIN LATERAL (
    SELECT CASE p.currency WHEN 'AUD' THEN m.price_aud ELSE m.price_usd END AS price, m.last_updated
    FROM market_data m WHERE m.symbol = h.symbol ORDER BY m.last_updated DESC LIMIT 1
) q ON true
ORDER BY k.ord, h.symbol;

-- name: versions_of_holdings
-- The owners of these portfolios, and the versions of what they hold, as above: xmin is the transaction that last wrote
-- the cash.
SELECT p.id, p.user_id, concat_ws(' ', b.xmin, v.updated_at)
FROM portfolios p
JOIN cash_balances b ON b.portfolio_id = p.id
CROSS JOIN LATERAL (SELECT max(i.updated_at) AS updated_at FROM positions i WHERE i.portfolio_id = p.id) v
WHERE p.id = ANY ($1::uuid[]);

-- name: balances_by_users
-- The cash of the portfolios of these users in dollars. Australian dollars are converted by the newest quote; without
-- one they are left out.
SELECT p.user_id,
    round(coalesce(sum(v.usd) FILTER (WHERE p.mode = 'paper'), 0), 8) AS paper,
    round(coalesce(sum(v.usd) FILTER (WHERE p.mode = 'live'), 0), 8) AS live
FROM portfolios p
JOIN cash_balances b ON b.portfolio_id = p.id
LEFT JOIN (SELECT m.price_usd / m.price_aud AS usd FROM market_data m ORDER BY m.last_updated DESC LIMIT 1) aud ON true
CROSS JOIN LATERAL (SELECT b.balance * CASE p.currency WHEN 'AUD' THEN aud.usd ELSE 1 END AS usd) v
WHERE p.user_id = ANY ($1::uuid[])
GROUP BY p.user_id;

-- name: lock_user
-- Lets one transaction at a time change which portfolios a user has, and which is the default.
SELECT pg_advisory_xact_lock(hashtextextended('moneta.portfolios:' || $1::text, 0));

-- name: lock_portfolios
-- Locks all portfolios of a user, in the order of their ids, as the matcher locks those of a batch.
SELECT id FROM portfolios WHERE user_id = $1 ORDER BY id FOR NO KEY UPDATE;

-- name: count_portfolios
-- How many portfolios a user has.
SELECT count(*) FROM portfolios WHERE user_id = $1;

-- name: others_stay
-- Whether a user has other portfolios than this one, which are not being deleted.
SELECT EXISTS (SELECT FROM portfolios WHERE user_id = $1 AND id <> $2 AND status <> 'deleting');

-- name: account_for_portfolio
-- An account of this user that a portfolio is to belong to, and the portfolio that does: account, user. It is locked.
SELECT a.status,
    (SELECT p.id FROM portfolios p WHERE p.exchange_account_id = a.id AND p.status <> 'deleted') AS taken_by
FROM exchange_accounts a WHERE a.id = $1::uuid AND a.user_id = $2::uuid FOR UPDATE;

-- name: join_account
-- A live portfolio belongs to an account from now on, and begins with what that holds: portfolio, account, time.
WITH joined AS (
    UPDATE portfolios SET exchange_account_id = $2::uuid WHERE id = $1::uuid
)
INSERT INTO reconciliations (account_id, portfolio_id, adopts, created_at) VALUES ($2, $1, true, $3::timestamptz)
ON CONFLICT (account_id) WHERE status = 'asked' DO UPDATE SET adopts = true;

-- name: insert_portfolio
-- Inserts a portfolio, the default if it is the first, with its balance: user, name, mode, currency, initial balance,
-- time.
WITH made AS (
    INSERT INTO portfolios (user_id, name, mode, currency, initial_balance, life_began_at, created_at, updated_at,
        is_default)
    SELECT $1::uuid, $2::text, $3::text, $4::text, $5::numeric, $6::timestamptz, $6, $6,
        NOT EXISTS (SELECT FROM portfolios WHERE user_id = $1 AND is_default)
    RETURNING id
), balance AS (
    INSERT INTO cash_balances (portfolio_id, updated_at) SELECT id, $6 FROM made
)
SELECT id FROM made;

-- name: lock_portfolio
-- Locks a portfolio of this user, with its cash.
SELECT p.id, p.user_id, p.mode, p.currency, p.is_default, p.status, p.life, p.initial_balance, b.balance AS cash,
    b.reserved,
    (
        SELECT a.exchange FROM exchange_accounts a WHERE a.id = p.exchange_account_id AND a.status = 'connected'
    ) AS exchange
FROM portfolios p JOIN cash_balances b ON b.portfolio_id = p.id
WHERE p.id = $1 AND p.user_id = $2
FOR NO KEY UPDATE;

-- name: lock_closing
-- Locks a portfolio that is being reset or deleted, with its cash.
SELECT p.id, p.user_id, p.mode, p.currency, p.is_default, p.status, p.life, p.initial_balance, b.balance AS cash,
    b.reserved,
    (
        SELECT a.exchange FROM exchange_accounts a WHERE a.id = p.exchange_account_id AND a.status = 'connected'
    ) AS exchange
FROM portfolios p JOIN cash_balances b ON b.portfolio_id = p.id
WHERE p.id = $1 AND p.status IN ('resetting', 'deleting')
FOR NO KEY UPDATE;

-- name: held_quantities
-- The quantities that a portfolio holds.
SELECT symbol, quantity FROM positions WHERE portfolio_id = $1 AND quantity > 0 ORDER BY symbol;

-- name: rename_portfolio
-- Renames a portfolio.
UPDATE portfolios SET name = $2 WHERE id = $1 AND name <> $2;

-- name: clear_default
-- No portfolio of a user is the default.
UPDATE portfolios SET is_default = false WHERE user_id = $1 AND is_default;

-- name: set_default
-- Makes a portfolio the default of its user, where none is.
UPDATE portfolios SET is_default = true WHERE id = $1;

-- name: set_oldest_default
-- Makes the oldest portfolio of a user that is not being deleted the default.
UPDATE portfolios SET is_default = true
WHERE id = (SELECT id FROM portfolios WHERE user_id = $1 AND status <> 'deleting' ORDER BY created_at, id LIMIT 1);

-- name: set_status
-- Sets what may be done with a portfolio.
UPDATE portfolios SET status = $2 WHERE id = $1;

-- name: begin_life
-- Begins the next life of a portfolio.
UPDATE portfolios SET life = life + 1, life_began_at = $2, status = 'open' WHERE id = $1;

-- name: delete_portfolio
-- Makes a portfolio a deleted one, of nobody. Its trail of money is kept.
UPDATE portfolios SET user_id = NULL, deleted_at = $2 WHERE id = $1;
