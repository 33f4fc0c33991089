"""The book of one token at one venue: price-time priority, users' orders and the house's ladder together.

Durable are its `state` and its `open_orders`; sorted lists, the ladder's levels and brackets are derived from them, so
`Book(state, orders)` continues as the original would. Every operation returns what it did, in order, and the same
operations do the same. Time is what is passed in; first of all, what has expired by then expires.

The house's ladder changes only with a quote: what was taken is missing until the next one, and orders that wait meet
the house when a quote comes. So the book is never crossed in between, and no order meets a price from before it.
"""

from collections.abc import Iterable
from typing import Final
from uuid import UUID

from msgspec.structs import asdict, replace

from app.domains.trading.exchange.model import (
    Accepted,
    BookState,
    Cancelled,
    Changes,
    Expired,
    Filled,
    OpenOrder,
    Order,
    OrderType,
    Outcome,
    Quote,
    Reason,
    Refused,
    Rejected,
    Replaced,
    Rested,
    Snapshot,
    TimeInForce,
    Traded,
    Triggered,
)
from app.domains.trading.exchange.rules.checks import quantity_taken_on, refusal
from app.domains.trading.exchange.rules.house import House
from app.domains.trading.exchange.rules.open_orders import OpenOrders
from app.domains.trading.exchange.rules.queues import Queue, is_resting, is_trailing
from app.domains.trading.exchange.rules.snapshots import aggregated
from app.domains.trading.exchange.rules.walk import Step, Walk, walk
from app.domains.trading.quantities.model import Side

QUOTE_AGE_MS: Final = 60_000
_OTHER: Final = {Side.BUY: Side.SELL, Side.SELL: Side.BUY}
_AT_MARKET: Final = (OrderType.MARKET, OrderType.LIMIT)
_PLACES: Final = ("price", "stop_price", "trail_amount", "trail_fraction")
"""What determines where an order waits."""


