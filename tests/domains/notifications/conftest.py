"""Two users for each test."""

import pytest
import pytest_asyncio

from app.domains.accounts.model import Viewer
from app.domains.notifications.services import Notifications
from app.kit.clock import FixedClock
from app.kit.db import Database
from app.kit.house import Services
from tests.databases import Owner
from tests.domains.notifications.stage import Stage
from tests.factories import register


@pytest_asyncio.fixture
async def alice(services: Services) -> Viewer:
    return await register(services)


@pytest_asyncio.fixture
async def bob(services: Services) -> Viewer:
    return await register(services, "bob@example.com")


@pytest.fixture
def stage(services: Services, database: Database, owner: Owner, clock: FixedClock, alice: Viewer) -> Stage:
    return Stage(services[Notifications], database, owner, clock, alice)
