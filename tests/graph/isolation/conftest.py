"""The estates of each test."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from app.kit.house import Services
from app.settings import Settings
from app.transport.runtime import AppRuntime
from tests.conftest import settings_for_tests
from tests.databases import Owner
from tests.graph.fuzz.target import LIMITS
from tests.graph.isolation.estates import Builder, Estates
from tests.graph.world import World


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """What is refused before execution reaches nothing that could be another's."""
    return settings_for_tests(tmp_path).model_copy(update=LIMITS)


@pytest_asyncio.fixture
async def estates(world: World, services: Services, owner: Owner) -> Estates:
    """Two tenants, each with both modes."""
    return await Builder(world, services, owner).build()


@pytest_asyncio.fixture
async def runtime(runtime: AppRuntime) -> AsyncIterator[AppRuntime]:
    """One in which subscriptions can be opened."""
    await runtime.hub.start()
    yield runtime
    await runtime.hub.stop()
