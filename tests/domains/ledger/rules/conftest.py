import pytest

from tests.domains.ledger.rules.chain import Example


@pytest.fixture(scope="session")
def example() -> Example:
    return Example()
