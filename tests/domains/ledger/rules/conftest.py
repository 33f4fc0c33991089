import pytest
from hypothesis import settings

from tests.domains.ledger.rules.scene import Scene

# A deadline would measure how busy the machine is, not whether a rule holds.
settings.register_profile("without deadline", deadline=None)
settings.load_profile("without deadline")


@pytest.fixture(scope="session")
def scene() -> Scene:
    return Scene()
