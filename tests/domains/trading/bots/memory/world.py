"""The world of the soak test with bots: what the exchange does with their orders is settled in the same batch."""

from collections.abc import Coroutine
from typing import Any, TypeVar
from uuid import UUID

from app.dev.soak.books import Books
from app.dev.soak.model import BASES, RATE, Tick
from app.dev.soak.world import World
from app.domains.market.prices.model import Candle, Interval
from app.domains.trading.bots.rules.deciding import last_close
from app.domains.trading.bots.services.bots import Bots
from app.domains.trading.bots.services.reasons import Reasons
from app.domains.trading.bots.services.reporting import BotReports
from app.domains.trading.bots.services.runner import BotRunner
from app.domains.trading.bots.services.trader import BotTrader
from app.domains.trading.matching.model import OrderRow
from app.domains.trading.orders.services.orders import Orders
from app.domains.trading.portfolios.services.portfolios import Portfolios
from app.domains.trading.quantities.rules import COIN, PRICE_SCALE, moment_of
from app.kit.events import Fact
from tests.domains.trading.bots.memory.order_statements import OrderStatements, price_of
from tests.domains.trading.bots.memory.statements import BotStatements
from tests.domains.trading.bots.memory.store import BotRows, MemoryDatabase, MemoryTx
from tests.domains.trading.bots.walks.crashes import Crashes

T = TypeVar("T")
QUOTE_AGE_MS = 60_000


class WatchedBooks(Books):
    """Notes which orders have changed."""

    def __init__(self) -> None:
        super().__init__()
        self.changed = list[UUID]()

    def note(self, row: OrderRow) -> None:
        self.changed.append(row.id)
        super().note(row)


class Clock:
    """The time of a world."""

    def __init__(self, world: World) -> None:
        self._world = world

    def now(self) -> Any:
        return moment_of(self._world.now)


class Events:
    """The newest status of each signal that was announced."""

    def __init__(self) -> None:
        self.signals = dict[str, str]()

    async def append(self, tx: MemoryTx, facts: list[Fact]) -> None:
        for fact in facts:
            if fact.stream.startswith("signals:") and "signal_id" in fact.payload:
                tx.put(self.signals, fact.payload["signal_id"], fact.payload["execution_status"])


class Notifications:
    """Nobody is notified; what comes with it is appended."""

    def __init__(self, events: Events) -> None:
        self._events = events

    async def notify(self, tx: MemoryTx, _: Any, *, facts: list[Fact]) -> None:
        await self._events.append(tx, facts)


class Wake:
    """Nobody is to be woken."""

    async def ring_soon(self) -> None:
        raise AssertionError("it is rung after a commit")


class Candles:
    """The last candle of each token."""

    def __init__(self) -> None:
        self.last = dict[str, Candle]()

    async def latest_of(self, symbols: Any, *_: Any) -> dict[str, list[Candle]]:
        return {symbol: [self.last[symbol]] if symbol in self.last else [] for symbol in symbols}


class BotWorld(World):
    """Bots in the portfolios of the soak test."""

    def __init__(self) -> None:
        self.rows, self.crashes, self.events, self.candles = BotRows(), Crashes(), Events(), Candles()
        books = WatchedBooks()
        self.watched = books
        super().__init__(books)
        self.orders = OrderStatements(self)
        self.statements = BotStatements(self.rows, books)
        statements = self.statements.all | self.orders.all
        database: Any = MemoryDatabase(self.rows, statements, self.crashes)
        # A batch is done as a whole or not at all: of one in which the matcher is killed, nothing is there.
        self._batches = MemoryDatabase(self.rows, statements, Crashes())
        clock, nobody, candles = Clock(self), _any(None), _any(self.candles)
        events, notifications = _any(self.events), _any(Notifications(self.events))
        portfolios = Portfolios(database, clock, events, 50, nobody, nobody, nobody)
        trader = BotTrader(Orders(database, clock, events, portfolios, _any(Wake()), QUOTE_AGE_MS), clock)
        self.reports = BotReports(database, clock, events, notifications)
        self.runner = BotRunner(database, clock, candles, trader, self.reports, Reasons(None))
        self.bots = Bots(database, clock, events, trader, 50)

    def candle(self, moves: dict[str, int]) -> Tick:
        """The prices at the end of a minute, each moved by so many parts of ten thousand."""
        prices = dict[str, tuple[int, int]]()
        for symbol, base in BASES.items():
            price = self.price(symbol)
            before = base if price is None else price.quote.price
            usd = before + before * moves[symbol] // 10_000 + (base - before) // 10
            prices[symbol] = usd, usd * RATE // PRICE_SCALE
        return Tick(prices, 50_000_000 * COIN, COIN // 50)

    def note_candles(self) -> None:
        """The candles of the minute that has ended, at the newest prices."""
        ended_at = last_close(Interval.ONE_MINUTE, moment_of(self.now))
        for symbol in BASES:
            price = price_of(self, symbol)
            opened_at = ended_at - Interval.ONE_MINUTE.length
            self.candles.last[symbol] = Candle(symbol, "soak", Interval.ONE_MINUTE, opened_at, *(price,) * 5)

    def _match(self) -> None:
        self.watched.changed.clear()
        super()._match()
        orders = self.books.orders
        if of_bots := [id for id in dict.fromkeys(self.watched.changed) if orders[id].bot_id is not None]:
            tx: Any = MemoryTx(self._batches)
            facts = _finished(self.reports.settle(tx, of_bots, moment_of(self.now)))
            _finished(self.events.append(tx, facts))


def _finished(work: Coroutine[Any, Any, T]) -> T:
    """The result of work that waits for nothing."""
    try:
        work.send(None)
    except StopIteration as ended:
        result: T = ended.value
        return result
    raise AssertionError("it waits")


def _any(stand_in: object) -> Any:
    """What stands in for a service."""
    return stand_in
