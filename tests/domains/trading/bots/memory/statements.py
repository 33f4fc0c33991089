"""What the statements of bots and of their orders do, in Python."""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from msgspec.structs import replace

from app.dev.soak.books import Books
from app.domains.market.prices.model import Interval
from app.domains.trading.bots.model import (
    BotStatus,
    ChangedSignal,
    DueBot,
    ExecutionStatus,
    HeldEntry,
    LockedBot,
    TradedBot,
)
from app.domains.trading.bots.statements import BotSql, RunSql
from app.domains.trading.matching.model import OrderRow
from app.domains.trading.orders.model import BracketRole
from app.domains.trading.strategies.model import Strategy
from tests.domains.trading.bots.memory.store import (
    BotRow,
    BotRows,
    EntryRow,
    MemoryTx,
    SignalRow,
    StateRow,
    is_open,
)

WEEK = timedelta(days=7)


class BotStatements:
    """Of `running.sql`, and of what `bots.sql` changes."""

    def __init__(self, rows: BotRows, books: Books) -> None:
        self._rows = rows
        self._books = books

    @property
    def all(self) -> dict[Any, Callable[..., Sequence[Any] | None]]:
        return {
            RunSql.due_bots: self._due_bots,
            RunSql.held_entries: self._held_entries,
            RunSql.active_bot: self._active_bot,
            RunSql.decide: self._decide,
            RunSql.insert_signals: self._insert_signals,
            RunSql.insert_entries: self._insert_entries,
            RunSql.note_exits: self._note_exits,
            RunSql.insert_exit: self._insert_exit,
            RunSql.open_stops: self._open_stops,
            RunSql.abandon_entries: self._abandon_entries,
            RunSql.settle_entries: self._settle_entries,
            RunSql.settle_signals: self._settle_signals,
            RunSql.bots_of_entries: self._bots_of_entries,
            BotSql.lock_bot: self._lock_bot,
            BotSql.set_status: self._set_status,
            BotSql.delete_bot: self._delete_bot,
            BotSql.without_candles: lambda *_: [],
        }

    def sales(self, entry: EntryRow) -> Iterable[OrderRow]:
        """The orders that sell of an entry: of its bracket, and beside it."""
        orders = self._books.orders
        for id in (*self._books.brackets[entry.bracket_id][1:], *self._rows.exits_of.get(entry.id, ())):
            yield orders[id]

    def _due_bots(self, _: MemoryTx, ids: list[UUID], closed_at: datetime, midnight: datetime) -> list[DueBot]:
        rows, found = self._rows, list[DueBot]()
        for id in sorted(set(ids)):
            bot = rows.bots[id]
            if bot.status is not BotStatus.ACTIVE or bot.started_at is None or bot.started_at > closed_at:
                continue
            assert bot.user_id is not None
            lost, last_loss_at = self._losses(id, midnight)
            for symbol in bot.target_symbols:
                state = rows.states.get((id, symbol))
                if state is not None and state.decided_at >= closed_at:
                    continue
                due = DueBot(
                    bot_id=id,
                    user_id=bot.user_id,
                    portfolio_id=bot.portfolio_id,
                    symbol=symbol,
                    config=bot.config,
                    max_position_size=bot.max_position_size,
                    stop_loss_percentage=bot.stop_loss_percentage,
                    take_profit_percentage=bot.take_profit_percentage,
                    risk_level=bot.risk_level,
                    daily_loss_limit=bot.daily_loss_limit,
                    cool_down_ms=bot.cool_down_ms,
                    ai_model=None,
                    state=None if state is None else state.state,
                    decided_at=None if state is None else state.decided_at,
                    last_type=None if state is None else state.signal_type,
                    lost_today=lost,
                    last_loss_at=last_loss_at,
                )
                found.append(due)
        return found

    def _losses(self, bot_id: UUID, midnight: datetime) -> tuple[Decimal, datetime | None]:
        lost, last = Decimal(0), None
        for id in self._rows.entries_of.get(bot_id, ()):
            entry = self._rows.entries[id]
            if entry.closed_at is None:
                continue
            if entry.closed_at >= midnight:
                lost -= entry.pnl
            if entry.closed_at >= midnight - WEEK and entry.pnl < 0 and (last is None or entry.closed_at > last):
                last = entry.closed_at
        return lost, last

    def _held_entries(self, _: MemoryTx, bots: list[UUID]) -> list[HeldEntry]:
        rows, found = self._rows, list[HeldEntry]()
        for entry in (rows.entries[id] for bot in bots for id in rows.held.get(bot, ())):
            __, stop, take = (self._books.orders[id] for id in self._books.brackets[entry.bracket_id])
            order = self._books.orders[entry.id]
            is_placed = is_open(take) and take.priority is not None
            beside = any(is_open(self._books.orders[id]) for id in rows.exits_of.get(entry.id, ()))
            assert stop.stop_price is not None
            average = round(order.filled_quote / order.filled_quantity, 12) if order.filled_quantity else None
            held = HeldEntry(
                id=entry.id,
                bot_id=entry.bot_id,
                symbol=entry.symbol,
                slot=entry.slot,
                is_bought=not is_open(order),
                bought_quantity=entry.bought,
                sold_quantity=entry.sold,
                average_price=average,
                opened_at=entry.opened_at,
                take_profit_id=take.id if is_placed else None,
                has_stop=is_open(stop) or beside,
                stop_loss_price=stop.stop_price,
                life=order.life,
            )
            found.append(held)
        return sorted(found, key=lambda each: (each.opened_at, each.id))

    def _active_bot(self, _: MemoryTx, id: UUID, closed_at: datetime) -> list[bool]:
        bot = self._rows.bots[id]
        return [True] if _decides(bot, closed_at) else []

    def _decide(self, tx: MemoryTx, bots: list[UUID], symbols: list[str], at: datetime, *new: Any) -> list[Any]:
        states, types, *_, known = new
        rows, found = self._rows, list[tuple[UUID, str]]()
        for id, symbol, state, kind, read_at in zip(bots, symbols, states, types, known, strict=True):
            before = rows.states.get((id, symbol))
            is_new = before is None or read_at == before.decided_at < at
            if _decides(rows.bots[id], at) and is_new:
                tx.put(rows.states, (id, symbol), StateRow(at, state, kind))
                tx.append(rows.decisions, (id, symbol, at))
                found.append((id, symbol))
        return found

    def _insert_signals(self, tx: MemoryTx, *columns: Any) -> None:
        *lists, closed_at, _ = columns
        ids, bots, symbols, kinds, _, _, _, _, statuses, reasons = lists
        for id, bot, symbol, kind, status, reason in zip(ids, bots, symbols, kinds, statuses, reasons, strict=True):
            tx.put(self._rows.signals, id, SignalRow(id, bot, symbol, kind, status, reason, closed_at))

    def _insert_entries(self, tx: MemoryTx, ids: Any, links: Any, slots: Any, *given: Any) -> None:
        bot, symbol, signal, at = given
        rows = self._rows
        for id, link, slot in zip(ids, links, slots, strict=True):
            entry = EntryRow(
                id=id, bot_id=bot, symbol=symbol, slot=slot, bracket_id=link, signal_id=signal, opened_at=at
            )
            tx.put(rows.entries, id, entry)
            tx.put(rows.of_bracket, link, id)
            for table, key in ((rows.held, bot), (rows.entries_of, bot), (rows.bought_by, signal)):
                tx.put(table, key, (*table.get(key, ()), id))

    def _note_exits(self, tx: MemoryTx, ids: list[UUID], signal: UUID, _: datetime) -> list[ChangedSignal]:
        held = [entry for id in ids if (entry := self._rows.entries[id]).closed_at is None]
        for entry in held:
            tx.put(self._rows.entries, entry.id, replace(entry, exit_signal_id=signal))
        before = {entry.exit_signal_id for entry in held}
        return self._fail(tx, before, "It sold nothing before a later signal did.")

    def _insert_exit(self, tx: MemoryTx, order_id: UUID, entry_id: UUID) -> None:
        tx.put(self._rows.exits, order_id, entry_id)
        tx.put(self._rows.exits_of, entry_id, (*self._rows.exits_of.get(entry_id, ()), order_id))

    def _open_stops(self, _: MemoryTx, id: UUID) -> list[UUID]:
        found = list[UUID]()
        for row in self.sales(self._rows.entries[id]):
            if is_open(row) and row.triggered_at is None and row.bracket_role != BracketRole.TAKE_PROFIT:
                in_bracket = row.bracket_role is not None
                if row.priority is not None if in_bracket else row.type == "stop":
                    found.append(row.id)
        return found

    def _abandon_entries(self, tx: MemoryTx, ids: list[UUID], at: datetime) -> list[ChangedSignal]:
        gone = [entry for id in ids if (entry := self._rows.entries[id]).closed_at is None]
        for entry in gone:
            self._close(tx, replace(entry, closed_at=at, is_abandoned=True))
        before = {entry.exit_signal_id for entry in gone}
        return self._fail(tx, before, "What it was to sell was gone before.")

    def _close(self, tx: MemoryTx, entry: EntryRow) -> None:
        held = self._rows.held
        tx.put(self._rows.entries, entry.id, entry)
        tx.put(held, entry.bot_id, tuple(id for id in held[entry.bot_id] if id != entry.id))

    def _fail(self, tx: MemoryTx, signals: set[UUID | None], reason: str) -> list[ChangedSignal]:
        rows, changed = self._rows, list[ChangedSignal]()
        for id in signals:
            signal = None if id is None else rows.signals[id]
            if signal is None or signal.status != ExecutionStatus.PENDING:
                continue
            if not any(rows.entries[each].exit_signal_id == id for each in rows.held[signal.bot_id]):
                changed.append(self._set_signal(tx, signal, ExecutionStatus.FAILED, reason))
        return changed

    def _set_signal(self, tx: MemoryTx, signal: SignalRow, status: str, reason: str | None) -> ChangedSignal:
        tx.put(self._rows.signals, signal.id, replace(signal, status=status, reason=reason))
        bot = self._rows.bots[signal.bot_id]
        return ChangedSignal(signal.id, bot.id, bot.user_id, ExecutionStatus(status), reason)

    def _settle_entries(self, tx: MemoryTx, order_ids: list[UUID], at: datetime) -> list[UUID]:
        rows, touched = self._rows, set[UUID]()
        for id in order_ids:
            link = self._books.orders[id].bracket_id
            found = rows.exits.get(id) if link is None else rows.of_bracket.get(link)
            if found is not None:
                touched.add(found)
        for id in touched:
            entry, order = rows.entries[id], self._books.orders[id]
            sales = list(self.sales(entry))
            sold = sum((row.filled_quantity for row in sales), Decimal(0))
            settled = replace(
                entry,
                bought=order.filled_quantity,
                cost=order.filled_quote + order.fees,
                sold=sold,
                proceeds=sum((row.filled_quote - row.fees for row in sales), Decimal(0)),
            )
            if not is_open(order) and order.filled_quantity == sold and entry.closed_at is None:
                self._close(tx, replace(settled, closed_at=at))
            else:
                tx.put(rows.entries, id, settled)
        return list(touched)

    def _settle_signals(self, tx: MemoryTx, ids: list[UUID], _: datetime) -> list[ChangedSignal]:
        rows, entries = self._rows, [self._rows.entries[id] for id in ids]
        new = dict[UUID, tuple[str, str | None]]()
        for signal in {entry.signal_id for entry in entries}:
            of_signal = [entry for entry in entries if entry.signal_id == signal]
            if any(entry.bought for entry in of_signal):
                new[signal] = ExecutionStatus.EXECUTED, None
            elif ended := [o.reason for e in of_signal if not is_open(o := self._books.orders[e.id])]:
                new[signal] = ExecutionStatus.FAILED, f"The order was not filled: {ended[0]}"
        for entry in entries:
            if entry.exit_signal_id is not None and entry.closed_at is not None and not entry.is_abandoned:
                new[entry.exit_signal_id] = ExecutionStatus.EXECUTED, None
        changed = list[ChangedSignal]()
        for id, (status, reason) in new.items():
            before = rows.signals[id]
            if before.status == ExecutionStatus.PENDING or (
                before.status == ExecutionStatus.FAILED and status == ExecutionStatus.EXECUTED
            ):
                changed.append(self._set_signal(tx, before, status, reason))
        return changed

    def _bots_of_entries(self, _: MemoryTx, ids: list[UUID]) -> list[TradedBot]:
        bots = {self._rows.entries[id].bot_id: self._rows.bots[self._rows.entries[id].bot_id] for id in ids}
        return [TradedBot(id, bot.user_id, bot.status, None) for id, bot in bots.items() if bot.user_id is not None]

    def _lock_bot(self, _: MemoryTx, id: UUID, user_id: UUID) -> list[LockedBot]:
        bot = self._rows.bots[id]
        if bot.user_id != user_id:
            return []
        strategy = Strategy(bot.config["type"])
        return [
            LockedBot(
                id,
                user_id,
                bot.portfolio_id,
                "",
                bot.status,
                bot.status_reason,
                strategy,
                bot.config,
                bot.target_symbols,
                Interval.ONE_MINUTE,
            )
        ]

    def _set_status(self, tx: MemoryTx, id: UUID, status: BotStatus, reason: str | None, at: datetime) -> None:
        bot = self._rows.bots[id]
        began = at if status is BotStatus.ACTIVE else bot.started_at
        tx.put(self._rows.bots, id, replace(bot, status=status, status_reason=reason, started_at=began))

    def _delete_bot(self, tx: MemoryTx, id: UUID) -> None:
        bot = self._rows.bots[id]
        tx.put(self._rows.bots, id, replace(bot, user_id=None, status=BotStatus.STOPPED))


def _decides(bot: BotRow, closed_at: datetime) -> bool:
    return bot.status is BotStatus.ACTIVE and bot.started_at is not None and bot.started_at <= closed_at
