"""No history breaks the book."""

from typing import Any
from uuid import UUID

import msgspec
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from app.domains.trading.exchange.model import (
    BookState,
    Changes,
    Level,
    OpenOrder,
    Order,
    OrderType,
    Outcome,
    Quote,
    Reason,
    TimeInForce,
    Triggered,
)
from app.domains.trading.exchange.rules.book import Book
from app.domains.trading.exchange.rules.house import ladder_of, quoted
from app.domains.trading.quantities.model import Side
from app.domains.trading.quantities.rules import COIN, PRICE_SCALE
from tests.domains.trading.exchange.mirror import Mirror, sign

CENT = PRICE_SCALE // 100
PRICES = st.integers(9_970, 10_030).map(lambda cents: cents * CENT)
"""Around 100 dollars, where the house's spread is four cents: orders meet often."""
WIDE = st.integers(9_900, 10_100).map(lambda cents: cents * CENT)
QUANTITIES = st.integers(1, 40).map(lambda coins: coins * COIN) | st.integers(COIN // 100, 900 * COIN)
OWNERS = st.integers(1, 3).map(lambda number: UUID(int=number))
LINKS = st.sampled_from([None, None, None, UUID(int=7), UUID(int=8)])
IN_FORCE = st.sampled_from([TimeInForce.GOOD_TILL_CANCELLED, TimeInForce.GOOD_TILL_CANCELLED, *TimeInForce])


@st.composite
def orders(draw: st.DrawFn) -> dict[str, Any]:
    """The parts of an order; a few contradict each other. Its date is counted from when it is placed."""
    kind = draw(st.sampled_from([OrderType.LIMIT, OrderType.LIMIT, *OrderType]))
    side, in_force = draw(st.sampled_from(Side)), draw(IN_FORCE)
    parts: dict[str, Any] = {"owner": draw(OWNERS), "side": side, "type": kind, "time_in_force": in_force}
    if in_force is TimeInForce.GOOD_TILL_DATE:
        parts["expires_at"] = draw(st.integers(0, 10_000))
    if kind is OrderType.MARKET and draw(st.booleans()):
        parts["amount"] = draw(st.integers(COIN, 50_000 * COIN))
    else:
        parts["quantity"] = draw(QUANTITIES)
    if kind in (OrderType.LIMIT, OrderType.STOP_LIMIT):
        parts["price"] = draw(PRICES)
    if kind in (OrderType.STOP, OrderType.STOP_LIMIT):
        parts["stop_price"] = draw(PRICES)
    if kind is OrderType.TRAILING_STOP:
        parts |= draw(
            st.integers(1, 60).map(lambda cents: {"trail_amount": cents * CENT})
            | st.integers(1, 600_000).map(lambda part: {"trail_fraction": part})
        )
    if side is Side.BUY or draw(st.booleans()):
        parts["protection_price"] = draw(PRICES)
    if kind is OrderType.LIMIT:
        parts["is_post_only"] = draw(st.sampled_from([False, False, True]))
    if side is Side.SELL:
        parts |= draw(st.sampled_from([{}, {}, {"sells_all": True}, {"bound": 3 * COIN}]))
        parts["link"] = draw(LINKS)
    return parts


CHANGES = st.builds(
    Changes,
    quantity=st.none() | QUANTITIES,
    price=st.none() | PRICES,
    stop_price=st.none() | PRICES,
    protection_price=st.none(),
)


class History(RuleBasedStateMachine):
    """One book, the mirror that checks it, and a twin that is rebuilt from what is durable now and then."""

    @initialize(price=PRICES)
    def begin(self, price: int) -> None:
        self.now = 0
        self.begun = BookState(venue="internal", symbol="BTC", quote=self.quote(price))
        self.book, self.twin = Book(self.begun), Book(self.begun)
        self.mirror = Mirror(price)
        self.history = list[tuple[str, tuple[Any, ...], list[Outcome]]]()
        self.next_id = 1_000

    def quote(self, price: int) -> Quote:
        return Quote(price=price, volume=50_000_000 * COIN, volatility=COIN // 50, at=self.now)

    def run(self, operation: str, *arguments: Any) -> list[Outcome]:
        """Runs an operation on both books, which do the same."""
        outcomes: list[Outcome] = getattr(self.book, operation)(*arguments)
        assert getattr(self.twin, operation)(*arguments) == outcomes
        self.history.append((operation, arguments, outcomes))
        return outcomes

    def ladder(self) -> dict[Side, list[Level]]:
        state = self.book.state
        if state.quote is None:
            return {side: [] for side in Side}
        whole = ladder_of(state.quote)
        return {
            Side.BUY: self.without(whole.bids, state.bids.gone),
            Side.SELL: self.without(whole.asks, state.asks.gone),
        }

    def without(self, levels: tuple[Level, ...], gone: int) -> list[Level]:
        left = list(levels)
        while gone:
            taken = min(gone, left[0].quantity)
            gone -= taken
            left[0] = Level(left[0].price, left[0].quantity - taken)
            if not left[0].quantity:
                del left[0]
        return left

    @rule(many=st.lists(orders(), min_size=1, max_size=5))
    def place(self, many: list[dict[str, Any]]) -> None:
        for parts in many:
            if "expires_at" in parts:
                parts = parts | {"expires_at": parts["expires_at"] + self.now}  # noqa: PLW2901
            order = Order(id=UUID(int=self.next_id), **parts)
            self.next_id += 1
            ladder = self.ladder()
            self.mirror.place(order, self.run("place", order, self.now), ladder)
            assert ladder == self.ladder()

    @precondition(lambda self: self.mirror.open())
    @rule(data=st.data())
    def cancel(self, data: st.DataObject) -> None:
        id = data.draw(st.sampled_from([each.order.id for each in self.mirror.open()]))
        self.mirror.follow(self.run("cancel", id, Reason.REQUESTED), {})
        assert not self.mirror.orders[id].is_open

    @precondition(lambda self: self.mirror.open())
    @rule(data=st.data(), changes=CHANGES)
    def replace(self, data: st.DataObject, changes: Changes) -> None:
        id = data.draw(st.sampled_from([each.order.id for each in self.mirror.open()]))
        ladder = self.ladder()
        self.mirror.replace(id, changes, self.run("replace", id, changes, self.now), ladder)
        assert ladder == self.ladder()

    @rule(price=PRICES | WIDE, after_ms=st.sampled_from([0, 1, 500, 1_000, 9_000]))
    def move(self, price: int, after_ms: int) -> None:
        self.now += after_ms
        before, quote = self.book.state, self.quote(price)
        ladder = quoted(quote, before.bids, before.asks, self.now)
        is_open = not (before.is_halted or before.is_delisted)
        if is_open:
            self.mirror.price = price
            for each in self.mirror.open():
                if each.is_waiting and each.best:
                    # A stop that sells follows the highest price.
                    each.best = -sign(each.order.side) * max(-sign(each.order.side) * x for x in (each.best, price))
        outcomes = self.run("requote", quote, self.now)
        self.mirror.follow(outcomes, ladder)
        if is_open:
            assert ladder == self.ladder()
            assert [each for each in self.mirror.open() if each.is_waiting and each.is_reached(price)] == []
        else:
            assert not any(isinstance(each, Triggered) for each in outcomes)

    @rule(after_ms=st.integers(1, 3_000))
    def expire(self, after_ms: int) -> None:
        self.now += after_ms
        self.mirror.follow(self.run("expire", self.now), {})
        late = [each for each in self.mirror.open() if (each.order.expires_at or self.now + 1) <= self.now]
        assert late == []

    @precondition(lambda self: len(self.history) % 7 == 6)
    @rule()
    def halt(self) -> None:
        assert self.run("halt") == []

    @precondition(lambda self: self.book.state.is_halted)
    @rule()
    def resume(self) -> None:
        assert self.run("resume") == []

    @precondition(lambda self: len(self.history) > 60)
    @rule()
    def delist(self) -> None:
        self.mirror.follow(self.run("delist"), {})
        assert self.mirror.open() == []

    @rule()
    def rebuild(self) -> None:
        """The twin is what a matcher would have after a restart."""
        stored = msgspec.json.encode((self.book.state, self.book.open_orders()))
        state, opened = msgspec.json.decode(stored, type=tuple[BookState, list[OpenOrder]])
        self.twin = Book(state, opened)
        assert self.twin.state == self.book.state
        assert self.twin.open_orders() == self.book.open_orders()
        assert self.twin.snapshot(1_000) == self.book.snapshot(1_000)

    @invariant()
    def the_book_is_never_crossed(self) -> None:
        snapshot = self.book.snapshot(1_000)
        if snapshot.bids and snapshot.asks:
            assert snapshot.bids[0].price < snapshot.asks[0].price
        for levels, direction in ((snapshot.bids, -1), (snapshot.asks, 1)):
            prices = [direction * level.price for level in levels]
            assert prices == sorted(set(prices))
            assert all(level.quantity > 0 for level in levels)

    @invariant()
    def quantities_are_conserved(self) -> None:
        held = {each.order.id: (each.left, each.priority) for each in self.book.open_orders()}
        assert held == {each.order.id: (each.left, each.priority) for each in self.mirror.open()}
        for each in self.mirror.orders.values():
            assert each.is_open is not (each.final is not None)
        snapshot, ladder = self.book.snapshot(1_000), self.ladder()
        for side, levels in ((Side.BUY, snapshot.bids), (Side.SELL, snapshot.asks)):
            users = sum(each.left for each in self.mirror.open() if each.is_resting and each.order.side is side)
            assert sum(level.quantity for level in levels) == users + sum(level.quantity for level in ladder[side])

    def teardown(self) -> None:
        """The same commands give the same outcomes."""
        if not hasattr(self, "begun"):
            return
        again = Book(self.begun)
        for operation, arguments, outcomes in self.history:
            assert getattr(again, operation)(*arguments) == outcomes
        assert again.state == self.book.state
        assert again.open_orders() == self.book.open_orders()


TestHistory = History.TestCase
TestHistory.settings = settings(max_examples=100, stateful_step_count=50)
