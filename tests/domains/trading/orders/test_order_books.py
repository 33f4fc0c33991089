"""What everybody sees of a book."""

from decimal import Decimal

from app.domains.trading.exchange.model import OrderType, Side
from app.domains.trading.exchange.rules.rounding import PRICE_SCALE, units_of
from tests.domains.trading.orders.desk import Desk, limit, order


async def test_a_token_without_a_book_has_none(desk: Desk) -> None:
    book = await desk.stage.trading.order_books.snapshot("ETH", 5)
    assert (book.bids, book.asks, book.quoted_at, book.is_halted, book.number) == ([], [], None, False, 0)


async def test_a_book_is_that_of_the_matcher(desk: Desk) -> None:
    """Users' orders and the house's, to the unit; stops are not seen."""
    await desk.hold("5")
    theirs = await desk.stage.create(desk.stage.bob)
    for id, new in (
        (desk.id, limit(quantity="1", price="99")),
        (theirs, limit(quantity="0.5", price="99")),
        (theirs, limit(quantity="1", price="99.9")),
        (theirs, limit(quantity="0.3", price="50")),
        (desk.id, limit(Side.SELL, "1", "100.1")),
        (desk.id, limit(Side.SELL, "1", "500")),
        (desk.id, order(Side.SELL, "1", type=OrderType.STOP_LIMIT, stop_price="90", price="89")),
    ):
        viewer = desk.stage.alice if id == desk.id else desk.stage.bob
        await desk.stage.trading.orders.place(viewer, id, new, desk.stage.key)
    await desk.stage.trading.orders.place(desk.stage.bob, theirs, order(quantity="0.4"), desk.stage.key)
    await desk.market.match()
    venue = desk.stage.trading.matcher._venue
    assert venue is not None
    for levels in (1, 5, 100):
        book = await desk.stage.trading.order_books.snapshot("BTC", levels)
        wanted = venue.book("BTC").snapshot(levels)
        for seen, held in ((book.bids, wanted.bids), (book.asks, wanted.asks)):
            assert [(units_of(each.price, PRICE_SCALE), units_of(each.quantity)) for each in seen] == [
                (each.price, each.quantity) for each in held
            ]
    assert book.quoted_at == await desk.stage.owner.fetchval(
        "SELECT last_updated FROM market_data WHERE symbol = 'BTC'"
    )
    assert book.number > 0
    assert {each.price for each in book.bids} >= {Decimal(99), Decimal("99.9"), Decimal(50)}
    assert Decimal(89) not in {each.price for each in book.asks}


async def test_a_halted_book_shows_users_alone(desk: Desk) -> None:
    await desk.place(limit(quantity="1", price="90"))
    await desk.market.match()
    await desk.stage.owner.execute("INSERT INTO exchange_inbox (kind, symbol) VALUES ('halt', 'BTC')")
    await desk.market.match()
    book = await desk.stage.trading.order_books.snapshot("BTC", 5)
    assert [(each.price, each.quantity) for each in book.bids] == [(Decimal(90), Decimal(1))]
    assert (book.asks, book.is_halted, book.quoted_at) == ([], True, None)
