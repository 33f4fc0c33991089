-- name: market_terms
-- What decides whether an order can be placed: portfolio, user, symbol, client order id, side, time.
SELECT t.is_active AS is_listed,
    coalesce(b.is_halted, s.is_halted, false) OR EXISTS (
        SELECT FROM trading_halts h WHERE h.user_id IS NULL AND (h.symbol IS NULL OR h.symbol = k.symbol)
    ) AS is_halted,
    coalesce(b.is_delisted, false) AS is_delisted, b.price_usd, b.price_aud, b.quoted_at,
    coalesce(
        (
            SELECT f.subscription_tier FROM profiles f
            WHERE f.user_id = $2::uuid
                AND (f.subscription_expires_at IS NULL OR f.subscription_expires_at > $6::timestamptz)
        ), 'free'
    ) AS tier,
    EXISTS (SELECT FROM trading_halts h WHERE h.user_id = $2) AS is_user_halted,
    (
        SELECT o.id FROM orders o WHERE o.portfolio_id = $1::uuid AND o.client_order_id = $4::text
    ) AS duplicate_id,
    coalesce(h.quantity - h.reserved, 0) AS held,
    CASE WHEN $5::text = 'buy' AND h.symbol IS NULL THEN (
        SELECT count(*) FROM (
            SELECT p.symbol FROM positions p WHERE p.portfolio_id = $1
            UNION
            SELECT o.symbol FROM orders o
            WHERE o.portfolio_id = $1 AND o.status IN ('pending', 'partial') AND o.side = 'buy'
        ) x WHERE x.symbol <> k.symbol
    ) ELSE 0 END AS other_tokens
FROM (VALUES ($3::text)) AS k (symbol)
LEFT JOIN tokens t ON t.symbol = k.symbol
LEFT JOIN exchange_books b ON b.symbol = k.symbol
LEFT JOIN exchange_state s ON true
LEFT JOIN positions h ON h.portfolio_id = $1 AND h.symbol = k.symbol;

-- name: place_orders
-- Inserts orders of a locked portfolio and puts the first into the inbox: portfolio, life, mode, symbol, orders, cash
-- and coins to reserve, time.
WITH given AS (
    SELECT o.* FROM jsonb_to_recordset($5::jsonb) AS o (
        id uuid, side text, type text, time_in_force text, expires_at timestamptz, post_only boolean,
        reduce_only boolean, sells_all boolean, quantity numeric, quote_amount numeric, bound numeric, price numeric,
        stop_price numeric, trail_amount numeric, trail_fraction numeric, protection_price numeric,
        maker_fee_fraction numeric, taker_fee_fraction numeric, reserve_rate numeric, reserved numeric,
        client_order_id text, bracket_id uuid, bracket_role text, bot_id uuid
    )
), made AS (
    INSERT INTO orders (id, portfolio_id, life, symbol, side, type, time_in_force, expires_at, post_only, reduce_only,
        sells_all, quantity, quote_amount, bound, price, stop_price, trail_amount, trail_fraction, protection_price,
        maker_fee_fraction, taker_fee_fraction, reserve_rate, reserved, mode, client_order_id, bracket_id,
        bracket_role, bot_id, created_at, updated_at)
    SELECT g.id, $1::uuid, $2::integer, $4::text, g.side, g.type, g.time_in_force, g.expires_at, g.post_only,
        g.reduce_only, g.sells_all, g.quantity, g.quote_amount, g.bound, g.price, g.stop_price, g.trail_amount,
        g.trail_fraction, g.protection_price, g.maker_fee_fraction, g.taker_fee_fraction, g.reserve_rate, g.reserved,
        $3::text, g.client_order_id, g.bracket_id, g.bracket_role, g.bot_id, $8::timestamptz,
        $8
    FROM given g
), cash AS (
    UPDATE cash_balances SET reserved = reserved + $6::numeric, updated_at = $8
    WHERE portfolio_id = $1 AND $6::numeric > 0
), coins AS (
    UPDATE positions SET reserved = reserved + $7::numeric, updated_at = $8
    WHERE portfolio_id = $1 AND symbol = $4 AND $7::numeric > 0
)
INSERT INTO exchange_inbox (kind, symbol, order_id, created_at)
SELECT 'place', $4, g.id, $8 FROM given g WHERE g.bracket_role IS NULL OR g.bracket_role = 'entry';

