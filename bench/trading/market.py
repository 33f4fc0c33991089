"""A market of many open orders, written by SQL: as the services would have written them, but at once."""

from decimal import Decimal
from typing import Final, TypeAlias

import asyncpg

Owner: TypeAlias = "asyncpg.Connection[asyncpg.Record]"
SYMBOLS: Final = 250
OWNERS: Final = 4
"""Portfolios that trade in each token; none trades in two."""
PRICE: Final = 50_000

_MARKET: Final = """
WITH symbols AS (
    SELECT n, format('T%s', lpad(n::text, 3, '0')) AS symbol FROM generate_series(0, $1::integer - 1) n
), listed AS (
    INSERT INTO tokens (coingecko_id, symbol, name) SELECT lower(symbol), symbol, symbol FROM symbols
), quoted AS (
    INSERT INTO market_data (symbol, exchange, price_usd, price_aud, volume_24h_usd, high_24h, low_24h)
    SELECT symbol, 'simulated', $3::numeric, $3::numeric * 1.5, 1e9, $3::numeric * 1.02, $3::numeric * 0.98 FROM symbols
), people AS (
    INSERT INTO users (email, full_name, password_hash, is_verified)
    SELECT format('%s@example.com', p), 'A trader', '-', true FROM generate_series(1, $1 * $2::integer) p RETURNING id
), made AS (
    INSERT INTO portfolios (user_id, is_default, name)
    SELECT id, true, ((row_number() OVER ()) - 1)::text FROM people RETURNING id, name
), cash AS (
    INSERT INTO cash_balances (portfolio_id, balance, contributed) SELECT id, 1e11, 1e11 FROM made
), held AS (
    INSERT INTO positions (portfolio_id, symbol, quantity, cost)
    SELECT m.id, s.symbol, 1e6, 1e10 FROM made m JOIN symbols s ON s.n = m.name::integer / $2 RETURNING *
)
INSERT INTO lots (portfolio_id, life, symbol, quantity, remaining, cost, remaining_cost, acquired_at)
SELECT portfolio_id, 1, symbol, quantity, quantity, cost, cost, now() FROM held
"""
# Half are limit orders, half are stops; none is within 1% of the price.
_FILL: Final = """
WITH chosen AS (
    SELECT n, n % $3::integer AS s, n / $3 AS turn,
        round($4::numeric * (1 + (0.01 + 0.19 * random()))::numeric) AS above,
        round($4::numeric * (1 - (0.01 + 0.19 * random()))::numeric) AS below, n / ($3 * $5::integer) % 4 AS kind
    FROM generate_series($1::integer, $2::integer - 1) n
)
INSERT INTO orders (portfolio_id, life, symbol, side, type, quantity, price, stop_price, protection_price,
    maker_fee_fraction, taker_fee_fraction, reserved, mode, priority)
SELECT p.id, 1, format('T%s', lpad(c.s::text, 3, '0')), CASE WHEN kind % 2 = 0 THEN 'buy' ELSE 'sell' END,
    CASE WHEN kind < 2 THEN 'limit' ELSE 'stop' END, 0.01, CASE kind WHEN 0 THEN below WHEN 1 THEN above END,
    CASE kind WHEN 2 THEN above WHEN 3 THEN below END, CASE kind WHEN 2 THEN round(above * 1.05) END, 0.001, 0.002,
    CASE kind WHEN 0 THEN below * 0.01002 WHEN 2 THEN round(above * 1.05) * 0.01002 ELSE 0.01 END, 'paper', c.n + 1
FROM chosen c JOIN portfolios p ON p.name = (c.s * $5 + c.turn % $5)::text
"""
_RESERVE: Final = """
WITH coins AS (
    UPDATE positions h SET reserved = o.reserved FROM (
        SELECT portfolio_id, symbol, sum(reserved) AS reserved FROM orders
        WHERE side = 'sell' AND status IN ('pending', 'partial') GROUP BY 1, 2
    ) o WHERE h.portfolio_id = o.portfolio_id AND h.symbol = o.symbol
)
UPDATE cash_balances b SET reserved = o.reserved FROM (
    SELECT portfolio_id, sum(reserved) AS reserved FROM orders
    WHERE side = 'buy' AND status IN ('pending', 'partial') GROUP BY 1
) o WHERE b.portfolio_id = o.portfolio_id
"""
_TURNS: Final = """
UPDATE exchange_books SET state = jsonb_set(state, '{next_priority}', to_jsonb($1::bigint))
"""
# Every other one is a market order that the house fills; the others are limit orders that rest.
_COMMANDS: Final = """
WITH made AS (
    INSERT INTO orders (portfolio_id, life, symbol, side, type, quantity, price, protection_price, maker_fee_fraction,
        taker_fee_fraction, reserved, mode)
    SELECT p.id, 1, format('T%s', lpad((n % $2::integer)::text, 3, '0')), 'buy',
        CASE WHEN n % 2 = 0 THEN 'market' ELSE 'limit' END, 0.0001,
        CASE WHEN n % 2 = 1 THEN $3::numeric * 0.9 END, CASE WHEN n % 2 = 0 THEN $3::numeric * 1.05 END, 0.001, 0.002,
        0.0001 * 1.002 * $3::numeric * CASE WHEN n % 2 = 0 THEN 1.05 ELSE 0.9 END, 'paper'
    FROM generate_series(0, $1::integer - 1) n JOIN portfolios p ON p.name = (n % $2 * $4::integer + n / $2 % $4)::text
    RETURNING id, symbol, portfolio_id, reserved
), cash AS (
    UPDATE cash_balances b SET reserved = b.reserved + m.reserved
    FROM (SELECT portfolio_id, sum(reserved) AS reserved FROM made GROUP BY 1) m WHERE b.portfolio_id = m.portfolio_id
)
INSERT INTO exchange_inbox (kind, symbol, order_id) SELECT 'place', symbol, id FROM made
"""
_STOPS: Final = """
WITH made AS (
    INSERT INTO orders (portfolio_id, life, symbol, side, type, quantity, stop_price, maker_fee_fraction,
        taker_fee_fraction, reserved, mode)
    SELECT p.id, 1, format('T%s', lpad(n::text, 3, '0')), 'sell', 'stop', 0.01, $2::numeric, 0.001, 0.002, 0.01, 'paper'
    FROM generate_series(0, $1::integer - 1) n JOIN portfolios p ON p.name = (n * $3::integer)::text
    RETURNING id, symbol, portfolio_id
), coins AS (
    UPDATE positions h SET reserved = h.reserved + 0.01 FROM made m
    WHERE h.portfolio_id = m.portfolio_id AND h.symbol = m.symbol
)
INSERT INTO exchange_inbox (kind, symbol, order_id) SELECT 'place', symbol, id FROM made
"""
_PLACED_FROM: Final = 10_000_000
_QUOTE: Final = "UPDATE market_data SET price_usd = $1, price_aud = $1 * 1.5, last_updated = now()"


