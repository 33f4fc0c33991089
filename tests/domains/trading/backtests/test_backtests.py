"""Asking for back-tests, running them, and what nobody else sees of them."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import msgspec
import pytest
from msgspec.structs import replace

from app.domains.market.prices.model import Interval
from app.domains.market.tokens.model import TokenNotFound
from app.domains.trading.backtests.model import (
    MAX_CANDLES,
    Asked,
    BacktestNotRunning,
    BacktestTooLarge,
    CandlesMissing,
    TooManyBacktests,
)
from app.domains.trading.backtests.model.reports import BotTerms, Report, Run
from app.domains.trading.backtests.model.tasks import Message
from app.domains.trading.backtests.rules.market import Market
from app.domains.trading.backtests.rules.simulation import Simulation
from app.domains.trading.backtests.services import backtests, runner
from app.domains.trading.backtests.services.processes import ProcessDied, Simulating
from app.domains.trading.backtests.services.runner import ATTEMPTS
from app.domains.trading.strategies.model import Breakout, Momentum, PatternRecognition
from app.kit.errors import IdempotencyKeyReused, InvalidInput, NotFound, ResultDeleted
from tests.domains.trading.backtests.shop import CASH, CONFIG, Shop

HOUR = timedelta(hours=1)


async def test_a_back_test_waits_with_its_job_until_a_worker_runs_it(shop: Shop) -> None:
    id = await shop.ask()
    found = await shop.found(id)
    assert (found.status, found.candles_done, found.candles_total, found.report) == ("queued", 0, 300, None)
    assert (found.since, found.until) == (shop.candles[0].opened_at, shop.stage.clock.now())
    assert (found.exchange, found.tier, found.strategy) == ("simulated", "free", "breakout")
    assert await shop.jobs() == [{"id": str(id)}]
    assert await shop.facts(id) == [("queued", 0, 300)]

    shop.stage.clock.advance(HOUR)
    await shop.work(id=id)
    found = await shop.found(id)
    assert (found.status, found.candles_done, found.candles_total) == ("completed", 300, 300)
    assert found.started_at == found.finished_at == shop.stage.clock.now()


async def test_it_comes_to_what_the_rules_say(shop: Shop) -> None:
    since = shop.candles[200].opened_at
    id = await shop.run(shop.asked(since=since))
    run = Run(bot=BotTerms(symbol="BTC", config=CONFIG), interval=shop.candles[0].interval, initial_cash_usd=CASH)
    market = Market(shop.candles[1:], has_second=True)
    expected = Simulation(run, market, 199, len(market)).run()
    found = await shop.found(id)
    assert found.report is not None
    report = msgspec.convert({**found.report, "trips": []}, Report, strict=False)
    assert report == replace(expected, trips=[])
    assert report.begins_at == since
    assert len(expected.trips) > 3
    rows = await shop.stage.owner.fetch("SELECT * FROM backtest_trades WHERE backtest_id = $1 ORDER BY number", id)
    assert [tuple(row)[2:] for row in rows] == [msgspec.structs.astuple(each) for each in expected.trips]


async def test_progress_is_reported_in_steps(shop: Shop) -> None:
    id = await shop.run()
    facts = await shop.facts(id)
    assert facts[0] == ("queued", 0, 300)
    assert facts[1] == ("running", 0, 300)
    assert facts[-1] == ("completed", 300, 300)
    assert [done for _, done, _ in facts] == sorted(done for _, done, _ in facts)
    assert {status for status, _, _ in facts[2:-1]} == {"running"}
    assert 5 <= len(facts) <= 14


async def test_only_candles_that_had_ended_are_traded(shop: Shop) -> None:
    until = shop.candles[100].opened_at + HOUR / 2
    found = await shop.found(await shop.run(shop.asked(until=until)))
    assert found.report is not None
    assert found.report["candles"] == 100
    assert found.report["ends_at"] == msgspec.to_builtins(shop.candles[100].opened_at)


async def test_a_key_is_one_back_test(shop: Shop) -> None:
    asked = shop.asked(since=shop.candles[0].opened_at)
    id = await shop.ask(asked, key="one")
    same = replace(asked, initial_cash_usd=Decimal("10000.00"))
    assert await shop.ask(same, key="one") == id
    assert len(await shop.jobs()) == 1
    with pytest.raises(IdempotencyKeyReused):
        await shop.ask(replace(asked, initial_cash_usd=Decimal(1)), key="one")
    with pytest.raises(IdempotencyKeyReused):
        await shop.ask(replace(asked, bot=replace(asked.bot, config=Momentum())), key="one")
    await shop.stage.owner.execute("DELETE FROM backtests")
    with pytest.raises(ResultDeleted):
        await shop.ask(asked, key="one")


@pytest.mark.parametrize(
    ("terms", "problem"),
    [
        ({"symbol": "NONE"}, TokenNotFound),
        ({"symbol": "ETH"}, CandlesMissing),
        ({"interval": Interval.ONE_DAY}, CandlesMissing),
        ({"until": datetime.min.replace(tzinfo=UTC)}, CandlesMissing),
        ({"config": Breakout(entry_period=1)}, InvalidInput),
        ({"config": Breakout(entry_period=5, exit_period=6)}, InvalidInput),
        ({"initial_cash_usd": Decimal(0)}, InvalidInput),
        ({"initial_cash_usd": Decimal("NaN")}, InvalidInput),
        ({"stop_loss_percentage": Decimal(100)}, InvalidInput),
        ({"max_position_usd": Decimal("0.5")}, InvalidInput),
        ({"daily_loss_limit_usd": Decimal(-1)}, InvalidInput),
        ({"cool_down_ms": -1}, InvalidInput),
    ],
)
async def test_what_cannot_be_run_is_refused_and_leaves_nothing(
    shop: Shop, terms: dict[str, Any], problem: type[Exception]
) -> None:
    with pytest.raises(problem):
        await shop.ask(shop.asked(**terms))
    assert await shop.jobs() == []
    assert await shop.stage.owner.fetchval("SELECT count(*) FROM backtests") == 0
    assert await shop.stage.owner.fetchval("SELECT count(*) FROM events WHERE stream LIKE 'backtest:%'") == 0


async def test_every_field_that_is_wrong_is_named(shop: Shop) -> None:
    now = shop.stage.clock.now()
    asked = Asked(
        bot=BotTerms(symbol="BTC", config=Breakout(entry_period=1), stop_loss_percentage=Decimal("1.234")),
        interval=shop.candles[0].interval,
        initial_cash_usd=Decimal(0),
        since=now,
        until=now + HOUR,
    )
    with pytest.raises(InvalidInput) as refused:
        await shop.ask(asked)
    assert {each.path for each in refused.value.fields} == {
        ("strategy", "breakout", "entry_period"),
        ("stop_loss_percentage",),
        ("initial_cash_usd",),
        ("until",),
    }


async def test_a_span_of_too_many_candles_is_refused_unless_it_has_no_beginning(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backtests, "MAX_CANDLES", 100)
    with pytest.raises(BacktestTooLarge) as refused:
        await shop.ask(shop.asked(since=shop.candles[0].opened_at))
    assert (refused.value.limit, refused.value.asked) == (100, 101)
    found = await shop.found(await shop.ask())
    assert (found.candles_total, found.since) == (100, shop.candles[200].opened_at)
    assert MAX_CANDLES == 20_000


async def test_three_wait_or_run_at_once(shop: Shop) -> None:
    first = await shop.ask()
    await shop.ask()
    await shop.ask_sweep(shop.sweep(entry_period=["5", "6"]))
    for ask in (shop.ask(), shop.ask_sweep(shop.sweep(entry_period=["5"]))):
        with pytest.raises(TooManyBacktests) as refused:
            await ask
        assert refused.value.limit == 3
    assert await shop.ask(by=shop.stage.bob)
    await shop.work(id=first)
    assert await shop.ask()


async def test_of_many_at_once_no_more_are_taken_on(shop: Shop) -> None:
    outcomes = await asyncio.gather(*(shop.ask() for _ in range(6)), return_exceptions=True)
    assert sum(isinstance(each, UUID) for each in outcomes) == 3
    assert sum(isinstance(each, TooManyBacktests) for each in outcomes) == 3


async def test_what_is_cancelled_before_it_begins_is_not_run(shop: Shop) -> None:
    id = await shop.ask()
    await shop.stage.trading.backtests.cancel(shop.stage.alice, id)
    await shop.work(id=id)
    found = await shop.found(id)
    assert (found.status, found.candles_done, found.started_at) == ("cancelled", 0, None)
    assert await shop.facts(id) == [("queued", 0, 300), ("cancelled", 0, 300)]
    with pytest.raises(BacktestNotRunning):
        await shop.stage.trading.backtests.cancel(shop.stage.alice, id)


async def test_what_is_cancelled_while_it_runs_ends_and_stores_nothing(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runner, "POLL_S", 0.01)
    note, cancelled = runner._Progress.note, asyncio.Event()
    id = await shop.ask(shop.asked(PatternRecognition(trend_period=2)))

    async def noted(self: Any, done: int) -> None:
        await note(self, done)
        if done >= 100 and not cancelled.is_set():
            cancelled.set()
            await shop.stage.trading.backtests.cancel(shop.stage.alice, id)

    monkeypatch.setattr(runner._Progress, "note", noted)
    await shop.work(id=id)
    assert cancelled.is_set()
    found = await shop.found(id)
    assert (found.status, found.report) == ("cancelled", None)
    assert 0 < found.candles_done < 300
    assert (await shop.facts(id))[-1] == ("cancelled", found.candles_done, 300)
    assert len(await shop.stored(id)) == 1


async def test_what_is_completed_cannot_be_cancelled(shop: Shop) -> None:
    id = await shop.run()
    before = await shop.stored(id)
    with pytest.raises(BacktestNotRunning):
        await shop.stage.trading.backtests.cancel(shop.stage.alice, id)
    assert await shop.stored(id) == before


async def test_nobody_else_sees_or_cancels_it(shop: Shop) -> None:
    id = await shop.ask()
    assert await shop.backtest(id, shop.stage.bob) is None
    for each in (id, uuid4()):
        with pytest.raises(NotFound):
            await shop.stage.trading.backtests.cancel(shop.stage.bob, each)
    assert (await shop.found(id)).status == "queued"


async def test_a_run_that_is_begun_again_comes_to_the_same_bytes(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """The process is killed in the middle, as with its worker; the job is done again."""
    expected = await shop.stored(await shop.run())
    id = await shop.ask()
    messages, killed = Simulating.messages, 0

    async def dying(self: Simulating) -> AsyncIterator[Message]:
        nonlocal killed
        killed += 1
        async for message in messages(self):
            yield message
            self.kill()

    monkeypatch.setattr(Simulating, "messages", dying)
    for _ in range(2):
        with pytest.raises(ProcessDied):
            await shop.work(id=id)
        assert (await shop.found(id)).status == "running"
    monkeypatch.setattr(Simulating, "messages", messages)
    await shop.work(id=id)
    assert killed == 2
    assert await shop.stored(id) == expected
    # And again after it was completed: the job may run more than once.
    await shop.work(id=id)
    assert await shop.stored(id) == expected


async def test_what_kills_its_process_each_time_is_given_up(shop: Shop) -> None:
    id = await shop.ask()
    await shop.stage.owner.execute("UPDATE backtests SET attempts = $1", ATTEMPTS)
    await shop.work(id=id)
    found = await shop.found(id)
    assert found.status == "failed"
    assert found.status_reason == f"It was begun {ATTEMPTS} times, and its process was ended each time."
    assert (await shop.facts(id))[-1] == ("failed", 0, 300)


async def test_candles_that_are_gone_by_then_are_its_reason(shop: Shop) -> None:
    id = await shop.ask()
    await shop.stage.owner.execute("DELETE FROM candles")
    await shop.work(id=id)
    found = await shop.found(id)
    assert (found.status, found.status_reason) == (
        "failed",
        "No candles of this token and interval are stored in this span of time.",
    )


async def test_of_two_workers_one_stores_it(shop: Shop) -> None:
    id = await shop.ask()
    await asyncio.gather(shop.work(id=id), shop.work(id=id))
    assert (await shop.found(id)).status == "completed"
    assert [status for status, _, _ in await shop.facts(id)].count("completed") == 1


async def test_back_tests_are_kept_for_90_days(shop: Shop) -> None:
    id, sweep = await shop.run(), await shop.ask_sweep(shop.sweep(entry_period=["5"]))
    shop.stage.clock.advance(timedelta(days=89))
    other = await shop.ask()
    shop.stage.clock.advance(timedelta(days=1, seconds=1))
    assert await shop.stage.trading.backtests.delete_old() == "1 back-tests, 1 sweeps"
    assert await shop.backtest(id) is None
    assert await shop.found_sweep(sweep) is None
    assert await shop.backtest(other) is not None
    streams = await shop.stage.owner.fetch("SELECT stream FROM event_streams WHERE stream LIKE 'backtest:%'")
    assert [row[0] for row in streams] == [f"backtest:{other}"]
    assert await shop.stage.owner.fetchval("SELECT count(*) FROM backtest_trades") == 0