-- name: place_live_order
-- Inserts an order of a locked portfolio, with what is to be sent to its exchange: portfolio, life, symbol, order, cash
-- and coins to reserve, time, exchange, market.
WITH given AS (
    SELECT o.* FROM jsonb_to_record($4::jsonb) AS o (
        id uuid, side text, type text, time_in_force text, post_only boolean, reduce_only boolean, sells_all boolean,
        quantity numeric, price numeric, stop_price numeric, protection_price numeric, maker_fee_fraction numeric,
        taker_fee_fraction numeric, reserved numeric, client_order_id text
    )
), made AS (
    INSERT INTO orders (id, portfolio_id, life, symbol, side, type, time_in_force, post_only, reduce_only, sells_all,
        quantity, price, stop_price, protection_price, maker_fee_fraction, taker_fee_fraction, reserved, mode,
        exchange, client_order_id, created_at, updated_at)
    SELECT g.id, $1::uuid, $2::integer, $3::text, g.side, g.type, g.time_in_force, g.post_only, g.reduce_only,
        g.sells_all, g.quantity, g.price, g.stop_price, g.protection_price, g.maker_fee_fraction, g.taker_fee_fraction,
        g.reserved, 'live', $8::text, g.client_order_id, $7::timestamptz, $7
    FROM given g
    RETURNING id, quantity, price, protection_price
), cash AS (
    UPDATE cash_balances SET reserved = reserved + $5::numeric, updated_at = $7
    WHERE portfolio_id = $1 AND $5::numeric > 0
), coins AS (
    UPDATE positions SET reserved = reserved + $6::numeric, updated_at = $7
    WHERE portfolio_id = $1 AND symbol = $3 AND $6::numeric > 0
)
INSERT INTO venue_orders (id, order_id, number, account_id, portfolio_id, symbol, market, quantity, price, created_at)
SELECT m.id, m.id, 1, p.exchange_account_id, $1, $3, $9::text, m.quantity, coalesce(m.price, m.protection_price), $7
FROM made m, portfolios p WHERE p.id = $1;

-- name: change_live_order
-- Asks for a change of an order at an exchange: what is there is cancelled, and then what is left of the changed one is
-- sent. Order, portfolio, symbol, quantity, price, cash and coins to reserve, time, ID of what is to be sent. The
-- caller has locked the portfolio. Returns a row unless there is nothing to cancel any more.
WITH active AS (
    UPDATE venue_orders SET cancel_asked_at = $8::timestamptz, cancel_reason = 'replaced'
    WHERE order_id = $1::uuid AND state IN ('waiting', 'sending', 'open') AND cancel_asked_at IS NULL
    RETURNING number, account_id, market
), noted AS (
    UPDATE orders SET reserved_for_changes = reserved_for_changes + $6::numeric + $7::numeric
    WHERE id = $1 AND $6::numeric + $7::numeric > 0 AND EXISTS (SELECT FROM active)
), cash AS (
    UPDATE cash_balances SET reserved = reserved + $6, updated_at = $8
    WHERE portfolio_id = $2::uuid AND $6::numeric > 0 AND EXISTS (SELECT FROM active)
), coins AS (
    UPDATE positions SET reserved = reserved + $7, updated_at = $8
    WHERE portfolio_id = $2 AND symbol = $3::text AND $7::numeric > 0 AND EXISTS (SELECT FROM active)
)
INSERT INTO venue_orders (id, order_id, number, account_id, portfolio_id, symbol, market, quantity, price, state,
    created_at)
SELECT $9::uuid, $1, a.number + 1, a.account_id, $2, $3, a.market, $4::numeric, $5::numeric, 'held', $8 FROM active a
RETURNING true;

-- name: open_live_orders
-- The open orders of a user at exchanges, oldest first: at most so many.
SELECT o.id FROM portfolios p JOIN orders o ON o.portfolio_id = p.id AND o.status IN ('pending', 'partial')
WHERE p.user_id = $1::uuid AND p.mode = 'live' ORDER BY o.created_at, o.id LIMIT $2::bigint;