async def begin(owner: Owner) -> None:
    """Tokens, their quotes, and portfolios with cash and coins, without any order."""
    async with owner.transaction():
        await owner.execute("SET LOCAL session_replication_role = replica")
        await owner.execute(_MARKET, SYMBOLS, OWNERS, Decimal(PRICE))


async def fill(owner: Owner, first: int, last: int) -> None:
    """Open orders in all books, from this number to before that one."""
    async with owner.transaction():
        # The checks of a million foreign keys and a million audited changes are not what is measured.
        await owner.execute("SET LOCAL session_replication_role = replica")
        await owner.execute(_FILL, first, last, SYMBOLS, Decimal(PRICE), OWNERS)
        await owner.execute(_RESERVE)
        # Orders that are placed then have turns that no later fill has.
        await owner.execute(_TURNS, _PLACED_FROM + last)
    await owner.execute("VACUUM (ANALYZE) orders, positions, cash_balances, lots, exchange_inbox, exchange_books")
    # So that the dirty pages of the fill are not written while measuring.
    await owner.execute("CHECKPOINT")


async def ask(owner: Owner, count: int) -> None:
    """So many orders of several tokens in the inbox."""
    await owner.execute(_COMMANDS, count, SYMBOLS, Decimal(PRICE), OWNERS)


async def stops(owner: Owner, count: int, price: Decimal) -> None:
    """A stop that sells below this price in each of so many tokens."""
    await owner.execute(_STOPS, count, price, OWNERS)


async def quote(owner: Owner, price: Decimal) -> None:
    """What all tokens cost now."""
    await owner.execute(_QUOTE, price)
