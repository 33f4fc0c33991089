-- name: lead
-- Begins the epoch of a new leader.
UPDATE exchange_state SET epoch = epoch + 1 RETURNING epoch, last_number, is_halted;

-- name: lock_state
-- Who matches, and how far; nobody else can change that meanwhile.
SELECT epoch, last_number, is_halted FROM exchange_state FOR UPDATE;

-- name: is_due
-- Whether there are commands that are committed and new.
SELECT EXISTS (SELECT FROM exchange_inbox WHERE number IS NULL);

-- name: number_commands
-- Numbers the commands that are committed and new, in their order, after this number: at most so many.
UPDATE exchange_inbox i SET number = $1::bigint + array_position(due.ids, i.id)
FROM (
    SELECT array_agg(id ORDER BY id) AS ids
    FROM (SELECT id FROM exchange_inbox WHERE number IS NULL ORDER BY id LIMIT $2::bigint) new
) due
WHERE i.id = ANY (due.ids)
RETURNING i.id, i.kind, i.symbol, i.order_id, i.portfolio_id, i.payload, i.created_at;

-- name: store_state
-- Stores how far matching is, if this leader still leads: epoch, number before, number, whether all is halted.
UPDATE exchange_state SET last_number = $3, is_halted = $4 WHERE epoch = $1 AND last_number = $2;

-- name: put_back
-- Leaves the other tokens of a tick for later: its ID, and the tokens that were matched.
UPDATE exchange_inbox SET number = NULL, payload = payload - $2::text[] WHERE id = $1;

-- name: note_failure
-- Notes why a command was passed over.
UPDATE exchange_inbox SET failure = $2 WHERE id = $1;

-- name: orders_of_commands
-- The orders with these IDs, and all of their brackets. They are looked up by arrays: what row-level security adds
-- makes Postgres expect so few orders that it would rather read them all for a join.
WITH brackets AS (
    SELECT DISTINCT bracket_id AS id FROM orders WHERE id = ANY ($1::uuid[]) AND bracket_id IS NOT NULL
), wanted AS (
    SELECT id FROM unnest($1) AS w (id)
    UNION
    SELECT id FROM orders WHERE bracket_id = ANY (ARRAY(SELECT id FROM brackets))
)
SELECT o.id, coalesce(p.user_id, p.id) AS owner, o.portfolio_id, p.currency, o.life, o.symbol, o.side, o.type,
    o.time_in_force, o.expires_at, o.post_only, o.sells_all, o.quantity, o.quote_amount, o.bound, o.price,
    o.stop_price, o.trail_amount, o.trail_fraction, o.protection_price, o.maker_fee_fraction,
    o.taker_fee_fraction, o.reserve_rate, o.reserved, o.reserved_for_changes, o.filled_quantity, o.filled_quote,
    o.fees, o.status, o.reason, o.bracket_id, o.bracket_role, o.priority, o.triggered_at, o.filled_at, o.cancelled_at,
    o.bot_id
FROM orders o JOIN portfolios p ON p.id = o.portfolio_id
WHERE o.id = ANY (ARRAY(SELECT id FROM wanted))
ORDER BY o.bracket_id, o.bracket_role, o.id;

-- name: open_orders
-- The orders that are in a book.
SELECT o.id, coalesce(p.user_id, p.id) AS owner, o.symbol, o.side, o.type, o.time_in_force, o.expires_at, o.post_only,
    o.sells_all, o.quantity, o.quote_amount, o.bound, o.price, o.stop_price, o.trail_amount, o.trail_fraction,
    o.protection_price, o.filled_quantity, o.bracket_id, o.bracket_role, o.priority, o.triggered_at
FROM orders o JOIN portfolios p ON p.id = o.portfolio_id
WHERE o.status IN ('pending', 'partial') AND o.priority IS NOT NULL;

-- name: exits_of_open_entries
-- The open exits of brackets whose entry is in a book.
SELECT o.id, coalesce(p.user_id, p.id) AS owner, o.portfolio_id, p.currency, o.life, o.symbol, o.side, o.type,
    o.time_in_force, o.expires_at, o.post_only, o.sells_all, o.quantity, o.quote_amount, o.bound, o.price,
    o.stop_price, o.trail_amount, o.trail_fraction, o.protection_price, o.maker_fee_fraction,
    o.taker_fee_fraction, o.reserve_rate, o.reserved, o.reserved_for_changes, o.filled_quantity, o.filled_quote,
    o.fees, o.status, o.reason, o.bracket_id,
    o.bracket_role, o.priority, o.triggered_at, o.filled_at, o.cancelled_at, o.bot_id
FROM orders e
JOIN orders o ON o.bracket_id = e.bracket_id AND o.bracket_role <> 'entry' AND o.status IN ('pending', 'partial')
JOIN portfolios p ON p.id = o.portfolio_id
WHERE e.bracket_role = 'entry' AND e.status IN ('pending', 'partial') AND e.priority IS NOT NULL
ORDER BY o.bracket_id, o.bracket_role;

-- name: stored_books
-- All books.
SELECT symbol, state, source, price_usd, price_aud, is_halted_alone FROM exchange_books;

-- name: portfolios_of_orders
-- The portfolios of these orders.
SELECT DISTINCT o.portfolio_id FROM orders o WHERE o.id = ANY ($1::uuid[]);

-- name: owners_of_portfolios
-- The users of these portfolios, where they have one.
SELECT DISTINCT user_id FROM portfolios WHERE id = ANY ($1::uuid[]) AND user_id IS NOT NULL ORDER BY user_id;

