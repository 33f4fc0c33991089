"""All open orders of a book, found by ID, side, trigger, date and bracket. Everything here follows from the orders."""

from collections.abc import Iterable
from typing import Final
from uuid import UUID

from app.domains.trading.exchange.model import BookState, OpenOrder, Order
from app.domains.trading.exchange.rules.queues import SideQueues, expiring
from app.domains.trading.quantities.model import Side


class OpenOrders:
    """The open orders of a book."""

    __slots__ = ("_by_id", "_expiring", "_links", "sides")

    def __init__(self, state: BookState, orders: Iterable[OpenOrder]) -> None:
        self._by_id = {each.order.id: each for each in orders}
        self.sides: Final = {Side.BUY: SideQueues(Side.BUY, state.lows), Side.SELL: SideQueues(Side.SELL, state.highs)}
        self._expiring = expiring()
        self._links = dict[UUID, list[OpenOrder]]()
        of_sides: dict[Side, list[OpenOrder]] = {side: [] for side in Side}
        with_date = list[OpenOrder]()
        for each in self._by_id.values():
            of_sides[each.order.side].append(each)
            if each.order.expires_at is not None:
                with_date.append(each)
            if each.order.link is not None:
                self._links.setdefault(each.order.link, []).append(each)
        for side, queues in self.sides.items():
            queues.fill(of_sides[side])
        self._expiring.fill(with_date)

    def __contains__(self, order_id: UUID) -> bool:
        return order_id in self._by_id

    def get(self, order_id: UUID) -> OpenOrder | None:
        """The order, if it is open."""
        return self._by_id.get(order_id)

    def by_priority(self) -> list[OpenOrder]:
        """All of them, the oldest turn first."""
        return sorted(self._by_id.values(), key=lambda each: each.priority)

    def add(self, order: OpenOrder, price: int) -> None:
        """Adds an order with the newest priority; `price` is what a trailing stop follows from."""
        self._by_id[order.order.id] = order
        self.sides[order.order.side].add(order, price)
        if order.order.expires_at is not None:
            self._expiring.add(order)
        if order.order.link is not None:
            self._links.setdefault(order.order.link, []).append(order)

    def remove(self, order: OpenOrder) -> None:
        """Removes an order, which has to be unchanged in what it is found by."""
        del self._by_id[order.order.id]
        self.sides[order.order.side].remove(order)
        if order.order.expires_at is not None:
            self._expiring.remove(order)
        if order.order.link is not None:
            linked = self._links[order.order.link]
            linked.remove(order)
            if not linked:
                del self._links[order.order.link]

    def change_trailing(self, order: OpenOrder, new: Order) -> None:
        """Gives a trailing stop that waits another trail or quantity. It has the same ID, side, link and expiry."""
        self.sides[order.order.side].trails.change(order, new)

    def expired(self, now: int) -> OpenOrder | None:
        """The first order whose time is over."""
        if self._expiring.rows and self._expiring.first_key() <= now:
            return self._expiring.rows[-1][2]
        return None

    def of_link(self, link: UUID) -> list[OpenOrder]:
        """The open exits of a bracket, the oldest first."""
        return sorted(self._links.get(link, ()), key=lambda each: each.priority)

    def linked(self, order: OpenOrder) -> list[OpenOrder]:
        """The other open exits of the same bracket, the oldest first."""
        if order.order.link is None:
            return []
        return [each for each in self.of_link(order.order.link) if each is not order]

    def reached(self, price: int) -> OpenOrder | None:
        """The next stop that a price triggers: those that sell first."""
        return self.sides[Side.SELL].reached(price) or self.sides[Side.BUY].reached(price)
