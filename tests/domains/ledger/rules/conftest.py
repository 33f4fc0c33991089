import pytest

from tests.domains.ledger.rules.scene import Scene


@pytest.fixture(scope="session")
def scene() -> Scene:
    return Scene()
