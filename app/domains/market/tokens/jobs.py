"""The schedule of tokens."""

from app.domains.market.tokens.services.listing import Tokens
from app.kit.jobs import Schedule


def token_schedules(tokens: Tokens) -> list[Schedule]:
    """The schedule that refreshes the listed tokens."""

    async def refresh() -> str:
        done = await tokens.refresh()
        return (
            f"{done.listed} listed: {done.added} added, {done.changed} changed, {done.retired} retired,"
            f" {done.skipped} skipped"
        )

    return [Schedule("tokens", "0 3 * * *", "Refreshes which tokens are listed", refresh)]
