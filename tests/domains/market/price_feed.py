"""A provider with set answers, and a feed over it."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from decimal import Decimal

from app.domains.market.prices.model import Quote, Quotes
from app.domains.market.prices.services.feed import PriceFeed
from app.domains.market.tokens.model import Listing
from app.kit.clock import FixedClock
from app.kit.errors import Unavailable
from tests.kit.event_pipeline import cancel

SOURCE = "simulated"


def quoted(clock: FixedClock, prices: dict[str, int], *, volume: int | None = 86400) -> list[Quote]:
    """Quotes of this moment; the Australian dollar is at 2:3."""
    return [
        Quote(
            symbol,
            clock.now(),
            Decimal(price),
            Decimal(price) * Decimal("1.5"),
            volume_24h_usd=None if volume is None else Decimal(volume),
        )
        for symbol, price in prices.items()
    ]


class Provider:
    """Answers with these prices and moves the clock by a second each time."""

    name = SOURCE
    period_s = 0.01

    def __init__(self, clock: FixedClock, **prices: int) -> None:
        self.prices = prices
        self.asked: list[list[str]] = []
        self.fails = False
        self._clock = clock

    async def tokens(self, limit: int) -> list[Listing]:
        return []

    async def quotes(self, symbols: Sequence[str]) -> Quotes:
        self.asked.append(list(symbols))
        if self.fails:
            raise Unavailable("The provider does not answer.")
        self._clock.advance(timedelta(seconds=1))
        return Quotes(quoted(self._clock, {symbol: self.prices[symbol] for symbol in symbols}), {"stale": 1})


@contextlib.asynccontextmanager
async def running(feed: PriceFeed) -> AsyncIterator[asyncio.Task[None]]:
    """The feed, until the block ends."""
    task = asyncio.create_task(feed.run())
    try:
        yield task
    finally:
        if not task.done():
            await cancel(task)
