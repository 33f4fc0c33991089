"""The ledger's part of the graph over a chain of its own."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from redis.asyncio import Redis

from app.engine.execution.engine import Engine
from app.kit.clock import FixedClock
from app.kit.db import Database
from app.kit.events import EventLog
from tests.databases import Owner
from tests.domains.ledger.scene import Scene
from tests.kit.event_pipeline import hub_of, relaying
from tests.schema.ledger.graph import LIMITS, SCHEMA, Graph


@pytest.fixture
def scene(database: Database, owner: Owner, redis: Redis, clock: FixedClock) -> Scene:
    """An empty ledger; rewards are mature after one block."""
    return Scene.over(database, owner, redis, clock)


@pytest_asyncio.fixture
async def graph(scene: Scene, redis: Redis) -> AsyncIterator[Graph]:
    """The graph, with a relay and a hub behind it."""
    async with relaying(scene.database, redis), hub_of(EventLog(scene.database, redis), redis) as hub:
        yield Graph(scene, hub, Engine(SCHEMA, LIMITS), redis)
