"""The demo's portfolios: true books, a history that a chart shows, and made once."""

from datetime import timedelta

from app.dev.demo_market import load_demo_market
from app.dev.demo_prices import DemoSize
from app.dev.demo_trading import BOTS, EVENTS, PORTFOLIOS, RESTING, load_demo_trading
from app.domains.accounts.model import Viewer
from app.domains.market.services import MarketServices
from app.domains.trading.services import TradingServices
from app.kit.clock import FixedClock
from app.kit.db import Database
from app.kit.house import Services
from tests.databases import Owner
from tests.factories import register

SIZE = DemoSize(minute_tokens=20, days=2, daily_days=5)
HISTORY = """
SELECT resolution, count(*) AS points, count(DISTINCT value) AS values, min(value) AS lowest, max(value) AS highest
FROM portfolio_value_history WHERE portfolio_id = $1 GROUP BY resolution
"""

MEASURED = """
SELECT count(*) FILTER (WHERE metric_type = 'gain') AS days,
    count(*) FILTER (WHERE metric_type = 'gain' AND is_final) AS finals,
    count(DISTINCT value) FILTER (WHERE metric_type = 'time_weighted_return') AS returns,
    sum(value) FILTER (WHERE metric_type = 'fills') AS fills,
    sum(value) FILTER (WHERE metric_type = 'round_trips') AS round_trips
FROM performance_metrics WHERE portfolio_id = $1 AND period = 'day'
"""


async def load(services: Services, database: Database, clock: FixedClock, people: tuple[Viewer, Viewer]) -> bool:
    return await load_demo_trading(
        services[TradingServices], database, clock, people, SIZE.days, lambda done, total: None
    )


async def test_the_demo_portfolios(services: Services, database: Database, owner: Owner, clock: FixedClock) -> None:
    clock.advance(timedelta(minutes=7, seconds=30))
    now = clock.now()
    people = await register(services), await register(services, "bob@example.com")
    assert await load(services, database, clock, people) is False, "there are no prices yet"
    await load_demo_market(
        services[MarketServices], database, clock, people, size=SIZE, progressed=lambda done, total: None
    )
    assert await load(services, database, clock, people) is True
    assert clock.now() == now
    found = await owner.fetch(
        "SELECT id, name, currency, is_default FROM portfolios WHERE name <> 'Default Portfolio' ORDER BY currency DESC"
    )
    assert [(row["name"], row["currency"], row["is_default"]) for row in found] == [
        (each.name, each.currency, True) for each in PORTFOLIOS
    ]
    bots = await owner.fetch("SELECT name, status, strategy FROM trading_bots ORDER BY created_at, name DESC")
    assert {row["name"] for row in bots} == {each.name for each in BOTS}
    assert {(row["status"], row["strategy"]) for row in bots} == {("active", "dca"), ("active", "grid")}
    for row in found:
        points = {each["resolution"]: each for each in await owner.fetch(HISTORY, row["id"])}
        assert points["1m"]["points"] >= 1440
        assert points["1h"]["points"] >= 48
        assert points["1d"]["points"] >= 2
        assert points["1m"]["values"] > 1000, "the chart is flat"
        assert 8000 < points["1m"]["lowest"] < points["1m"]["highest"] < 13_000
    report = await services[TradingServices].books.check()
    assert list(report.findings) == []
    assert await owner.fetchval("SELECT count(*) FROM disposals") > 0
    assert await owner.fetchval("SELECT count(*) FROM user_analytics WHERE source = 'client'") == 2 * len(EVENTS)
    assert await owner.fetchval("SELECT sum(users) FROM analytics_counts WHERE event_type = 'portfolio.created'") == 2
    for row, portfolio in zip(found, PORTFOLIOS, strict=True):
        [(days, finals, returns, fills, round_trips)] = await owner.fetch(MEASURED, row["id"])
        assert (days, finals) == (SIZE.days + 1, SIZE.days)
        assert returns == days, "a day without a return, or two alike"
        assert (fills, round_trips) == (len(portfolio.trades), 1)

    trading = services[TradingServices]
    assert await owner.fetchval("SELECT count(*) FROM orders WHERE status = 'filled'") == sum(
        len(each.trades) for each in PORTFOLIOS
    )
    assert await owner.fetchval("SELECT count(*) FROM orders WHERE status = 'pending'") == 2 * len(RESTING)

    await trading.portfolios.delete(people[0], found[0]["id"])
    while (await trading.matcher.match()).commands:
        pass
    assert await load(services, database, clock, people) is False
    assert await owner.fetchval("SELECT count(*) FROM portfolios WHERE user_id IS NOT NULL") == 3
