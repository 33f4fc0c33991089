"""An admin and a user, and the services."""

from dataclasses import dataclass

import pytest_asyncio

from app.domains.accounts.model import Role, Viewer
from app.domains.system.services import SystemServices
from app.kit.db import Database
from app.kit.house import Services
from tests.databases import Owner
from tests.factories import register


@dataclass
class Stage:
    """The services and the people."""

    system: SystemServices
    database: Database
    owner: Owner
    admin: Viewer
    alice: Viewer


@pytest_asyncio.fixture
async def stage(services: Services, database: Database, owner: Owner) -> Stage:
    admin = await register(services, "admin@example.com", role=Role.ADMIN)
    return Stage(services[SystemServices], database, owner, admin, await register(services))
