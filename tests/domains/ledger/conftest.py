"""A chain of its own for each test."""

import pytest
from redis.asyncio import Redis

from app.kit.clock import FixedClock
from app.kit.db import Database
from tests.databases import Owner
from tests.domains.ledger.scene import Scene


@pytest.fixture
def scene(database: Database, owner: Owner, redis: Redis, clock: FixedClock) -> Scene:
    """An empty ledger; rewards are mature after one block."""
    return Scene.over(database, owner, redis, clock)
