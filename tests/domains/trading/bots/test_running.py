"""What bots do at the end of a candle: once, in one transaction with their orders, and no more than they may."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from app.domains.trading.bots.rules.deciding import decided as decided_by_rules
from app.domains.trading.bots.services import runner as runner_module
from app.domains.trading.portfolios.model import PortfolioNotOpen
from app.domains.trading.strategies.model import Grid, MeanReversion, SignalType
from tests.domains.trading.bots.robots import Robots

IGNORED = ("HOLD", "IGNORED", "There is nothing to do.")


async def test_a_bot_buys_in_its_intervals_and_holds_in_between(robots: Robots) -> None:
    id = await robots.create()
    for _ in range(4):
        await robots.next(id)
    assert await robots.signals(id) == [("BUY", "EXECUTED", None), IGNORED, ("BUY", "EXECUTED", None)]
    assert (
        await robots.orders(id)
        == [
            ("entry", "market", "filled"),
            ("take_profit", "limit", "pending"),
            ("stop_loss", "stop", "pending"),
        ]
        * 2
    )
    for entry in await robots.entries(id):
        assert entry["bought_quantity"] * 100 == pytest.approx(100, rel=0.01)
        assert (entry["sold_quantity"], entry["closed_at"]) == (0, None)
    performance = await robots.performance(id)
    assert (performance.total_trades, performance.realized_pnl) == (0, Decimal(0))
    assert performance.open_pnl < 0, "fees and the spread"
    assert performance.current_value == 1000 + performance.total_pnl
    assert performance.holding_return_fraction == 0
    await robots.market.check()


async def test_losses_are_limited_for_a_day_and_followed_by_a_pause(robots: Robots, decides: list[SignalType]) -> None:
    limited = await robots.create(daily_loss_limit_usd=Decimal(20))
    cooled = await robots.create(cool_down_ms=10 * 60 * 1000)
    for id in (limited, cooled):
        decides += [SignalType.BUY]
        await robots.candle("100")
        await robots.run(id)
    await robots.candle("94")
    for id in (limited, cooled):
        decides += [SignalType.BUY]
        await robots.run(id)
    refusals = [(await robots.signals(id))[-1] for id in (limited, cooled)]
    assert [each[:2] for each in refusals] == [("BUY", "IGNORED")] * 2
    assert "reaches the limit of 20" in refusals[0][2]
    assert "An exit lost less than 600000 ms ago" in refusals[1][2]
    robots.stage.clock.advance(timedelta(days=1))
    await robots.candle("94")
    for id in (limited, cooled):
        decides += [SignalType.BUY]
        await robots.run(id)
    assert [(await robots.signals(id))[-1][:2] for id in (limited, cooled)] == [("BUY", "EXECUTED")] * 2
    assert (await robots.performance(limited)).max_drawdown > 20


async def test_a_reset_portfolio_takes_what_the_bot_held(robots: Robots, decides: list[SignalType]) -> None:
    id = await robots.create()
    decides += [SignalType.BUY]
    await robots.next(id)
    await robots.market.match()
    await robots.market.tick("105")
    assert (await robots.performance(id)).open_pnl > 0
    await robots.stage.trading.portfolios.reset(robots.stage.alice, robots.portfolio_id, robots.stage.key)
    await robots.market.match()
    assert (await robots.performance(id)).open_pnl == 0, "before the bot has seen it"
    decides += [SignalType.BUY]
    await robots.next(id)
    old, new = await robots.entries(id)
    assert (old["is_abandoned"], new["is_abandoned"]) == (True, False)
    assert new["bought_quantity"] > 0
    await robots.market.check()


async def test_a_bot_that_is_stopped_after_a_reset_sells_nothing_of_the_new_life(
    robots: Robots, decides: list[SignalType]
) -> None:
    id = await robots.create()
    decides += [SignalType.BUY]
    await robots.next(id)
    stage = robots.stage
    await stage.trading.portfolios.reset(stage.alice, robots.portfolio_id, stage.key)
    await robots.market.match()
    assert await stage.trading.bots.stop(stage.alice, id, sell=True) == 0
    await robots.market.match()
    [entry] = await robots.entries(id)
    assert (entry["is_abandoned"], entry["sold_quantity"]) == (True, 0)
    assert await stage.position(robots.portfolio_id) is None
    await robots.market.check()


async def test_a_bot_whose_portfolio_is_deleted_stops_and_says_so(robots: Robots, decides: list[SignalType]) -> None:
    id = await robots.create()
    decides += [SignalType.BUY]
    await robots.next(id)
    await robots.stage.create()
    await robots.stage.trading.portfolios.delete(robots.stage.alice, robots.portfolio_id)
    await robots.market.match()
    decides += [SignalType.BUY]
    await robots.next(id)
    [entry] = await robots.entries(id)
    assert (entry["is_abandoned"], entry["closed_at"] is None) == (True, False)
    bot = await robots.bot(id)
    assert bot is not None
    assert (bot.status, bot.status_reason) == ("error", "Its portfolio was deleted.")
    said = await robots.stage.owner.fetchval("SELECT message FROM notifications WHERE user_id = $1", bot.user_id)
    assert said == "A bot has stopped: Its portfolio was deleted."
    with pytest.raises(PortfolioNotOpen, match="was deleted"):
        await robots.stage.trading.bots.start(robots.stage.alice, id)
    assert await robots.stage.trading.bots.stop(robots.stage.alice, id, sell=True) == 0


async def test_a_strategy_that_fails_stops_its_bot_and_no_other(
    robots: Robots, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad, good = await robots.create(), await robots.create()
    original = decided_by_rules

    def fails(due: Any, *args: Any) -> Any:
        if due.bot_id == bad:
            raise ZeroDivisionError
        return original(due, *args)

    monkeypatch.setattr(runner_module, "decided", fails)
    await robots.candle()
    await robots.run(bad, good)
    found = [await robots.bot(id) for id in (bad, good)]
    assert [each.status for each in found if each] == ["error", "active"]
    assert [each[:2] for each in await robots.signals(good)] == [("BUY", "EXECUTED")]


async def test_a_bot_spends_no_more_than_there_is_or_than_it_may(robots: Robots, decides: list[SignalType]) -> None:
    small = await robots.stage.create(initial_balance=Decimal(10))
    poor = await robots.create(portfolio_id=small, max_position_usd=Decimal(200))
    greedy = await robots.create(max_position_usd=Decimal(100))
    for id in (poor, greedy):
        await robots.candle()
        for _ in range(3):
            decides += [SignalType.BUY]
            await robots.next(id)
    assert [each[:2] for each in await robots.signals(poor)] == [("BUY", "FAILED")] * 3
    spent = [each for each in await robots.signals(greedy) if each[1] == "EXECUTED"]
    assert len(spent) == 2, "half of it at once, at medium risk"
    assert (await robots.signals(greedy))[-1][1] == "IGNORED"
    assert sum(entry["cost"] for entry in await robots.entries(greedy)) < 102
    await robots.market.check()


async def test_a_grid_buys_slots_as_the_price_falls_and_sells_each_a_level_higher(robots: Robots) -> None:
    grid = Grid(lower_price=Decimal(80), upper_price=Decimal(120), levels=5)
    id = await robots.create(grid, take_profit_percentage=Decimal(50), stop_loss_percentage=Decimal(50))
    for price in ("100", "97", "87", "99"):
        await robots.next(id, price)
    entries = await robots.entries(id)
    assert len(entries) >= 2
    assert len({entry["slot"] for entry in entries}) == len(entries)
    sold = [entry for entry in entries if entry["closed_at"]]
    assert sold, "the price rose by a level"
    assert all(entry["pnl"] > 0 for entry in sold)
    await robots.market.check()


async def test_few_candles_are_no_failure(robots: Robots) -> None:
    id = await robots.create(MeanReversion())
    await robots.next(id)
    [(kind, status, _)] = await robots.signals(id)
    assert (kind, status) == ("HOLD", "IGNORED")
