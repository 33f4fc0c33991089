"""Open orders, sorted so that what comes next is at the end of a list: a price looks at no more than it reaches."""

from bisect import bisect_left, bisect_right, insort
from collections.abc import Callable, Iterable, Iterator
from typing import Final, TypeAlias

from app.domains.trading.exchange.model import Extreme, OpenOrder, Order, OrderType
from app.domains.trading.quantities.model import Side
from app.domains.trading.quantities.rules import COIN

Row: TypeAlias = tuple[int, int, OpenOrder]
Key: TypeAlias = Callable[[Order], int]


def _expires_at(order: Order) -> int:
    assert order.expires_at is not None
    return order.expires_at


def _price(order: Order) -> int:
    assert order.price is not None
    return order.price


def _stop_price(order: Order) -> int:
    assert order.stop_price is not None
    return order.stop_price


def _trail_amount(order: Order) -> int:
    assert order.trail_amount is not None
    return order.trail_amount


def _trail_fraction(order: Order) -> int:
    assert order.trail_fraction is not None
    return order.trail_fraction


class Queue:
    """Orders by a key, the least first (`sign` 1) or the greatest first (-1), and by priority among equals.

    The list is sorted the other way round, so that the first is taken off its end. Inserting moves what lies between
    the place and the end: pointers, so that 100,000 orders cost microseconds.
    """

    __slots__ = ("_key", "_sign", "rows")

    def __init__(self, key: Key, sign: int = 1) -> None:
        self._key = key
        self._sign = -sign
        self.rows: Final[list[Row]] = []

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[OpenOrder]:
        return (row[2] for row in reversed(self.rows))

    def fill(self, orders: Iterable[OpenOrder]) -> None:
        """Adds many at once."""
        key, sign = self._key, self._sign
        self.rows.extend((sign * key(each.order), -each.priority, each) for each in orders)
        self.rows.sort()

    def add(self, order: OpenOrder) -> None:
        """Adds one. Priorities are unique, so that orders themselves are never compared."""
        insort(self.rows, (self._sign * self._key(order.order), -order.priority, order))

    def remove(self, order: OpenOrder) -> None:
        """Removes one that is in here with this key and priority."""
        at = bisect_left(self.rows, (self._sign * self._key(order.order), -order.priority))
        assert self.rows[at][2] is order
        del self.rows[at]

    def first_key(self) -> int:
        """The key of the first, of which there has to be one."""
        return self._sign * self.rows[-1][0]


def resting(side: Side) -> Queue:
    """Limit orders of one side, the best first."""
    return Queue(_price, -1 if side is Side.BUY else 1)


def expiring() -> Queue:
    """Orders until a date, the earliest first."""
    return Queue(_expires_at)


class Stops:
    """Stops of one side. A stop that sells is reached from above, the highest first; one that buys from below."""

    __slots__ = ("_sign", "queue")

    def __init__(self, side: Side) -> None:
        self._sign = 1 if side is Side.SELL else -1
        self.queue = Queue(_stop_price, -self._sign)

    def reached(self, price: int) -> OpenOrder | None:
        """The first that this price reaches or passes."""
        if self.queue.rows and self._sign * price <= self._sign * self.queue.first_key():
            return self.queue.rows[-1][2]
        return None


class _Group:
    """Trailing stops that have seen the same best price, those with the shortest trail first."""

    __slots__ = ("amounts", "best", "fractions", "since")

    def __init__(self, since: int, best: int) -> None:
        self.since = since
        self.best = best
        self.amounts = Queue(_trail_amount)
        self.fractions = Queue(_trail_fraction)

    def queue_of(self, order: Order) -> Queue:
        return self.amounts if order.trail_amount is not None else self.fractions


