from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.streams.deployment import Deployment, running_deployment
from tests.streams.servers import Servers, mortal_servers


@pytest.fixture(scope="session")
def mortals(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    """Servers of these tests' own: they are killed."""
    with mortal_servers(tmp_path_factory.mktemp("mortal") / "home") as servers:
        yield servers


@pytest_asyncio.fixture(scope="session")
async def deployment(mortals: Servers, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Deployment]:
    """One for all tests here: each leaves it whole."""
    home: Path = tmp_path_factory.mktemp("deployment")
    async with running_deployment(home, mortals) as running:
        yield running
