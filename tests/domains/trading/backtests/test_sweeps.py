"""Sweeps: which runs they have, what those come to, and what was not tuned on."""

import asyncio
from decimal import Decimal
from typing import Any
from uuid import UUID

import msgspec
import pytest
from msgspec.structs import replace

from app.domains.trading.backtests import loaders
from app.domains.trading.backtests.model import (
    MAX_RUNS,
    BacktestNotRunning,
    BacktestTooLarge,
    CandlesMissing,
    SweepField,
    SweepRun,
)
from app.domains.trading.backtests.model.reports import BotTerms, Metrics, Run
from app.domains.trading.backtests.rules.market import Market
from app.domains.trading.backtests.rules.simulation import Simulation
from app.domains.trading.backtests.services import backtests, runner
from app.domains.trading.backtests.services.processes import ProcessDied, Simulating
from app.domains.trading.strategies.model import Breakout
from app.kit.errors import IdempotencyKeyReused, InvalidInput, NotFound
from app.kit.lists import page_request
from app.kit.reads import Reads
from tests.domains.trading.backtests.shop import CASH, Shop


async def runs(shop: Shop, id: Any, order: str = "NUMBER") -> list[SweepRun]:
    """The runs of a sweep, in an order."""
    reads = Reads(shop.stage.database, shop.stage.alice.scope)
    try:
        request = page_request(loaders.runs_by_sweep, 100, order)
        return (await reads.page(loaders.runs_by_sweep, id, request)).records
    finally:
        await reads.aclose()


async def test_a_sweep_is_every_combination_that_a_bot_can_have(shop: Shop) -> None:
    id = await shop.ask_sweep(
        shop.sweep(entry_period=["5", "8"], exit_period=["3", "6"], stop_loss_percentage=["2", "4"])
    )
    found = await shop.found_sweep(id)
    assert found is not None
    # An exit period of 6 is longer than an entry period of 5.
    assert (found.runs_total, found.left_out, found.status, found.candles) == (6, 2, "queued", 300)
    assert await shop.jobs() == [{"id": str(id), "is_sweep": True}]
    await shop.work(id=id, is_sweep=True)
    found = await shop.found_sweep(id)
    assert found is not None
    assert (found.status, found.runs_done, found.test_begins_at) == ("completed", 6, None)
    made = await runs(shop, id)
    assert [each.number for each in made] == [1, 2, 3, 4, 5, 6]
    assert made[0].settings == {"entry_period": "5", "exit_period": "3", "stop_loss_percentage": "2"}
    assert made[-1].settings == {"entry_period": "8", "exit_period": "6", "stop_loss_percentage": "4"}
    assert {each.test for each in made} == {None}
    market = Market(shop.candles, has_second=True)
    for each in made:
        expected = simulated(market, each.settings, 0, len(market))
        assert msgspec.convert(each.train, Metrics, strict=False) == expected
        assert each.train_return == expected.return_fraction
        assert each.train_drawdown == expected.max_drawdown
    assert len({each.train_return for each in made}) > 3


def simulated(market: Market, settings: dict[str, str], first: int, end: int) -> Metrics:
    config = Breakout(entry_period=int(settings["entry_period"]), exit_period=int(settings.get("exit_period", "3")))
    bot = BotTerms(symbol="BTC", config=config)
    if "stop_loss_percentage" in settings:
        bot = replace(bot, stop_loss_percentage=Decimal(settings["stop_loss_percentage"]))
    run = Run(bot=bot, interval=market.interval, initial_cash_usd=CASH)
    return Simulation(run, market, first, end).run().metrics


async def test_what_was_not_tuned_on_is_measured_apart(shop: Shop) -> None:
    id = await shop.ask_sweep(shop.sweep("0.7", entry_period=["4", "6", "9"]))
    await shop.work(id=id, is_sweep=True)
    found = await shop.found_sweep(id)
    assert found is not None
    assert found.test_begins_at == shop.candles[210].opened_at
    market = Market(shop.candles, has_second=True)
    for each in await runs(shop, id):
        assert msgspec.convert(each.train, Metrics, strict=False) == simulated(market, each.settings, 0, 210)
        assert msgspec.convert(each.test, Metrics, strict=False) == simulated(market, each.settings, 210, 300)


async def test_runs_are_in_the_order_of_what_they_came_to(shop: Shop) -> None:
    id = await shop.ask_sweep(shop.sweep("0.5", entry_period=["3", "4", "6", "9", "12", "100"]))
    await shop.work(id=id, is_sweep=True)
    made = await runs(shop, id)
    for order, column, descending in (
        ("TRAIN_RETURN", "train_return", True),
        ("TEST_SHARPE", "test_sharpe", True),
        ("TEST_DRAWDOWN", "test_drawdown", False),
    ):
        values = [getattr(each, column) for each in await runs(shop, id, order)]
        known = [each for each in values if each is not None]
        assert known == sorted(known, reverse=descending)
        assert values[: len(known)] == known
        assert len(values) == len(made)


async def test_progress_is_reported_and_a_sweep_can_be_cancelled(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner, "POLL_S", 0.01)
    values = [str(each) for each in range(3, 43)]
    id = await shop.ask_sweep(shop.sweep(entry_period=values))
    note = runner._Progress.note

    async def noted(self: Any, done: int) -> None:
        await note(self, done)
        if done == 20:
            await shop.stage.trading.backtests.cancel_sweep(shop.stage.alice, id)

    monkeypatch.setattr(runner._Progress, "note", noted)
    await shop.work(id=id, is_sweep=True)
    found = await shop.found_sweep(id)
    assert found is not None
    assert (found.status, found.runs_total) == ("cancelled", 40)
    facts = await shop.facts(id)
    assert facts[:2] == [("queued", 0, 40), ("running", 0, 40)]
    assert facts[-1] == ("cancelled", found.runs_done, 40)
    assert 20 <= found.runs_done < 40
    assert await runs(shop, id) == []
    with pytest.raises(BacktestNotRunning):
        await shop.stage.trading.backtests.cancel_sweep(shop.stage.alice, id)


