"""What the market does at fixed times, and later."""

from app.domains.market.services import MarketServices
from app.kit.jobs import Job, Schedule


def market_jobs(services: MarketServices) -> list[Job]:
    """The kinds of work that the market enqueues."""
    return []


def market_schedules(services: MarketServices) -> list[Schedule]:
    """The refreshes and the upkeep of the market."""

    async def tokens() -> str:
        done = await services.tokens.refresh()
        return (
            f"{done.listed} listed: {done.added} added, {done.changed} changed, {done.retired} retired,"
            f" {done.skipped} skipped"
        )

    return [Schedule("tokens", "0 3 * * *", "Refreshes which tokens are listed", tokens)]
