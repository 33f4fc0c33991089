from collections.abc import AsyncIterator

import pytest_asyncio
from redis.asyncio import Redis

from app.kit.db import Database
from tests.transport.stage import Stage, staged


@pytest_asyncio.fixture
async def stage(database: Database, redis: Redis) -> AsyncIterator[Stage]:
    async with staged(database, redis) as stage:
        yield stage
