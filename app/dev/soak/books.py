"""What a database would hold: cash, positions, lots, orders, and the journal as sums of its lines."""

from collections import Counter
from collections.abc import Iterable
from typing import Final
from uuid import UUID

import msgspec

from app.dev.soak.model import Broken
from app.domains.trading.journal.model import Account, Currency, Line, NewEntry
from app.domains.trading.journal.rules.entries import ending_lines, excess_of, transfer_lines
from app.domains.trading.journal.rules.holdings import Holdings
from app.domains.trading.matching.rules.memory import Memory
from app.domains.trading.quantities.rules import units_of

INITIAL: Final = 10_000 * 10**8


class Portfolio(msgspec.Struct):
    """A portfolio beside its cash."""

    id: UUID
    owner: UUID
    currency: Currency
    taker_fee: int
    maker_fee: int
    life: int = 1
    closing: bool | None = None
    """Whether it is being deleted; None: it is open."""


class Books(Memory):
    """Rows, and the sums of the journal."""

    def __init__(self) -> None:
        super().__init__()
        self.sums = Counter[tuple[Account, UUID | None, str]]()
        """The journal: all lines added up, by account, portfolio and asset."""
        self.entries = 0

    def post(self, portfolio_id: UUID, lines: Iterable[Line]) -> None:
        """Adds an entry to the journal."""
        lines = tuple(lines)
        if excess := excess_of(lines):
            raise Broken("an entry balances in each asset", excess=excess)
        if any(line.amount < 0 for line in lines if line.account in (Account.ROUNDING, Account.FEES)):
            raise Broken("neither rounding nor fees are in favour of a portfolio", lines=lines)
        self.entries += 1
        for line in lines:
            owner = portfolio_id if line.account in (Account.CASH, Account.POSITION) else None
            self.sums[line.account, owner, line.asset] += line.amount

    def pay(self, portfolio: Portfolio, amount: int) -> None:
        """Cash that comes or goes."""
        self.post(portfolio.id, transfer_lines(portfolio.currency, amount))
        self.transfer(portfolio.id, amount)

    def end(self, portfolio: Portfolio) -> None:
        """Empties a portfolio whose orders have ended."""
        if self.open.get(portfolio.id):
            raise Broken("all orders have ended when a portfolio does", open=list(self.open[portfolio.id]))
        cash = self.cash.pop(portfolio.id)
        places = [place for place in self.positions if place[0] == portfolio.id]
        held = {place[1]: self.positions.pop(place) for place in places}
        if cash.reserved or any(each.reserved for each in held.values()):
            raise Broken("nothing is reserved when a portfolio ends", cash=cash, held=held)
        for place in places:
            self.lots.pop(place, None)
        quantities = {symbol: units_of(each.quantity) for symbol, each in held.items()}
        self.post(portfolio.id, ending_lines(portfolio.currency, units_of(cash.balance), quantities))

    def store(self, holdings: Holdings, entries: Iterable[tuple[int, NewEntry]]) -> None:
        """Writes what a batch has changed, as the services do."""
        entries = list(entries)
        for _, entry in entries:
            self.post(entry.portfolio_id, entry.lines)
        super().store(holdings, entries)
