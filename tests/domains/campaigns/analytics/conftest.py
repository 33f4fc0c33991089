"""A project for each test."""

import pytest_asyncio

from tests.domains.campaigns.analytics.park import Park
from tests.domains.campaigns.fair import Fair


@pytest_asyncio.fixture
async def park(fair: Fair) -> Park:
    return Park(fair, await fair.project())
