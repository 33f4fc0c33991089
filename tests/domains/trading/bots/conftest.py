"""A market that is open, and a portfolio for bots."""

import pytest_asyncio

from tests.domains.trading.bots.robots import Robots
from tests.domains.trading.matching.market import begin
from tests.domains.trading.stage import Stage


@pytest_asyncio.fixture
async def robots(stage: Stage) -> Robots:
    """BTC costs 100, Alice has 10,000 dollars, and one candle has ended."""
    market = await begin(stage)
    made = Robots(stage, market, await stage.create())
    await made.candle()
    return made