class Trails:
    """Trailing stops of one side, in groups by the best price that they have seen.

    An older order has seen all that a newer one has: from old to new the best prices get no better. So a price that is
    better than some joins the newest groups into one, and no order is touched.
    """

    __slots__ = ("_groups", "_sign")

    def __init__(self, side: Side, extremes: Iterable[Extreme] = ()) -> None:
        self._sign = 1 if side is Side.SELL else -1
        self._groups = [_Group(each.since, each.price) for each in extremes]

    @property
    def extremes(self) -> tuple[Extreme, ...]:
        """What is durable: the best prices of the groups. Which orders belong to them follows from priorities."""
        return tuple(Extreme(each.since, each.best) for each in self._groups)

    def add(self, order: OpenOrder, price: int) -> None:
        """Adds an order that is placed at this price, with the newest priority."""
        if not self._groups or self._groups[-1].best != price:
            self._groups.append(_Group(order.priority, price))
        self._groups[-1].queue_of(order.order).add(order)

    def fill(self, orders: Iterable[OpenOrder]) -> None:
        """Adds orders to the groups that there are."""
        for each in orders:
            self._groups[self._index_of(each)].queue_of(each.order).add(each)

    def remove(self, order: OpenOrder) -> None:
        """Removes one."""
        at = self._index_of(order)
        group = self._groups[at]
        group.queue_of(order.order).remove(order)
        if not (group.amounts or group.fractions):
            del self._groups[at]

    def change(self, order: OpenOrder, new: Order) -> None:
        """Gives one another trail. What it has seen stays."""
        group = self._groups[self._index_of(order)]
        group.queue_of(order.order).remove(order)
        order.order = new
        group.queue_of(new).add(order)

    def move(self, price: int) -> None:
        """A new price: those that saw none as good follow it."""
        groups, sign = self._groups, self._sign
        while groups and sign * groups[-1].best < sign * price:
            if len(groups) > 1 and sign * groups[-2].best <= sign * price:
                self._join_newest()
            else:
                groups[-1].best = price

    def reached(self, price: int) -> OpenOrder | None:
        """The oldest group's first order whose trail this price has used up."""
        for group in self._groups:
            back = self._sign * (group.best - price)
            if group.amounts and back >= group.amounts.first_key():
                return group.amounts.rows[-1][2]
            if group.fractions and back * COIN >= group.best * group.fractions.first_key():
                return group.fractions.rows[-1][2]
        return None

    def _index_of(self, order: OpenOrder) -> int:
        return bisect_right(self._groups, order.priority, key=_since) - 1

    def _join_newest(self) -> None:
        newer, older = self._groups.pop(), self._groups[-1]
        older.amounts = _joined(older.amounts, newer.amounts)
        older.fractions = _joined(older.fractions, newer.fractions)


def _joined(one: Queue, other: Queue) -> Queue:
    """The larger with the smaller in it: however often groups join, an order is moved a logarithm of times."""
    small, large = sorted((one, other), key=len)
    for row in small.rows:
        insort(large.rows, row)
    return large


def _since(group: _Group) -> int:
    return group.since


class SideQueues:
    """All open orders of one side."""

    __slots__ = ("resting", "stops", "trails")

    def __init__(self, side: Side, extremes: Iterable[Extreme] = ()) -> None:
        self.resting = resting(side)
        self.stops = Stops(side)
        self.trails = Trails(side, extremes)

    def fill(self, orders: Iterable[OpenOrder]) -> None:
        """Adds what is open when a book is rebuilt."""
        rested, stopped, trailing = list[OpenOrder](), list[OpenOrder](), list[OpenOrder]()
        for each in orders:
            if is_resting(each):
                rested.append(each)
            else:
                (trailing if is_trailing(each) else stopped).append(each)
        self.resting.fill(rested)
        self.stops.queue.fill(stopped)
        self.trails.fill(trailing)

    def add(self, order: OpenOrder, price: int) -> None:
        """Adds an order; `price` is what a trailing stop follows from."""
        if is_resting(order):
            self.resting.add(order)
        elif is_trailing(order):
            self.trails.add(order, price)
        else:
            self.stops.queue.add(order)

    def remove(self, order: OpenOrder) -> None:
        """Removes one, wherever it is."""
        if is_resting(order):
            self.resting.remove(order)
        elif is_trailing(order):
            self.trails.remove(order)
        else:
            self.stops.queue.remove(order)

    def reached(self, price: int) -> OpenOrder | None:
        """The next stop that this price triggers: fixed ones as the price passed them, then trailing ones."""
        return self.stops.reached(price) or self.trails.reached(price)


def is_resting(order: OpenOrder) -> bool:
    """Whether an open order is a limit order now, and not a stop."""
    return order.is_triggered or order.order.type is OrderType.LIMIT


def is_trailing(order: OpenOrder) -> bool:
    """Whether an open order is a trailing stop that was not reached yet."""
    return order.order.type is OrderType.TRAILING_STOP and not order.is_triggered
