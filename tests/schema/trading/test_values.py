"""Live values: at each tick, for the owner alone, and computed once however many watch."""

from collections.abc import AsyncIterator
from dataclasses import replace
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
import pytest_asyncio

from app.domains.market.prices.services.ticker import Ticker
from app.domains.trading.journal.model import Currency
from app.domains.trading.portfolios.services import holdings
from app.domains.trading.portfolios.services.values import Values
from app.domains.trading.quantities.model import Side
from app.engine.declarations.nodes import global_id
from app.kit.db import Database, Tx
from app.kit.hub import Hub
from app.kit.process_rpc import ProcessRpc
from app.kit.pubsub import broadcast_over
from app.kit.volatile import VolatileTopics
from app.main import Application, build_runtime
from tests.domains.market.price_feed import SOURCE
from tests.domains.trading.stage import Stage
from tests.schema.market.prices.test_ticks import Inbox, Market
from tests.waiting import until

VALUE = """subscription($id: ID!) { portfolioValue(portfolioId: $id) {
  at currency cashTotal positionsValue total contributed pnl returnFraction unquotedSymbols
  holdings { symbol quantity price marketValue unrealizedPnl }
} }"""


@pytest_asyncio.fixture
async def market(application: Application, stage: Stage) -> AsyncIterator[Market]:
    hub = Hub(broadcast_over(application.redis), application.events, memory_limit=100)
    runtime = build_runtime(application, hub, ProcessRpc(application.redis))
    await hub.start()
    ticker = Ticker(SOURCE, stage.clock, VolatileTopics(application.redis), every_s=1.0)
    yield Market(runtime, ticker, stage.clock, application)
    runtime.subscriptions.stop()
    await hub.stop()


def variables(id: UUID) -> dict[str, Any]:
    return {"id": global_id("Portfolio", id)}


async def test_a_portfolio_is_worth_what_the_tick_says(market: Market, stage: Stage) -> None:
    id = await stage.create()
    await stage.fill(id, Side.BUY, "2", "90", "1")
    await stage.fill(id, Side.BUY, "1", "5", symbol="DOGE")
    inbox, _ = await market.open(VALUE, variables(id), by=stage.alice)
    await market.tick(BTC=120)
    await until(lambda: bool(inbox.taken))
    assert inbox.taken[-1] == {
        "at": market.clock.now().isoformat().replace("+00:00", "Z"),
        "currency": "USD",
        "cashTotal": "9814.00000000",
        "positionsValue": "240.00000000",
        "total": "10054.00000000",
        "contributed": "10000.00000000",
        "pnl": "54.00000000",
        "returnFraction": "0.00540000",
        "unquotedSymbols": ["DOGE"],
        "holdings": [
            {
                "symbol": "BTC",
                "quantity": "2.00000000",
                "price": "120",
                "marketValue": "240.00000000",
                "unrealizedPnl": "59.00000000",
            },
            {"symbol": "DOGE", "quantity": "1.00000000", "price": None, "marketValue": None, "unrealizedPnl": None},
        ],
    }
    # What is bought meanwhile is in the next tick.
    await stage.fill(id, Side.BUY, "1", "120")
    await market.tick(BTC=100)
    await until(lambda: inbox.taken[-1]["total"] == "9994.00000000")


async def test_australian_dollars_and_what_a_tick_leaves_out(market: Market, stage: Stage) -> None:
    id = await stage.create(currency=Currency.AUD)
    await stage.fill(id, Side.BUY, "2", "90")
    await stage.fill(id, Side.BUY, "1", "10", symbol="ETH")
    inbox, _ = await market.open(VALUE, variables(id), by=stage.alice)
    await market.tick(BTC=120)
    await until(lambda: bool(inbox.taken))
    # 2 at 180 of the tick, and 1 at the stored 15; all for 285.
    assert (inbox.taken[-1]["currency"], inbox.taken[-1]["positionsValue"]) == ("AUD", "375.00000000")
    assert (inbox.taken[-1]["total"], inbox.taken[-1]["pnl"]) == ("10090.00000000", "90.00000000")


async def test_nobody_watches_the_portfolio_of_another(market: Market, stage: Stage) -> None:
    id = await stage.create()
    for by, code in ((stage.bob, "NOT_FOUND"), (None, "UNAUTHENTICATED")):
        with pytest.raises(AssertionError, match=code):
            await market.open(VALUE, variables(id), by=by)
    assert len(market.runtime.subscriptions) == 0
    await stage.create()
    await stage.trading.portfolios.delete(stage.alice, id)
    with pytest.raises(AssertionError, match="NOT_FOUND"):
        await market.open(VALUE, variables(id), by=stage.alice)


