"""What the market does at fixed times, and later."""

from app.domains.market.alerts.services.dispatcher import MAIL_JOB
from app.domains.market.alerts.services.matcher import FLOOD_JOB
from app.domains.market.house import MarketServices
from app.domains.market.news.services.news import ALERTS_JOB
from app.kit.jobs import Job, Schedule


def market_jobs(services: MarketServices) -> list[Job]:
    """The kinds of work that the market enqueues."""
    return [
        Job(MAIL_JOB, services.firings.send_mails),
        Job(FLOOD_JOB, services.passing.go_on),
        Job(ALERTS_JOB, services.headlines.ask),
    ]


def mending_schedule(services: MarketServices) -> Schedule:
    """Without it a clock that was wrong is felt until its time has come: a worker does it when it starts as well."""
    return Schedule("dated-ahead", "40 * * * *", "Puts right what a wrong clock dated ahead", services.mending.mend)


def market_schedules(services: MarketServices) -> list[Schedule]:
    """The refreshes and the upkeep of the market."""

    async def tokens() -> str:
        done = await services.tokens.refresh()
        return (
            f"{done.listed} listed: {done.added} added, {done.changed} changed, {done.retired} retired,"
            f" {done.skipped} skipped"
        )

    async def expired() -> str:
        analyses, runs = await services.analyses.delete_expired(), await services.phases.delete_expired()
        return f"{analyses} analyses, {runs} runs; alerts: {await services.alerts.delete_expired()}"

    return [
        mending_schedule(services),
        Schedule("tokens", "0 3 * * *", "Refreshes which tokens are listed", tokens),
        Schedule(
            "alerts-sentiment", "*/5 * * * *", "Asks alerts about the sentiment of tokens", services.sentiments.check
        ),
        Schedule("alerts-whales", "* * * * *", "Asks alerts about large payments", services.whales.follow),
        Schedule(
            "expired-market-data", "0 3 * * *", "Forgets analyses, their runs and alerts that have expired", expired
        ),
        Schedule("news", "*/5 * * * *", "Takes in what the feeds bring", services.feeds.poll),
        Schedule("old-news", "50 2 * * *", "Forgets news after a year", services.news.delete_old),
    ]