async def test_progress_does_not_go_back_where_two_simulations_report_at_once(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored, gate = list[int](), asyncio.Event()

    async def store(_: Any, done: int) -> None:
        if done == 0:
            await gate.wait()
        stored.append(done)

    monkeypatch.setattr(runner._Progress, "_store", store)
    progress = runner._Progress(shop.stage.trading.backtest_runner, runner.SWEEP, UUID(int=1), 40)
    reports = [asyncio.create_task(progress.note(done)) for done in (0, 4)]
    for _ in range(10):
        await asyncio.sleep(0)
    gate.set()
    await asyncio.gather(*reports)
    assert stored == [0, 4]


async def test_a_sweep_that_is_begun_again_comes_to_the_same(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = shop.sweep("0.6", entry_period=["4", "6", "9"])
    first = await shop.ask_sweep(asked)
    await shop.work(id=first, is_sweep=True)
    id = await shop.ask_sweep(asked)
    messages = Simulating.messages

    async def dying(self: Simulating) -> Any:
        async for message in messages(self):
            yield message
            self.kill()

    monkeypatch.setattr(Simulating, "messages", dying)
    with pytest.raises(ProcessDied):
        await shop.work(id=id, is_sweep=True)
    assert await runs(shop, id) == []
    monkeypatch.setattr(Simulating, "messages", messages)
    await shop.work(id=id, is_sweep=True)
    again = [replace(each, sweep_id=first) for each in await runs(shop, id)]
    assert again == await runs(shop, first)
    assert len(again) == 3


@pytest.mark.parametrize(
    ("values", "path"),
    [
        ({}, "axes"),
        ({"entry_period": []}, "axes.0.values"),
        ({"entry_period": ["5", "5.0"]}, "axes.0.values"),
        ({"entry_period": ["5", "1"]}, "axes.0.values.1"),
        ({"entry_period": ["5.5"]}, "axes.0.values.0"),
        ({"entry_period": ["5"], "period": ["5"]}, "axes.1.field"),
        ({"stop_loss_percentage": ["100"]}, "axes.0.values.0"),
        ({"entry_period": ["2"], "exit_period": ["3"]}, "axes"),
    ],
)
async def test_axes_that_cannot_be_are_named(shop: Shop, values: dict[str, list[str]], path: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        await shop.ask_sweep(shop.sweep(None, **values))
    assert ".".join(refused.value.fields[0].path) == path
    assert await shop.jobs() == []


async def test_a_train_fraction_leaves_something_on_both_sides(shop: Shop) -> None:
    for fraction in ("0", "1", "0.95", "0.12345"):
        with pytest.raises(InvalidInput):
            await shop.ask_sweep(shop.sweep(fraction, entry_period=["5"]))


async def test_a_sweep_has_at_most_500_runs(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    periods = [str(each) for each in range(2, 53)]
    with pytest.raises(BacktestTooLarge) as refused:
        await shop.ask_sweep(shop.sweep(entry_period=periods, atr_period=periods[:10]))
    assert (refused.value.limit, refused.value.asked) == (MAX_RUNS, 510)
    monkeypatch.setattr(backtests, "MAX_SWEEP_CANDLES", 1_000)
    with pytest.raises(BacktestTooLarge) as refused:
        await shop.ask_sweep(shop.sweep(entry_period=["5", "6", "7", "8"]))
    assert (refused.value.limit, refused.value.asked) == (1_000, 1_200)


async def test_a_key_is_one_sweep(shop: Shop) -> None:
    asked = shop.sweep("0.5", entry_period=["5", "6"])
    asked = replace(asked, asked=replace(asked.asked, since=shop.candles[0].opened_at))
    id = await shop.ask_sweep(asked, key="one")
    assert await shop.ask_sweep(replace(asked, train_fraction=Decimal("0.50")), key="one") == id
    with pytest.raises(IdempotencyKeyReused):
        await shop.ask_sweep(replace(asked, train_fraction=Decimal("0.6")), key="one")
    with pytest.raises(IdempotencyKeyReused):
        await shop.ask_sweep(replace(asked, axes=asked.axes[:0]), key="one")
    assert len(await shop.jobs()) == 1


async def test_nobody_else_sees_or_cancels_a_sweep(shop: Shop) -> None:
    id = await shop.ask_sweep(shop.sweep(entry_period=["5"]))
    assert await shop.found_sweep(id, shop.stage.bob) is None
    with pytest.raises(NotFound):
        await shop.stage.trading.backtests.cancel_sweep(shop.stage.bob, id)


async def test_one_candle_cannot_be_parted(shop: Shop) -> None:
    asked = shop.sweep("0.5", entry_period=["5"])
    id = await shop.ask_sweep(replace(asked, asked=replace(asked.asked, since=shop.candles[-1].opened_at)))
    await shop.work(id=id, is_sweep=True)
    found = await shop.found_sweep(id)
    assert found is not None
    assert (found.status, found.status_reason) == ("failed", str(CandlesMissing()))


def test_every_setting_is_one_of_a_strategy_or_of_a_bot() -> None:
    from app.domains.trading.strategies.model import BOT_BOUNDS, BOUNDS

    known = {name for bounds in BOUNDS.values() for name in bounds} | set(BOT_BOUNDS)
    # A grid's own bounds belong together, and a limit of losses is none that is tuned.
    assert known - {"lower_price", "upper_price", "daily_loss_limit_usd"} == set(SweepField)