class Book:
    """One book. It owns the open orders that it is given, and changes them."""

    def __init__(self, state: BookState, orders: Iterable[OpenOrder] = (), *, quote_age_ms: int = QUOTE_AGE_MS) -> None:
        self._state = state
        self._quote_age_ms = quote_age_ms
        self._orders = OpenOrders(state, orders)
        self._house = House(state.quote, state.bids, state.asks)
        self._next_priority = state.next_priority
        self._closed: Reason | None = None
        if state.is_halted:
            self._closed = Reason.HALTED
        if state.is_delisted:
            self._closed = Reason.DELISTED

    @property
    def state(self) -> BookState:
        """What has to be stored beside the open orders."""
        return replace(
            self._state,
            quote=self._house.quote,
            bids=self._house.taken[Side.BUY],
            asks=self._house.taken[Side.SELL],
            highs=self._orders.sides[Side.SELL].trails.extremes,
            lows=self._orders.sides[Side.BUY].trails.extremes,
            next_priority=self._next_priority,
            is_halted=self._closed is Reason.HALTED,
            is_delisted=self._closed is Reason.DELISTED,
        )

    @property
    def touch(self) -> tuple[int, int] | None:
        """The house's bid and ask at the quote in force, whatever was taken of them: to be stored with each fill."""
        return self._house.touch

    def open_orders(self) -> list[OpenOrder]:
        """All open orders by priority: in the order in which they entered the book, or lost their turn."""
        return self._orders.by_priority()

    def get(self, order_id: UUID) -> OpenOrder | None:
        """The order, if it is open."""
        return self._orders.get(order_id)

    def snapshot(self, levels: int) -> Snapshot:
        """The best levels of each side, users' orders and the house's ladder together."""
        bids, asks = (
            aggregated(self._orders.sides[side].resting, self._house.levels(side), levels, side) for side in Side
        )
        return Snapshot(bids, asks)

    def place(self, order: Order, now: int, *, is_exit: bool = False) -> list[Outcome]:
        """Takes on an order, or rejects it. An ID that is open already is refused, and its order stays as it is.

        An exit of a bracket is taken on however old the quote is: what it protects is there.
        """
        outcomes = self.expire(now)
        if order.id in self._orders:
            outcomes.append(Refused(order.id, Reason.DUPLICATE))
            return outcomes
        if reason := (None if is_exit else self._market(now)) or refusal(order, self._house.price, now):
            outcomes.append(Rejected(order.id, reason))
            return outcomes
        left = quantity_taken_on(order)
        if order.bound is not None and order.quantity is not None:
            order = replace(order, quantity=left)
        if order.type not in _AT_MARKET:
            outcomes.append(Accepted(order.id, left))
            self._rest(OpenOrder(order, left, self._turn()), outcomes)
            return outcomes
        found = self._walk(order, left)
        if order.is_post_only and _takes(found):
            outcomes.append(Rejected(order.id, Reason.POST_ONLY))
            return outcomes
        outcomes.append(Accepted(order.id, order.quantity))
        self._arrive(OpenOrder(order, left, self._turn()), found, now, outcomes)
        return outcomes

    def cancel(self, order_id: UUID, reason: Reason = Reason.REQUESTED) -> list[Outcome]:
        """Cancels what is left of an order."""
        found = self._orders.get(order_id)
        if found is None:
            return [Refused(order_id, Reason.UNKNOWN)]
        self._orders.remove(found)
        return [Cancelled(order_id, reason)]

    def replace(self, order_id: UUID, changes: Changes, now: int) -> list[Outcome]:
        """Changes what is left of an order at once, or refuses and leaves it as it is.

        It keeps its turn only if nothing but its quantity changes, and that shrinks; otherwise it arrives anew. A
        trailing stop always keeps it, and with it the best price that it has seen.
        """
        outcomes = self.expire(now)
        found = self._orders.get(order_id)
        if found is None:
            outcomes.append(Refused(order_id, Reason.UNKNOWN))
            return outcomes
        before = found.order
        assert before.quantity is not None
        filled = before.quantity - found.left
        given = {name: value for name, value in asdict(changes).items() if value is not None}
        # Another quantity than all that there was has to be worth the minimum.
        sells_all = before.sells_all and (changes.quantity is None or before.link is not None)
        order = replace(before, **given, sells_all=sells_all)
        quantity = quantity_taken_on(order)
        order = replace(order, quantity=quantity)
        reason = self._market(now) or refusal(order, self._house.price, now)
        if reason is None and found.is_triggered and changes.stop_price is not None:
            reason = Reason.INVALID
        if reason is None and quantity <= filled:
            reason = Reason.ALREADY_FILLED
        if reason is None and before.link is not None and quantity != before.quantity:
            # It is what the entry of the bracket has bought, and the other exit has the same.
            reason = Reason.LINKED
        if reason is not None:
            outcomes.append(Refused(order_id, reason))
            return outcomes
        left = quantity - filled
        keeps = left <= found.left and not any(getattr(order, name) != getattr(before, name) for name in _PLACES)
        if is_trailing(found):
            keeps = True
            self._orders.change_trailing(found, order)
        if keeps:
            found.order, found.left = order, left
            outcomes.append(Replaced(order_id, quantity, left, found.priority))
            return outcomes
        walked = self._walk(order, left) if is_resting(found) else None
        if walked is not None and order.is_post_only and _takes(walked):
            outcomes.append(Refused(order_id, Reason.POST_ONLY))
            return outcomes
        self._orders.remove(found)
        found.order, found.left, found.priority = order, left, self._turn()
        outcomes.append(Replaced(order_id, quantity, left, found.priority))
        if walked is None:
            self._rest(found, outcomes)
        else:
            self._arrive(found, walked, now, outcomes)
        return outcomes

    def grow(self, link: UUID, quantity: int) -> list[Outcome]:
        """Adds a quantity to all open exits of a bracket. Each loses its turn."""
        outcomes: list[Outcome] = []
        for order in self._orders.of_link(link):
            assert order.order.quantity is not None
            self._orders.remove(order)
            whole = order.order.quantity + quantity
            order.order = replace(order.order, quantity=whole)
            order.left += quantity
            order.priority = self._turn()
            self._orders.add(order, self._house.price)
            outcomes.append(Replaced(order.order.id, whole, order.left, order.priority, Reason.LINKED))
        return outcomes

    def requote(self, quote: Quote, now: int) -> list[Outcome]:
        """A new price. Orders that wait meet the house's new ladder first, then come the stops that it triggers.

        To be called for each tick, whether the price moved or not: it is what refills the ladder. While the book is
        halted prices change nothing.
        """
        outcomes = self.meet(quote, now)
        while (stop := self.reached()) is not None:
            outcomes += self.trigger(stop, now)
        return outcomes

    def meet(self, quote: Quote, now: int) -> list[Outcome]:
        """The first part of a new price. The second is to trigger the stops that it has `reached`, one by one."""
        outcomes = self.expire(now)
        if self._closed is not None:
            return outcomes
        self._house.requote(quote, now)
        for side, queues in self._orders.sides.items():
            queues.trails.move(quote.price)
            self._meet_house(side, queues.resting, now, outcomes)
        return outcomes

    def reached(self) -> OpenOrder | None:
        """The next stop that the price in force triggers."""
        return None if self._house.quote is None else self._orders.reached(self._house.price)

    def trigger(self, stop: OpenOrder, now: int) -> list[Outcome]:
        """Makes a stop that was reached a market order, or a limit order if it has a limit."""
        self._orders.remove(stop)
        stop.is_triggered, stop.priority = True, self._turn()
        outcomes: list[Outcome] = [Triggered(stop.order.id, self._house.price)]
        self._arrive(stop, self._walk(stop.order, stop.left), now, outcomes)
        return outcomes

    def expire(self, now: int) -> list[Outcome]:
        """Ends the orders whose time is over."""
        outcomes: list[Outcome] = []
        while (order := self._orders.expired(now)) is not None:
            self._orders.remove(order)
            outcomes.append(Expired(order.order.id))
        return outcomes

    def halt(self) -> list[Outcome]:
        """Stops trading: nothing is taken on or filled, prices are not followed. Orders can be cancelled and expire."""
        if self._closed is None:
            self._closed = Reason.HALTED
            self._house.withdraw()
        return []

    def resume(self) -> list[Outcome]:
        """Ends a halt. The market opens with the next quote."""
        if self._closed is Reason.HALTED:
            self._closed = None
        return []

    def delist(self, reason: Reason = Reason.DELISTED) -> list[Outcome]:
        """Cancels all orders and takes on no more: the token is delisted, or its symbol is another's now."""
        self._closed = Reason.DELISTED
        self._house.withdraw()
        outcomes: list[Outcome] = []
        for order in self.open_orders():
            self._orders.remove(order)
            outcomes.append(Cancelled(order.order.id, reason))
        return outcomes

    def _market(self, now: int) -> Reason | None:
        if self._closed is not None:
            return self._closed
        quote = self._house.quote
        return Reason.MARKET_CLOSED if quote is None or now - quote.at > self._quote_age_ms else None

    def _turn(self) -> int:
        turn = self._next_priority
        self._next_priority += 1
        return turn

    def _walk(self, order: Order, left: int) -> Walk:
        other = _OTHER[order.side]
        return walk(order, left, self._orders.sides[other].resting.rows, self._house.levels(other, order.price))

    def _arrive(self, arrived: OpenOrder, found: Walk, now: int, outcomes: list[Outcome]) -> None:
        order = arrived.order
        if order.time_in_force is TimeInForce.FILL_OR_KILL and found.end is not None:
            outcomes.append(Cancelled(order.id, Reason.NOT_FILLED_AT_ONCE))
            return
        for step in found.steps:
            self._trade(arrived, step, now, outcomes)
        if found.end is None:
            # An amount may be too small for one unit.
            outcomes.append(Filled(order.id) if found.steps else Cancelled(order.id, Reason.TOO_SMALL))
        elif found.end is Reason.SELF_TRADE or order.price is None:
            outcomes.append(Cancelled(order.id, found.end))
        elif order.time_in_force is TimeInForce.IMMEDIATE_OR_CANCEL:
            outcomes.append(Cancelled(order.id, Reason.NOT_FILLED_AT_ONCE))
        else:
            self._rest(arrived, outcomes)

    def _rest(self, order: OpenOrder, outcomes: list[Outcome]) -> None:
        self._orders.add(order, self._house.price)
        outcomes.append(Rested(order.order.id, order.left, order.priority))

    def _trade(self, taker: OpenOrder, step: Step, now: int, outcomes: list[Outcome]) -> None:
        side, maker = taker.order.side, step.maker
        maker_id = None if maker is None else maker.order.id
        outcomes.append(Traded(taker.order.id, maker_id, side, step.price, step.quantity))
        taker.left -= step.quantity
        if maker is None:
            self._house.take(_OTHER[side], step.quantity, now)
        else:
            self._fill(maker, step.quantity, outcomes)
        self._shrink_linked(taker, step.quantity, outcomes)

    def _fill(self, maker: OpenOrder, quantity: int, outcomes: list[Outcome]) -> None:
        maker.left -= quantity
        if not maker.left:
            self._orders.remove(maker)
            outcomes.append(Filled(maker.order.id))
        self._shrink_linked(maker, quantity, outcomes)

    def _shrink_linked(self, filled: OpenOrder, quantity: int, outcomes: list[Outcome]) -> None:
        for other in self._orders.linked(filled):
            other.left -= quantity
            if other.left <= 0:
                self._orders.remove(other)
                outcomes.append(Cancelled(other.order.id, Reason.LINKED))
                continue
            assert other.order.quantity is not None
            whole = other.order.quantity - quantity
            other.order = replace(other.order, quantity=whole)
            outcomes.append(Replaced(other.order.id, whole, other.left, other.priority, Reason.LINKED))

    def _meet_house(self, side: Side, queue: Queue, now: int, outcomes: list[Outcome]) -> None:
        other = _OTHER[side]
        while queue.rows:
            maker = queue.rows[-1][2]
            assert maker.order.price is not None
            if not (quantity := self._house.offered(other, maker.order.price, maker.left)):
                return
            outcomes.append(Traded(None, maker.order.id, other, maker.order.price, quantity))
            self._house.take(other, quantity, now)
            self._fill(maker, quantity, outcomes)


def _takes(found: Walk) -> bool:
    return bool(found.steps) or found.end is Reason.SELF_TRADE
