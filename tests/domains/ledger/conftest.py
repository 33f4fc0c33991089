"""A chain of its own for each test."""

import pytest
from redis.asyncio import Redis

from app.domains.ledger.services import LedgerServices
from app.kit.clock import FixedClock
from app.kit.crypto.envelope import Keyring
from app.kit.db import Database
from app.kit.events import EventLog
from tests.conftest import Owner
from tests.domains.ledger.scene import Scene


@pytest.fixture
def scene(database: Database, owner: Owner, redis: Redis, clock: FixedClock) -> Scene:
    """Services over an empty ledger; rewards are mature after one block."""
    services = LedgerServices.build(database, clock, EventLog(database, redis), Keyring.generate(), coinbase_maturity=1)
    return Scene(database, owner, clock, services)