-- name: put_orders
-- Sets what has become of orders: IDs, whether they sell all, quantities, prices, stop prices, trails, protection
-- prices, reserved, reserved for changes, filled quantities and amounts, fees, statuses, reasons, turns, times of
-- trigger, fill and end.
UPDATE orders o
SET sells_all = n.sells_all, quantity = n.quantity, price = n.price, stop_price = n.stop_price,
    trail_amount = n.trail_amount, trail_fraction = n.trail_fraction, protection_price = n.protection_price,
    reserved = n.reserved, reserved_for_changes = n.reserved_for_changes, filled_quantity = n.filled_quantity,
    filled_quote = n.filled_quote, fees = n.fees, status = n.status, reason = n.reason, priority = n.priority,
    triggered_at = n.triggered_at, filled_at = n.filled_at, cancelled_at = n.cancelled_at
FROM unnest($1::uuid[], $2::boolean[], $3::numeric[], $4::numeric[], $5::numeric[], $6::numeric[], $7::numeric[],
    $8::numeric[], $9::numeric[], $10::numeric[], $11::numeric[], $12::numeric[], $13::numeric[], $14::text[],
    $15::text[], $16::bigint[], $17::timestamptz[], $18::timestamptz[], $19::timestamptz[])
    AS n (id, sells_all, quantity, price, stop_price, trail_amount, trail_fraction, protection_price, reserved,
        reserved_for_changes, filled_quantity, filled_quote, fees, status, reason, priority, triggered_at, filled_at,
        cancelled_at)
WHERE o.id = n.id;

-- name: insert_fills
-- Inserts fills: the columns in their order.
INSERT INTO fills (id, trade_id, order_id, portfolio_id, life, symbol, side, quantity, price, quote_quantity, fee,
    liquidity, counter_order_id, quote_bid, quote_ask, quote_at, currency, fx_rate, fx_source, fx_at, entry_id,
    created_at)
SELECT n.id, n.trade_id, n.order_id, n.portfolio_id, n.life, n.symbol, n.side, n.quantity, n.price, n.quote_quantity,
    n.fee, n.liquidity, n.counter_order_id, n.quote_bid, n.quote_ask, n.quote_at, n.currency, n.fx_rate, n.fx_source,
    n.fx_at, n.entry_id, n.created_at
FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::uuid[], $5::integer[], $6::text[], $7::text[], $8::numeric[],
    $9::numeric[], $10::numeric[], $11::numeric[], $12::text[], $13::uuid[], $14::numeric[], $15::numeric[],
    $16::timestamptz[], $17::text[], $18::numeric[], $19::text[], $20::timestamptz[], $21::bigint[],
    $22::timestamptz[])
    AS n (id, trade_id, order_id, portfolio_id, life, symbol, side, quantity, price, quote_quantity, fee, liquidity,
        counter_order_id, quote_bid, quote_ask, quote_at, currency, fx_rate, fx_source, fx_at, entry_id, created_at);

-- name: put_books
-- Stores books: symbols, states, the number of the last command, sources, prices in both currencies, times of the
-- quote, whether they are halted, halted alone, delisted. Returns whether one of them is new.
WITH put AS (
    INSERT INTO exchange_books AS b (symbol, state, number, source, price_usd, price_aud, quoted_at, is_halted,
        is_halted_alone, is_delisted)
    SELECT n.symbol, n.state, $3::bigint, n.source, n.price_usd, n.price_aud, n.quoted_at, n.is_halted,
        n.is_halted_alone, n.is_delisted
    FROM unnest($1::text[], $2::jsonb[], $4::text[], $5::numeric[], $6::numeric[], $7::timestamptz[], $8::boolean[],
        $9::boolean[], $10::boolean[])
        AS n (symbol, state, source, price_usd, price_aud, quoted_at, is_halted, is_halted_alone, is_delisted)
    ON CONFLICT (symbol) DO UPDATE
    SET state = excluded.state, number = excluded.number, source = excluded.source, price_usd = excluded.price_usd,
        price_aud = excluded.price_aud, quoted_at = excluded.quoted_at, is_halted = excluded.is_halted,
        is_halted_alone = excluded.is_halted_alone, is_delisted = excluded.is_delisted
    RETURNING b.xmax = 0 AS is_new
)
SELECT coalesce(bool_or(is_new), false) FROM put;

-- name: note_prices
-- Puts the stored quotes of an exchange of these tokens into the inbox, at this time. The volatility is Parkinson's of
-- 24 hours, from their high and low.
INSERT INTO exchange_inbox (kind, created_at, payload)
SELECT 'prices', $3::timestamptz, jsonb_object_agg(m.symbol, jsonb_build_object(
    'usd', m.price_usd::text, 'aud', m.price_aud::text, 'volume', coalesce(m.volume_24h_usd, 0)::text,
    'volatility', CASE WHEN m.low_24h > 0 AND m.high_24h > m.low_24h
        THEN least(round((ln(m.high_24h / m.low_24h) / (2 * sqrt(ln(2.0))))::numeric, 8), 100) ELSE 0 END::text,
    'at', (extract(epoch FROM m.last_updated) * 1000)::bigint, 'source', m.exchange
))
FROM market_data m
WHERE m.exchange = $1::text AND m.symbol = ANY ($2::text[]) AND m.price_usd > 0 AND m.price_aud > 0
HAVING count(*) > 0;
