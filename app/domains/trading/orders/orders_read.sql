-- name: orders_by_ids
-- Orders with these ids.
SELECT id, portfolio_id, life, symbol, side, type, time_in_force, expires_at, post_only, reduce_only, quantity,
    quote_amount, price, stop_price, trail_amount, trail_fraction, protection_price, reserved, filled_quantity,
    filled_quote, average_fill_price, fees, status, reason, mode, exchange, client_order_id, bracket_id, bracket_role,
    triggered_at, created_at, updated_at, filled_at, cancelled_at
FROM orders WHERE id = ANY ($1::uuid[]);

-- name: orders_by_client_keys
-- Orders by their portfolio and the client's own id of them: both, with a colon between.
SELECT o.id, o.portfolio_id, o.life, o.symbol, o.side, o.type, o.time_in_force, o.expires_at, o.post_only,
    o.reduce_only, o.quantity, o.quote_amount, o.price, o.stop_price, o.trail_amount, o.trail_fraction,
    o.protection_price, o.reserved, o.filled_quantity, o.filled_quote, o.average_fill_price, o.fees, o.status,
    o.reason, o.mode, o.exchange, o.client_order_id, o.bracket_id, o.bracket_role, o.triggered_at, o.created_at,
    o.updated_at, o.filled_at, o.cancelled_at
FROM unnest($1::text[]) AS k (client_key)
JOIN orders o ON o.portfolio_id = left(k.client_key, 36)::uuid AND o.client_order_id = substr(k.client_key, 38);

-- name: orders_by_brackets
-- The orders of each bracket: entry, take profit, stop loss.
SELECT k.ord, o.id, o.portfolio_id, o.life, o.symbol, o.side, o.type, o.time_in_force, o.expires_at, o.post_only,
    o.reduce_only, o.quantity, o.quote_amount, o.price, o.stop_price, o.trail_amount, o.trail_fraction,
    o.protection_price, o.reserved, o.filled_quantity, o.filled_quote, o.average_fill_price, o.fees, o.status,
    o.reason, o.mode, o.exchange, o.client_order_id, o.bracket_id, o.bracket_role, o.triggered_at, o.created_at,
    o.updated_at, o.filled_at, o.cancelled_at
FROM unnest($1::uuid[]) WITH ORDINALITY AS k (id, ord) JOIN orders o ON o.bracket_id = k.id
ORDER BY k.ord, array_position(ARRAY['entry', 'take_profit', 'stop_loss'], o.bracket_role);

-- name: orders_by_portfolio
-- The orders of a portfolio, those of earlier lives as well.
SELECT id, portfolio_id, life, symbol, side, type, time_in_force, expires_at, post_only, reduce_only, quantity,
    quote_amount, price, stop_price, trail_amount, trail_fraction, protection_price, reserved, filled_quantity,
    filled_quote, average_fill_price, fees, status, reason, mode, exchange, client_order_id, bracket_id, bracket_role,
    triggered_at, created_at, updated_at, filled_at, cancelled_at,
    status IN ('pending', 'partial') AS is_open
FROM orders WHERE portfolio_id = {key::uuid};

-- name: open_orders_by_user
-- The open orders of all portfolios of a user.
SELECT o.id, o.portfolio_id, o.life, o.symbol, o.side, o.type, o.time_in_force, o.expires_at, o.post_only,
    o.reduce_only, o.quantity, o.quote_amount, o.price, o.stop_price, o.trail_amount, o.trail_fraction,
    o.protection_price, o.reserved, o.filled_quantity, o.filled_quote, o.average_fill_price, o.fees, o.status,
    o.reason, o.mode, o.exchange, o.client_order_id, o.bracket_id, o.bracket_role, o.triggered_at, o.created_at,
    o.updated_at, o.filled_at, o.cancelled_at
FROM portfolios p JOIN orders o ON o.portfolio_id = p.id AND o.status IN ('pending', 'partial')
WHERE p.user_id = {key::uuid};

-- name: fills_by_ids
-- Fills with these ids.
SELECT id, trade_id, order_id, portfolio_id, life, symbol, side, quantity, price, quote_quantity, fee, liquidity,
    counter_order_id, quote_bid, quote_ask, quote_at, currency, fx_rate, fx_source, fx_at, entry_id, created_at
FROM fills WHERE id = ANY ($1::uuid[]);

-- name: fills_by_order
-- The fills of an order.
SELECT id, trade_id, order_id, portfolio_id, life, symbol, side, quantity, price, quote_quantity, fee, liquidity,
    counter_order_id, quote_bid, quote_ask, quote_at, currency, fx_rate, fx_source, fx_at, entry_id, created_at
FROM fills WHERE order_id = {key::uuid};

-- name: fills_by_portfolio
-- The fills of a portfolio, those of earlier lives as well.
SELECT id, trade_id, order_id, portfolio_id, life, symbol, side, quantity, price, quote_quantity, fee, liquidity,
    counter_order_id, quote_bid, quote_ask, quote_at, currency, fx_rate, fx_source, fx_at, entry_id, created_at
FROM fills WHERE portfolio_id = {key::uuid};

-- name: trades_by_portfolio
-- The fills of a portfolio as a history of trades, each with what its order is now.
SELECT id, portfolio_id, life, exchange, symbol, type, side, amount, price, fee, liquidity, order_id, status, created_at
FROM trade_history WHERE portfolio_id = {key::uuid};

-- name: halts
-- The halts of the market: of all tokens, and of single ones.
SELECT id, symbol, reason, created_at FROM trading_halts WHERE user_id IS NULL;

-- name: halts_by_users
-- The halts of these users.
SELECT id, user_id, reason, created_at FROM trading_halts WHERE user_id = ANY ($1::uuid[]);
