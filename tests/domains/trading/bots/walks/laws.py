"""What must hold of bots, their signals, entries and orders in every committed state, whatever was killed."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from tests.databases import Owner

# The orders that sell of an entry: of its bracket, and those that were placed beside it.
_SALES: Final = """
SELECT i.id, i.status, i.quantity - i.filled_quantity AS rest, i.bracket_role FROM orders i
WHERE i.bracket_id = e.bracket_id AND i.bracket_role <> 'entry'
UNION ALL
SELECT i.id, i.status, i.quantity - i.filled_quantity, NULL FROM bot_exits x JOIN orders i ON i.id = x.order_id
WHERE x.entry_id = e.id
"""
_FILLED: Final = """
SELECT coalesce(sum(f.quantity), 0) AS quantity, coalesce(sum(f.quote_quantity), 0) AS quote,
    coalesce(sum(f.fee), 0) AS fee FROM fills f
"""
_OPEN: Final = "('pending', 'partial')"

# Both exits of a bracket cancel each other: one set. Each order beside it is another one.
_LIVE: Final = f"""
SELECT max(s.rest) FILTER (WHERE s.bracket_role IS NOT NULL) AS in_bracket,
    coalesce(sum(s.rest) FILTER (WHERE s.bracket_role IS NULL), 0) AS beside,
    count(*) FILTER (WHERE s.bracket_role IS NULL) + (count(s.bracket_role) > 0)::integer AS sets
