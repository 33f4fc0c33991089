"""The house of the market."""

from collections.abc import Coroutine, Mapping
from datetime import timedelta
from typing import Any

from app.domains.market.alerts import loaders as alert_loaders
from app.domains.market.alerts.jobs import alert_jobs, alert_schedules
from app.domains.market.analysis import loaders as analysis_loaders
from app.domains.market.analysis.metrics import AnalysisMetrics
from app.domains.market.analysis.services import warm_up
from app.domains.market.news import loaders as news_loaders
from app.domains.market.news.jobs import news_schedules
from app.domains.market.prices import loaders as price_loaders
from app.domains.market.prices.jobs import clock_repair_schedule
from app.domains.market.providers.services.simulated import SIMULATED
from app.domains.market.services import MarketServices
from app.domains.market.sources.metrics import SourceMetrics
from app.domains.market.tokens import loaders as token_loaders
from app.domains.market.tokens.jobs import token_schedules
from app.domains.market.watchlist import loaders as watchlist_loaders
from app.domains.notifications.house import NOTIFICATIONS
from app.kit.house import Check, House, HouseMetrics, Wiring
from app.kit.jobs import Job, Schedule


def _jobs(services: MarketServices) -> list[Job]:
    return alert_jobs(services.matcher, services.news_alerts)


def _schedules(services: MarketServices) -> list[Schedule]:
    async def expired() -> str:
        analyses, runs = await services.analyses.delete_expired(), await services.phases.delete_expired()
        return f"{analyses} analyses, {runs} runs; alerts: {await services.alerts.delete_expired()}"

    return [
        clock_repair_schedule(services.clock_repair),
        *token_schedules(services.tokens),
        *alert_schedules(services.sentiment_alerts, services.payment_alerts),
        Schedule(
            "expired-market-data", "0 3 * * *", "Deletes analyses, their runs and alerts that have expired", expired
        ),
        *news_schedules(services.feeds, services.news),
    ]


async def _tasks(_: Wiring, services: MarketServices) -> list[Coroutine[Any, Any, None]]:
    return [services.feed.run()]


async def _start(services: MarketServices) -> None:
    await services.tokens.ensure()


def _checks(wiring: Wiring, services: MarketServices) -> Mapping[str, Check]:
    """Checks of the provider of prices. The simulation sends no requests and never fails."""
    provider = services.providers.prices.name
    if provider == SIMULATED:
        return {}
    patience = timedelta(seconds=wiring.resources.settings.market_silence_s)
    return {provider: lambda: services.sources.check(provider, patience)}


def _metrics(services: MarketServices) -> list[HouseMetrics]:
    sources = SourceMetrics(services.sources.all)
    return [HouseMetrics(sources, sources.refresh), HouseMetrics(AnalysisMetrics(services.analyses))]


MARKET = House(
    name="market",
    build=MarketServices.build,
    services=MarketServices,
    knows=(NOTIFICATIONS,),
    loaders=(alert_loaders, analysis_loaders, news_loaders, price_loaders, token_loaders, watchlist_loaders),
    jobs=_jobs,
    schedules=_schedules,
    tasks=_tasks,
    start=_start,
    warm_up=warm_up,
    stop=MarketServices.stop,
    checks=_checks,
    metrics=_metrics,
)
