"""What bots do at the end of a candle: once, in one transaction with their orders, and no more than they may."""

import asyncio
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import msgspec
import pytest

from app.domains.market.prices.model import Interval
from app.domains.trading.bots.rules.deciding import decided as decided_by_rules
from app.domains.trading.bots.rules.deciding import last_close
from app.domains.trading.bots.services import runner as runner_module
from app.domains.trading.orders.model import OrderChanges, OrderRefused
from app.domains.trading.quantities.model import Side
from app.domains.trading.strategies.model import Dca, Decision, Grid, MeanReversion, RiskLevel, SignalType
from app.kit.db import Database
from tests.domains.trading.bots.robots import MINUTE, Robots
from tests.domains.trading.bots.walks.crashes import Crashes, Stall

IGNORED = ("HOLD", "IGNORED", "There is nothing to do.")


@pytest.fixture
def decides(monkeypatch: pytest.MonkeyPatch) -> list[SignalType]:
    """What every strategy decides next, in turn; holding once nothing is left."""
    planned = list[SignalType]()
    original = decided_by_rules

    def decided(*args: Any) -> Any:
        found = original(*args)
        if found is None:
            return None
        kind = planned.pop(0) if planned else SignalType.HOLD
        return msgspec.structs.replace(found, decision=Decision(type=kind, confidence=50, reasoning="As planned."))

    monkeypatch.setattr(runner_module, "decided", decided)
    return planned


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


async def test_a_bot_decides_once_on_a_candle_whatever_runs_it(robots: Robots) -> None:
    id = await robots.create()
    await robots.candle()
    await asyncio.gather(*(robots.stage.trading.bot_runner.run(payload(robots, id)) for _ in range(4)))
    await robots.run(id)
    assert [each[0] for each in await robots.signals(id)] == ["BUY"]
    assert len(await robots.orders(id)) == 3
    await robots.market.check()


def payload(robots: Robots, id: UUID) -> dict[str, Any]:
    ended_at = last_close(Interval.ONE_MINUTE, robots.stage.clock.now())
    return {"interval": "1m", "closed_at": ended_at.isoformat(), "bots": [str(id)]}


