"""A token that is traded again, after its book had ended."""

from uuid import UUID

import pytest

from app.domains.trading.exchange.model import Cancelled, Filled, Order, OrderType, Quote, Reason, Rejected, Rested
from app.domains.trading.matching.model import Cancel, Command, Delist, Halt, PlaceOrder, Price, Prices, Relist, Resume
from app.domains.trading.matching.rules.venue import Venue
from app.domains.trading.quantities.model import Side
from app.domains.trading.quantities.rules import COIN, PRICE_SCALE

OWNER = UUID(int=1)


def tick(price: int, at: int = 1) -> Prices:
    quote = Quote(price=price * PRICE_SCALE, volume=10**9 * COIN, volatility=0, at=at)
    return Prices({"BTC": Price(quote, price * PRICE_SCALE, "test")})


def placed(id: int, type: OrderType = OrderType.MARKET, price: int | None = None) -> PlaceOrder:
    given = None if price is None else price * PRICE_SCALE
    worst = None if type is OrderType.LIMIT else 1000 * PRICE_SCALE
    return PlaceOrder(
        "BTC",
        Order(
            id=UUID(int=id), owner=OWNER, side=Side.BUY, type=type, quantity=COIN, price=given, protection_price=worst
        ),
    )


def outcomes(venue: Venue, *commands: Command) -> list[object]:
    return [outcome for each in commands for result in venue.apply(each, 1) for outcome in result.outcomes]


@pytest.fixture
def venue() -> Venue:
    """BTC has an order at 90 and is delisted."""
    venue = Venue(name="test")
    outcomes(venue, tick(100), placed(2, OrderType.LIMIT, 90))
    assert outcomes(venue, Delist("BTC", Reason.DELISTED)) == [Cancelled(UUID(int=2), Reason.DELISTED)]
    return venue


def test_it_opens_with_the_next_price_and_without_the_old_orders(venue: Venue) -> None:
    outcomes(venue, tick(100))
    assert outcomes(venue, placed(3)) == [Rejected(UUID(int=3), Reason.DELISTED)]
    assert outcomes(venue, Relist("BTC")) == []
    assert "BTC" not in venue.prices
    # The price from before is not that of the token that is traded now.
    assert outcomes(venue, placed(4)) == [Rejected(UUID(int=4), Reason.MARKET_CLOSED)]
    assert outcomes(venue, tick(50)) == []
    assert Filled(UUID(int=5)) in outcomes(venue, placed(5))
    assert venue.book("BTC").open_orders() == []


def test_turns_go_on(venue: Venue) -> None:
    before = venue.book("BTC").state.next_priority
    [rested] = [
        each
        for each in outcomes(venue, Relist("BTC"), tick(100), placed(3, OrderType.LIMIT, 90))
        if isinstance(each, Rested)
    ]
    assert rested.priority >= before > 0


@pytest.mark.parametrize("symbol", ["BTC", None])
def test_a_book_that_is_halted_stays_halted(venue: Venue, symbol: str | None) -> None:
    outcomes(venue, Halt(symbol), Relist("BTC"), tick(100))
    assert outcomes(venue, placed(3)) == [Rejected(UUID(int=3), Reason.HALTED)]
    outcomes(venue, Resume(symbol), tick(100))
    assert Filled(UUID(int=4)) in outcomes(venue, placed(4))


def test_a_book_that_has_not_ended_stays_as_it_is() -> None:
    venue = Venue(name="test")
    outcomes(venue, tick(100), placed(2, OrderType.LIMIT, 90), Relist("BTC"))
    assert outcomes(venue, Cancel("BTC", UUID(int=2))) == [Cancelled(UUID(int=2), Reason.REQUESTED)]
    assert "BTC" in venue.prices
