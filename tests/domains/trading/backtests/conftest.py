"""A market that is open, and portfolios to trade with."""

import pytest_asyncio

from tests.domains.trading.matching.market import begin
from tests.domains.trading.orders.trader import Trader
from tests.domains.trading.stage import Stage


@pytest_asyncio.fixture
async def trader(stage: Stage) -> Trader:
    """BTC costs 100, and Alice has 10,000 dollars."""
    market = await begin(stage)
    return Trader(stage, market, await stage.create())
