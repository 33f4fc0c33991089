"""What everybody sees of a book."""

from decimal import Decimal

from app.domains.trading.exchange.model import OrderType
from app.domains.trading.quantities.model import Side
from app.domains.trading.quantities.rules import PRICE_SCALE, units_of
from tests.domains.trading.orders.trader import Trader, limit, order


async def test_a_token_without_a_book_has_none(trader: Trader) -> None:
    book = await trader.stage.trading.order_books.snapshot("ETH", 5)
    assert (book.bids, book.asks, book.quoted_at, book.is_halted, book.number) == ([], [], None, False, 0)


async def test_a_book_is_that_of_the_matcher(trader: Trader) -> None:
    """Users' orders and the house's, to the unit; stops are not seen."""
    await trader.hold("5")
    theirs = await trader.stage.create(trader.stage.bob)
    for id, new in (
        (trader.id, limit(quantity="1", price="99")),
        (theirs, limit(quantity="0.5", price="99")),
        (theirs, limit(quantity="1", price="99.9")),
        (theirs, limit(quantity="0.3", price="50")),
        (trader.id, limit(Side.SELL, "1", "100.1")),
        (trader.id, limit(Side.SELL, "1", "500")),
        (trader.id, order(Side.SELL, "1", type=OrderType.STOP_LIMIT, stop_price="90", price="89")),
    ):
        viewer = trader.stage.alice if id == trader.id else trader.stage.bob
        await trader.stage.trading.orders.place(viewer, id, new, trader.stage.key)
    await trader.stage.trading.orders.place(trader.stage.bob, theirs, order(quantity="0.4"), trader.stage.key)
    await trader.market.match()
    venue = trader.stage.trading.matcher._venue
    assert venue is not None
    for levels in (1, 5, 100):
        book = await trader.stage.trading.order_books.snapshot("BTC", levels)
        wanted = venue.book("BTC").snapshot(levels)
        for seen, held in ((book.bids, wanted.bids), (book.asks, wanted.asks)):
            assert [(units_of(each.price, PRICE_SCALE), units_of(each.quantity)) for each in seen] == [
                (each.price, each.quantity) for each in held
            ]
    assert book.quoted_at == await trader.stage.owner.fetchval(
        "SELECT last_updated FROM market_data WHERE symbol = 'BTC'"
    )
    assert book.number > 0
    assert {each.price for each in book.bids} >= {Decimal(99), Decimal("99.9"), Decimal(50)}
    assert Decimal(89) not in {each.price for each in book.asks}


async def test_a_halted_book_shows_users_alone(trader: Trader) -> None:
    await trader.place(limit(quantity="1", price="90"))
    await trader.market.match()
    await trader.stage.owner.execute("INSERT INTO exchange_inbox (kind, symbol) VALUES ('halt', 'BTC')")
    await trader.market.match()
    book = await trader.stage.trading.order_books.snapshot("BTC", 5)
    assert [(each.price, each.quantity) for each in book.bids] == [(Decimal(90), Decimal(1))]
    assert (book.asks, book.is_halted, book.quoted_at) == ([], True, None)
