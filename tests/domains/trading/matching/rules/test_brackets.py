"""Brackets in memory: what exits reserve, sell and end. Whatever must always hold is checked at each step."""

from decimal import Decimal
from typing import Any

from app.dev.soak.model import Cancel, Close, Exits, Halt, PlaceOrder, Replace, Restart, Step, Tick, id_of
from app.dev.soak.world import World
from app.domains.trading.exchange.model import OrderType
from app.domains.trading.orders.model import OrderStatus
from app.domains.trading.quantities.model import Side
from app.domains.trading.quantities.rules import COIN, PRICE_SCALE

ENTRY, TAKE_PROFIT, STOP_LOSS = 1, 2, 3
DEEP = 10**12 * COIN
"""A day's volume with which the house takes whatever comes."""


class Story:
    """Bitcoin costs 100 dollars; the house has 10,000 dollars on each side until a tick says otherwise."""

    def __init__(self) -> None:
        self.world = World()

    def tick(self, dollars: str, *, volume: int = 0, is_matched: bool = True) -> None:
        price = int(Decimal(dollars) * PRICE_SCALE)
        # So much later that the house has refilled what was taken.
        action = Tick({"BTC": (price, price * 3 // 2)}, volume, 0)
        self.world.do(Step(action, after_ms=60_000, is_matched=is_matched))

    def do(self, *actions: Any) -> None:
        for action in actions:
            self.world.do(Step(action))

    def bracket(
        self, *, coins: str = "1", profit: int = 110, stop: int = 90, limit: int | None = None, **terms: Any
    ) -> None:
        self.do(place(ENTRY, coins, exits=Exits(profit * PRICE_SCALE, stop * PRICE_SCALE, limit), **terms))

    def row(self, number: int) -> Any:
        return self.world.books.orders[id_of(number)]

    def status(self, number: int) -> tuple[Any, ...]:
        row = self.row(number)
        return str(row.status), row.filled_quantity, None if row.reason is None else str(row.reason)

    def reserved(self) -> list[Any]:
        """What the take profit and the stop loss have reserved."""
        return [self.row(each).reserved for each in (TAKE_PROFIT, STOP_LOSS)]


def place(number: int, coins: str, portfolio: int = 0, **terms: Any) -> PlaceOrder:
    """A buy, at the market unless a price says otherwise."""
    given: dict[str, Any] = {"side": Side.BUY, "symbol": "BTC", **terms}
    if "price" in given:
        given["price"] = int(Decimal(given["price"]) * PRICE_SCALE)
    given.setdefault("type", OrderType.MARKET if "price" not in given else OrderType.LIMIT)
    return PlaceOrder(number=number, portfolio=portfolio, quantity=int(Decimal(coins) * COIN), **given)


def test_exits_reserve_what_the_entry_bought_once() -> None:
    story = Story()
    story.bracket()
    assert story.status(ENTRY) == ("filled", 1, None)
    assert story.reserved() == [1, 0]


def test_the_reservation_passes_to_the_stop_loss_when_the_take_profit_is_cancelled() -> None:
    story = Story()
    story.bracket()
    story.do(Cancel(TAKE_PROFIT))
    assert story.status(TAKE_PROFIT) == ("cancelled", 0, "requested")
    assert story.reserved() == [0, 1]
    story.tick("89")
    assert story.status(STOP_LOSS) == ("filled", 1, None)
    story.world.audit()


def test_the_take_profit_keeps_the_reservation_when_the_stop_loss_is_cancelled() -> None:
    story = Story()
    story.bracket()
    story.do(Cancel(STOP_LOSS))
    assert story.reserved() == [1, 0]
    story.tick("111")
    assert story.status(TAKE_PROFIT) == ("filled", 1, None)


def test_coins_are_free_when_both_exits_are_cancelled() -> None:
    story = Story()
    story.bracket()
    story.do(Cancel(STOP_LOSS), Cancel(TAKE_PROFIT))
    assert story.world.books.available_coins(story.row(ENTRY).portfolio_id, "BTC") == COIN


def test_exits_grow_with_what_a_waiting_entry_buys() -> None:
    story = Story()
    story.bracket(coins="2", price="99")
    assert [story.row(each).priority for each in (TAKE_PROFIT, STOP_LOSS)] == [None, None]
    seller = 3
    for number, coins in ((10, "0.5"), (20, "0.75")):
        story.do(
            place(number, coins, seller),
            place(number + 1, coins, seller, side=Side.SELL, price="99"),
        )
    # The house bids more than 99: the entry meets it first only where the price falls.
    assert story.status(ENTRY)[0] == "pending"
    story.tick("99.001")
    story.do(place(30, "0.5", seller), place(31, "0.5", seller, side=Side.SELL, price="99"))
    bought = story.row(ENTRY).filled_quantity
    assert bought == Decimal("0.5")
    assert story.reserved() == [bought, 0]
    story.do(place(40, "0.25", seller), place(41, "0.25", seller, side=Side.SELL, price="99"))
    assert [story.row(each).quantity for each in (TAKE_PROFIT, STOP_LOSS)] == [Decimal("0.75")] * 2
    assert story.reserved() == [Decimal("0.75"), 0]
    # What the entry still buys is reserved for beside it.
    assert story.row(ENTRY).reserved == Decimal("1.25") * 99 * Decimal("1.002")


def test_an_exit_that_is_triggered_cancels_what_is_left_of_the_entry() -> None:
    story = _half_filled()
    # The price falls to the stop, not through the entry's limit.
    story.tick("99.1")
    assert story.status(STOP_LOSS) == ("filled", Decimal("0.5"), None)
    assert story.status(ENTRY) == ("cancelled", Decimal("0.5"), "linked")
    assert story.status(TAKE_PROFIT) == ("cancelled", 0, "linked")


def test_a_stop_loss_does_not_meet_what_is_left_of_its_entry() -> None:
    """The entry is the best bid when the stop loss sells: two orders of one owner would not trade."""
    story = _half_filled()
    story.tick("99.15")
    assert story.status(STOP_LOSS) == ("filled", Decimal("0.5"), None)
    assert story.row(STOP_LOSS).reason is None


def test_what_an_entry_buys_at_a_gap_is_sold_by_the_stop_loss_that_the_gap_triggers() -> None:
    story = _half_filled()
    story.tick("80", volume=DEEP)
    assert story.status(ENTRY) == ("filled", 2, None)
    assert story.status(STOP_LOSS) == ("filled", 2, None)
    assert story.world.books.positions[story.row(ENTRY).portfolio_id, "BTC"].quantity == 0


def test_a_bracket_that_is_gapped_over_as_a_whole_is_bought_and_sold_at_that_price() -> None:
    story = Story()
    story.bracket(price="95")
    story.tick("80", volume=DEEP)
    assert story.status(ENTRY) == ("filled", 1, None)
    assert story.status(STOP_LOSS) == ("filled", 1, None)
    assert story.row(ENTRY).filled_quote == 95
    assert 79 < story.row(STOP_LOSS).filled_quote < 80


def test_an_entry_that_ends_without_a_fill_ends_its_exits() -> None:
    story = Story()
    story.bracket(price="95")
    story.do(Cancel(ENTRY))
    assert story.status(ENTRY) == ("cancelled", 0, "requested")
    assert [story.status(each) for each in (TAKE_PROFIT, STOP_LOSS)] == [("cancelled", 0, "linked")] * 2
    assert story.world.books.available(story.row(ENTRY).portfolio_id) == 10_000 * COIN


def test_an_entry_that_is_rejected_ends_its_exits() -> None:
    story = Story()
    story.do(Halt("BTC"))
    story.bracket(price="95")
    assert story.status(ENTRY) == ("rejected", 0, "halted")
    assert [story.status(each) for each in (TAKE_PROFIT, STOP_LOSS)] == [("cancelled", 0, "linked")] * 2


def test_an_entry_that_ends_half_filled_leaves_its_exits() -> None:
    story = _half_filled()
    story.do(Cancel(ENTRY))
    assert story.status(ENTRY) == ("cancelled", Decimal("0.5"), "requested")
    assert story.reserved() == [Decimal("0.5"), 0]
    story.tick("111")
    assert story.status(TAKE_PROFIT) == ("filled", Decimal("0.5"), None)
    assert story.status(STOP_LOSS) == ("cancelled", 0, "linked")


def test_an_exit_that_waits_can_be_cancelled_and_not_changed() -> None:
    story = Story()
    story.bracket(price="95")
    story.do(Replace(number=TAKE_PROFIT, price=120 * PRICE_SCALE), Cancel(TAKE_PROFIT))
    assert story.status(TAKE_PROFIT) == ("cancelled", 0, "requested")
    story.tick("94")
    assert story.status(ENTRY) == ("filled", 1, None)
    assert story.reserved() == [0, 1]


def test_the_quantity_of_an_exit_cannot_be_changed() -> None:
    story = Story()
    story.bracket()
    story.do(Replace(number=TAKE_PROFIT, quantity=COIN // 2))
    assert [story.row(each).quantity for each in (TAKE_PROFIT, STOP_LOSS)] == [1, 1]
    story.do(Replace(number=TAKE_PROFIT, price=120 * PRICE_SCALE))
    assert story.row(TAKE_PROFIT).price == 120
    assert story.world.matched["refused linked"] == 1


def test_brackets_are_rebuilt_with_their_exits_that_wait() -> None:
    story = Story()
    story.bracket(price="95")
    story.do(Cancel(TAKE_PROFIT), Restart())
    story.tick("94")
    assert story.reserved() == [0, 1]
    half = _half_filled()
    half.do(Restart())
    half.do(place(40, "0.25", 3), place(41, "0.25", 3, side=Side.SELL, price="99.1"))
    assert half.reserved() == [Decimal("0.75"), 0]


def test_a_portfolio_is_closed_with_all_orders_of_its_brackets() -> None:
    story = _half_filled()
    story.do(place(50, "1", price="90", exits=Exits(99 * PRICE_SCALE, 80 * PRICE_SCALE)), Close(0, deletes=False))
    assert story.status(ENTRY) == ("cancelled", Decimal("0.5"), "portfolio_closed")
    assert story.status(TAKE_PROFIT) == ("cancelled", 0, "portfolio_closed")
    assert {str(story.row(each).status) for each in (50, 51, 52)} == {OrderStatus.CANCELLED}
    assert story.world.books.available(story.row(ENTRY).portfolio_id) == 10_000 * COIN
    story.world.audit()


def _half_filled() -> Story:
    """An entry for two coins at 99.1 that has bought a half; its stop loss is at 99.15."""
    story = Story()
    exits = Exits(110 * PRICE_SCALE, 9_915 * PRICE_SCALE // 100)
    story.do(place(10, "1", 3), place(ENTRY, "2", price="99.1", exits=exits))
    story.tick("99.2")
    # The house bids less than 99.1 now, so that the entry is the best bid.
    story.do(place(11, "0.5", 3, side=Side.SELL, price="99.1"))
    assert story.status(ENTRY) == ("partial", Decimal("0.5"), None)
    assert story.reserved() == [Decimal("0.5"), 0]
    return story


def test_an_exit_that_is_filled_ends_its_entry_before_exits_of_others_meet_it() -> None:
    """The purchase of one bracket fills the take profit of another, and its own take profit would meet that entry."""
    world = World()

    def bracket(number: int, portfolio: int, coins: int, exits: Exits, **terms: Any) -> Step:
        given = {"side": Side.BUY, "symbol": "DOGE", "quantity": coins * COIN, "exits": exits, **terms}
        return Step(PlaceOrder(number=number, portfolio=portfolio, **given))

    limit, stop = OrderType.LIMIT, OrderType.STOP
    world.do(bracket(10, 4, 279_003, Exits(125_720_000, 121_550_000), type=limit, price=123_360_000))
    world.do(bracket(20, 2, 40_733_378, Exits(121_970_000, 119_230_000), type=limit, price=119_820_000))
    world.do(bracket(30, 3, 32_324_242, Exits(119_720_000, 119_390_000), type=stop, stop_price=119_630_000))
    world.do(Step(Tick({"DOGE": (119_765_596, 180_744_249)}, 0, COIN // 5)))
    entry, take_profit = (world.books.orders[id_of(number)] for number in (20, 21))
    assert take_profit.status == OrderStatus.FILLED
    assert take_profit.filled_quantity == entry.filled_quantity
    assert (entry.status, entry.reason) == (OrderStatus.CANCELLED, "linked")
