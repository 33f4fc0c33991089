"""Orders, fills, books and trades, live: for their owner, or for everybody."""

from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
import pytest_asyncio

from app.domains.market.prices.services.ticker import Ticker
from app.domains.trading.exchange.model import OrderType
from app.domains.trading.orders.model import NewOrder
from app.domains.trading.orders.services.order_books import OrderBooks
from app.domains.trading.quantities.model import Side
from app.engine.declarations.nodes import global_id
from app.kit.hub import Hub
from app.kit.process_rpc import ProcessRpc
from app.kit.pubsub import broadcast_over
from app.kit.volatile import VolatileTopics
from app.main import Application, build_runtime
from tests.domains.market.price_feed import SOURCE
from tests.domains.trading.matching.market import Market as Exchange
from tests.domains.trading.stage import Stage
from tests.kit.event_pipeline import relaying
from tests.schema.market.prices.test_ticks import Market
from tests.waiting import until

UPDATES = """subscription($id: ID!, $after: Cursor) { orderUpdates(portfolioId: $id, after: $after) {
  cursor status filledQuantity reason order { id status }
} }"""
FILLS = """subscription($id: ID!) { fills(portfolioId: $id) {
  at fill { symbol quantity side feeUsd order { status } entry { kind fill { symbol } } }
} }"""
BOOK = """subscription($symbol: String!, $levels: Int) { orderBook(symbol: $symbol, levels: $levels) {
  symbol isHalted quotedAt bids { priceUsd quantity } asks { priceUsd }
} }"""
VALUE = "subscription($id: ID!) { portfolioValue(portfolioId: $id) { total } }"
TRADES = "subscription($symbol: String!) { trades(symbol: $symbol) { symbol trades { tradeId quantity takerSide } } }"


@pytest_asyncio.fixture
async def market(application: Application, stage: Stage) -> AsyncIterator[Market]:
    hub = Hub(broadcast_over(application.redis), application.events, memory_limit=100)
    runtime = build_runtime(application, hub, ProcessRpc(application.redis))
    await hub.start()
    ticker = Ticker(SOURCE, stage.clock, VolatileTopics(application.redis), every_s=1.0)
    async with relaying(application.database, application.redis):
        yield Market(runtime, ticker, stage.clock, application)
    runtime.subscriptions.stop()
    await hub.stop()


@pytest_asyncio.fixture
async def exchange(stage: Stage) -> Exchange:
    """An exchange with a price."""
    exchange = Exchange(stage)
    await stage.trading.matcher.lead()
    await exchange.tick("100")
    await exchange.match()
    return exchange


async def place(stage: Stage, portfolio_id: UUID, quantity: str, price: str | None = None) -> UUID:
    kind = OrderType.MARKET if price is None else OrderType.LIMIT
    limit = None if price is None else Decimal(price)
    new = NewOrder(symbol="BTC", side=Side.BUY, type=kind, quantity=Decimal(quantity), price=limit)
    return await stage.trading.orders.place(stage.alice, portfolio_id, new, stage.key)


def of(id: UUID) -> dict[str, Any]:
    return {"id": global_id("Portfolio", id)}


async def test_an_event_shows_an_order_as_it_was_and_as_it_is(market: Market, stage: Stage, exchange: Exchange) -> None:
    id = await stage.create()
    inbox, _ = await market.open(UPDATES, of(id), by=stage.alice)
    filled, waiting = await place(stage, id, "0.01"), await place(stage, id, "1", "90")
    await exchange.match()
    await stage.trading.orders.cancel(stage.alice, waiting)
    await exchange.match()
    await until(lambda: len(inbox.taken) == 5)
    heard = [(each["status"], each["filledQuantity"], each["reason"]) for each in inbox.taken]
    assert [status for status, _, _ in heard] == ["PENDING", "PENDING", "FILLED", "PENDING", "CANCELLED"]
    assert Decimal(heard[2][1]) == Decimal("0.01")
    assert heard[4][2] == "REQUESTED"
    assert {each["order"]["id"] for each in inbox.taken} == {global_id("Order", filled), global_id("Order", waiting)}
    assert inbox.taken[4]["order"] == {"id": global_id("Order", waiting), "status": "CANCELLED"}
    # To continue after an event is to get those after it.
    later, _ = await market.open(UPDATES, of(id) | {"after": inbox.taken[1]["cursor"]}, by=stage.alice)
    await until(lambda: len(later.taken) == 3)
    assert [each["cursor"] for each in later.taken] == [each["cursor"] for each in inbox.taken[2:]]


async def test_a_fill_comes_with_its_order_and_its_entry(market: Market, stage: Stage, exchange: Exchange) -> None:
    id = await stage.create()
    inbox, _ = await market.open(FILLS, of(id), by=stage.alice)
    await place(stage, id, "0.01")
    await exchange.match()
    await until(lambda: bool(inbox.taken))
    fill = inbox.taken[0]["fill"]
    assert (fill["symbol"], Decimal(fill["quantity"]), fill["side"]) == ("BTC", Decimal("0.01"), "BUY")
    assert (fill["order"], fill["entry"]) == ({"status": "FILLED"}, {"kind": "FILL", "fill": {"symbol": "BTC"}})


