"""From entries that the real services post to what the owner reads, against numbers that are made apart."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import msgspec
import numpy as np
import pytest

from app.domains.trading.journal.model import Currency
from app.domains.trading.performance import services
from app.domains.trading.performance.model import DAYS_KEPT, Period, PeriodPerformance
from app.domains.trading.quantities.model import Side
from app.engine.declarations.nodes import global_id
from tests.conftest import Execute
from tests.domains.trading.performance.hours import Hours, expected, read
from tests.domains.trading.stage import Stage

PERFORMANCE = """query($id: ID!, $period: PerformancePeriod!) { portfolio(by: {id: $id}) {
  performance(period: $period) { nodes {
    startsAt isFinal timeWeightedReturnFraction moneyWeightedReturnFraction maxDrawdownFraction volatilityFraction
    sharpeRatio sortinoRatio winRateFraction profitFactor fees
  } }
} }"""
SHARED = (
    "opening_value", "closing_value", "net_flow", "gain", "time_weighted_return", "max_drawdown", "volatility",
    "sharpe", "sortino", "exposure", "time_in_market",
)  # fmt: skip


START_OF_2027 = datetime(2027, 1, 1, tzinfo=UTC)
FILLS = """
SELECT row_number() OVER (ORDER BY e.id)::int AS number,
    abs(max(l.amount) FILTER (WHERE l.account = 'house' AND l.asset = 'USD')
        / max(l.amount) FILTER (WHERE l.account = 'position')) AS price
