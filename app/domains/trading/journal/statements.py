"""The statements about the journal, and about what is kept beside it."""

from app.domains.trading.journal.model import (
    CashRow,
    Disposal,
    JournalEntry,
    JournalLine,
    Lot,
    LotRow,
    PositionRow,
    PostedEntry,
)
from app.kit.sql import Command, Query, Rows, Statements


class JournalSql(Statements, file="journal.sql"):
    """The statements about the journal."""

    entries_by_ids: Query[JournalEntry]
    entries_by_portfolio: Rows[JournalEntry]
    lines_by_entry: Rows[JournalLine]
    lots_by_portfolio: Rows[Lot]
    disposals_by_portfolio: Rows[Disposal]
    post_entry: Query[PostedEntry]
    end_lots: Command
    delete_positions: Command


class BatchSql(Statements, file="batches.sql"):
    """The statements that post all entries of a batch at once."""

    lock_cash: Query[CashRow]
    positions_of: Query[PositionRow]
    lots_of: Query[LotRow]
    entry_ids: Query[int]
    insert_entries: Command
    put_cash: Command
    put_positions: Command
    insert_lots: Command
    put_lots: Command
    insert_disposals: Command
