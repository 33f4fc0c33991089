"""A registration holds no connection while it generates its key and hash, and a replay generates neither."""

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from app.domains.accounts.model import AccessCodeInvalid, Client, EmailTaken, NewUser, Role
from app.domains.accounts.services.registration import PREPARATIONS, REGISTRATION_LIMIT, Registration, WriteForUser
from app.kit import idempotency
from app.kit.errors import RateLimited, Unavailable
from app.kit.ratelimit import RateLimiter
from tests.domains.accounts.conftest import House
from tests.factories import CLIENT, person

CODE, EMAIL = "BITCOIN2025", "alice@example.com"


@pytest.fixture
def pool_size() -> int:
    """With one connection, a request that holds it is noticed at once."""
    return 1


class Gate:
    """A gate at which preparations wait until they are released."""

    def __init__(self, registration: Registration) -> None:
        self.reached, self.open = asyncio.Event(), asyncio.Event()
        (self._prepare,) = registration.preparations
        object.__setattr__(registration, "preparations", (self.prepare,))

    async def prepare(self, new: NewUser) -> WriteForUser:
        self.reached.set()
        await self.open.wait()
        return await self._prepare(new)


@pytest_asyncio.fixture
async def gate(house: House) -> AsyncIterator[Gate]:
    await house.add_code(CODE)
    gate = Gate(house.accounts.registration)
    yield gate
    gate.open.set()


async def read_beside(house: House) -> None:
    """Another request reads over the only connection."""
    assert house.database.pool.get_idle_size() == house.database.pool.get_size() == 1
    assert await house.accounts.users.by_email("bob@example.com") is None


@pytest.mark.parametrize("key", [None, "k"])
async def test_a_registration_under_way_delays_no_other_request(house: House, gate: Gate, key: str | None) -> None:
    register = house.accounts.registration.register(person(EMAIL), CODE, CLIENT, idempotency_key=key)
    registering = asyncio.create_task(register)
    await gate.reached.wait()
    await read_beside(house)
    assert not registering.done()
    gate.open.set()
    await registering


async def test_waiting_for_the_limiter_delays_no_other_request(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    await house.add_code(CODE)
    reached, opened, place = asyncio.Event(), asyncio.Event(), RateLimiter._take_slot

    async def wait(self: RateLimiter, *args: object) -> None:
        reached.set()
        await opened.wait()
        await place(self, *args)  # type: ignore[arg-type]  # as they came

    monkeypatch.setattr(RateLimiter, "_take_slot", wait)
    register = house.accounts.registration.register(person(EMAIL), CODE, CLIENT, idempotency_key="k")
    registering = asyncio.create_task(register)
    await reached.wait()
    await read_beside(house)
    opened.set()
    await registering


async def refuse(*_: object) -> None:
    raise RateLimited(1)


@pytest.mark.parametrize("refusal", [AccessCodeInvalid, RateLimited])
async def test_a_replay_that_overtakes_its_first_is_answered_as_that(
    house: House, gate: Gate, monkeypatch: pytest.MonkeyPatch, refusal: type[Exception]
) -> None:
    """The second request reads the key before the first commits, and finds the code redeemed or the limit used up."""
    registration = house.accounts.registration
    first = asyncio.create_task(registration.register(person(EMAIL), CODE, CLIENT, idempotency_key="k"))
    await gate.reached.wait()
    looked, replay_of = asyncio.Event(), idempotency.replay_of

    async def look(*args: object) -> object:
        found: object = await replay_of(*args)  # type: ignore[arg-type]  # as they came
        looked.set()
        return found

    monkeypatch.setattr(idempotency, "replay_of", look)
    second = asyncio.create_task(registration.register(person(EMAIL), CODE, CLIENT, idempotency_key="k"))
    await looked.wait()
    if refusal is RateLimited:
        monkeypatch.setattr(RateLimiter, "_take_slot", refuse)
    gate.open.set()
    assert await second == await first
    assert house.prepared <= PREPARATIONS
    with pytest.raises(refusal):
        await registration.register(person("bob@example.com"), CODE, CLIENT, idempotency_key="k")


async def test_a_replay_costs_no_place_and_no_preparation(house: House, gate: Gate) -> None:
    gate.open.set()
    registration = house.accounts.registration
    first = await registration.register(person(EMAIL), CODE, CLIENT, idempotency_key="k")
    gate.reached.clear()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(RateLimiter, "_take_slot", None)
        for _ in range(3):
            assert await registration.register(person(EMAIL), CODE, CLIENT, idempotency_key="k") == first
    assert not gate.reached.is_set()


@pytest.mark.parametrize("key", [None, "k"])
async def test_taken_addresses_count_and_what_a_lost_database_interrupts_does_not(
    house: House, gate: Gate, monkeypatch: pytest.MonkeyPatch, key: str | None
) -> None:
    gate.open.set()
    registration = house.accounts.registration
    await registration.create(person(EMAIL), Role.USER, CLIENT)

    async def be_lost(*_: object) -> None:
        raise Unavailable

    for _ in range(3):
        with monkeypatch.context() as outage:
            outage.setattr(Registration, "_redeem", be_lost)
            with pytest.raises(Unavailable):
                await registration.register(person(EMAIL), CODE, CLIENT, idempotency_key=key)
    for _ in range(REGISTRATION_LIMIT.attempts):
        with pytest.raises(EmailTaken):
            await registration.register(person(EMAIL), CODE, CLIENT, idempotency_key=key)
    with pytest.raises(RateLimited):
        await registration.register(person(EMAIL), CODE, CLIENT, idempotency_key=key)
    assert await registration.register(person("bob@example.com"), CODE, Client("192.0.2.99"), idempotency_key=key)
