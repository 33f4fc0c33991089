"""Posting what moves cash alone, and what ends a life. What moves coins is posted in batches, with its lots."""

from typing import Final

from app.domains.trading.journal.model import ENDINGS, NewEntry
from app.domains.trading.journal.rules.entries import effects_of, excess_of
from app.domains.trading.journal.statements import JournalSql
from app.domains.trading.quantities.rules import decimal_of
from app.kit.db import Tx

MAX_LINES: Final = 1000


async def post(tx: Tx, entry: NewEntry) -> int:
    """Posts an entry with its lines, and changes the balance of its portfolio; an ending also empties its positions and
    lots. Returns its ID.

    The caller has locked the portfolio, runs as the system, and has checked that there is enough: a balance that would
    be negative, or less than what is reserved, is a defect here. Raises ValueError for what can be no such entry.
    """
    effects, is_ending = effects_of(entry.kind, entry.lines), entry.kind in ENDINGS
    # The end of a life is an entry even if nothing was left.
    if not (0 if is_ending else 2) <= len(entry.lines) <= MAX_LINES or excess_of(entry.lines):
        raise ValueError(f"this does not balance: {entry}")
    if effects.positions and not is_ending:
        raise ValueError(f"coins move with their lots: {entry}")
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
        [decimal_of(line.amount) for line in entry.lines],
        decimal_of(effects.cash),
        None if is_ending else decimal_of(effects.contributed),
    )
    if posted.balances != 1:
        raise ValueError(f"no such portfolio: {entry.portfolio_id}")
    if is_ending:
        await tx.execute(JournalSql.end_lots, entry.portfolio_id)
        await tx.execute(JournalSql.delete_positions, entry.portfolio_id)
    return posted.id
