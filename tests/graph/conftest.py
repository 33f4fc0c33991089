"""Each transcript plays in a copy of the same world."""

from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest
import pytest_asyncio

from app.dev.embedded import Embedded
from app.kit.clock import FixedClock
from app.kit.db import Database
from app.main import Application
from app.settings import Settings
from app.transport.runtime import AppRuntime
from tests.conftest import APP_ROLE, Execute, settings_for_tests
from tests.databases import NOON, Owner, Template
from tests.domains.trading.venues.closing import closed_at_once
from tests.domains.trading.venues.stub import StubExchange
from tests.graph import filling
from tests.graph.stage import Stage
from tests.graph.world import Builder, World
from tests.templates import making
from tests.waiting import HANG_S

__all__ = ["closed_at_once"]

WORLD = "moneta_world"


@pytest_asyncio.fixture(scope="session")
async def world(
    servers: Embedded, template_url: str, administrator: Owner, tmp_path_factory: pytest.TempPathFactory
) -> World:
    """The world in a database that can be copied."""
    clock, home = FixedClock(NOON), tmp_path_factory.mktemp("world")
    async with making(WORLD, template_url, servers.redis_url, administrator, home=home, clock=clock) as (
        _,
        services,
        database,
    ):
        world = await Builder(services, database, clock).build()
        # Mail that the making of the world left behind is none of a transcript's business.
        await database.pool.execute("DELETE FROM pgqueuer")
    return world


@pytest.fixture
def template(world: World) -> Template:
    """Each test has its own copy of the world."""
    return Template(WORLD, users=len(world.viewers))


@pytest_asyncio.fixture(scope="session")
async def filled(template_url: str, world: World, administrator: Owner) -> World:
    """The world with several rows in every list, in a database that can be copied."""
    await filling.fill(template_url, administrator, WORLD)
    return world


@pytest_asyncio.fixture(scope="module")
async def reader(filled_url: str) -> AsyncIterator[Database]:
    """The application's pool on the database of a module whose tests only read."""
    pool = await Database.open(filled_url, role=APP_ROLE, size=4, timeout_s=HANG_S)
    yield pool
    await pool.close()


@pytest_asyncio.fixture(scope="module")
async def seer(filled_url: str) -> AsyncIterator[Owner]:
    """A connection to it as the owner, which changes nothing either."""
    connection = await asyncpg.connect(filled_url, server_settings={"default_transaction_read_only": "on"})
    yield connection
    await connection.close()


@pytest.fixture
def clock(world: World) -> FixedClock:
    """A clock that goes on where the world stopped."""
    return FixedClock(world.now)


@pytest_asyncio.fixture(scope="session")
async def exchange(closed_at_once: None) -> AsyncIterator[StubExchange]:
    """An exchange that accounts are connected to."""
    async with StubExchange().serving() as stub:
        yield stub


@pytest.fixture
def settings(tmp_path: Path, exchange: StubExchange) -> Settings:
    """As everywhere, with a stub for every exchange."""
    return settings_for_tests(tmp_path).model_copy(update={"exchange_address": exchange.address})


@pytest.fixture
def stage(  # noqa: PLR0917  # what it is made of
    world: World,
    application: Application,
    runtime: AppRuntime,
    execute: Execute,
    owner: Owner,
    exchange: StubExchange,
) -> Stage:
    """Where a transcript is played."""
    exchange.reset()
    return Stage(world, application, execute, owner, runtime.engine.paths, exchange)
