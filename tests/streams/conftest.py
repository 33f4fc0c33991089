from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.streams.deployment import Deployment, running_deployment
from tests.streams.servers import Servers, killable_servers


@pytest.fixture(scope="package")
def killable(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    """Servers of these tests' own: they are killed."""
    with killable_servers(tmp_path_factory.mktemp("killable") / "home") as servers:
        yield servers


@pytest_asyncio.fixture(scope="package", loop_scope="session")
async def deployment(killable: Servers, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Deployment]:
    """One for all tests here: each leaves it whole."""
    home: Path = tmp_path_factory.mktemp("deployment")
    async with running_deployment(home, killable) as running:
        yield running
