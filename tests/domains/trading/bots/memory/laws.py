"""What must hold of bots in memory after every step: the laws of the walks over Postgres, for what was touched."""

from collections import Counter
from collections.abc import Iterable
from decimal import Decimal
from typing import Any
from uuid import UUID

from app.dev.soak.model import Broken
from app.domains.trading.bots.model import ExecutionStatus
from app.domains.trading.strategies.model import SignalType
from tests.domains.trading.bots.memory.statements import BotStatements
from tests.domains.trading.bots.memory.store import BotRows, EntryRow, SignalRow, is_open
from tests.domains.trading.bots.memory.world import BotWorld

_DONE_NOTHING = (ExecutionStatus.FAILED, ExecutionStatus.IGNORED)


class BotLaws:
    """Raises Broken."""

    def __init__(self, world: BotWorld) -> None:
        self._world = world
        self._rows: BotRows = world.rows
        self._statements: BotStatements = world.statements

    def touched(self, ids: Iterable[UUID]) -> None:
        """The entries and signals of these IDs, and the signals of the entries. What was undone is no longer there."""
        rows, wanted = self._rows, set(ids)
        for id in list(wanted):
            if (entry := rows.entries.get(id)) is not None:
                self._entry(entry)
                wanted |= {entry.signal_id} if entry.exit_signal_id is None else {entry.signal_id, entry.exit_signal_id}
        for id in wanted:
            if (signal := rows.signals.get(id)) is not None:
                self._signal(signal)

    def everything(self) -> None:
        """All that there is, and that nothing is there twice."""
        rows, books = self._rows, self._world.books
        self.touched([*rows.entries, *rows.signals])
        once: dict[str, list[tuple[Any, ...]]] = {
            "a bot decides once on a candle": [*rows.decisions],
            "a bot has one signal for a token and a candle": [
                (each.bot_id, each.symbol, each.closed_at) for each in rows.signals.values()
            ],
            "a signal buys once, or once in each slot": [(each.signal_id, each.slot) for each in rows.entries.values()],
        }
        for what, found in once.items():
            if twice := [each for each, count in Counter(found).items() if count > 1]:
                raise Broken(what, twice=twice)
        for row in books.orders.values():
            if row.bot_id is None:
                continue
            of_bracket = None if row.bracket_id is None else rows.of_bracket.get(row.bracket_id)
            beside = rows.exits.get(row.id)
            owner = of_bracket or beside
            if (of_bracket is None) is (beside is None) or owner is None or rows.entries[owner].bot_id != row.bot_id:
                raise Broken("an order of a bot is of one entry, and of that bot", order=row)

    def bare(self, decided: Iterable[tuple[UUID, str]]) -> list[EntryRow]:
        """What bots hold of tokens, and sell at no price, though it is worth an order and the exchange takes it on."""
        orders, found = self._world.books.orders, list[EntryRow]()
        lives = {each.id: each.life for each in self._world.portfolios if each.closing is None}
        for bot_id, symbol in decided:
            for entry in (self._rows.entries[id] for id in self._rows.held.get(bot_id, ())):
                order, rest = orders[entry.id], entry.bought - entry.sold
                is_held = entry.symbol == symbol and not is_open(order) and lives.get(order.portfolio_id) == order.life
                if is_held and rest and not any(map(is_open, self._statements.sales(entry))):
                    found.append(entry)
        return found

    def _entry(self, entry: EntryRow) -> None:
        order, sales = self._world.books.orders[entry.id], list(self._statements.sales(entry))
        sold = sum((row.filled_quantity for row in sales), Decimal(0))
        proceeds = sum((row.filled_quote - row.fees for row in sales), Decimal(0))
        now = (entry.bought, entry.cost, entry.sold, entry.proceeds)
        if now != (order.filled_quantity, order.filled_quote + order.fees, sold, proceeds):
            raise Broken("an entry is what its fills are", entry=entry, order=order, sales=sales)
        if entry.sold > entry.bought:
            raise Broken("no more is sold than was bought", entry=entry)
        is_over = not is_open(order) and entry.bought == entry.sold
        if (entry.closed_at is not None) is not (is_over or entry.is_abandoned):
            raise Broken("an entry is closed exactly if all of it is sold, or it is abandoned", entry=entry)
        live = [row for row in sales if is_open(row)]
        if live and entry.closed_at is not None:
            raise Broken("what is closed is not being sold", entry=entry, live=live)
        if entry.closed_at is None and entry.bought:
            beside = [row for row in live if row.bracket_role is None]
            sets = len(beside) + (len(beside) < len(live))
            if sets > 1:
                raise Broken("what is held is sold by one set of exits at most", entry=entry, live=live)
            for row in live:
                assert row.quantity is not None
                if row.quantity - row.filled_quantity > entry.bought - entry.sold:
                    raise Broken("no more is to be sold than is held", entry=entry, row=row)
        signal = self._rows.signals.get(entry.signal_id)
        if signal is None or (signal.bot_id, signal.symbol, signal.type) != (
            entry.bot_id,
            entry.symbol,
            SignalType.BUY,
        ):
            raise Broken("an entry is bought by a signal to buy of its bot", entry=entry, signal=signal)
        self._beside(entry)

    def _beside(self, entry: EntryRow) -> None:
        """Beside the others that its bot holds."""
        if entry.closed_at is not None:
            return
        others = [self._rows.entries[id] for id in self._rows.held[entry.bot_id]]
        if is_open(self._world.books.orders[entry.id]):
            for other in others:
                is_open_too = other.symbol == entry.symbol and is_open(self._world.books.orders[other.id])
                if is_open_too and other.signal_id != entry.signal_id:
                    raise Broken("nothing is bought while an earlier purchase is open", entry=entry, other=other)
        in_slot = [(each.symbol, each.slot) for each in others].count((entry.symbol, entry.slot))
        if entry.slot is not None and in_slot > 1:
            raise Broken("no two entries that are held are in a slot", entry=entry)

    def _signal(self, signal: SignalRow) -> None:
        rows = self._rows
        match signal.type:
            case SignalType.BUY:
                entries = [rows.entries[id] for id in rows.bought_by.get(signal.id, ())]
                right = self._of_purchase(entries)
            case SignalType.SELL:
                # Few, of a bot: it is looked for among all that it had.
                of_bot = (rows.entries[id] for id in rows.entries_of.get(signal.bot_id, ()))
                right = _of_sale([entry for entry in of_bot if entry.exit_signal_id == signal.id])
            case _:
                right = (ExecutionStatus.IGNORED,)
        if signal.status not in right:
            raise Broken("a signal says what became of it", signal=signal, right=right)
        state = rows.states[signal.bot_id, signal.symbol]
        if state.decided_at < signal.closed_at:
            raise Broken("no signal is of a candle that is not noted", signal=signal, state=state)
        if self._world.events.signals.get(str(signal.id)) != signal.status:
            raise Broken("what a signal became was announced", signal=signal)

    def _of_purchase(self, entries: list[EntryRow]) -> tuple[ExecutionStatus, ...]:
        if not entries:
            return _DONE_NOTHING
        if any(entry.bought for entry in entries):
            return (ExecutionStatus.EXECUTED,)
        is_buying = any(is_open(self._world.books.orders[entry.id]) for entry in entries)
        # One of several that was not filled says so before the others are over.
        return (ExecutionStatus.PENDING, ExecutionStatus.FAILED) if is_buying else (ExecutionStatus.FAILED,)


def _of_sale(entries: list[EntryRow]) -> tuple[ExecutionStatus, ...]:
    if any(entry.closed_at is not None and not entry.is_abandoned for entry in entries):
        return (ExecutionStatus.EXECUTED,)
    if any(entry.closed_at is None for entry in entries):
        return (ExecutionStatus.PENDING,)
    return _DONE_NOTHING
