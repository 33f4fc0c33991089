"""What portfolios hold while the entries of a batch are posted, one after the other. Pure."""

from collections.abc import Iterable
from typing import Final
from uuid import UUID

from app.domains.trading.journal.model import (
    Bought,
    CashRow,
    Disposed,
    EntryKind,
    HeldCash,
    HeldLot,
    HeldPosition,
    LotRow,
    NewEntry,
    PositionRow,
)
from app.domains.trading.journal.rules.entries import effects_of, excess_of
from app.domains.trading.journal.rules.lots import take
from app.domains.trading.quantities.rules import units_of

COIN_KINDS: Final = frozenset({EntryKind.FILL, EntryKind.CORRECTION, EntryKind.TRANSFER})
"""The entries that move coins, but for those that end a life."""

PositionKey = tuple[UUID, str]
"""A portfolio and a symbol."""


class Holdings:
    """Cash, positions and lots of the portfolios of a batch, and what the batch has changed of them."""

    def __init__(self, cash: Iterable[CashRow], positions: Iterable[PositionRow], lots: Iterable[LotRow]) -> None:
        self.cash: Final = {row.portfolio_id: HeldCash(units_of(row.balance), units_of(row.reserved)) for row in cash}
        self.positions: Final = {
            (row.portfolio_id, row.symbol): HeldPosition(
                units_of(row.quantity),
                units_of(row.reserved),
                units_of(row.cost),
                units_of(row.realized_pnl),
                row.opened_at,
            )
            for row in positions
        }
        self._lots: dict[PositionKey, list[HeldLot]] = {}
        for row in lots:
            lot = HeldLot(row.id, units_of(row.remaining), units_of(row.remaining_cost), row.acquired_at)
            self._lots.setdefault((row.portfolio_id, row.symbol), []).append(lot)
        self.opened: list[HeldLot] = []
        self.spent: dict[UUID, HeldLot] = {}
        self.disposed: list[Disposed] = []

    def position(self, portfolio_id: UUID, symbol: str) -> HeldPosition:
        """The position, which is begun if there is none."""
        return self.positions.setdefault((portfolio_id, symbol), HeldPosition())

    def post(self, entry: NewEntry, lot_id: UUID) -> None:
        """Does what a fill, a transfer or a correction of coins does. `lot_id` is the ID of what it buys or adds, which
        costs what the entry takes from cash, so that coins added by a correction cost nothing unless it says so.

        Raises ValueError for what can be no such entry: one token moves, and nothing is paid in or out.
        Reservations are not changed: what made them follows what is left of the orders.
        """
        effects = effects_of(entry.kind, entry.lines)
        if entry.kind not in COIN_KINDS or len(effects.positions) != 1 or effects.contributed or excess_of(entry.lines):
            raise ValueError(f"this moves no coins of one token: {entry}")
        [(symbol, quantity)] = effects.positions.items()
        self.cash[entry.portfolio_id].balance += effects.cash
        place, position = (entry.portfolio_id, symbol), self.position(entry.portfolio_id, symbol)
        if quantity > 0:
            self._buy(entry, place, position, quantity, -effects.cash, lot_id)
        else:
            self._sell(entry, place, position, -quantity, effects.cash)

    def _buy(  # noqa: PLR0917  # what a purchase is
        self, entry: NewEntry, place: PositionKey, position: HeldPosition, quantity: int, cost: int, lot_id: UUID
    ) -> None:
        bought = Bought(entry.portfolio_id, entry.life, place[1], entry.fill_id, quantity, cost)
        lot = HeldLot(lot_id, quantity, cost, entry.at, bought)
        self._lots.setdefault(place, []).append(lot)
        self.opened.append(lot)
        if not position.quantity:
            position.opened_at = entry.at
        position.quantity += quantity
        position.cost += cost

    def _sell(self, entry: NewEntry, place: PositionKey, position: HeldPosition, quantity: int, proceeds: int) -> None:
        lots = self._lots.get(place, [])
        taken = take(lots, quantity, proceeds)
        for each, lot in zip(taken, lots, strict=False):
            lot.remaining -= each.quantity
            lot.remaining_cost -= each.cost
            if lot.bought is None:
                self.spent[lot.id] = lot
            position.cost -= each.cost
            position.realized_pnl += each.proceeds - each.cost
            at = max(entry.at, lot.acquired_at)
            self.disposed.append(
                Disposed(
                    lot.id,
                    entry.fill_id,
                    entry.portfolio_id,
                    entry.life,
                    place[1],
                    each.quantity,
                    each.cost,
                    each.proceeds,
                    lot.acquired_at,
                    at,
                )
            )
        position.quantity -= quantity
        self._lots[place] = [lot for lot in lots if lot.remaining]
