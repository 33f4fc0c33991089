"""Rows of bots in memory, and transactions that are undone where a process is killed in them."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from decimal import Decimal
from typing import Any, Final, TypeVar
from uuid import UUID

import msgspec

from app.domains.trading.bots.model import BotStatus
from app.domains.trading.matching.model import OrderRow
from app.domains.trading.orders.model import OPEN
from app.domains.trading.strategies.model import RiskLevel
from tests.domains.trading.bots.walks.crashes import Crashes

T = TypeVar("T")
_ABSENT: Final = object()


class BotRow(msgspec.Struct, frozen=True, kw_only=True):
    """A row of `trading_bots`."""

    id: UUID
    user_id: UUID | None
    portfolio_id: UUID
    config: dict[str, Any]
    target_symbols: list[str]
    risk_level: RiskLevel
    max_position_size: Decimal
    stop_loss_percentage: Decimal
    take_profit_percentage: Decimal
    daily_loss_limit: Decimal | None
    cool_down_ms: int
    status: BotStatus = BotStatus.PAUSED
    status_reason: str | None = None
    started_at: datetime | None = None


class StateRow(msgspec.Struct, frozen=True):
    """A row of `bot_states`."""

    decided_at: datetime
    state: dict[str, Any] | None
    signal_type: str


class SignalRow(msgspec.Struct, frozen=True):
    """A row of `trading_signals`."""

    id: UUID
    bot_id: UUID
    symbol: str
    type: str
    status: str
    reason: str | None
    closed_at: datetime


class EntryRow(msgspec.Struct, frozen=True, kw_only=True):
    """A row of `bot_entries`."""

    id: UUID
    bot_id: UUID
    symbol: str
    slot: int | None
    bracket_id: UUID
    signal_id: UUID
    opened_at: datetime
    exit_signal_id: UUID | None = None
    bought: Decimal = Decimal(0)
    cost: Decimal = Decimal(0)
    sold: Decimal = Decimal(0)
    proceeds: Decimal = Decimal(0)
    closed_at: datetime | None = None
    is_abandoned: bool = False

    @property
    def pnl(self) -> Decimal:
        if not self.bought:
            return Decimal(0)
        return self.proceeds - round(self.cost * self.sold / self.bought, 8)


class BotRows:
    """The tables of bots."""

    def __init__(self) -> None:
        self.bots = dict[UUID, BotRow]()
        self.states = dict[tuple[UUID, str], StateRow]()
        self.signals = dict[UUID, SignalRow]()
        self.entries = dict[UUID, EntryRow]()
        self.exits = dict[UUID, UUID]()
        """The entry that each order sells of, beside the exits of its bracket."""
        self.exits_of = dict[UUID, tuple[UUID, ...]]()
        self.of_bracket = dict[UUID, UUID]()
        self.bought_by = dict[UUID, tuple[UUID, ...]]()
        """The entries of each signal to buy."""
        self.entries_of = dict[UUID, tuple[UUID, ...]]()
        """All entries of each bot."""
        self.held = dict[UUID, tuple[UUID, ...]]()
        """The open entries of each bot."""
        self.touched = set[UUID]()
        """What was written since this was cleared: entries, signals, and others that have an ID."""
        self.decisions = list[tuple[UUID, str, datetime]]()


def is_open(row: OrderRow) -> bool:
    return row.status in OPEN


class MemoryTx:
    """A transaction: what it wrote is undone, unless it is committed."""

    def __init__(self, database: "MemoryDatabase") -> None:
        self._database = database
        self.undo = list[Callable[[], None]]()

    def put(self, table: dict[Any, Any], key: Any, value: Any) -> None:
        """Writes a row."""
        before = table.get(key, _ABSENT)

        def undo() -> None:
            if before is _ABSENT:
                table.pop(key, None)
            else:
                table[key] = before

        self.undo.append(undo)
        table[key] = value
        if isinstance(key, UUID):
            self._database.rows.touched.add(key)

    def append(self, table: list[Any], value: Any) -> None:
        """Adds a row to a list."""
        self.undo.append(lambda: table.pop() and None)
        table.append(value)

    async def fetch(self, statement: Any, *args: Any) -> list[Any]:
        self._database.crashes.ask()
        found = self._database.statements[statement](self, *args)
        return [] if found is None else list(found)

    async def fetch_one(self, statement: Any, *args: Any) -> Any:
        found = await self.fetch(statement, *args)
        return found[0] if found else None

    async def execute(self, statement: Any, *args: Any) -> int:
        await self.fetch(statement, *args)
        return 0

    def after_commit(self, action: Callable[[], Awaitable[None]]) -> None:
        """Nobody is to be woken."""


class MemoryDatabase:
    """One transaction at a time. Nothing is kept of one in which somebody is killed."""

    def __init__(
        self, rows: BotRows, statements: dict[Any, Callable[..., Sequence[Any] | None]], crashes: Crashes
    ) -> None:
        self.rows = rows
        self.statements = statements
        self.crashes = crashes
        self._turn = asyncio.Lock()

    async def write(self, _: Any, work: Callable[[Any], Awaitable[T]]) -> T:
        """A transaction that is committed."""
        await self.crashes.before_transaction()
        async with self._turn:
            tx = MemoryTx(self)
            try:
                result = await work(tx)
                self.crashes.ask()
            except BaseException:
                for undo in reversed(tx.undo):
                    undo()
                raise
        # It is committed, and the process does not get to know.
        self.crashes.ask()
        return result

    @asynccontextmanager
    async def snapshot(self, _: Any) -> AsyncIterator[MemoryTx]:
        """A transaction that reads."""
        await self.crashes.before_transaction()
        async with self._turn:
            yield MemoryTx(self)
