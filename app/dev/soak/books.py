"""What a database would hold: cash, positions, lots, orders, and the journal as sums of its lines."""

from collections import Counter
from collections.abc import Iterable
from decimal import Decimal
from typing import Final
from uuid import UUID

import msgspec

from app.dev.soak.model import Broken
from app.domains.trading.journal.model import (
    Account,
    CashRow,
    Currency,
    EntryKind,
    Line,
    LotRow,
    NewEntry,
    PositionRow,
)
from app.domains.trading.journal.rules.entries import ending_lines, excess_of, transfer_lines
from app.domains.trading.journal.rules.holdings import Holdings, PositionKey
from app.domains.trading.matching.model import OrderRow
from app.domains.trading.orders.model import OPEN
from app.domains.trading.quantities.model import Side
from app.domains.trading.quantities.rules import decimal_of, units_of

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


class Reserved(msgspec.Struct, frozen=True):
    """What an open order has reserved, in units, with what changes may need."""

    side: Side
    symbol: str
    units: int


class Books:
    """Rows, and the sums of the journal."""

    def __init__(self) -> None:
        self.cash = dict[UUID, CashRow]()
        self.positions = dict[PositionKey, PositionRow]()
        self.lots = dict[PositionKey, list[LotRow]]()
        self.orders = dict[UUID, OrderRow]()
        self.brackets = dict[UUID, list[UUID]]()
        """The orders of each bracket: the entry, then the stop loss and the take profit."""
        self.open = dict[UUID, dict[UUID, Reserved]]()
        """The open orders of each portfolio."""
        self.sums = Counter[tuple[Account, UUID | None, str]]()
        """The journal: all lines added up, by account, portfolio and asset."""
        self.entries = 0
        self._lots = 0

    def note(self, row: OrderRow) -> None:
        """Writes an order."""
        self.orders[row.id] = row
        opened = self.open.setdefault(row.portfolio_id, {})
        if row.status in OPEN:
            units = units_of(row.reserved) + units_of(row.reserved_for_changes)
            opened[row.id] = Reserved(Side(row.side), row.symbol, units)
        else:
            opened.pop(row.id, None)

    def reserve(self, row: OrderRow, units: int) -> None:
        """Reserves for an order."""
        if row.side == Side.BUY:
            cash = self.cash[row.portfolio_id]
            self.cash[cash.portfolio_id] = msgspec.structs.replace(cash, reserved=cash.reserved + decimal_of(units))
        else:
            held = self.positions[row.portfolio_id, row.symbol]
            reserved = held.reserved + decimal_of(units)
            self.positions[row.portfolio_id, row.symbol] = msgspec.structs.replace(held, reserved=reserved)

    def available(self, portfolio_id: UUID) -> int:
        """The units of cash that are not reserved."""
        cash = self.cash[portfolio_id]
        return units_of(cash.balance - cash.reserved)

    def available_coins(self, portfolio_id: UUID, symbol: str) -> int:
        """The units of a position that are not reserved."""
        held = self.positions.get((portfolio_id, symbol))
        return 0 if held is None else units_of(held.quantity - held.reserved)

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

    def transfer(self, portfolio: Portfolio, amount: int) -> None:
        """Cash that comes or goes."""
        self.post(portfolio.id, transfer_lines(portfolio.currency, amount))
        cash = self.cash.setdefault(portfolio.id, CashRow(portfolio.id, Decimal(0), Decimal(0)))
        self.cash[portfolio.id] = msgspec.structs.replace(cash, balance=cash.balance + decimal_of(amount))

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

    def holdings(
        self, portfolio_ids: Iterable[UUID], places: Iterable[PositionKey], sold: Counter[PositionKey]
    ) -> Holdings:
        """What a batch reads: the cash, these positions, and the lots of what is sold."""
        lots = list[LotRow]()
        for place, quantity in sold.items():
            missing = quantity
            for lot in self.lots.get(place, ()):
                if missing <= 0:
                    break
                lots.append(lot)
                missing -= units_of(lot.remaining)
        positions = [self.positions[place] for place in places if place in self.positions]
        return Holdings([self.cash[each] for each in portfolio_ids], positions, lots)

    def store(self, holdings: Holdings, entries: Iterable[tuple[int, NewEntry]]) -> None:
        """Writes what a batch has changed, as the services do."""
        for _, entry in entries:
            if entry.kind is not EntryKind.FILL:
                raise Broken("matching posts fills only", kind=entry.kind)
            self.post(entry.portfolio_id, entry.lines)
        for id, cash in holdings.cash.items():
            self.cash[id] = CashRow(id, decimal_of(cash.balance), decimal_of(cash.reserved))
        for place, each in holdings.positions.items():
            if each.opened_at is not None:
                self.positions[place] = PositionRow(
                    *place,
                    decimal_of(each.quantity),
                    decimal_of(each.reserved),
                    decimal_of(each.cost),
                    decimal_of(each.realized_pnl),
                    each.opened_at,
                )
            elif each.quantity or each.reserved:
                raise Broken("a position that holds something is stored", place=place)
        self._store_lots(holdings)

    def _store_lots(self, holdings: Holdings) -> None:
        for lot in holdings.opened:
            bought = lot.bought
            assert bought is not None
            if lot.remaining:
                self._lots += 1
                amounts = (decimal_of(lot.remaining), decimal_of(lot.remaining_cost))
                row = LotRow(bought.portfolio_id, bought.symbol, lot.id, self._lots, *amounts, lot.acquired_at)
                self.lots.setdefault((bought.portfolio_id, bought.symbol), []).append(row)
        if not holdings.spent:
            return
        for place in {(each.portfolio_id, each.symbol) for each in holdings.disposed}:
            kept = list[LotRow]()
            for row in self.lots.get(place, ()):
                spent = holdings.spent.get(row.id)
                if spent is None:
                    kept.append(row)
                elif spent.remaining:
                    amounts = (decimal_of(spent.remaining), decimal_of(spent.remaining_cost))
                    kept.append(LotRow(*place, row.id, row.number, *amounts, row.acquired_at))
            self.lots[place] = kept