async def test_it_is_computed_once_for_all_who_watch(
    market: Market, stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = [await stage.create(), await stage.create()]
    computed = 0
    live = Values.live

    def counted(*arguments: Any) -> Any:
        nonlocal computed
        computed += 1
        return live(*arguments)

    monkeypatch.setattr(Values, "live", counted)
    watching = [await market.open(VALUE, variables(id), by=stage.alice) for id in ids for _ in range(5)]
    await market.tick(BTC=120)
    await until(lambda: all(inbox.taken for inbox, _ in watching))
    assert computed == 2


@pytest.fixture
def statements(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The statements that were run, with their arguments."""
    run = list[Any]()
    for executor in (Database, Tx):

        def counted(self: Any, statement: Any, *arguments: Any, rows: Any = executor.rows) -> Any:
            run.append((statement.name, *arguments))
            return rows(self, statement, *arguments)

        monkeypatch.setattr(executor, "rows", counted)
    return run


async def watched(market: Market, stage: Stage, count: int, watchers: int = 1) -> tuple[list[UUID], list[Inbox]]:
    """Portfolios of one bitcoin each, and those who watch them."""
    ids = [await stage.create() for _ in range(count)]
    for id in ids:
        await stage.fill(id, Side.BUY, "1", "100")
    opened = [await market.open(VALUE, variables(id), by=stage.alice) for id in ids for _ in range(watchers)]
    return ids, [inbox for inbox, _ in opened]


async def all_at(market: Market, inboxes: list[Inbox], price: int) -> None:
    """A tick that all see."""
    await market.tick(BTC=price)
    await until(lambda: all(each.taken and each.taken[-1]["positionsValue"] == f"{price}.00000000" for each in inboxes))


async def test_ticks_read_nothing_while_nothing_changes(
    market: Market, stage: Stage, statements: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(holdings, "MAX_AGE_S", 3600)
    ids, inboxes = await watched(market, stage, 4, watchers=3)
    statements.clear()
    await all_at(market, inboxes, 101)
    [(name, read)] = statements
    assert (name, sorted(read)) == ("holdings_by_portfolios", sorted(ids))
    for price in range(102, 107):
        await all_at(market, inboxes, price)
    assert len(statements) == 1


async def test_only_what_was_posted_to_is_read_again(
    market: Market, stage: Stage, statements: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(holdings, "MAX_AGE_S", 3600)
    ids, inboxes = await watched(market, stage, 3)
    await all_at(market, inboxes, 101)
    await stage.trading.portfolios.deposit(stage.alice, ids[1], Decimal(50), Currency.USD, stage.key)
    statements.clear()
    await all_at(market, inboxes, 102)
    assert [each.taken[-1]["total"] for each in inboxes] == ["10002.00000000", "10052.00000000", "10002.00000000"]
    assert statements == [("holdings_by_portfolios", [ids[1]])]


async def test_another_process_announces_what_it_has_posted(
    market: Market, stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(holdings, "MAX_AGE_S", 3600)
    [id], inboxes = await watched(market, stage, 1)
    await all_at(market, inboxes, 101)
    other = holdings.WatchedHoldings(stage.database, VolatileTopics(market.application.redis))
    portfolios = replace(stage.trading.portfolios, announce=other.announce)
    await portfolios.deposit(stage.alice, id, Decimal(50), Currency.USD, stage.key)
    await until(lambda: id not in stage.trading.holdings._kept)
    await market.tick(BTC=102)
    await until(lambda: inboxes[0].taken[-1]["total"] == "10052.00000000")


async def test_a_lost_announcement_is_made_up_for(
    market: Market, stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    [id, other], inboxes = await watched(market, stage, 2)
    await all_at(market, inboxes, 101)
    silent = replace(stage.trading.portfolios, announce=lambda _: None)
    await silent.deposit(stage.alice, id, Decimal(50), Currency.USD, stage.key)
    await silent.delete(stage.alice, other)
    monkeypatch.setattr(holdings, "MAX_AGE_S", 0)
    await market.tick(BTC=102)
    await until(lambda: inboxes[0].taken[-1]["total"] == "10052.00000000")
    # This inbox takes no errors.
    await until(lambda: inboxes[1].errors is not None)


async def test_what_is_kept_is_for_the_owner_alone(market: Market, stage: Stage) -> None:
    [id], inboxes = await watched(market, stage, 1)
    await all_at(market, inboxes, 101)
    kept = stage.trading.holdings
    assert len(await kept.of(stage.alice.user_id, id, ["BTC"])) == 1
    assert not await kept.of(stage.bob.user_id, id, ["BTC"])


async def test_stored_prices_are_read_again_in_time(
    market: Market, stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    [id], inboxes = await watched(market, stage, 1)
    await stage.fill(id, Side.BUY, "1", "10", symbol="ETH")
    await market.tick(BTC=101)
    await until(lambda: bool(inboxes[0].taken) and inboxes[0].taken[-1]["positionsValue"] == "111.00000000")
    await stage.quote({"ETH": ("20", "30")})
    monkeypatch.setattr(holdings, "MAX_AGE_S", 0)
    await market.tick(BTC=102)
    await until(lambda: inboxes[0].taken[-1]["positionsValue"] == "122.00000000")


async def test_what_changes_while_it_is_read_is_read_again(
    market: Market, stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(holdings, "MAX_AGE_S", 3600)
    [id], inboxes = await watched(market, stage, 1)
    read = Database.read

    async def meanwhile(*arguments: Any) -> Any:
        monkeypatch.setattr(Database, "read", read)
        found = await read(*arguments)
        await stage.trading.portfolios.deposit(stage.alice, id, Decimal(50), Currency.USD, stage.key)
        return found

    monkeypatch.setattr(Database, "read", meanwhile)
    await all_at(market, inboxes, 101)
    await market.tick(BTC=102)
    await until(lambda: inboxes[0].taken[-1]["total"] == "10052.00000000")
