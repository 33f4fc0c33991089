"""What must hold of orders, fills and books once all that was asked has been matched."""

from collections.abc import Collection, Mapping
from typing import Any
from uuid import UUID

import msgspec

from app.domains.trading.orders.model import fill_stream
from app.engine.declarations.stream_cursors import stream_cursor
from tests.databases import Owner
from tests.domains.trading.reservations import check_reservations

UNMATCHED = """
SELECT (SELECT count(*) FROM exchange_inbox WHERE number IS NULL AND kind <> 'prices')
    + (SELECT count(*) FROM orders WHERE status IN ('pending', 'partial') AND priority IS NULL)
"""
WRONG = {
    "commands were passed over": "SELECT id, failure FROM exchange_inbox WHERE failure IS NOT NULL",
    "commands are not numbered one after the other": """
        SELECT number FROM (SELECT number, lag(number) OVER (ORDER BY number) AS before FROM exchange_inbox
            WHERE number IS NOT NULL) i WHERE number <> before + 1
    """,
    "a batch was stored without its number": """
        SELECT s.last_number FROM exchange_state s
        WHERE s.last_number <> (SELECT coalesce(max(number), 0) FROM exchange_inbox)
    """,
    "orders do not have what their fills add up to": """
        SELECT o.id, o.filled_quantity, f.quantity, o.filled_quote, f.quote, o.fees, f.fees FROM orders o
        LEFT JOIN (SELECT order_id, sum(quantity) AS quantity, sum(quote_quantity) AS quote, sum(fee) AS fees
            FROM fills GROUP BY 1) f ON f.order_id = o.id
        WHERE (o.filled_quantity, o.filled_quote, o.fees)
            IS DISTINCT FROM (coalesce(f.quantity, 0), coalesce(f.quote, 0), coalesce(f.fees, 0))
    """,
    "fills are of no order": """
        SELECT f.id FROM fills f LEFT JOIN orders o ON o.id = f.order_id
        WHERE o.portfolio_id IS DISTINCT FROM f.portfolio_id
    """,
    "the two sides of a trade differ": """
        SELECT f.trade_id FROM fills f GROUP BY f.trade_id
        HAVING count(*) <> CASE WHEN bool_or(f.counter_order_id IS NULL) THEN 1 ELSE 2 END
            OR count(DISTINCT (f.symbol, f.quantity, f.price)) > 1
            OR (count(*) = 2 AND (count(DISTINCT f.side) <> 2 OR count(DISTINCT f.liquidity) <> 2
                OR array_agg(f.order_id ORDER BY f.order_id)
                    <> array_agg(f.counter_order_id ORDER BY f.counter_order_id)))
    """,
    "an entry of the journal is of two fills, or of none": """
        SELECT e.id FROM journal_entries e LEFT JOIN fills f ON f.entry_id = e.id
        WHERE e.kind = 'fill' GROUP BY e.id HAVING count(f.id) <> 1
    """,
    "the newest event of an order is not what the order is": """
        SELECT o.id, o.status, e.payload FROM orders o
        LEFT JOIN LATERAL (SELECT payload FROM events e WHERE e.stream = 'orders:' || o.portfolio_id
            AND e.payload ->> 'order_id' = o.id::text ORDER BY seq DESC LIMIT 1) e ON true
        WHERE (o.status, o.filled_quantity)
            IS DISTINCT FROM (e.payload ->> 'status', (e.payload ->> 'filled_quantity')::numeric)
            AND o.id = ANY ($1::uuid[])
    """,
}
"""Each finds what is wrong."""


class Stored(msgspec.Struct):
    """What is stored in one moment."""

    fills: int
    streams: dict[UUID, list[tuple[str, str]]]
    """The cursor and the key of each fill of a portfolio, in the order of its stream."""


async def is_matched(owner: Owner) -> bool:
    """Whether nothing waits to be matched."""
    return bool(await owner.fetchval(UNMATCHED) == 0)


async def audit(owner: Owner, placed: Mapping[UUID, Collection[UUID]], cancelled: Collection[UUID]) -> Stored:
    """Compares orders with what was answered to their clients, by portfolio, and with everything that came of them."""
    async with owner.transaction(isolation="repeatable_read", readonly=True):
        rows = await owner.fetch(
            "SELECT id, portfolio_id, status FROM orders WHERE portfolio_id = ANY ($1)", list(placed)
        )
        stored = {portfolio_id: set[UUID]() for portfolio_id in placed}
        for row in rows:
            stored[row["portfolio_id"]].add(row["id"])
        # No order that was acknowledged is missing, and none is there that no key was answered with.
        assert stored == {portfolio_id: set(ids) for portfolio_id, ids in placed.items()}
        assert all(len(set(ids)) == len(ids) for ids in placed.values()), "two keys, one order"
        open_ = {row["id"] for row in rows if row["status"] in {"pending", "partial"}}
        assert open_.isdisjoint(cancelled)
        newest = [row["id"] for row in rows]
        for what, sql in WRONG.items():
            found = await owner.fetch(sql, *([newest] if "$1" in sql else []))
            assert found == [], f"{what}: {found[:5]}"
        await check_reservations(owner)
        return Stored(await owner.fetchval("SELECT count(*) FROM fills"), await _streams(owner, placed))


async def _streams(owner: Owner, portfolio_ids: Collection[UUID]) -> dict[UUID, list[tuple[str, str]]]:
    epoch: Any = await owner.fetchval("SELECT epoch FROM event_epoch")
    found = dict[UUID, list[tuple[str, str]]]()
    for portfolio_id in portfolio_ids:
        stream = fill_stream(portfolio_id)
        rows = await owner.fetch(
            "SELECT seq, payload ->> 'id' AS id FROM events WHERE stream = $1 ORDER BY seq", stream
        )
        assert [row["seq"] for row in rows] == list(range(1, len(rows) + 1))
        fills = await owner.fetch("SELECT id FROM fills WHERE portfolio_id = $1", portfolio_id)
        assert sorted(row["id"] for row in rows) == sorted(str(row["id"]) for row in fills)
        found[portfolio_id] = [(stream_cursor(epoch, stream, row["seq"]), row["id"]) for row in rows]
    return found
