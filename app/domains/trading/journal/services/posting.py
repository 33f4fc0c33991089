"""Posting: the one way by which cash and coins move."""

from typing import Final

from app.domains.trading.journal.model import ENDINGS, Effects, NewEntry, OpenLot
from app.domains.trading.journal.rules.entries import effects_of, excess_of
from app.domains.trading.journal.rules.lots import take
from app.domains.trading.journal.rules.units import amount_of, units_of
from app.domains.trading.journal.statements import JournalSql
from app.kit.db import Tx

LOTS_AT_ONCE: Final = 500
MAX_LINES: Final = 1000


async def post(tx: Tx, entry: NewEntry) -> int:
    """Posts an entry with its lines, and changes the balance, positions and lots of its portfolio; returns its ID.

    The caller has locked the portfolio, runs as the system, and has checked that there is enough: a balance that would
    be negative, or less than what is reserved, is a defect here. Raises ValueError for what can be no entry.
    """
    effects, is_ending = effects_of(entry.kind, entry.lines), entry.kind in ENDINGS
    # The end of a life is an entry even if nothing was left.
    if not (0 if is_ending else 2) <= len(entry.lines) <= MAX_LINES or excess_of(entry.lines):
        raise ValueError(f"this does not balance: {entry}")
    if len(effects.positions) > 1 and not is_ending:
        raise ValueError(f"one entry moves one token: {entry}")
    [posted] = await tx.fetch(
        JournalSql.post_entry,
        entry.kind,
        entry.portfolio_id,
        entry.life,
        entry.order_id,
        entry.fill_id,
        entry.memo,
        entry.at,
        [line.account for line in entry.lines],
        [line.asset for line in entry.lines],
        [amount_of(line.amount) for line in entry.lines],
        amount_of(effects.cash),
        None if is_ending else amount_of(effects.contributed),
        amount_of(entry.released.cash),
    )
    if posted.balances != 1:
        raise ValueError(f"no such portfolio: {entry.portfolio_id}")
    if is_ending:
        await tx.execute(JournalSql.end_lots, entry.portfolio_id)
        await tx.execute(JournalSql.delete_positions, entry.portfolio_id)
        return posted.id
    for symbol, quantity in effects.positions.items():
        await (_buy if quantity > 0 else _sell)(tx, entry, effects, symbol, abs(quantity))
    return posted.id


async def _buy(tx: Tx, entry: NewEntry, effects: Effects, symbol: str, quantity: int) -> None:
    """What was paid is the cost: fees are part of it. What costs nothing, as in a correction, has a cost of 0."""
    cost = amount_of(-effects.cash)
    await tx.execute(
        JournalSql.open_lot,
        entry.portfolio_id,
        entry.life,
        symbol,
        entry.fill_id,
        amount_of(quantity),
        cost,
        entry.at,
    )


async def _sell(tx: Tx, entry: NewEntry, effects: Effects, symbol: str, quantity: int) -> None:
    taken = take(await _lots_for(tx, entry, symbol, quantity), quantity, effects.cash)
    await tx.execute(
        JournalSql.dispose_lots,
        entry.portfolio_id,
        symbol,
        entry.fill_id,
        entry.at,
        amount_of(entry.released.quantity),
        [each.lot_id for each in taken],
        [amount_of(each.quantity) for each in taken],
        [amount_of(each.cost) for each in taken],
        [amount_of(each.proceeds) for each in taken],
    )


async def _lots_for(tx: Tx, entry: NewEntry, symbol: str, quantity: int) -> list[OpenLot]:
    """The oldest lots that hold this quantity."""
    lots, number, held = list[OpenLot](), 0, 0
    while held < quantity:
        more = await tx.fetch(JournalSql.open_lots, entry.portfolio_id, symbol, number, LOTS_AT_ONCE)
        lots += more
        held += sum(units_of(lot.remaining) for lot in more)
        if len(more) < LOTS_AT_ONCE:
            break
        number = more[-1].number
    return lots
