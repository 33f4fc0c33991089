"""A market that is open, and portfolios to trade with."""

import pytest_asyncio

from tests.domains.trading.matching.market import begin
from tests.domains.trading.orders.desk import Desk
from tests.domains.trading.stage import Stage


@pytest_asyncio.fixture
async def desk(stage: Stage) -> Desk:
    """BTC costs 100, and Alice has 10,000 dollars."""
    market = await begin(stage)
    return Desk(stage, market, await stage.create())
