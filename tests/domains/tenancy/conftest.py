"""Two users for each test."""

import pytest_asyncio

from app.domains.accounts.services import AccountsServices
from app.domains.tenancy.services import TenancyServices
from app.kit.clock import FixedClock
from app.kit.db import Database
from app.kit.house import Services
from tests.databases import Owner
from tests.domains.tenancy.office import Office
from tests.factories import register


@pytest_asyncio.fixture
async def office(services: Services, database: Database, owner: Owner, clock: FixedClock) -> Office:
    alice, bob = await register(services), await register(services, "bob@example.com")
    mail_queue = services[AccountsServices].mail_queue
    return Office(services[TenancyServices], mail_queue, database, owner, clock, alice, bob)
