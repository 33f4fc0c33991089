"""A market of a few tokens for each test, and a user."""

import pytest
import pytest_asyncio

from app.domains.accounts.model import Viewer
from app.domains.market.services import MarketServices
from app.kit.clock import FixedClock
from app.kit.db import Database
from app.kit.house import Services
from tests.databases import Owner
from tests.domains.market.alerts.stage import Stage
from tests.domains.market.token_listing import list_tokens
from tests.factories import register


@pytest_asyncio.fixture
async def alice(services: Services, owner: Owner) -> Viewer:
    await list_tokens(owner)
    return await register(services)


@pytest_asyncio.fixture
async def bob(services: Services) -> Viewer:
    return await register(services, "bob@example.com")


@pytest.fixture
def stage(services: Services, database: Database, owner: Owner, clock: FixedClock, alice: Viewer) -> Stage:
    return Stage(services[MarketServices], database, owner, clock, alice)
