"""The doctor of the books: whether everything that is kept beside the journal agrees with it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from app.domains.trading.portfolios.model import BooksReport, Finding
from app.domains.trading.portfolios.statements import BooksSql
from app.kit.db import SYSTEM, Database, Tx
from app.kit.sql import Query

FINDINGS: Final = 20
"""How many of each comparison are named."""
COMPARISONS: Final[dict[str, Query[Finding]]] = {
    "entries balance": BooksSql.unbalanced_entries,
    "lines belong to their entries": BooksSql.misplaced_lines,
    "cash is what its lines add up to": BooksSql.wrong_balances,
    "positions are what their lines add up to": BooksSql.wrong_positions,
    "positions are what their lots add up to": BooksSql.wrong_lots,
    "lots are what their disposals leave": BooksSql.wrong_disposals,
    "nothing is left of lives that have ended": BooksSql.wrong_lives,
    "what is reserved is what orders keep": BooksSql.wrong_reservations,
    "orders are filled as their fills add up to": BooksSql.wrong_fills,
}


@dataclass(frozen=True)
class Books:
    """Compares the books in one snapshot, so that it may run while Moneta does."""

    database: Database

    async def check(self, progressed: Callable[[str, int, int], None] = lambda *_: None) -> BooksReport:
        """Compares everything. `progressed` is called with each comparison, its number, and how many there are."""

        async def work(tx: Tx) -> BooksReport:
            [(portfolios, entries, lines)] = await tx.fetch(BooksSql.counts)
            findings = list[Finding]()
            for number, (name, comparison) in enumerate(COMPARISONS.items()):
                progressed(name, number, len(COMPARISONS))
                findings += await tx.fetch(comparison, FINDINGS)
            progressed("compared", len(COMPARISONS), len(COMPARISONS))
            return BooksReport(portfolios, entries, lines, findings)

        return await self.database.read(SYSTEM, work)