async def test_a_run_that_is_killed_leaves_nothing_and_is_repeated(
    robots: Robots, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    id = await robots.create()
    await robots.candle()
    before = await robots.stage.cash(robots.portfolio_id)

    async def killed(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(type(robots.stage.trading.bot_runner.reports), "insert", killed)
        with pytest.raises(KeyboardInterrupt):
            await robots.run(id)
    assert await robots.orders(id) == await robots.signals(id) == await robots.entries(id) == []
    assert await robots.stage.cash(robots.portfolio_id) == before
    await robots.run(id)
    assert [each[:2] for each in await robots.signals(id)] == [("BUY", "EXECUTED")]
    await robots.market.check()


async def test_candles_that_were_missed_are_not_made_up_for(robots: Robots) -> None:
    id = await robots.create(paused=True)
    first = await robots.candle()
    await robots.run(id)
    assert await robots.signals(id) == [], "it is paused"
    await robots.stage.trading.bots.start(robots.stage.alice, id)
    await robots.run(id)
    assert await robots.signals(id) == [], "the candle ended before it was started"
    await robots.candle()
    await robots.candle()
    await robots.run(id, closed_at=first + MINUTE)
    assert await robots.signals(id) == [], "it is not the last candle"
    await robots.run(id)
    await robots.stage.trading.bots.pause(robots.stage.alice, id)
    await robots.candle()
    await robots.run(id)
    assert len(await robots.signals(id)) == 1


async def test_a_candle_that_is_not_stored_is_waited_for(robots: Robots) -> None:
    id = await robots.create()
    robots.stage.clock.advance(MINUTE)
    await robots.run(id)
    assert await robots.stage.owner.fetchval("SELECT count(*) FROM bot_states") == 0
    await robots.next(id)
    assert [each[0] for each in await robots.signals(id)] == ["BUY"]


async def test_due_bots_are_enqueued_once_for_a_candle(robots: Robots) -> None:
    ids = {str(await robots.create()) for _ in range(3)}
    await robots.create(paused=True)
    assert await robots.stage.trading.bot_runner.enqueue_due() == "0 due", "the candle ended before they were started"
    ended_at = await robots.candle()
    runner = robots.stage.trading.bot_runner
    assert [await runner.enqueue(ended_at) for _ in range(2)] == [3, 3]
    jobs = await robots.stage.owner.fetch("SELECT payload FROM pgqueuer WHERE entrypoint = 'trading.run_bots'")
    [only] = [msgspec.json.decode(job["payload"]) for job in jobs]
    assert set(only["bots"]) == ids
    await runner.run(only)
    assert await runner.enqueue(ended_at) == 0


async def test_a_decision_to_sell_sells_everything_and_cancels_the_other_exit(
    robots: Robots, decides: list[SignalType]
) -> None:
    id = await robots.create()
    decides += [SignalType.BUY, SignalType.BUY, SignalType.SELL]
    for price in ("100", "101", "102"):
        await robots.next(id, price)
    assert [each[:2] for each in await robots.signals(id)] == [("BUY", "EXECUTED")] * 2 + [("SELL", "EXECUTED")]
    assert [each[2] for each in await robots.orders(id)] == ["filled", "filled", "cancelled"] * 2
    entries = await robots.entries(id)
    assert all(entry["closed_at"] and entry["bought_quantity"] == entry["sold_quantity"] for entry in entries)
    performance = await robots.performance(id)
    assert (performance.total_trades, performance.open_pnl) == (2, Decimal(0))
    assert performance.realized_pnl == sum(entry["proceeds"] - entry["cost"] for entry in entries)
    cash, reserved, given = await robots.stage.cash(robots.portfolio_id)
    assert (cash, reserved) == (given + performance.realized_pnl, 0)
    await robots.market.check()


async def test_exits_close_an_entry_whatever_the_bot_does(robots: Robots, decides: list[SignalType]) -> None:
    id = await robots.create()
    decides += [SignalType.BUY]
    await robots.next(id)
    await robots.stage.trading.bots.pause(robots.stage.alice, id)
    await robots.candle("111")
    [entry] = await robots.entries(id)
    assert entry["closed_at"] is not None
    performance = await robots.performance(id)
    assert (performance.winning_trades, performance.win_rate_fraction) == (1, Decimal(1))
    assert performance.realized_pnl > 0
    assert performance.holding_return_fraction == Decimal("0.11")
    await robots.market.check()


async def test_a_sale_that_was_refused_is_not_executed_by_a_later_stop(
    robots: Robots, decides: list[SignalType]
) -> None:
    id = await robots.create()
    halts, alice = robots.stage.trading.halts, robots.stage.alice
    decides += [SignalType.BUY, SignalType.SELL]
    await robots.next(id)
    await halts.halt_own(alice)
    await robots.market.match()
    await robots.next(id)
    await halts.resume_own(alice)
    await robots.market.match()
    await robots.next(id)
    await robots.candle("80")
    [entry] = await robots.entries(id)
    assert entry["closed_at"] is not None
    assert [each[:2] for each in await robots.signals(id)][1] == ("SELL", "FAILED")
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


async def test_a_stop_that_was_cancelled_is_placed_anew_once(robots: Robots, decides: list[SignalType]) -> None:
    id = await robots.create()
    decides += [SignalType.BUY]
    await robots.next(id)
    await robots.stage.trading.orders.cancel_all(robots.stage.alice, robots.portfolio_id, None)
    await robots.market.match()
    for _ in range(3):
        await robots.next(id)
    assert (await robots.orders(id))[3:] == [(None, "stop", "pending")]
    stop = await robots.stage.owner.fetch("SELECT stop_price FROM orders WHERE bot_id = $1 AND type = 'stop'", id)
    assert len({row[0] for row in stop}) == 1, "where it was"
    await robots.market.check()


@pytest.mark.parametrize("way", ["by a decision", "at its end"])
async def test_what_has_only_a_stop_that_was_placed_anew_is_sold_at_once(
    robots: Robots, decides: list[SignalType], way: str
) -> None:
    id = await robots.create()
    decides += [SignalType.BUY]
    await robots.next(id)
    await robots.stage.trading.orders.cancel_all(robots.stage.alice, robots.portfolio_id, None)
    await robots.market.match()
    await robots.next(id)
    await robots.candle()
    if way == "by a decision":
        decides += [SignalType.SELL]
        await robots.run(id)
    else:
        assert await robots.stage.trading.bots.stop(robots.stage.alice, id, sell=True) == 0
        await robots.market.match()
    await robots.market.tick("100")
    await robots.market.match()
    assert [each[1:] for each in (await robots.orders(id))[3:]] == [("stop", "filled")]
    [entry] = await robots.entries(id)
    assert entry["closed_at"] is not None
    assert (await robots.performance(id)).total_trades == 1
    await robots.market.check()


async def test_what_somebody_else_sold_is_given_up(robots: Robots, decides: list[SignalType]) -> None:
    id = await robots.create()
    decides += [SignalType.BUY]
    await robots.next(id)
    orders, alice = robots.stage.trading.orders, robots.stage.alice
    await orders.cancel_all(alice, robots.portfolio_id, None)
    await robots.market.match()
    [entry] = await robots.entries(id)
    await robots.market.place(robots.portfolio_id, Side.SELL, f"{entry['bought_quantity']:f}")
    await robots.market.match()
    await robots.next(id)
    [entry] = await robots.entries(id)
    assert entry["is_abandoned"]
    assert (await robots.performance(id)).total_trades == 0
    await robots.market.check()


async def test_a_reset_portfolio_takes_what_the_bot_held(robots: Robots, decides: list[SignalType]) -> None:
    id = await robots.create()
    decides += [SignalType.BUY]
    await robots.next(id)
    await robots.stage.trading.portfolios.reset(robots.stage.alice, robots.portfolio_id, robots.stage.key)
    await robots.market.match()
    decides += [SignalType.BUY]
    await robots.next(id)
    old, new = await robots.entries(id)
    assert (old["is_abandoned"], new["is_abandoned"]) == (True, False)
    assert new["bought_quantity"] > 0
    await robots.market.check()


async def test_a_bot_whose_portfolio_is_deleted_stops_and_says_so(robots: Robots, decides: list[SignalType]) -> None:
    id = await robots.create()
    await robots.stage.create()
    await robots.stage.trading.portfolios.delete(robots.stage.alice, robots.portfolio_id)
    decides += [SignalType.BUY]
    await robots.next(id)
    bot = await robots.bot(id)
    assert bot is not None
    assert (bot.status, bot.status_reason) == ("error", "Its portfolio was deleted.")
    said = await robots.stage.owner.fetchval("SELECT message FROM notifications WHERE user_id = $1", bot.user_id)
    assert said == "A bot has stopped: Its portfolio was deleted."


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


async def test_what_has_no_exits_is_protected_by_a_candle_on_which_more_is_bought(robots: Robots) -> None:
    id = await robots.create(Dca(amount_usd=Decimal(100), every_candles=1))
    await robots.next(id)
    await robots.stage.trading.orders.cancel_all(robots.stage.alice, robots.portfolio_id, None)
    await robots.market.match()
    await robots.next(id)
    assert [each[0] for each in await robots.signals(id)] == ["BUY", "BUY"]
    assert [each[1:] for each in await robots.orders(id) if each[0] is None] == [("stop", "pending")]
    await robots.market.check()


async def test_what_has_no_exits_is_protected_by_a_candle_on_which_nothing_more_may_be_bought(
    robots: Robots, decides: list[SignalType]
) -> None:
    id = await robots.create(max_position_usd=Decimal(100), risk_level=RiskLevel.HIGH)
    decides += [SignalType.BUY, SignalType.BUY]
    await robots.next(id)
    await robots.stage.trading.orders.cancel_all(robots.stage.alice, robots.portfolio_id, None)
    await robots.market.match()
    await robots.next(id)
    assert (await robots.signals(id))[-1] == ("BUY", "IGNORED", "There is no room for another entry.")
    assert [each[1:] for each in await robots.orders(id) if each[0] is None] == [("stop", "pending")]
    await robots.market.check()


async def test_a_worker_acts_on_what_a_bot_holds_then_and_not_on_what_it_read_before(
    robots: Robots, decides: list[SignalType], monkeypatch: pytest.MonkeyPatch
) -> None:
    id, runner = await robots.create(), robots.stage.trading.bot_runner
    await robots.market.place(robots.portfolio_id, Side.BUY, "20")
    decides += [SignalType.BUY]
    await robots.next(id)
    await robots.stage.trading.orders.cancel_all(robots.stage.alice, robots.portfolio_id, None)
    await robots.market.match()
    Crashes.over_postgres(monkeypatch)
    await robots.candle()
    slow = Stall(lambda: runner.run(payload(robots, id)), 2)
    assert await slow.begin(), "it has read what is held, and not decided"
    await robots.candle()
    slower = Stall(lambda: runner.run(payload(robots, id)), 2)
    assert await slower.begin()
    await slow.end()
    await slower.end()
    assert [each[1:] for each in await robots.orders(id) if each[0] is None] == [("stop", "pending")]
    await robots.market.check()


async def test_a_bot_that_is_started_anew_does_not_act_on_a_candle_before(
    robots: Robots, monkeypatch: pytest.MonkeyPatch
) -> None:
    id, bots, alice = await robots.create(), robots.stage.trading.bots, robots.stage.alice
    Crashes.over_postgres(monkeypatch)
    await robots.candle()
    slow = Stall(lambda: robots.stage.trading.bot_runner.run(payload(robots, id)), 2)
    assert await slow.begin()
    await bots.pause(alice, id)
    await bots.start(alice, id)
    await slow.end()
    assert await robots.signals(id) == await robots.orders(id) == []


async def test_to_hold_is_no_failure_where_no_stop_can_be_placed_anew(
    robots: Robots, decides: list[SignalType]
) -> None:
    id = await robots.create()
    decides += [SignalType.BUY]
    await robots.next(id)
    await robots.stage.trading.orders.cancel_all(robots.stage.alice, robots.portfolio_id, None)
    await robots.market.match()
    await robots.stage.owner.execute("UPDATE portfolios SET status = 'resetting' WHERE id = $1", robots.portfolio_id)
    await robots.next(id)
    assert (await robots.signals(id))[1:] == [("HOLD", "IGNORED", "The portfolio is being reset or deleted.")]


async def test_a_signal_that_sold_nothing_before_a_later_one_says_so(robots: Robots, decides: list[SignalType]) -> None:
    id, alice = await robots.create(), robots.stage.alice
    decides += [SignalType.BUY, SignalType.SELL]
    await robots.next(id)
    await robots.candle()
    # The exits are cancelled before the exchange gets to know that one of them is to sell.
    await robots.stage.trading.orders.cancel_all(alice, robots.portfolio_id, None)
    await robots.run(id)
    assert (await robots.signals(id))[-1] == ("SELL", "PENDING", None)
    decides += [SignalType.SELL]
    await robots.next(id)
    assert [each for each in await robots.signals(id) if each[0] == "SELL"] == [
        ("SELL", "FAILED", "It sold nothing before a later signal did."),
        ("SELL", "EXECUTED", None),
    ]
    await robots.market.check()


async def test_a_signal_says_that_what_it_was_to_sell_was_gone(robots: Robots, decides: list[SignalType]) -> None:
    id, alice = await robots.create(), robots.stage.alice
    decides += [SignalType.BUY, SignalType.SELL]
    await robots.next(id)
    [entry] = await robots.entries(id)
    orders = robots.stage.trading.orders
    await orders.cancel_all(alice, robots.portfolio_id, None)
    await robots.market.match()
    await robots.market.place(robots.portfolio_id, Side.SELL, f"{entry['bought_quantity']:f}")
    await robots.market.match()
    await robots.next(id)
    assert (await robots.signals(id))[1:] == [("SELL", "FAILED", "Somebody else has sold it.")]
    [entry] = await robots.entries(id)
    assert entry["is_abandoned"]
    await robots.market.check()


async def test_what_is_being_sold_is_not_sold_by_a_second_signal(robots: Robots, decides: list[SignalType]) -> None:
    id = await robots.create()
    decides += [SignalType.BUY, SignalType.SELL, SignalType.SELL]
    await robots.next(id)
    await robots.stage.trading.orders.cancel_all(robots.stage.alice, robots.portfolio_id, None)
    await robots.market.match()
    for _ in range(2):
        await robots.candle(matched=False)
        await robots.stage.trading.bot_runner.run(payload(robots, id))
    await robots.market.match()
    sales = [each for each in await robots.signals(id) if each[0] == "SELL"]
    assert sales == [("SELL", "EXECUTED", None), ("SELL", "IGNORED", "It is being sold already.")]
    await robots.market.check()


async def test_the_quantity_of_what_a_bot_sells_is_not_changed_by_its_user(
    robots: Robots, decides: list[SignalType]
) -> None:
    id, orders, alice = await robots.create(), robots.stage.trading.orders, robots.stage.alice
    await robots.market.place(robots.portfolio_id, Side.BUY, "20")
    decides += [SignalType.BUY]
    await robots.next(id)
    await orders.cancel_all(alice, robots.portfolio_id, None)
    await robots.market.match()
    await robots.next(id)
    stop = await robots.stage.owner.fetchval("SELECT id FROM orders WHERE bot_id = $1 AND bracket_id IS NULL", id)
    with pytest.raises(OrderRefused, match="A bot sells what it has bought"):
        await orders.replace(alice, stop, OrderChanges(quantity=Decimal(19)), robots.stage.key)
    await orders.replace(alice, stop, OrderChanges(stop_price=Decimal(90)), robots.stage.key)
    await robots.market.match()
    await robots.candle("89")
    [entry] = await robots.entries(id)
    assert entry["sold_quantity"] == entry["bought_quantity"]
    await robots.market.check()


async def test_a_decision_is_made_anew_where_an_earlier_candle_was_decided_on_meanwhile(
    robots: Robots, monkeypatch: pytest.MonkeyPatch
) -> None:
    id, runner = await robots.create(Dca(amount_usd=Decimal(100), every_candles=3)), robots.stage.trading.bot_runner
    Crashes.over_postgres(monkeypatch)
    await robots.candle()
    slow = Stall(lambda: runner.run(payload(robots, id)), 2)
    assert await slow.begin(), "it has decided to buy, and not noted it"
    closed_at = await robots.candle()
    later = Stall(lambda: runner.run(payload(robots, id)), 2)
    assert await later.begin()
    await slow.end()
    await robots.market.match()
    await later.end()
    assert sorted(each[:2] for each in await robots.signals(id)) == [("BUY", "EXECUTED"), ("HOLD", "IGNORED")]
    assert await robots.stage.owner.fetchval("SELECT decided_at FROM bot_states") == closed_at
