"""Posting what moves coins, all entries of a batch at once: what they touch is read once, and written once."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from app.domains.trading.journal.model import CashRow, LotRow, NewEntry
from app.domains.trading.journal.rules.holdings import Holdings, PositionKey
from app.domains.trading.journal.statements import BatchSql
from app.domains.trading.quantities.rules import decimal_of, units_of
from app.kit.db import Tx
from app.kit.sql import columns_of

LOTS_AT_ONCE: Final = 200


async def lock_cash(tx: Tx, portfolio_ids: Iterable[UUID]) -> list[CashRow]:
    """Locks portfolios, in the order of their IDs, and reads their cash."""
    return await tx.fetch(BatchSql.lock_cash, sorted(portfolio_ids))


async def read_holdings(
    tx: Tx, cash: Iterable[CashRow], places: Iterable[PositionKey], sold: Mapping[PositionKey, int]
) -> Holdings:
    """What locked portfolios hold in these positions, and the oldest lots of what is sold of them, in units."""
    wanted = sorted(places)
    positions = await tx.fetch(BatchSql.positions_of, *columns_of(wanted, 2)) if wanted else []
    return Holdings(cash, positions, await _lots_for(tx, sold))


async def take_entry_ids(tx: Tx, count: int, at: datetime) -> list[int]:
    """IDs for so many new entries, which are posted at this time: an ID says its month."""
    return await tx.fetch(BatchSql.entry_ids, count, at) if count else []


async def store_holdings(tx: Tx, holdings: Holdings, entries: Sequence[tuple[int, NewEntry]], at: datetime) -> None:
    """Inserts entries with their IDs, and writes what they have changed."""
    if entries:
        await _insert_entries(tx, entries)
    if holdings.cash:
        cash = [(id, decimal_of(each.balance), decimal_of(each.reserved)) for id, each in holdings.cash.items()]
        await tx.execute(BatchSql.put_cash, *columns_of(cash, 3), at)
    if holdings.positions:
        positions = [
            (
                portfolio_id,
                symbol,
                decimal_of(each.quantity),
                decimal_of(each.reserved),
                decimal_of(each.cost),
                decimal_of(each.realized_pnl),
                each.opened_at,
            )
            for (portfolio_id, symbol), each in holdings.positions.items()
            if each.opened_at is not None
        ]
        await tx.execute(BatchSql.put_positions, *columns_of(positions, 7), at)
    await _store_lots(tx, holdings)


async def _insert_entries(tx: Tx, entries: Sequence[tuple[int, NewEntry]]) -> None:
    heads = [
        (id, each.kind, each.portfolio_id, each.life, each.order_id, each.fill_id, each.memo, each.at)
        for id, each in entries
    ]
    lines = [
        (id, number, line.account, each.portfolio_id, line.asset, decimal_of(line.amount), each.at)
        for id, each in entries
        for number, line in enumerate(each.lines, 1)
    ]
    await tx.execute(BatchSql.insert_entries, *columns_of(heads, 8), *columns_of(lines, 7))


async def _store_lots(tx: Tx, holdings: Holdings) -> None:
    if holdings.opened:
        rows = [
            (
                lot.id,
                lot.bought.portfolio_id,
                lot.bought.life,
                lot.bought.symbol,
                lot.bought.fill_id,
                decimal_of(lot.bought.quantity),
                decimal_of(lot.remaining),
                decimal_of(lot.bought.cost),
                decimal_of(lot.remaining_cost),
                lot.acquired_at,
            )
            for lot in holdings.opened
            if lot.bought is not None
        ]
        await tx.execute(BatchSql.insert_lots, *columns_of(rows, 10))
    if holdings.spent:
        spent = [(lot.id, decimal_of(lot.remaining), decimal_of(lot.remaining_cost)) for lot in holdings.spent.values()]
        await tx.execute(BatchSql.put_lots, *columns_of(spent, 3))
    if holdings.disposed:
        disposed = [
            (
                each.lot_id,
                each.fill_id,
                each.portfolio_id,
                each.life,
                each.symbol,
                decimal_of(each.quantity),
                decimal_of(each.cost),
                decimal_of(each.proceeds),
                each.acquired_at,
                each.at,
            )
            for each in holdings.disposed
        ]
        await tx.execute(BatchSql.insert_disposals, *columns_of(disposed, 10))


async def _lots_for(tx: Tx, sold: Mapping[PositionKey, int]) -> list[LotRow]:
    """The oldest lots that hold these quantities, in their order."""
    found, missing = list[LotRow](), dict(sold)
    after = dict.fromkeys(missing, 0)
    while missing:
        keys = [(portfolio_id, symbol, after[portfolio_id, symbol]) for portfolio_id, symbol in sorted(missing)]
        rows = await tx.fetch(BatchSql.lots_of, *columns_of(keys, 3), LOTS_AT_ONCE)
        found += rows
        counts = dict.fromkeys(missing, 0)
        for row in rows:
            place = (row.portfolio_id, row.symbol)
            missing[place] -= units_of(row.remaining)
            after[place] = row.number
            counts[place] += 1
        # What there is no lot of is bought within the batch, or is a defect that posting finds.
        missing = {each: left for each, left in missing.items() if left > 0 and counts[each] == LOTS_AT_ONCE}
    return found
