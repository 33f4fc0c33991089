"""The jobs and schedules of the market."""

from app.domains.market.alerts.jobs import alert_jobs, alert_schedules
from app.domains.market.house import MarketServices
from app.domains.market.news.jobs import news_schedules
from app.domains.market.prices.jobs import clock_repair_schedule
from app.domains.market.tokens.jobs import token_schedules
from app.domains.notifications.jobs import notification_jobs
from app.kit.jobs import Job, Schedule


def market_jobs(services: MarketServices) -> list[Job]:
    """The kinds of jobs that the market enqueues."""
    return [*notification_jobs(services.notifications), *alert_jobs(services.matcher, services.news_alerts)]


def repair_schedule(services: MarketServices) -> Schedule:
    """The schedule that a worker also runs when it starts."""
    return clock_repair_schedule(services.clock_repair)


def market_schedules(services: MarketServices) -> list[Schedule]:
    """The refreshes and the maintenance of the market."""

    async def expired() -> str:
        analyses, runs = await services.analyses.delete_expired(), await services.phases.delete_expired()
        return f"{analyses} analyses, {runs} runs; alerts: {await services.alerts.delete_expired()}"

    return [
        repair_schedule(services),
        *token_schedules(services.tokens),
        *alert_schedules(services.sentiment_alerts, services.payment_alerts),
        Schedule(
            "expired-market-data", "0 3 * * *", "Deletes analyses, their runs and alerts that have expired", expired
        ),
        *news_schedules(services.feeds, services.news),
    ]
