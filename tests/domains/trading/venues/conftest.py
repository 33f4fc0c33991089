"""A live portfolio at a stub exchange."""

from collections.abc import AsyncIterator

import pytest_asyncio

from tests.domains.trading.stage import Stage
from tests.domains.trading.venues.closing import closed_at_once
from tests.domains.trading.venues.stage import VenueStage, venue_stage
from tests.domains.trading.venues.stub import StubExchange

__all__ = ["closed_at_once"]


@pytest_asyncio.fixture
async def stub(closed_at_once: None) -> AsyncIterator[StubExchange]:
    """An exchange where nothing fails, and nobody trades but for the test."""
    async with StubExchange().serving() as serving:
        yield serving


@pytest_asyncio.fixture
async def venue(stage: Stage, stub: StubExchange) -> AsyncIterator[VenueStage]:
    """Alice, without an account yet."""
    made = await venue_stage(stage, stub)
    yield made
    await made.venues.close()


@pytest_asyncio.fixture
async def live(venue: VenueStage) -> VenueStage:
    """Alice's live portfolio, with 10,000 dollars and 50 BNB."""
    await venue.open()
    return venue
