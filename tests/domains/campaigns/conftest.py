"""A tenant for each test."""

import pytest
import pytest_asyncio
from redis.asyncio import Redis

from app.domains.accounts.services import AccountsServices
from app.domains.campaigns.services import CampaignsServices
from app.domains.tenancy.services import TenancyServices
from app.kit.clock import FixedClock
from app.kit.db import Database
from app.kit.house import Services
from tests.databases import Owner
from tests.domains.campaigns.fair import Fair
from tests.domains.campaigns.stall import Stall
from tests.domains.ledger.scene import Scene
from tests.domains.tenancy.office import Office
from tests.factories import register


@pytest_asyncio.fixture
async def fair(services: Services, database: Database, owner: Owner, clock: FixedClock) -> Fair:
    alice, bob = await register(services), await register(services, "bob@example.com")
    mail_queue = services[AccountsServices].mail_queue
    office = Office(services[TenancyServices], mail_queue, database, owner, clock, alice, bob)
    await office.found()
    return Fair(office, services[CampaignsServices], await office.acting())


@pytest.fixture
def scene(database: Database, owner: Owner, redis: Redis, clock: FixedClock) -> Scene:
    """An empty ledger, in the same database."""
    return Scene.over(database, owner, redis, clock)


@pytest.fixture
def stall(fair: Fair) -> Stall:
    return Stall(fair)