-- name: cancel_order
-- Asks for the cancellation of an order of this user, if it is open; returns its status: order, user, time.
WITH found AS (
    SELECT o.id, o.symbol, o.status, o.mode FROM orders o JOIN portfolios p ON p.id = o.portfolio_id
    WHERE o.id = $1::uuid AND p.user_id = $2::uuid
), asked AS (
    INSERT INTO exchange_inbox (kind, symbol, order_id, payload, created_at)
    SELECT 'cancel', f.symbol, f.id, jsonb_build_object('reason', 'requested'), $3::timestamptz
    FROM found f WHERE f.status IN ('pending', 'partial') AND f.mode = 'paper'
), sent AS (
    UPDATE venue_orders v SET cancel_asked_at = $3, cancel_reason = 'requested'
    FROM found f
    WHERE v.order_id = f.id AND f.mode = 'live' AND v.state IN ('held', 'waiting', 'sending', 'open')
        AND (v.cancel_asked_at IS NULL OR v.cancel_reason = 'replaced')
)
SELECT status FROM found;

-- name: cancel_orders
-- Asks for the cancellation of the open orders of portfolios: portfolios, symbol (null: all), reason, time. Returns how
-- many there are. The caller has locked the portfolios.
WITH open AS (
    SELECT o.id, o.symbol, o.mode, o.created_at FROM orders o
    WHERE o.portfolio_id = ANY ($1::uuid[]) AND o.status IN ('pending', 'partial')
        AND ($2::text IS NULL OR o.symbol = $2)
), asked AS (
    INSERT INTO exchange_inbox (kind, symbol, order_id, payload, created_at)
    SELECT 'cancel', o.symbol, o.id, jsonb_build_object('reason', $3::text), $4::timestamptz
    FROM open o WHERE o.mode = 'paper' ORDER BY o.created_at, o.id
), sent AS (
    UPDATE venue_orders v SET cancel_asked_at = $4, cancel_reason = $3
    WHERE v.order_id IN (SELECT o.id FROM open o WHERE o.mode = 'live')
        AND v.state IN ('held', 'waiting', 'sending', 'open')
        AND (v.cancel_asked_at IS NULL OR v.cancel_reason = 'replaced')
)
SELECT count(*) FROM open;

-- name: portfolio_of_order
-- The portfolio of an order of this user.
SELECT o.portfolio_id FROM orders o JOIN portfolios p ON p.id = o.portfolio_id WHERE o.id = $1 AND p.user_id = $2;

-- name: visible_orders
-- How many of these orders are in portfolios of this user.
SELECT count(*) FROM orders o JOIN portfolios p ON p.id = o.portfolio_id
WHERE o.id = ANY ($1::uuid[]) AND p.user_id = $2;

-- name: order_to_change
-- An order of a locked portfolio, and whether an earlier change of it is still to be decided.
SELECT id, symbol, side, type, time_in_force, expires_at, post_only, sells_all, quantity, quote_amount, price,
    stop_price, trail_amount, trail_fraction, protection_price, taker_fee_fraction, reserve_rate, filled_quantity,
    status, bracket_role, bot_id, priority IS NOT NULL AS is_placed, triggered_at IS NOT NULL AS is_triggered,
    EXISTS (
        SELECT FROM exchange_inbox i WHERE i.number IS NULL AND i.kind = 'replace' AND i.order_id = $1
    ) OR EXISTS (SELECT FROM venue_orders v WHERE v.order_id = $1 AND v.state = 'held') AS is_changing
FROM orders WHERE id = $1;

-- name: change_order
-- Asks for a change of an order, and reserves what it may need in addition: order, portfolio, symbol, payload, cash,
-- coins, time. The caller has locked the portfolio.
WITH noted AS (
    UPDATE orders SET reserved_for_changes = reserved_for_changes + $5::numeric + $6::numeric
    WHERE id = $1::uuid AND $5::numeric + $6::numeric > 0
), cash AS (
    UPDATE cash_balances SET reserved = reserved + $5, updated_at = $7::timestamptz
    WHERE portfolio_id = $2::uuid AND $5::numeric > 0
), coins AS (
    UPDATE positions SET reserved = reserved + $6, updated_at = $7
    WHERE portfolio_id = $2 AND symbol = $3::text AND $6::numeric > 0
)
INSERT INTO exchange_inbox (kind, symbol, order_id, payload, created_at) VALUES ('replace', $3, $1, $4::jsonb, $7);

-- name: readable_portfolio
-- A portfolio of this user, with its cash; not locked.
SELECT p.id, p.user_id, p.mode, p.currency, p.is_default, p.status, p.life, p.initial_balance, b.balance AS cash,
    b.reserved,
    (
        SELECT a.exchange FROM exchange_accounts a WHERE a.id = p.exchange_account_id AND a.status = 'connected'
    ) AS exchange
FROM portfolios p JOIN cash_balances b ON b.portfolio_id = p.id
WHERE p.id = $1 AND p.user_id = $2;
