"""The progress of back-tests and sweeps, for who asked for them."""

from typing import Any
from uuid import UUID

import pytest
import pytest_asyncio

from app.engine.declarations.nodes import global_id
from tests.domains.trading.backtests.shop import Shop, open_shop
from tests.domains.trading.stage import Stage
from tests.schema.market.prices.test_ticks import Market
from tests.schema.trading.orders.test_streams import market
from tests.waiting import until

__all__ = ["market"]

BACKTEST = """subscription($id: ID!, $after: Cursor) { backtestProgress(backtestId: $id, after: $after) {
  cursor status doneCandleCount candleCount backtest { id status }
} }"""
SWEEP = """subscription($id: ID!) { backtestSweepProgress(sweepId: $id) {
  status doneRunCount runCount sweep { id status }
} }"""


@pytest_asyncio.fixture
async def shop(stage: Stage) -> Shop:
    return await open_shop(stage, 100)


def of(kind: str, id: UUID) -> dict[str, Any]:
    return {"id": global_id(kind, id)}


async def test_progress_is_sent_from_the_first_event_on(market: Market, shop: Shop) -> None:
    id = await shop.run()
    alice = shop.stage.alice
    inbox, _ = await market.open(BACKTEST, of("Backtest", id), by=alice)
    facts = await shop.facts(id)
    await until(lambda: len(inbox.taken) == len(facts))
    heard = [(each["status"].lower(), each["doneCandleCount"], each["candleCount"]) for each in inbox.taken]
    assert heard == facts
    assert {each["backtest"]["id"] for each in inbox.taken} == {global_id("Backtest", id)}
    assert {each["backtest"]["status"] for each in inbox.taken} == {"COMPLETED"}
    later, _ = await market.open(BACKTEST, of("Backtest", id) | {"after": inbox.taken[1]["cursor"]}, by=alice)
    await until(lambda: len(later.taken) == len(facts) - 2)
    assert [each["cursor"] for each in later.taken] == [each["cursor"] for each in inbox.taken[2:]]


async def test_progress_of_a_sweep_is_sent_as_it_is_made(market: Market, shop: Shop) -> None:
    id = await shop.ask_sweep(shop.sweep(None, entry_period=["4", "6", "9"]))
    inbox, _ = await market.open(SWEEP, of("BacktestSweep", id), by=shop.stage.alice)
    await shop.work(id=id, is_sweep=True)
    facts = await shop.facts(id)
    await until(lambda: len(inbox.taken) == len(facts))
    assert [(each["status"].lower(), each["doneRunCount"], each["runCount"]) for each in inbox.taken] == facts
    assert facts[-1] == ("completed", 3, 3)


@pytest.mark.parametrize(("query", "kind"), [(BACKTEST, "Backtest"), (SWEEP, "BacktestSweep")])
async def test_nobody_watches_the_back_tests_of_another(market: Market, shop: Shop, query: str, kind: str) -> None:
    is_sweep = kind == "BacktestSweep"
    id = await (shop.ask_sweep(shop.sweep(None, entry_period=["4"])) if is_sweep else shop.ask())
    for by, code in ((shop.stage.bob, "NOT_FOUND"), (None, "UNAUTHENTICATED")):
        with pytest.raises(AssertionError, match=code):
            await market.open(query, of(kind, id), by=by)
