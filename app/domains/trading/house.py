"""The house of trading."""

from collections.abc import Coroutine
from typing import Any

from app.domains.market.house import MARKET
from app.domains.trading.analytics import loaders as analytics_loaders
from app.domains.trading.analytics.jobs import analytics_schedules
from app.domains.trading.backtests import loaders as backtest_loaders
from app.domains.trading.backtests.jobs import backtest_jobs, backtest_schedules
from app.domains.trading.bots import loaders as bot_loaders
from app.domains.trading.bots.jobs import bot_jobs, bot_schedules
from app.domains.trading.journal import loaders as journal_loaders
from app.domains.trading.orders import loaders as order_loaders
from app.domains.trading.orders.jobs import order_schedules
from app.domains.trading.performance import loaders as performance_loaders
from app.domains.trading.performance.jobs import performance_schedules
from app.domains.trading.portfolios import loaders as portfolio_loaders
from app.domains.trading.portfolios.jobs import portfolio_schedules
from app.domains.trading.services import TradingServices
from app.domains.trading.venues import loaders as venue_loaders
from app.domains.trading.venues.counters import COUNTERS as VENUE_COUNTERS
from app.domains.trading.venues.jobs import venue_schedules
from app.kit.house import House, Wiring
from app.kit.hub import Hub
from app.kit.jobs import Job, Schedule


def _schedules(services: TradingServices) -> list[Schedule]:
    return [
        *portfolio_schedules(services.values),
        *order_schedules(services.maintenance, services.seals),
        *performance_schedules(services.performance),
        *analytics_schedules(services.analytics),
        *backtest_schedules(services.backtests),
        *bot_schedules(services.bot_runner),
        *venue_schedules(services.reconciling),
    ]


def _jobs(services: TradingServices) -> list[Job]:
    return [*backtest_jobs(services.backtest_runner), *bot_jobs(services.bot_runner)]


async def _tasks(_: Wiring, services: TradingServices) -> list[Coroutine[Any, Any, None]]:
    return [services.exchange.run(), services.venues.run()]


def _follow(services: TradingServices, hub: Hub) -> None:
    services.holdings.follow(hub)


async def _stop(services: TradingServices) -> None:
    await services.holdings.stop()


TRADING = House(
    name="trading",
    build=TradingServices.build,
    services=TradingServices,
    knows=(MARKET,),
    loaders=(
        analytics_loaders,
        backtest_loaders,
        bot_loaders,
        journal_loaders,
        order_loaders,
        performance_loaders,
        portfolio_loaders,
        venue_loaders,
    ),
    jobs=_jobs,
    schedules=_schedules,
    tasks=_tasks,
    follow=_follow,
    stop=_stop,
    counters=VENUE_COUNTERS,
)
