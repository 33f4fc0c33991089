"""Writes what a batch has changed, each kind of row in one statement."""

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from app.domains.trading.matching.rules.venue import Venue
from app.domains.trading.matching.rules.working import Working
from app.domains.trading.matching.statements import MatchingSql
from app.domains.trading.orders.model import Fill, fill_stream, order_stream
from app.domains.trading.orders.statements import MaintenanceSql
from app.domains.trading.quantities.rules import PRICE_SCALE, decimal_of, moment_of
from app.kit.db import Tx
from app.kit.events import Fact
from app.kit.sql import columns_of


async def store_orders(tx: Tx, changed: Iterable[Working]) -> None:
    """Writes what has become of orders."""
    rows = [
        (
            row.id,
            row.sells_all,
            row.quantity,
            row.price,
            row.stop_price,
            row.trail_amount,
            row.trail_fraction,
            row.protection_price,
            row.reserved,
            row.reserved_for_changes,
            row.filled_quantity,
            row.filled_quote,
            row.fees,
            row.status,
            row.reason,
            row.priority,
            row.triggered_at,
            row.filled_at,
            row.cancelled_at,
        )
        for row in (each.row for each in changed)
    ]
    if rows:
        await tx.execute(MatchingSql.put_orders, *columns_of(rows))


async def store_fills(tx: Tx, fills: Sequence[Fill]) -> None:
    """Inserts fills."""
    if fills:
        await tx.execute(MatchingSql.insert_fills, *columns_of([msgspec.structs.astuple(each) for each in fills]))


def facts_of(changed: Iterable[Working], fills: Iterable[Fill]) -> list[Fact]:
    """What the owners of the portfolios hear of what has changed."""
    facts = [Fact(order_stream(each.row.portfolio_id), "order", msgspec.to_builtins(each.fact)) for each in changed]
    facts += [Fact(fill_stream(each.portfolio_id), "fill", msgspec.to_builtins(each)) for each in fills]
    return facts


async def store_books(tx: Tx, venue: Venue, symbols: Iterable[str], number: int) -> None:
    """Writes what books are beside their orders, after the command of this number."""
    rows = list[tuple[Any, ...]]()
    for symbol in sorted(symbols):
        state, price = venue.book(symbol).state, venue.prices.get(symbol)
        rows.append(
            (
                symbol,
                msgspec.to_builtins(state),
                None if price is None else price.source,
                None if price is None else decimal_of(price.quote.price, PRICE_SCALE),
                None if price is None else decimal_of(price.aud, PRICE_SCALE),
                None if price is None else moment_of(price.quote.at),
                state.is_halted,
                symbol in venue.halted_alone,
                state.is_delisted,
            )
        )
    symbols_, states, *others = columns_of(rows)
    [has_new] = await tx.fetch(MatchingSql.put_books, symbols_, states, number, *others)
    if has_new:
        # At once: a book must not go on under its symbol when that becomes another token's.
        await tx.execute(MaintenanceSql.note_tokens)
