"""The statements of matching, which run as the system."""

from uuid import UUID

from app.domains.trading.matching.model import BookedRow, BookRow, ExchangeState, InboxRow, OrderRow
from app.kit.sql import Command, Query, Statements


class MatchingSql(Statements, file="matching.sql"):
    """The statements of matching."""

    lead: Query[ExchangeState]
    lock_state: Query[ExchangeState]
    is_due: Query[bool]
    number_commands: Query[InboxRow]
    store_state: Command
    put_back: Command
    note_failure: Command
    orders_of_commands: Query[OrderRow]
    open_orders: Query[BookedRow]
    exits_of_open_entries: Query[OrderRow]
    stored_books: Query[BookRow]
    portfolios_of_orders: Query[UUID]
    owners_of_portfolios: Query[UUID]
    put_orders: Command
    insert_fills: Command
    put_books: Query[bool]
    note_prices: Command
