"""The pure exchange: operations on one book, rebuilding, and a tick over a million open orders."""

import gc
import random
import time
from collections.abc import Callable, Sequence
from statistics import median
from typing import Final
from uuid import UUID

import msgspec
from rich.progress import Progress

from app.domains.trading.exchange.model import BookState, OpenOrder, Order, OrderType, Outcome, Quote, Triggered
from app.domains.trading.exchange.rules.book import Book
from app.domains.trading.exchange.rules.rounding import tick_below
from app.domains.trading.quantities.model import Side
from app.domains.trading.quantities.rules import COIN, PRICE_SCALE
from bench.machine import wait_for_quiet
from bench.trading import nautilus
from bench.trading.figures import Figure, Found

OPERATIONS_TARGET: Final = 100_000
REBUILD_TARGET_S: Final = 3.0
TICK_TARGET_MS: Final = 250.0

RESTING: Final = 10_000
OPERATIONS: Final = 200_000
REBUILT: Final = 100_000
SYMBOLS: Final = 250
OPEN: Final = 1_000_000
TRIGGERED: Final = 200
TICKS: Final = 10
_PRICE: Final = 50_000 * PRICE_SCALE
_QUOTE: Final = Quote(price=_PRICE, volume=10**9 * COIN, volatility=COIN * 3 // 100, at=0)
_STATE: Final = BookState(venue="internal", symbol="BTC", quote=_QUOTE)


class Orders:
    """Orders that somebody might place. The same seed makes the same orders."""

    def __init__(self, seed: int = 12) -> None:
        self._random = random.Random(seed)
        self._owners = [self._id() for _ in range(1_000)]

    def limit(self) -> Order:
        """A limit order that waits: up to 5% away from the price."""
        side = self._side()
        away = self._random.uniform(0.002, 0.05)
        return self._order(side, OrderType.LIMIT, price=_priced(1 - away if side is Side.BUY else 1 + away))

    def market(self) -> Order:
        """A market order of a few coins."""
        side = self._side()
        return self._order(side, OrderType.MARKET, protection_price=_priced(1.05 if side is Side.BUY else 0.95))

    def waiting(self) -> Order:
        """Half are limit orders, a quarter stops, a quarter trailing stops; none is within 1% of the price."""
        side, kind = self._side(), self._random.random()
        away = self._random.uniform(0.01, 0.2)
        below = 1 - away if side is Side.BUY else 1 + away
        if kind < 0.5:
            return self._order(side, OrderType.LIMIT, price=_priced(below))
        protection = _priced(1.5 if side is Side.BUY else 0.5)
        if kind < 0.75:
            return self._order(side, OrderType.STOP, stop_price=_priced(2 - below), protection_price=protection)
        trail = int(away * COIN)
        return self._order(side, OrderType.TRAILING_STOP, trail_fraction=trail, protection_price=protection)

    def stop(self) -> Order:
        """A stop that the next tick triggers: half a thousandth below the price."""
        return self._order(Side.SELL, OrderType.STOP, stop_price=_priced(0.9995))

    def pick(self, ids: list[UUID]) -> UUID:
        """Takes a random one of these."""
        at = self._random.randrange(len(ids))
        ids[at], ids[-1] = ids[-1], ids[at]
        return ids.pop()

    def chance(self) -> float:
        """A number from 0 to 1."""
        return self._random.random()

    def _order(
        self,
        side: Side,
        kind: OrderType,
        *,
        price: int | None = None,
        stop_price: int | None = None,
        trail_fraction: int | None = None,
        protection_price: int | None = None,
    ) -> Order:
        return Order(
            id=self._id(),
            owner=self._random.choice(self._owners),
            side=side,
            type=kind,
            quantity=self._random.randint(COIN // 100, COIN),
            price=price,
            stop_price=stop_price,
            trail_fraction=trail_fraction,
            protection_price=protection_price,
        )

    def _side(self) -> Side:
        return Side.BUY if self._random.random() < 0.5 else Side.SELL

    def _id(self) -> UUID:
        return UUID(int=self._random.getrandbits(128))


class Measured(msgspec.Struct, frozen=True):
    """What one run found."""

    operations_per_s: float
    rebuilt_one_s: float
    rebuilt_many_s: float
    ticks_ms: list[float]
    triggered: int


def measure(rounds: int, progress: Progress) -> Found:
    """Runs each measurement `rounds` times."""
    task = progress.add_task("Filling books", total=SYMBOLS + 4 * rounds)
    orders = Orders()
    books = list[Book]()
    for _ in range(SYMBOLS):
        books.append(_filled(orders, OPEN // SYMBOLS))
        progress.advance(task)
    load, found, beside = list[float](), list[Measured](), list[tuple[str, float]]()
    for number in range(rounds):
        load.append(wait_for_quiet())
        operations = _operations()
        if (other := nautilus.operations_per_s(RESTING, OPERATIONS)) is not None:
            beside.append(other)
        progress.advance(task)
        one = _rebuilt(1)
        progress.advance(task)
        many = _rebuilt(SYMBOLS)
        progress.advance(task)
        ticks, triggered = _ticks(books, orders, number)
        progress.advance(task)
        found.append(Measured(operations, one, many, ticks, triggered))
    target_s = f"{REBUILD_TARGET_S:g} s"
    return Found(
        [
            Figure(
                f"pure: operations on a book of {RESTING:,} resting orders",
                [run.operations_per_s for run in found],
                "{:,.0f}/s",
                f"{OPERATIONS_TARGET:,}/s",
                bar="pure book",
            ),
            *(
                [Figure(f"nautilus_trader {beside[0][0]} beside", [rate for _, rate in beside], "{:,.0f}/s")]
                if beside
                else []
            ),
            Figure(
                f"pure: {REBUILT:,} open orders rebuilt, one book",
                [run.rebuilt_one_s for run in found],
                "{:.2f} s",
                target_s,
            ),
            Figure(f"pure: the same, {SYMBOLS} books", [run.rebuilt_many_s for run in found], "{:.2f} s", target_s),
            Figure(
                f"pure: a tick of {SYMBOLS} symbols over {OPEN:,} open orders",
                [each for run in found for each in run.ticks_ms],
                "{:.1f} ms",
                f"{TICK_TARGET_MS:.0f} ms",
            ),
        ],
        load,
        [
            "Pure: one process, nothing is stored or waited for, so that all times are those of the processor. Of the "
            "operations 45% place a limit order, 45% cancel one, 10% are market orders that walk the book. The book of "
            "nautilus_trader is written in Rust; it keeps orders and is asked for the cost of a quantity, and matches "
            f"none. It runs where {nautilus.PYTHON} names a Python that has it.",
            "Of the orders of ticks half are limit orders, a quarter stops, a quarter trailing stops. All prices fall "
            f"by 0.06% and trigger {found[0].triggered} stops.",
        ],
    )


def _operations() -> float:
    orders = Orders()
    resting = [
        OpenOrder(order, order.quantity or 0, at) for at, order in enumerate(orders.limit() for _ in range(RESTING))
    ]
    book = Book(msgspec.structs.replace(_STATE, next_priority=RESTING), resting)
    ids = [each.order.id for each in resting]
    run = list[Callable[[], list[Outcome]]]()
    for _ in range(OPERATIONS):
        if (chance := orders.chance()) < 0.45:
            order = orders.limit()
            ids.append(order.id)
            run.append(lambda order=order: book.place(order, 0))  # type: ignore[misc]
        elif chance < 0.9:
            run.append(lambda id=orders.pick(ids): book.cancel(id))  # type: ignore[misc]
        else:
            order = orders.market()
            run.append(lambda order=order: book.place(order, 0))  # type: ignore[misc]
    begun = _begin()
    for operation in run:
        operation()
    return OPERATIONS / (time.process_time() - begun)


def _rebuilt(books: int) -> float:
    orders = Orders()
    stored = [_filled(orders, REBUILT // books) for _ in range(books)]
    states = [(book.state, book.open_orders()) for book in stored]
    begun = _begin()
    for state, opened in states:
        Book(state, opened)
    return time.process_time() - begun


def _ticks(books: Sequence[Book], orders: Orders, run: int) -> tuple[list[float], int]:
    times, triggered = list[float](), list[int]()
    now = run * TICKS * 2_000
    for _ in range(TICKS):
        for book in books[:TRIGGERED]:
            book.place(orders.stop(), now)
        now += 1_000
        # Down, through the stops, and up again.
        down = msgspec.structs.replace(_QUOTE, price=_PRICE * 9_994 // 10_000, at=now)
        begun = _begin()
        outcomes = [outcome for book in books for outcome in book.requote(down, now)]
        times.append((time.process_time() - begun) * 1000)
        triggered.append(sum(isinstance(each, Triggered) for each in outcomes))
        now += 1_000
        for book in books:
            book.requote(msgspec.structs.replace(_QUOTE, at=now), now)
    return times, int(median(triggered))


def _filled(orders: Orders, count: int) -> Book:
    book = Book(_STATE)
    for _ in range(count):
        book.place(orders.waiting(), 0)
    return book


def _begin() -> float:
    # As in a server: the garbage collector skips what lives as long as the process.
    gc.collect()
    gc.freeze()
    return time.process_time()


def _priced(part: float) -> int:
    return tick_below(int(_PRICE * part))
