"""What a book may do, checked outcome by outcome from the outcomes alone: slow, and written apart from the book."""

from dataclasses import dataclass
from uuid import UUID

from app.domains.trading.exchange.model import (
    Accepted,
    Cancelled,
    Changes,
    Expired,
    Filled,
    Level,
    Order,
    OrderType,
    Outcome,
    Reason,
    Refused,
    Rejected,
    Replaced,
    Rested,
    TimeInForce,
    Traded,
    Triggered,
)
from app.domains.trading.exchange.rules.rounding import cost
from app.domains.trading.quantities.model import Side
from app.domains.trading.quantities.rules import COIN


def sign(side: Side) -> int:
    return 1 if side is Side.BUY else -1


@dataclass
class Followed:
    """One order, as its outcomes tell of it."""

    order: Order
    left: int
    limit: int | None
    stop: int | None
    filled: int = 0
    spent: int = 0
    is_accepted: bool = False
    is_waiting: bool = False
    is_resting: bool = False
    is_triggered: bool = False
    priority: int = 0
    best: int = 0
    final: Outcome | None = None

    @property
    def is_open(self) -> bool:
        return self.is_waiting or self.is_resting

    def is_reached(self, price: int) -> bool:
        """Whether a price triggers this stop."""
        down = self.order.side is Side.SELL
        if self.stop is not None:
            return price <= self.stop if down else price >= self.stop
        back = self.best - price if down else price - self.best
        if self.order.trail_amount is not None:
            return back >= self.order.trail_amount
        return back * COIN >= self.best * (self.order.trail_fraction or 0)