FROM journal_entries e JOIN journal_lines l ON l.entry_id = e.id WHERE e.kind = 'fill' GROUP BY e.id
"""


def day(number: int) -> datetime:
    """A day of November 2026. The 23rd is a Monday."""
    return datetime(2026, 11, number, tzinfo=UTC)


def finality(found: list[PeriodPerformance]) -> list[tuple[datetime, int, bool]]:
    """When each began, its life, and whether it is final."""
    return [(each.period_start, each.life, each.is_final) for each in found]


async def four_days(stage: Stage) -> Hours:
    """Saturday noon to Tuesday 13:00: prices by chance, two purchases, two sales, money in and out within an hour."""
    book, chance = await Hours.begin(stage), np.random.default_rng(7)
    for number in range(73):
        price = round(float(book.price * np.exp(chance.normal(0, 0.02))), 2)
        await book.next_hour(price)
        match number:
            case 3:
                await book.trade(Side.BUY, 40, 8.5)
            case 20:
                await book.to(round(price * 1.05, 2))
                await book.pay(5000)
                await book.trade(Side.BUY, 30, 6.25)
            case 40:
                await book.trade(Side.SELL, 10, 1.5)
            case 50:
                await book.to(round(price * 0.9, 2))
                await book.pay(-2000)
            case 60:
                await book.trade(Side.SELL, 45, 9)
        if number % 12 == 0:
            # What is computed so far is computed again.
            await stage.trading.performance.measure()
    return book


def agrees(found: PeriodPerformance, book: Hours) -> None:
    known = expected(book.points, found.period_start, found.period_end)
    for name in SHARED:
        value, other = getattr(found, name), known[name]
        assert (None if value is None else float(value)) == (other and pytest.approx(other, rel=1e-9, abs=1e-12)), name
    assert found.money_weighted_return is not None
    paid, left, closing = known["paid"]
    assert (paid * (1 + found.money_weighted_return) ** left).sum() == pytest.approx(closing)
    assert found.turnover_ratio == pytest.approx(float(found.turnover) / known["mean_value"])
    assert not found.is_estimated


async def test_what_is_measured_is_what_numpy_makes_of_the_book(stage: Stage, execute: Execute) -> None:
    book = await four_days(stage)
    prices = {row["number"]: row for row in await stage.owner.fetch(FILLS)}
    days = await book.measured()
    assert finality(days) == [(day(24), 1, False), *((day(number), 1, True) for number in (23, 22, 21))]
    weeks, months, years = [await read(stage, book.id, each) for each in list(Period)[1:]]
    assert finality(weeks) == [(day(23), 1, False), (day(16), 1, True)]
    [month], [year] = months, years
    for found in (*days, *weeks, month):
        agrees(found, book)
    assert (month.daily_returns, month.period_end, year.period_end) == (2, day(30) + timedelta(days=1), START_OF_2027)
    assert month.volatility is not None

    # First in, first out, fees included on both sides: of the second sale, 30 are of the first lot and 15 of the other.
    cost = [(40 * prices[1]["price"] + Decimal("8.5")) / 40, (30 * prices[2]["price"] + Decimal("6.25")) / 30]
    first = 10 * prices[3]["price"] - Decimal("1.5") - 10 * cost[0]
    second = 45 * prices[4]["price"] - 9 - 30 * cost[0] - 15 * cost[1]
    pnls = [float(first), float(second)]
    turnover = sum(row["price"] * quantity for row, quantity in zip(prices.values(), (40, 30, 10, 45), strict=True))
    assert (month.trades, month.fills, month.round_trips, month.turnover) == (4, 4, 2, turnover)
    assert month.fees == Decimal("25.25")
    assert float(month.realized_pnl) == pytest.approx(sum(pnls), abs=1e-6)
    assert month.win_rate == sum(pnl > 0 for pnl in pnls) / 2
    assert [float(month.best_pnl or 0), float(month.worst_pnl or 0)] == pytest.approx([max(pnls), min(pnls)], abs=1e-6)
    assert [sum(getattr(each, name) for each in days) for name in ("fees", "fills", "realized_pnl")] == [
        month.fees,
        month.fills,
        month.realized_pnl,
    ]
    assert await stage.findings() == []

    variables = {"id": global_id("Portfolio", book.id), "period": "MONTH"}
    response = await execute(PERFORMANCE, variables, stage.alice)
    assert response.data is not None
    [shown] = response.data["portfolio"]["performance"]["nodes"]
    assert shown == {
        "startsAt": "2026-11-01T00:00:00Z",
        "isFinal": False,
        "timeWeightedReturnFraction": month.time_weighted_return,
        "moneyWeightedReturnFraction": month.money_weighted_return,
        "maxDrawdownFraction": month.max_drawdown,
        "volatilityFraction": month.volatility,
        "sharpeRatio": month.sharpe,
        "sortinoRatio": month.sortino,
        "winRateFraction": month.win_rate,
        "profitFactor": month.profit_factor,
        "fees": f"{month.fees:f}",
    }


async def test_measuring_again_changes_nothing(stage: Stage) -> None:
    book = await Hours.begin(stage)
    await book.trade(Side.BUY, 10, 1)
    for price in (101, 99, 105):
        await book.next_hour(price)
    before = await book.measured()
    stage.clock.advance(timedelta(minutes=1))
    assert await stage.trading.performance.measure() == "3 periods", "the year was measured today"
    after = await read(stage, book.id)
    assert [msgspec.structs.replace(each, computed_at=stage.clock.now()) for each in before] == after
    assert await stage.owner.fetchval("SELECT count(*) FROM performance_metrics") == 4 * 24


async def test_small_parts_measure_the_same(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    book = await Hours.begin(stage)
    others = [await stage.create() for _ in range(4)]
    await book.pay(10)
    for price in range(100, 160):
        await book.next_hour(price)
    whole = [await book.measured(period) for period in Period]
    assert len(whole[0]) == 4
    await stage.owner.execute("DELETE FROM performance_metrics")
    monkeypatch.setattr(services, "PORTFOLIOS_AT_ONCE", 2)
    monkeypatch.setattr(services, "SPANS_AT_ONCE", 1)
    assert [await book.measured(period) for period in Period] == whole
    assert {len(await read(stage, each)) for each in others} == {4}


async def test_what_was_missed_is_made_up_for(stage: Stage) -> None:
    book = await Hours.begin(stage)
    for _ in range(3 * 24):
        await book.next_hour(round(book.price * 1.01, 6))
    days = await book.measured()
    assert [each.is_final for each in days] == [False, True, True, True]
    for found in days:
        agrees(found, book)


async def test_a_day_without_a_value_at_its_end_is_not_final_until_there_is_one(stage: Stage) -> None:
    book = await Hours.begin(stage)
    await book.trade(Side.BUY, 10, 0)
    for _ in range(11):
        await book.next_hour(110)
    # Midnight passes, and nothing is recorded until 00:30; but somebody pays in before.
    stage.clock.advance(timedelta(minutes=70))
    await book.pay(100)
    assert finality(await book.measured()) == [(day(22), 1, False), (day(21), 1, False)]
    await book.to(120)
    await stage.trading.values.record()
    found = {each.period_start: each for each in await book.measured()}
    assert [found[day(21)].is_final, found[day(21)].closing_value] == [True, 10_200]
    # What was paid in since midnight is no gain of the day before, and none of this one.
    assert [found[day(21)].gain, found[day(21)].net_flow] == [200, 0]
    await book.next_hour(130)
    today = (await book.measured())[0]
    assert [today.opening_value, today.gain, today.net_flow, today.is_estimated] == [10_200, 100, 100, False]


async def test_money_that_comes_before_the_hour_is_recorded_is_no_return(stage: Stage) -> None:
    book = await Hours.begin(stage)
    await book.next_hour()
    hour = stage.clock.now().replace(minute=0, second=0) + timedelta(hours=1)
    stage.clock.advance(hour + timedelta(milliseconds=300) - stage.clock.now())
    await stage.trading.portfolios.deposit(stage.alice, book.id, Decimal(90_000), Currency.USD, stage.key)
    stage.clock.advance(timedelta(seconds=1))
    await stage.trading.values.record()
    await book.next_hour()
    [found] = await book.measured()
    assert [found.gain, found.net_flow, found.time_weighted_return, found.is_estimated] == [0, 90_000, 0, False]
    assert [found.closing_value, found.max_drawdown] == [100_000, 0]


async def test_a_period_in_which_a_life_began_is_that_of_the_life(stage: Stage) -> None:
    book = await Hours.begin(stage)
    await book.trade(Side.BUY, 50, 3)
    for _ in range(14):
        await book.next_hour(90)
    first = await book.measured()
    assert finality(first) == [(day(22), 1, False), (day(21), 1, True)]
    await stage.trading.portfolios.reset(stage.alice, book.id, stage.key)
    await stage.trading.values.record()
    await book.next_hour()
    days, [month] = await book.measured(), await read(stage, book.id, Period.MONTH)
    assert finality(days) == [(day(22), 2, False), (day(21), 1, True)]
    assert days[1] == first[1]
    for found in (days[0], month):
        assert [found.life, found.opening_value, found.closing_value, found.fills] == [2, 10_000, 10_000, 0]
        assert found.measured_from is not None
        assert found.measured_from >= first[0].computed_at


async def test_what_was_measured_of_an_ended_life_is_final(stage: Stage) -> None:
    book = await Hours.begin(stage)
    await book.next_hour()
    await book.measured()
    stage.clock.advance(timedelta(hours=12))
    await stage.trading.portfolios.reset(stage.alice, book.id, stage.key)
    days = await book.measured()
    assert finality(days) == [(day(22), 2, False), (day(21), 1, True)]
    [month] = await read(stage, book.id, Period.MONTH)
    assert (month.life, month.is_final) == (2, False)


async def test_a_life_that_begins_meanwhile_is_not_overwritten(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    book, meter, known = await Hours.begin(stage), services.PerformanceMeter, services.PerformanceMeter._known
    await book.next_hour()

    async def slow(*args: Any) -> Any:
        found = await known(*args)
        monkeypatch.undo()
        await stage.trading.portfolios.reset(stage.alice, book.id, stage.key)
        await stage.trading.performance.measure()
        return found

    monkeypatch.setattr(meter, "_known", slow)
    await stage.trading.performance.measure()
    assert {each.life for period in Period for each in await read(stage, book.id, period)} == {2}


async def test_a_round_trip_is_what_one_order_sold(stage: Stage) -> None:
    book = await Hours.begin(stage)
    for price in (100, 300):
        await book.to(price)
        await book.trade(Side.BUY, 5, 0)
    await book.to(200)
    for quantity in (2, 3, 1):
        await book.trade(Side.SELL, quantity, 0)
    # The last two are fills of one order: of what it sold, three gained 300 and one lost 100.
    await stage.owner.execute("ALTER TABLE journal_entries DISABLE TRIGGER ALL")
    await stage.owner.execute(
        "UPDATE journal_entries SET order_id = gen_random_uuid.id FROM (SELECT gen_random_uuid() AS id) gen_random_uuid"
        " WHERE fill_id IS NOT NULL AND journal_entries.id IN"
        " (SELECT id FROM journal_entries ORDER BY id DESC LIMIT 2)"
    )
    await book.next_hour()
    [found] = await book.measured()
    assert (found.fills, found.trades, found.round_trips) == (5, 4, 2)
    assert [found.realized_pnl, found.best_pnl, found.worst_pnl] == [400, 200, 200]
    assert (found.win_rate, found.profit_factor) == (1, None)


async def test_fees_and_turnover_of_an_australian_portfolio_are_in_its_currency(stage: Stage) -> None:
    id = await stage.create(currency=Currency.AUD)
    await stage.fill(id, Side.BUY, "2", "100", "1")
    await stage.fill(id, Side.SELL, "1", "150", "2")
    await stage.trading.performance.measure()
    [found] = await read(stage, id)
    assert [found.currency, found.turnover, found.fees] == ["AUD", 525, Decimal("4.5")]
    assert found.realized_pnl == Decimal("150") * Decimal("1.5") - 3 - (300 + Decimal("1.5")) / 2


async def test_returns_of_any_size_are_kept(stage: Stage) -> None:
    book = await Hours.begin(stage)
    await book.pay(-9999)
    await book.trade(Side.BUY, 0.01, 0)
    await book.next_hour(10_000_000_000)
    [found] = await book.measured()
    assert found.time_weighted_return == pytest.approx(1e8 - 1)
    await book.next_hour(0.0001)
    [found] = await book.measured()
    assert found.time_weighted_return == pytest.approx(-1, abs=1e-5)
    assert found.max_drawdown == pytest.approx(1)


async def test_days_are_kept_for_two_years_and_the_others_for_ever(stage: Stage) -> None:
    book = await Hours.begin(stage)
    await book.next_hour()
    await book.measured()
    meter = stage.trading.performance
    stage.clock.advance(DAYS_KEPT - timedelta(hours=1))
    assert await meter.delete_old() == "0 metrics"
    stage.clock.advance(timedelta(days=2))
    assert await meter.delete_old() == "24 metrics"
    assert {len(await read(stage, book.id, period)) for period in Period} == {0, 1}
    assert await read(stage, book.id) == []


async def test_deleted_portfolios_are_measured_no_more(stage: Stage) -> None:
    book = await Hours.begin(stage)
    await book.next_hour()
    assert await book.measured() != []
    await stage.create()
    await stage.trading.portfolios.delete(stage.alice, book.id)
    await stage.trading.performance.measure()
    assert await read(stage, book.id) == []
    are_final = "SELECT bool_and(is_final) FROM performance_metrics WHERE portfolio_id = $1"
    assert await stage.owner.fetchval(are_final, book.id)


async def test_a_portfolio_that_cannot_be_measured_keeps_no_other_waiting(stage: Stage) -> None:
    first, second = await Hours.begin(stage), await Hours.begin(stage)
    bad, good = sorted((first.id, second.id))
    for each in (first, second):
        await each.next_hour(100)
    await stage.owner.execute(
        "UPDATE portfolio_value_history SET value = 10::numeric ^ 19 WHERE portfolio_id = $1", bad
    )
    assert (await stage.trading.performance.measure()).endswith("; 1 portfolios failed")
    measured = await stage.owner.fetch("SELECT DISTINCT portfolio_id FROM performance_metrics")
    assert good in {row[0] for row in measured}
    assert bad not in {row[0] for row in measured}