FROM ({_SALES}) s WHERE s.status IN {_OPEN}
"""

LAWS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "a bot has one signal for a token and a candle": """
            SELECT bot_id, symbol, candle_closed_at FROM trading_signals GROUP BY 1, 2, 3 HAVING count(*) > 1
        """,
        "no signal is of a candle that is not noted": """
            SELECT s.id FROM trading_signals s LEFT JOIN bot_states b ON (b.bot_id, b.symbol) = (s.bot_id, s.symbol)
            WHERE b.decided_at IS NULL OR b.decided_at < s.candle_closed_at
        """,
        "an order of a bot is of one entry, and of that bot": """
            SELECT o.id FROM orders o
            LEFT JOIN bot_entries e ON e.bracket_id = o.bracket_id
            LEFT JOIN bot_exits x ON x.order_id = o.id
            LEFT JOIN bot_entries y ON y.id = x.entry_id
            WHERE o.bot_id IS NOT NULL
                AND ((e.id IS NULL) = (y.id IS NULL) OR coalesce(e.bot_id, y.bot_id) <> o.bot_id
                    OR coalesce(e.symbol, y.symbol) <> o.symbol)
        """,
        "an entry is bought by a signal to buy of its bot": """
            SELECT e.id FROM bot_entries e
            LEFT JOIN trading_signals s ON (s.id, s.created_at) = (e.signal_id, e.signal_at)
            WHERE (s.bot_id, s.symbol, s.signal_type) IS DISTINCT FROM (e.bot_id, e.symbol, 'BUY')
        """,
        "an entry is sold by a signal to sell of its bot": """
            SELECT e.id FROM bot_entries e
            LEFT JOIN trading_signals s ON (s.id, s.created_at) = (e.exit_signal_id, e.exit_signal_at)
            WHERE e.exit_signal_id IS NOT NULL
                AND (s.bot_id, s.symbol, s.signal_type) IS DISTINCT FROM (e.bot_id, e.symbol, 'SELL')
        """,
        "a signal buys once, or once in each slot": """
            SELECT signal_id, slot FROM bot_entries GROUP BY 1, 2 HAVING count(*) > 1
        """,
        "no two entries that are held are in a slot": """
            SELECT bot_id, symbol, slot FROM bot_entries WHERE closed_at IS NULL AND slot IS NOT NULL
            GROUP BY 1, 2, 3 HAVING count(*) > 1
        """,
        "an entry is what its fills are": f"""
            SELECT e.id FROM bot_entries e
            CROSS JOIN LATERAL ({_FILLED} WHERE f.order_id = e.id) b
            CROSS JOIN LATERAL ({_FILLED} WHERE f.order_id IN (SELECT id FROM ({_SALES}) s)) s
            WHERE (e.bought_quantity, e.cost, e.sold_quantity, e.proceeds, e.fees) IS DISTINCT FROM
                (b.quantity, b.quote + b.fee, s.quantity, s.quote - s.fee, b.fee + s.fee)
        """,
        "an entry is closed exactly if all of it is sold, or it is abandoned": f"""
            SELECT e.id FROM bot_entries e JOIN orders o ON o.id = e.id
            WHERE (e.closed_at IS NOT NULL) <>
                (e.is_abandoned OR (o.status NOT IN {_OPEN} AND e.bought_quantity = e.sold_quantity))
        """,
        "what is held is sold by one set of exits at most": f"""
            SELECT e.id, l.sets, l.in_bracket, l.beside FROM bot_entries e CROSS JOIN LATERAL ({_LIVE}) l
            WHERE e.closed_at IS NULL AND e.bought_quantity > 0
                AND (l.sets > 1 OR coalesce(l.in_bracket, 0) + l.beside > e.bought_quantity - e.sold_quantity)
        """,
        "nothing is bought while an earlier purchase is open": f"""
            SELECT e.bot_id, e.symbol FROM bot_entries e JOIN orders o ON o.id = e.id
            WHERE e.closed_at IS NULL AND o.status IN {_OPEN}
            GROUP BY 1, 2 HAVING count(DISTINCT e.signal_id) > 1
        """,
        "what is closed is not being sold": f"""
            SELECT e.id FROM bot_entries e
            WHERE e.closed_at IS NOT NULL AND EXISTS (SELECT FROM ({_SALES}) s WHERE s.status IN {_OPEN})
        """,
        "an entry is abandoned with its portfolio, or where somebody else sold": """
            SELECT e.id FROM bot_entries e JOIN orders o ON o.id = e.id JOIN portfolios p ON p.id = o.portfolio_id
            WHERE e.is_abandoned AND o.life = p.life AND NOT EXISTS (
                SELECT FROM orders s WHERE (s.portfolio_id, s.life, s.symbol) = (o.portfolio_id, o.life, o.symbol)
                    AND s.side = 'sell' AND s.bot_id IS NULL
            )
        """,
        "a signal to buy says what was bought": f"""
            SELECT s.id, s.execution_status FROM trading_signals s
            CROSS JOIN LATERAL (
                SELECT count(*) AS entries, coalesce(bool_or(e.bought_quantity > 0), false) AS bought,
                    coalesce(bool_or(o.status IN {_OPEN}), false) AS buying
                FROM bot_entries e JOIN orders o ON o.id = e.id WHERE e.signal_id = s.id
            ) n
            WHERE s.signal_type = 'BUY' AND CASE
                WHEN n.bought THEN s.execution_status <> 'EXECUTED'
                WHEN n.buying THEN s.execution_status <> 'PENDING'
                WHEN n.entries > 0 THEN s.execution_status <> 'FAILED'
                ELSE s.execution_status NOT IN ('FAILED', 'IGNORED')
            END
        """,
        "a signal to sell says what was sold": """
            SELECT s.id, s.execution_status FROM trading_signals s
            CROSS JOIN LATERAL (
                SELECT count(*) AS entries, count(*) FILTER (WHERE e.closed_at IS NULL) AS held,
                    count(*) FILTER (WHERE e.closed_at IS NOT NULL AND NOT e.is_abandoned) AS sold
                FROM bot_entries e WHERE e.exit_signal_id = s.id
            ) n
            WHERE s.signal_type = 'SELL' AND CASE
                WHEN n.sold > 0 THEN s.execution_status <> 'EXECUTED'
                WHEN n.held > 0 THEN s.execution_status <> 'PENDING'
                ELSE s.execution_status NOT IN ('FAILED', 'IGNORED')
            END
        """,
        "to hold is to do nothing": """
            SELECT id FROM trading_signals WHERE signal_type = 'HOLD' AND execution_status <> 'IGNORED'
        """,
        "a strategy decides": """
            SELECT id, status_reason FROM trading_bots WHERE status = 'error' AND status_reason LIKE 'Its strategy%'
        """,
        "no command is passed over": "SELECT id, kind, failure FROM exchange_inbox WHERE failure IS NOT NULL",
        "a bot has earned what its fills say": f"""
            SELECT b.id FROM trading_bots b
            JOIN calculate_bot_performance(ARRAY(SELECT id FROM trading_bots)) c ON c.bot_id = b.id
            CROSS JOIN LATERAL (
                SELECT count(*) FILTER (WHERE e.closed_at IS NOT NULL AND s.quantity > 0) AS trades,
                    coalesce(sum(s.quote - s.fee - round(
                        (p.quote + p.fee) * s.quantity / nullif(p.quantity, 0), 8)), 0) AS realized,
                    count(*) FILTER (WHERE e.closed_at IS NOT NULL AND s.quantity > 0
                        AND s.quote - s.fee > round((p.quote + p.fee) * s.quantity / nullif(p.quantity, 0), 8)) AS wins,
                    coalesce(sum(p.fee + s.fee), 0) AS fees
                FROM bot_entries e
                CROSS JOIN LATERAL ({_FILLED} WHERE f.order_id = e.id) p
                CROSS JOIN LATERAL ({_FILLED} WHERE f.order_id IN (SELECT id FROM ({_SALES}) s)) s
                WHERE e.bot_id = b.id
            ) n
            WHERE (c.total_trades, c.winning_trades, c.realized_pnl, c.fees) IS DISTINCT FROM
                (n.trades, n.wins, n.realized, n.fees)
        """,
    }
)
"""Each finds what breaks it."""

_ALL: Final = " UNION ALL ".join(
    f"SELECT $law${law}$law$ AS law, t::text AS found FROM ({LAWS[law]}) t" for law in LAWS
)

BARE: Final = f"""
SELECT e.id FROM bot_entries e
JOIN orders o ON o.id = e.id
JOIN portfolios p ON p.id = o.portfolio_id
WHERE (e.bot_id, e.symbol) IN (SELECT * FROM unnest($1::uuid[], $2::text[]))
    AND e.closed_at IS NULL AND o.status NOT IN {_OPEN} AND o.life = p.life
    AND p.status = 'open' AND e.bought_quantity > e.sold_quantity
    AND NOT EXISTS (SELECT FROM ({_SALES}) s WHERE s.status IN {_OPEN})
"""
"""What these bots have bought of these tokens, hold, and do not sell at any price."""


async def broken(owner: Owner) -> list[tuple[str, str]]:
    """The laws that are broken, each with what breaks it."""
    return [tuple(row) for row in await owner.fetch(_ALL)]
