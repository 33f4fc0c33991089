"""Alerts on what is calculated from candles: when a condition becomes true, and not while it stays so."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

import msgspec
import pytest_asyncio

from app.domains.market.alerts.model import Comparison, Rearm, TechnicalIndicator, VolumeSpike
from app.domains.market.alerts.services.indicator_alerts import IndicatorAlerts
from app.domains.market.analysis.model.technical import Indicator
from app.domains.market.prices.model import Candle, Interval
from app.kit.work import Work, working
from tests.domains.market.alerts.stage import Stage
from tests.domains.market.token_listing import quote

SMA = TechnicalIndicator(Indicator.SMA_20, Interval.ONE_MINUTE, Comparison.ABOVE, Decimal(105))


@dataclass
class Charts:
    """Candles that a test draws, and what measures them."""

    stage: Stage
    indicator_alerts: IndicatorAlerts
    interval: Interval
    ended_at: datetime
    exchange: str = "simulated"

    async def draw(self, *closes: int, symbol: str = "BTC", volume: int = 100) -> None:
        """Candles that close at these prices, one after the other; then they are measured."""
        for close in closes:
            price = Decimal(close)
            candle = Candle(
                symbol, self.exchange, self.interval, self.ended_at, price, price, price, price, Decimal(volume)
            )
            self.ended_at += self.interval.length
            self.stage.clock.advance(self.ended_at - self.stage.clock.now())
            await self.stage.market.history.ingest([candle])
        await self.indicator_alerts.evaluate(self.ended_at)

    async def past(self, count: int, *, price: int = 100, symbol: str = "BTC", volume: int = 100) -> None:
        """So many candles up to now, all at one price."""
        value = Decimal(price)
        await self.stage.market.history.ingest(
            [
                Candle(
                    symbol, self.exchange, self.interval, self.ended_at - number * self.interval.length, value, value,
                    value, value, Decimal(volume),
                )
                for number in range(1, count + 1)
            ]
        )  # fmt: skip


async def charts(stage: Stage, interval: Interval) -> Charts:
    await quote(stage.owner, "BTC", "100")
    await quote(stage.owner, "ETH", "100")
    market = stage.market
    indicator_alerts = IndicatorAlerts(stage.database, stage.clock, market.matcher, market.candles)
    return Charts(stage, indicator_alerts, interval, stage.clock.now())


@pytest_asyncio.fixture
async def minutes(stage: Stage) -> Charts:
    drawn = await charts(stage, Interval.ONE_MINUTE)
    await drawn.past(30)
    return drawn


async def marks(stage: Stage) -> list[tuple[str, Decimal]]:
    rows = await stage.owner.fetch("SELECT subject, value FROM alert_marks ORDER BY subject")
    return [tuple(row) for row in rows]


async def test_it_fires_when_its_condition_becomes_true_and_not_while_it_is(stage: Stage, minutes: Charts) -> None:
    await stage.create(SMA, rearm=Rearm.EVERY_TIME)
    await minutes.draw(101)
    assert await stage.titles() == []
    assert await marks(stage) == [("BTC:sma_20:1m", Decimal("100.05"))]
    # (18 * 100 + 101 + 199) / 20: exactly the threshold.
    await minutes.draw(199)
    assert await stage.titles() == ["BTC: SMA 20 rose to 105"]
    await minutes.draw(200, 200)
    assert len(await stage.titles()) == 1
    # Down again as the high closes leave the window, and up a second time.
    await minutes.draw(*[100] * 20)
    await minutes.draw(300)
    assert len(await stage.titles()) == 2
    alert = (await stage.owner.fetch("SELECT trigger_count, current_value FROM alerts"))[0]
    assert tuple(alert) == (2, Decimal(110))


async def test_a_condition_that_is_true_already_does_not_fire(stage: Stage, minutes: Charts) -> None:
    await minutes.draw(300)
    await stage.create(SMA)
    await minutes.draw(300)
    assert await stage.titles() == []


async def test_each_side_interval_indicator_and_token_is_its_own(stage: Stage, minutes: Charts) -> None:
    for condition in (
        msgspec.structs.replace(SMA, comparison=Comparison.BELOW),
        msgspec.structs.replace(SMA, indicator=Indicator.SMA_50),
        msgspec.structs.replace(SMA, interval=Interval.ONE_HOUR),
    ):
        await stage.create(condition)
    await stage.create(SMA, symbol="ETH")
    await stage.create(msgspec.structs.replace(SMA, value=Decimal(104)))
    await minutes.draw(101, 199)
    assert await stage.titles() == ["BTC: SMA 20 rose to 104"]


async def test_a_minute_that_is_told_twice_is_measured_once(stage: Stage, minutes: Charts) -> None:
    await stage.create(SMA, rearm=Rearm.EVERY_TIME)
    await minutes.draw(101)
    await minutes.draw(300)
    for _ in range(2):
        await minutes.indicator_alerts.evaluate(minutes.ended_at)
    assert len(await stage.titles()) == 1


async def test_what_became_true_while_nobody_looked_is_found(stage: Stage, minutes: Charts) -> None:
    await stage.create(SMA)
    await minutes.draw(100)
    await minutes.draw(300, 300, 300, 300)
    assert len(await stage.titles()) == 1


async def test_another_exchange_is_no_crossing(stage: Stage, minutes: Charts) -> None:
    await stage.create(SMA, rearm=Rearm.EVERY_TIME)
    await minutes.draw(100)
    minutes.exchange = "coingecko"
    await minutes.past(30, price=200)
    await quote(stage.owner, "BTC", "200", exchange="coingecko")
    await minutes.draw(200)
    assert await stage.titles() == []
    await minutes.draw(*[1] * 20)
    await minutes.draw(*[200] * 20)
    assert await stage.titles() == ["BTC: SMA 20 rose to 105"]


async def test_an_alert_knows_nothing_of_what_was_measured_long_before_it(stage: Stage, minutes: Charts) -> None:
    """Its mark is from the time of an alert before it; since then the condition became true."""
    first = await stage.create(SMA)
    await minutes.draw(100)
    await stage.market.alerts.delete(stage.alice, first.id)
    await minutes.draw(*[300] * 10)
    await stage.create(SMA)
    await minutes.draw(300)
    assert await stage.titles() == []
    await minutes.draw(*[100] * 20)
    await minutes.draw(300)
    assert len(await stage.titles()) == 1


async def test_an_hour_is_measured_when_it_has_closed(stage: Stage) -> None:
    hours = await charts(stage, Interval.ONE_HOUR)
    await hours.past(30)
    await stage.create(TechnicalIndicator(Indicator.SMA_20, Interval.ONE_HOUR, Comparison.BELOW, Decimal(98)))
    await hours.draw(100)
    begun, price = hours.ended_at, Decimal(1)
    # It is open still: an hour that has just begun is rolled up from its first minutes.
    await stage.market.history.ingest(
        [Candle("BTC", "simulated", Interval.ONE_HOUR, begun, price, price, price, price, Decimal(1))]
    )
    for minute in (1, 59):
        await hours.indicator_alerts.evaluate(begun + timedelta(minutes=minute))
    assert await stage.titles() == []
    # The feed was away at the full hour.
    await hours.indicator_alerts.evaluate(begun + timedelta(minutes=62))
    assert await stage.titles() == ["BTC: SMA 20 fell to 98"]


async def test_an_unusual_volume(stage: Stage) -> None:
    fives = await charts(stage, Interval.FIVE_MINUTES)
    await fives.past(12 * 24 + 12)
    await stage.create(VolumeSpike(Decimal("2.5"), 10), rearm=Rearm.EVERY_TIME)
    await stage.create(VolumeSpike(Decimal(6), 10))
    await stage.create(VolumeSpike(Decimal("2.5"), 60))
    await fives.draw(100)
    assert await marks(stage) == [("BTC:10", Decimal(1)), ("BTC:60", Decimal(1))]
    await fives.draw(100, volume=900)
    assert await stage.titles() == ["BTC trades 5 times its usual volume"]
    await fives.draw(100, volume=900)
    await fives.draw(100, volume=100)
    await fives.draw(100, volume=100)
    assert len(await stage.titles()) == 2  # 9 times is over 6, and the first is over its threshold all the while.


async def test_nothing_is_measured_that_nobody_waits_for(stage: Stage, minutes: Charts) -> None:
    await stage.create(SMA, enabled=False)
    await stage.create(SMA, expires_s=1)
    counted = await statements(minutes, 101, 300)
    assert await marks(stage) == []
    assert counted == 2


async def test_many_alerts_on_one_measure_take_no_more_statements(stage: Stage, minutes: Charts) -> None:
    await stage.create(SMA)
    await minutes.draw(100)
    few = await statements(minutes, 100)
    for _ in range(10):
        await stage.create(SMA)
    assert await statements(minutes, 100) == few


async def statements(minutes: Charts, *closes: int) -> int:
    """How many statements indicator_alerts takes once these have closed."""
    for close in closes:
        price = Decimal(close)
        await minutes.stage.market.history.ingest(
            [Candle("BTC", "simulated", minutes.interval, minutes.ended_at, price, price, price, price, Decimal(1))]
        )
        minutes.ended_at += minutes.interval.length
        minutes.stage.clock.advance(minutes.ended_at - minutes.stage.clock.now())
    with working(Work()) as work:
        await minutes.indicator_alerts.evaluate(minutes.ended_at)
    return work.statements