class Mirror:
    """All orders so far, the price, and what the house showed before the operation."""

    def __init__(self, price: int) -> None:
        self.price = price
        self.orders = dict[UUID, Followed]()

    def open(self) -> list[Followed]:
        return [each for each in self.orders.values() if each.is_open]

    def place(self, order: Order, outcomes: list[Outcome], ladder: dict[Side, list[Level]]) -> None:
        self.orders[order.id] = Followed(order, order.quantity or 0, order.price, order.stop_price)
        self.follow(outcomes, ladder)
        placed = self.orders[order.id]
        assert placed.is_open or placed.final is not None
        if isinstance(placed.final, Rejected):
            assert not placed.is_accepted
            assert not placed.filled
        if order.time_in_force is TimeInForce.FILL_OR_KILL and placed.final is not None:
            assert isinstance(placed.final, Filled) or not placed.filled
        if order.is_post_only and placed.filled:
            raise AssertionError("a post-only order took")

    def replace(self, id: UUID, changes: Changes, outcomes: list[Outcome], ladder: dict[Side, list[Level]]) -> None:
        before = self.orders[id]
        kept = (before.left, before.priority, before.is_open)
        replaced = [each for each in outcomes if isinstance(each, Replaced) and each.reason is Reason.REQUESTED]
        if not replaced:
            self.follow(outcomes, ladder)
            if not isinstance(before.final, Expired):
                assert kept == (before.left, before.priority, before.is_open)
            return
        same_price = changes.price in {None, before.limit} and changes.stop_price in {None, before.stop}
        wanted = before.filled + before.left if changes.quantity is None else changes.quantity
        if before.order.bound is not None:
            wanted = min(wanted, before.order.bound)
        assert replaced[0].left == wanted - before.filled
        is_trailing = before.order.type is OrderType.TRAILING_STOP and before.is_waiting
        keeps = is_trailing or (same_price and replaced[0].left <= before.left)
        assert (replaced[0].priority == before.priority) is keeps
        if changes.price is not None:
            before.limit = changes.price
        if changes.stop_price is not None:
            before.stop = changes.stop_price
        if replaced[0].priority != before.priority:
            before.is_resting = before.is_waiting = False
        self.follow(outcomes, ladder)

    def follow(self, outcomes: list[Outcome], ladder: dict[Side, list[Level]]) -> None:
        """`ladder` is what was left of the house's, the best first; it is used up here."""
        for outcome in outcomes:
            self._follow(outcome, ladder)

    def _follow(self, outcome: Outcome, ladder: dict[Side, list[Level]]) -> None:
        if isinstance(outcome, Traded):
            self._trade(outcome, ladder)
            return
        each = self.orders[outcome.order_id]
        if isinstance(outcome, Refused):
            return
        assert each.final is None, "an outcome after the final one"
        match outcome:
            case Accepted(quantity=quantity):
                each.is_accepted = True
                if quantity is not None:
                    assert quantity <= each.left
                    each.left = quantity
            case Rested(left=left, priority=priority):
                assert left == each.left > 0
                assert all(priority > other.priority for other in self.orders.values() if other is not each)
                each.priority = priority
                each.is_waiting = each.order.type is not OrderType.LIMIT and not each.is_triggered
                each.is_resting = not each.is_waiting
                each.best = self.price
            case Triggered(price=price):
                assert price == self.price
                assert each.is_waiting
                assert each.is_reached(price)
                each.is_waiting = False
                each.stop = None
                each.is_triggered = True
            case Replaced(left=left, priority=priority):
                each.left, each.priority = left, priority
            case Filled():
                assert each.left == 0 or each.order.amount is not None
                assert each.filled
                self._end(each, outcome)
            case Cancelled() | Expired() | Rejected():
                self._end(each, outcome)

    def _end(self, each: Followed, outcome: Outcome) -> None:
        each.final, each.is_resting, each.is_waiting = outcome, False, False

    def _trade(self, traded: Traded, ladder: dict[Side, list[Level]]) -> None:
        assert traded.quantity > 0
        taker = None if traded.taker_id is None else self.orders[traded.taker_id]
        maker = None if traded.maker_id is None else self.orders[traded.maker_id]
        side = traded.taker_side
        other = Side.SELL if side is Side.BUY else Side.BUY
        assert taker is not None or maker is not None
        waiting = [each for each in self.orders.values() if each.is_resting and each.order.side is other]
        if maker is not None:
            assert maker.is_resting
            assert maker.limit == traded.price
            first = min(waiting, key=lambda each: (sign(side) * (each.limit or 0), each.priority))
            assert first is maker, "not in price-time order"
            self._fill(maker, traded)
        else:
            # Users are first at an equal price.
            better = [each for each in waiting if sign(side) * (each.limit or 0) <= sign(side) * traded.price]
            assert better == []
        if taker is None:
            self._take(ladder[side], traded, exact=False)
            return
        assert taker.order.side is side
        assert not taker.is_open
        worst = taker.order.protection_price if taker.limit is None else taker.limit
        assert worst is None or sign(side) * traded.price <= sign(side) * worst, "beyond its limit"
        if maker is None:
            self._take(ladder[other], traded, exact=True)
        else:
            assert taker.order.owner != maker.order.owner
            offered = ladder[other]
            assert not offered or sign(side) * traded.price <= sign(side) * offered[0].price
        self._fill(taker, traded)

    def _take(self, levels: list[Level], traded: Traded, *, exact: bool) -> None:
        """From the house's best levels: a taker at the house's price, a maker at its own, which is no worse to it."""
        quantity = traded.quantity
        house_is_taker = traded.taker_id is None
        while quantity:
            best = levels.pop(0)
            if exact:
                assert best.price == traded.price
            else:
                # The house buys (sells) no dearer (cheaper) than it says.
                assert house_is_taker
                assert sign(traded.taker_side) * traded.price <= sign(traded.taker_side) * best.price
            taken = min(quantity, best.quantity)
            quantity -= taken
            if taken < best.quantity:
                levels.insert(0, Level(best.price, best.quantity - taken))

    def _fill(self, each: Followed, traded: Traded) -> None:
        assert each.final is None
        each.filled += traded.quantity
        if each.order.amount is None:
            each.left -= traded.quantity
            assert each.left >= 0
        else:
            each.spent += cost(each.order.side, traded.quantity, traded.price)
            assert each.spent <= each.order.amount
