"""Signals and bots, live for their owner."""

import pytest
import pytest_asyncio

from app.domains.trading.bots.model import BotChanges
from app.engine.declarations.nodes import global_id
from tests.domains.trading.bots.robots import Robots
from tests.domains.trading.matching.market import begin
from tests.domains.trading.stage import Stage
from tests.schema.market.prices.test_ticks import Market
from tests.schema.trading.orders.test_streams import market
from tests.waiting import until

__all__ = ["market"]

SIGNALS = """subscription($id: ID!, $after: Cursor) { signals(botId: $id, after: $after) {
  cursor status statusReason botSignal { symbol type status confidence readings { name value } }
} }"""
UPDATES = """subscription { botUpdates {
  status statusReason bot { name botPerformance { roundTripCount } entries { totalCount { value } } }
} }"""


@pytest_asyncio.fixture
async def robots(stage: Stage) -> Robots:
    exchange = await begin(stage)
    made = Robots(stage, exchange, await stage.create())
    await made.candle()
    return made


async def test_a_signal_is_heard_as_it_is_made_and_executed(market: Market, robots: Robots) -> None:
    bot = await robots.create()
    which = {"id": global_id("Bot", bot)}
    inbox, _ = await market.open(SIGNALS, which, by=robots.stage.alice)
    await robots.next(bot)
    await robots.next(bot)
    await until(lambda: len(inbox.taken) == 3)
    assert [each["status"] for each in inbox.taken] == ["PENDING", "EXECUTED", "IGNORED"]
    assert [each["statusReason"] for each in inbox.taken] == [None, None, "There is nothing to do."]
    signal = inbox.taken[1]["botSignal"]
    assert (signal["symbol"], signal["type"], signal["status"]) == ("BTC", "BUY", "EXECUTED")
    later, _ = await market.open(SIGNALS, which | {"after": inbox.taken[0]["cursor"]}, by=robots.stage.alice)
    await until(lambda: len(later.taken) == 2)
    assert [each["cursor"] for each in later.taken] == [each["cursor"] for each in inbox.taken[1:]]


async def test_bots_are_heard_as_they_change_and_trade(market: Market, robots: Robots) -> None:
    inbox, _ = await market.open(UPDATES, {}, by=robots.stage.alice)
    bots, alice = robots.stage.trading.bots, robots.stage.alice
    id = await robots.create()
    await robots.next(id)
    await bots.update(alice, id, BotChanges(name="Another"))
    await bots.pause(alice, id)
    await bots.pause(alice, id)
    await bots.delete(alice, id)
    await until(lambda: len(inbox.taken) == 6)
    assert [each["status"] for each in inbox.taken] == ["PAUSED", "ACTIVE", "ACTIVE", "ACTIVE", "PAUSED", "STOPPED"]
    assert inbox.taken[2]["bot"]["entries"] == {"totalCount": {"value": 1}}, "it has bought"
    assert inbox.taken[5]["bot"] is None


async def test_a_bot_that_has_failed_still_says_why_when_it_is_changed(market: Market, robots: Robots) -> None:
    id = await robots.create()
    await robots.stage.trading.bot_runner.reports.fail(id, robots.stage.alice.user_id, "As the test says.")
    inbox, _ = await market.open(UPDATES, {}, by=robots.stage.alice)
    await robots.stage.trading.bots.update(robots.stage.alice, id, BotChanges(name="Another"))
    await until(lambda: bool(inbox.taken))
    assert [(each["status"], each["statusReason"]) for each in inbox.taken] == [("ERROR", "As the test says.")]


async def test_nobody_hears_the_signals_of_another(market: Market, robots: Robots) -> None:
    id = await robots.create()
    for by, code in ((robots.stage.bob, "NOT_FOUND"), (None, "UNAUTHENTICATED")):
        with pytest.raises(AssertionError, match=code):
            await market.open(SIGNALS, {"id": global_id("Bot", id)}, by=by)


async def test_the_signals_of_a_bot_that_is_deleted_end(market: Market, robots: Robots) -> None:
    id = await robots.create()
    inbox, _ = await market.open(SIGNALS, {"id": global_id("Bot", id)}, by=robots.stage.alice)
    await robots.stage.trading.bots.delete(robots.stage.alice, id)
    await until(lambda: inbox.errors is not None)
    assert (inbox.errors or [{}])[0]["extensions"]["code"] == "NOT_FOUND"
