"""The books as they are stored: where a leader begins, and where matching goes on after a failure."""

from uuid import UUID

from app.domains.trading.exchange.model import OpenOrder
from app.domains.trading.matching.model import ExchangeState
from app.domains.trading.matching.rules.brackets import Brackets
from app.domains.trading.matching.rules.records import brackets_of, open_order_of, stored_book_of
from app.domains.trading.matching.rules.venue import Venue
from app.domains.trading.matching.statements import MatchingSql
from app.domains.trading.orders.model import INTERNAL, BracketRole
from app.kit.db import SYSTEM, Database, Tx


async def rebuild(database: Database, state: ExchangeState, quote_age_ms: int) -> Venue:
    """Reads all books and open orders in one snapshot."""

    async def read(tx: Tx) -> Venue:
        books = await tx.fetch(MatchingSql.stored_books)
        by_symbol: dict[str, list[OpenOrder]] = {book.symbol: [] for book in books}
        entries = dict[UUID, UUID]()
        for row in await tx.fetch(MatchingSql.open_orders):
            by_symbol[row.symbol].append(open_order_of(row))
            if row.bracket_role == BracketRole.ENTRY and row.bracket_id is not None:
                entries[row.bracket_id] = row.id
        exits = await tx.fetch(MatchingSql.exits_of_open_entries)
        return Venue(
            [stored_book_of(book, by_symbol[book.symbol]) for book in books],
            Brackets(brackets_of(entries, exits)),
            name=INTERNAL,
            is_halted=state.is_halted,
            quote_age_ms=quote_age_ms,
        )

    return await database.read(SYSTEM, read)
