"""A stubbed provider, and a client of it that does not wait."""

from collections.abc import AsyncIterator

import msgspec
import pytest
import pytest_asyncio

from app.domains.market.providers.services.client import Policy, ProviderClient
from app.kit.clock import FixedClock
from tests.domains.market.providers.stub import Stub, running
from tests.waiting import HANG_S

KEY = "k3y-that-nobody-may-see"
POLICY = Policy(
    requests_per_minute=100_000,
    timeout_s=HANG_S,
    attempts=3,
    wait_initial_s=0.0,
    wait_max_s=0.0,
    wait_jitter_s=0.0,
    breaker_failures=2,
    breaker_rest_s=60.0,
)


@pytest_asyncio.fixture
async def stub(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Stub]:
    """A provider on the loopback, reached without any proxy."""
    monkeypatch.setenv("NO_PROXY", "*")
    async with running() as server:
        yield server


@pytest.fixture
def policy() -> Policy:
    """Three attempts without a pause."""
    return POLICY


@pytest_asyncio.fixture
async def client(stub: Stub, policy: Policy, clock: FixedClock) -> AsyncIterator[ProviderClient]:
    """Asks the stub, with a key."""
    asking = ProviderClient("stub", stub.url, policy, clock, headers={"x-key": KEY})
    yield asking
    await asking.aclose()


def patient(**changes: float) -> Policy:
    """The policy with something else."""
    return msgspec.structs.replace(POLICY, **changes)
