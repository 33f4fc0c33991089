import pytest
import pytest_asyncio
from redis.asyncio import Redis

from app.domains.market.prices.services.recorder import Recorder
from app.domains.market.prices.services.ticker import Ticker
from app.kit.clock import FixedClock
from app.kit.db import Database
from app.kit.volatile import VolatileTopics
from tests.databases import Owner
from tests.domains.market.price_feed import SOURCE
from tests.domains.market.prices.recording import NAMES
from tests.domains.market.token_listing import list_tokens


@pytest_asyncio.fixture
async def tokens(owner: Owner) -> None:
    await list_tokens(owner, NAMES)


@pytest.fixture
def ticker(clock: FixedClock, redis: Redis) -> Ticker:
    return Ticker(SOURCE, clock, VolatileTopics(redis), every_s=1.0)


@pytest.fixture
def recorder(database: Database, clock: FixedClock) -> Recorder:
    return Recorder(database, clock, (), ())
