"""A market with something to analyse."""

import pytest
import pytest_asyncio

from app.domains.market.services import MarketServices
from app.kit.clock import FixedClock
from app.kit.house import Services
from tests.databases import Owner
from tests.domains.market.analysis.market_data import supply


@pytest.fixture
def market(services: Services) -> MarketServices:
    """The market's services; nothing is listed yet."""
    return services[MarketServices]


@pytest_asyncio.fixture
async def supplied(owner: Owner, market: MarketServices, clock: FixedClock) -> MarketServices:
    """The market's services, over Bitcoin and Ether with all that can be known of them."""
    await supply(owner, market, clock.now())
    return market
