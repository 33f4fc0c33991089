"""The demo's back-test: done, with a curve that a chart shows, and made once."""

from datetime import timedelta

from app.dev.demo_backtests import load_demo_backtest
from app.dev.demo_market import load_demo_market
from app.dev.demo_prices import DemoSize
from app.domains.market.services import MarketServices
from app.domains.trading.services import TradingServices
from app.kit.clock import FixedClock
from app.kit.db import Database
from app.kit.house import Services
from tests.databases import Owner
from tests.factories import register

SIZE = DemoSize(minute_tokens=2, days=14, daily_days=15)


async def test_the_demo_back_test(services: Services, database: Database, owner: Owner, clock: FixedClock) -> None:
    trading, people = services[TradingServices], (await register(services), await register(services, "bob@example.com"))
    assert await load_demo_backtest(trading, people[0]) is False, "there are no prices yet"
    await load_demo_market(
        services[MarketServices], database, clock, people, size=SIZE, progressed=lambda done, total: None
    )
    assert await load_demo_backtest(trading, people[0]) is True
    [found] = await owner.fetch("SELECT status, report::text AS report, candles_total FROM backtests")
    assert found["status"] == "completed"
    assert found["candles_total"] >= 14 * 24
    assert found["report"].count('"drawdown"') == found["candles_total"]
    assert await owner.fetchval("SELECT count(*) FROM backtest_trades") > 3
    clock.advance(timedelta(hours=3))
    assert await load_demo_backtest(trading, people[0]) is True
    assert await owner.fetchval("SELECT count(*) FROM backtests") == 1
    await owner.execute("DELETE FROM backtests")
    assert await load_demo_backtest(trading, people[0]) is False
    assert await owner.fetchval("SELECT count(*) FROM backtests") == 0
