-- An order is worth less than 10^12 when it is placed, and what adds up from orders may be more: what a portfolio holds,
-- what it was given, what an order has brought since. What could not be stored stopped the exchange, and the history of
-- everybody's values. No table is written anew: columns that were generated from others are set by triggers instead, since
-- a column that another is generated from cannot change its type.

DROP VIEW portfolio_values;
DROP VIEW trade_history;

ALTER TABLE cash_balances
    ALTER COLUMN balance TYPE numeric(28, 8),
    ALTER COLUMN reserved TYPE numeric(28, 8),
    ALTER COLUMN contributed TYPE numeric(28, 8);
ALTER TABLE positions
    ALTER COLUMN quantity TYPE numeric(28, 8),
    ALTER COLUMN reserved TYPE numeric(28, 8),
    ALTER COLUMN cost TYPE numeric(28, 8),
    ALTER COLUMN realized_pnl TYPE numeric(28, 8);
ALTER TABLE lots
    ALTER COLUMN quantity TYPE numeric(28, 8),
    ALTER COLUMN remaining TYPE numeric(28, 8),
    ALTER COLUMN cost TYPE numeric(28, 8),
    ALTER COLUMN remaining_cost TYPE numeric(28, 8);
ALTER TABLE disposals ALTER COLUMN pnl DROP EXPRESSION;
ALTER TABLE disposals
    ALTER COLUMN quantity TYPE numeric(28, 8),
    ALTER COLUMN cost TYPE numeric(28, 8),
    ALTER COLUMN proceeds TYPE numeric(28, 8),
    ALTER COLUMN pnl TYPE numeric(28, 8);
CREATE FUNCTION set_disposal_pnl() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.pnl := NEW.proceeds - NEW.cost;
    RETURN NEW;
END
$$;
CREATE TRIGGER disposals_pnl BEFORE INSERT ON disposals FOR EACH ROW EXECUTE FUNCTION set_disposal_pnl();
ALTER TABLE portfolio_value_history
    ALTER COLUMN value TYPE numeric(28, 8),
    ALTER COLUMN cash TYPE numeric(28, 8),
    ALTER COLUMN contributed TYPE numeric(28, 8);
ALTER TABLE portfolio_summaries
    ALTER COLUMN total_value_usd TYPE numeric(28, 8),
    ALTER COLUMN average_return_fraction TYPE numeric(28, 8);
ALTER TABLE orders ALTER COLUMN average_fill_price DROP EXPRESSION;
ALTER TABLE orders
    ALTER COLUMN reserved TYPE numeric(28, 8),
    ALTER COLUMN reserved_for_changes TYPE numeric(28, 8),
    ALTER COLUMN filled_quote TYPE numeric(28, 8),
    ALTER COLUMN fees TYPE numeric(28, 8);
CREATE FUNCTION set_average_fill_price() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.average_fill_price := round(NEW.filled_quote / nullif(NEW.filled_quantity, 0), 12);
    RETURN NEW;
END
$$;
CREATE TRIGGER orders_average_fill_price BEFORE INSERT OR UPDATE OF filled_quote, filled_quantity ON orders
    FOR EACH ROW EXECUTE FUNCTION set_average_fill_price();
ALTER TABLE fills
    ALTER COLUMN quote_quantity TYPE numeric(28, 8),
    ALTER COLUMN fee TYPE numeric(28, 8);

-- As before.
CREATE VIEW portfolio_values WITH (security_invoker = true) AS
SELECT p.id AS portfolio_id, p.user_id, p.name, p.currency, b.balance AS cash, b.reserved, b.contributed,
    held.value AS positions_value, b.balance + held.value AS total_value,
    b.balance + held.value - b.contributed AS total_pnl, held.unquoted
FROM portfolios p
JOIN cash_balances b ON b.portfolio_id = p.id
CROSS JOIN LATERAL (
    SELECT coalesce(sum(round(h.quantity * q.price, 8)), 0.00000000) AS value,
        coalesce(array_agg(h.symbol ORDER BY h.symbol) FILTER (WHERE q.price IS NULL), '{}') AS unquoted
    FROM positions h
    LEFT JOIN LATERAL (
        SELECT CASE p.currency WHEN 'AUD' THEN m.price_aud ELSE m.price_usd END AS price
        FROM market_data m WHERE m.symbol = h.symbol ORDER BY m.last_updated DESC LIMIT 1
    ) q ON true
    WHERE h.portfolio_id = p.id AND h.quantity > 0
) held
WHERE p.status <> 'deleted';
COMMENT ON VIEW portfolio_values IS 'In the currency of the portfolio. What has no quote is named, and not in the sums.';
GRANT SELECT ON portfolio_values TO moneta_app;
REVOKE INSERT, UPDATE, DELETE ON portfolio_values FROM moneta_app;

CREATE VIEW trade_history WITH (security_invoker = true) AS
SELECT f.id, p.user_id, o.exchange, f.symbol, o.type, f.side, f.quantity AS amount, f.price, f.order_id, o.status,
    f.portfolio_id, f.life, f.fee, f.liquidity, f.created_at
FROM fills f JOIN orders o ON o.id = f.order_id JOIN portfolios p ON p.id = f.portfolio_id;
GRANT SELECT ON trade_history TO moneta_app;
REVOKE INSERT, UPDATE, DELETE ON trade_history FROM moneta_app;
