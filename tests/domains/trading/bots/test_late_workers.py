"""Workers that are late, killed, or do what another one does: a bot decides once, on what is so then."""

import asyncio
from contextvars import Context
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from app.domains.trading.quantities.model import Side
from app.domains.trading.strategies.model import Dca, Grid, SignalType
from app.kit.db import Database
from tests.domains.trading.bots.robots import MINUTE, Robots
from tests.domains.trading.bots.walks.crashes import Crashes, Stall
from tests.waiting import until


async def test_a_bot_decides_once_on_a_candle_whatever_runs_it(robots: Robots) -> None:
    id = await robots.create()
    await robots.candle()
    await asyncio.gather(*(robots.stage.trading.bot_runner.run(robots.job(id)) for _ in range(4)))
    await robots.run(id)
    assert [each[0] for each in await robots.signals(id)] == ["BUY"]
    assert len(await robots.orders(id)) == 3
    await robots.market.check()


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


async def test_a_grid_does_not_make_up_for_what_the_price_fell_through_while_it_was_off(robots: Robots) -> None:
    bots, alice = robots.stage.trading.bots, robots.stage.alice
    grid = Grid(lower_price=Decimal(80), upper_price=Decimal(120), levels=5)
    id = await robots.create(grid, take_profit_percentage=Decimal(50), stop_loss_percentage=Decimal(50))
    await robots.next(id, "119")
    await bots.pause(alice, id)
    await robots.candle("95")
    await bots.start(alice, id)
    await robots.next(id, "94")
    assert await robots.entries(id) == [], "the levels from 119 to 95 were passed while it was off"
    await robots.next(id, "88")
    assert [each["slot"] for each in await robots.entries(id)] == [1]


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
    slow = Stall(lambda: runner.run(robots.job(id)), 2)
    assert await slow.begin(), "it has read what is held, and not decided"
    await robots.candle()
    slower = Stall(lambda: runner.run(robots.job(id)), 2)
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
    slow = Stall(lambda: robots.stage.trading.bot_runner.run(robots.job(id)), 2)
    assert await slow.begin()
    await bots.pause(alice, id)
    await bots.start(alice, id)
    await slow.end()
    assert await robots.signals(id) == await robots.orders(id) == []


async def test_a_decision_is_made_anew_where_an_earlier_candle_was_decided_on_meanwhile(
    robots: Robots, monkeypatch: pytest.MonkeyPatch
) -> None:
    id, runner = await robots.create(Dca(amount_usd=Decimal(100), every_candles=3)), robots.stage.trading.bot_runner
    Crashes.over_postgres(monkeypatch)
    await robots.candle()
    slow = Stall(lambda: runner.run(robots.job(id)), 2)
    assert await slow.begin(), "it has decided to buy, and not noted it"
    closed_at = await robots.candle()
    later = Stall(lambda: runner.run(robots.job(id)), 2)
    assert await later.begin()
    await slow.end()
    await robots.market.match()
    await later.end()
    assert sorted(each[:2] for each in await robots.signals(id)) == [("BUY", "EXECUTED"), ("HOLD", "IGNORED")]
    assert await robots.stage.owner.fetchval("SELECT decided_at FROM bot_states") == closed_at


async def test_a_worker_sells_what_has_lost_its_exits_since_it_read(
    robots: Robots, decides: list[SignalType], monkeypatch: pytest.MonkeyPatch
) -> None:
    id = await robots.create()
    decides += [SignalType.BUY, SignalType.SELL]
    await robots.next(id)
    Crashes.over_postgres(monkeypatch)
    await robots.candle()
    slow = Stall(lambda: robots.stage.trading.bot_runner.run(robots.job(id)), 2)
    assert await slow.begin()
    await robots.stage.trading.orders.cancel_all(robots.stage.alice, robots.portfolio_id, None)
    await robots.market.match()
    await slow.end()
    await robots.market.match()
    assert (await robots.signals(id))[-1] == ("SELL", "EXECUTED", None)
    [entry] = await robots.entries(id)
    assert entry["sold_quantity"] == entry["bought_quantity"]


async def test_a_bot_is_not_paused_while_it_acts(robots: Robots, monkeypatch: pytest.MonkeyPatch) -> None:
    id, stage = await robots.create(), robots.stage
    reports, pausing = type(stage.trading.bot_runner.reports), list[asyncio.Task[None]]()
    insert = reports.insert

    async def paused(*given: Any) -> None:
        """Somebody pauses the bot before what it does is committed."""
        pausing.append(asyncio.create_task(stage.trading.bots.pause(stage.alice, id), context=Context()))
        await until(lambda: waits(robots, pausing[0]))
        assert not pausing[0].done(), "it waits until the bot has acted"
        await insert(*given)

    monkeypatch.setattr(reports, "insert", paused)
    await robots.next(id)
    await pausing[0]
    bot = await robots.bot(id)
    assert bot is not None
    assert (bot.status, len(await robots.orders(id))) == ("paused", 3)


async def waits(robots: Robots, task: "asyncio.Task[None]") -> bool:
    """Whether what a task does waits for a lock, or is done."""
    return task.done() or await robots.stage.owner.fetchval("SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted)")
