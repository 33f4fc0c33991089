"""What a database holds of portfolios and their orders, in memory: what runs without one has the same rules between the
same rows. Pure.
"""

from collections import Counter
from collections.abc import Iterable
from decimal import Decimal
from uuid import UUID

import msgspec

from app.domains.trading.exchange.model import Refused, Traded
from app.domains.trading.journal.model import CashRow, EntryKind, LotRow, NewEntry, PositionRow
from app.domains.trading.journal.rules.holdings import Holdings, PositionKey
from app.domains.trading.matching.model import Command, OrderRow, Replace, Result
from app.domains.trading.matching.rules.records import positions_of
from app.domains.trading.orders.model import OPEN
from app.domains.trading.quantities.model import Side
from app.domains.trading.quantities.rules import decimal_of, units_of


class Reserved(msgspec.Struct, frozen=True, gc=False):
    """What an open order has reserved, in units, with what changes may need."""

    side: Side
    symbol: str
    units: int


class Touched(msgspec.Struct, frozen=True):
    """What a batch concerns."""

    orders: dict[UUID, None]
    """All orders of the brackets that are concerned, in the order in which that began."""
    places: set[PositionKey]
    sold: Counter[PositionKey]
    """How much is sold of each position, in units."""


class Memory:
    """Cash, positions, lots and orders, as rows."""

    def __init__(self) -> None:
        self.cash = dict[UUID, CashRow]()
        self.positions = dict[PositionKey, PositionRow]()
        self.lots = dict[PositionKey, list[LotRow]]()
        self.orders = dict[UUID, OrderRow]()
        self.brackets = dict[UUID, list[UUID]]()
        """The orders of each bracket: the entry, then its exits, the stop loss first."""
        self.open = dict[UUID, dict[UUID, Reserved]]()
        """The open orders of each portfolio."""
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

    def transfer(self, portfolio_id: UUID, units: int) -> None:
        """Cash that comes or goes."""
        cash = self.cash.setdefault(portfolio_id, CashRow(portfolio_id, Decimal(0), Decimal(0)))
        self.cash[portfolio_id] = msgspec.structs.replace(cash, balance=cash.balance + decimal_of(units))

    def touched(self, commands: Iterable[Command], results: Iterable[Result]) -> Touched:
        """What these commands and their results concern."""
        found = {each.order_id: None for each in commands if isinstance(each, Replace)}
        for result in results:
            for outcome in result.outcomes:
                if isinstance(outcome, Traded):
                    sides = (outcome.taker_id, outcome.maker_id)
                    found.update((each, None) for each in sides if each is not None)
                elif not isinstance(outcome, Refused):
                    found[outcome.order_id] = None
        for order_id in list(found):
            bracket_id = self.orders[order_id].bracket_id
            if bracket_id is not None:
                found.update(dict.fromkeys(self.brackets[bracket_id]))
        places, sold = positions_of([self.orders[each] for each in found], results)
        return Touched(found, places, sold)

    def holdings(
        self, portfolio_ids: Iterable[UUID], places: Iterable[PositionKey], sold: Counter[PositionKey]
    ) -> Holdings:
        """What a batch reads: the cash, these positions, and the lots of what is sold."""
        lots: list[LotRow] = []
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
        """Writes what a batch has changed, as the services do. Raises ValueError for what the database refuses."""
        for _, entry in entries:
            if entry.kind is not EntryKind.FILL:
                raise ValueError(f"matching posts fills only: {entry}")
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
                raise ValueError(f"a position that holds something is stored: {place}")
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
            kept: list[LotRow] = []
            for row in self.lots.get(place, ()):
                spent = holdings.spent.get(row.id)
                if spent is None:
                    kept.append(row)
                elif spent.remaining:
                    amounts = (decimal_of(spent.remaining), decimal_of(spent.remaining_cost))
                    kept.append(LotRow(*place, row.id, row.number, *amounts, row.acquired_at))
            self.lots[place] = kept
