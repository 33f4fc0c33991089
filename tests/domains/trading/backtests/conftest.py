"""A market that is open, and portfolios to trade with."""

import pytest_asyncio

from tests.domains.trading.backtests.shop import Shop, open_shop
from tests.domains.trading.matching.market import begin
from tests.domains.trading.orders.trader import Trader
from tests.domains.trading.stage import Stage


@pytest_asyncio.fixture
async def trader(stage: Stage) -> Trader:
    """BTC costs 100, and Alice has 10,000 dollars."""
    market = await begin(stage)
    return Trader(stage, market, await stage.create())


@pytest_asyncio.fixture
async def shop(stage: Stage) -> Shop:
    """300 candles of an hour, until now."""
    return await open_shop(stage)