@pytest.mark.parametrize("query", [UPDATES, FILLS])
async def test_nobody_watches_the_orders_of_another(market: Market, stage: Stage, query: str) -> None:
    id = await stage.create()
    await stage.create()
    for by, code in ((stage.bob, "NOT_FOUND"), (None, "UNAUTHENTICATED")):
        with pytest.raises(AssertionError, match=code):
            await market.open(query, of(id), by=by)
    inbox, _ = await market.open(query, of(id), by=stage.alice)
    await stage.trading.portfolios.delete(stage.alice, id)
    await stage.trading.matcher.lead()
    await Exchange(stage).match()
    with pytest.raises(AssertionError, match="NOT_FOUND"):
        await market.open(query, of(id), by=stage.alice)
    assert inbox.taken == []


async def test_a_book_is_computed_once_for_all_who_watch_the_same(
    market: Market, stage: Stage, exchange: Exchange, monkeypatch: pytest.MonkeyPatch
) -> None:
    computed = list[tuple[str, int]]()
    snapshot = OrderBooks.snapshot

    async def counted(self: OrderBooks, symbol: str, levels: int) -> Any:
        computed.append((symbol, levels))
        return await snapshot(self, symbol, levels)

    monkeypatch.setattr(OrderBooks, "snapshot", counted)
    everybody = [
        await market.open(BOOK, {"symbol": "btc", "levels": 1}, by=by) for by in (None, stage.alice, stage.bob)
    ]
    few, _ = await market.open(BOOK, {"symbol": "BTC", "levels": 2})
    other, _ = await market.open(BOOK, {"symbol": "ETH"})
    await until(lambda: all(inbox.taken for inbox, _ in everybody) and bool(few.taken))
    computed.clear()
    id = await stage.create()
    await place(stage, id, "1", "99.99")
    await exchange.match()
    await until(lambda: all(each.taken[-1]["bids"][0]["priceUsd"].startswith("99.99") for each, _ in everybody))
    await until(lambda: few.taken[-1]["bids"][0]["priceUsd"].startswith("99.99"))
    assert sorted(computed) == [("BTC", 1), ("BTC", 2)]
    assert [len(few.taken[-1]["bids"]), len(everybody[0][0].taken[-1]["bids"])] == [2, 1]
    assert other.taken == []


async def test_trades_are_shown_to_everybody(market: Market, stage: Stage, exchange: Exchange) -> None:
    inbox, _ = await market.open(TRADES, {"symbol": "btc"})
    id = await stage.create()
    order = await place(stage, id, "0.01")
    await exchange.match()
    await until(lambda: bool(inbox.taken))
    [row, *_] = await exchange.fills(order)
    [trade, *_] = inbox.taken[-1]["trades"]
    assert inbox.taken[-1]["symbol"] == "BTC"
    assert (trade["tradeId"], trade["takerSide"]) == (global_id("Trade", row["trade_id"]), "BUY")


@pytest.mark.parametrize(
    ("query", "variables", "field"),
    [
        (BOOK, {"symbol": "BTC", "levels": 51}, "levels"),
        (BOOK, {"symbol": "BTC", "levels": 0}, "levels"),
        (BOOK, {"symbol": "NONE"}, "symbol"),
        (TRADES, {"symbol": "NONE"}, "symbol"),
    ],
)
async def test_what_cannot_be_watched_is_refused(
    market: Market, query: str, variables: dict[str, Any], field: str
) -> None:
    [error] = await market.refused(query, variables)
    assert error["extensions"]["fields"][0]["path"] == [field]


@pytest.mark.parametrize("has_order", [True, False])
async def test_the_streams_of_a_portfolio_end_with_it(
    market: Market, stage: Stage, exchange: Exchange, has_order: bool
) -> None:
    id, other = await stage.create(), await stage.create()
    watching = [await market.open(query, of(id), by=stage.alice) for query in (UPDATES, FILLS, VALUE)]
    others = [await market.open(query, of(other), by=stage.alice) for query in (UPDATES, FILLS, VALUE)]
    if has_order:
        await place(stage, id, "1", "90")
        await exchange.match()
    await stage.trading.portfolios.delete(stage.alice, id)
    await exchange.match()
    await market.tick(BTC=101)
    await until(lambda: all(inbox.errors for inbox, _ in watching))
    assert [(inbox.errors or [{}])[0]["extensions"]["code"] for inbox, _ in watching] == ["NOT_FOUND"] * 3
    await until(lambda: bool(others[2][0].taken))
    assert [inbox.errors for inbox, _ in others] == [None] * 3
    assert len(market.runtime.subscriptions) == 3
