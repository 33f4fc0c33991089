"""A market that is open."""

import pytest_asyncio

from tests.domains.trading.matching.market import Market, begin
from tests.domains.trading.stage import Stage


@pytest_asyncio.fixture
async def market(stage: Stage) -> Market:
    """BTC costs 100, and nobody has an order."""
    return await begin(stage)
