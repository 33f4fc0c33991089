"""What another process does by a key that it has accepted, while the key or its tenant changes here."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
import pytest_asyncio

from app.domains.accounts.model import Client
from app.domains.tenancy.api_keys.model import IssuedKey, KeyRefused
from app.domains.tenancy.api_keys.services import known_keys
from app.domains.tenancy.api_keys.services.keys import ApiKeys
from app.domains.tenancy.api_keys.services.known_keys import KEPT_S, KnownKeys
from app.domains.tenancy.tenants.model.tenants import Plan, PlanChanges, SubscriptionStatus, Tenancy
from app.kit.errors import Unavailable
from app.kit.work import Work, working
from tests.domains.tenancy.office import Office

HOUR = timedelta(hours=1)


@dataclass
class Elsewhere:
    """Another process, which hears nothing of this one, and whose time stands still until it is moved on."""

    keys: ApiKeys
    time_s: float = 0.0
    statements: int = 0
    """How many it took to find out who bore a key last."""

    async def bearing(self, secret: str | None, ip: str = "192.0.2.1") -> Tenancy | None:
        with working(Work()) as work:
            try:
                return await self.keys.authenticate(secret or "", Client(ip=ip))
            finally:
                self.statements = work.statements


@pytest_asyncio.fixture
async def elsewhere(office: Office) -> Elsewhere:
    await office.found()
    made = Elsewhere(office.services.api_keys)
    made.keys = replace(made.keys, known=KnownKeys(office.database, office.clock, lambda: made.time_s))
    return made


async def test_a_key_that_was_accepted_is_not_looked_up_again_for_a_while(office: Office, elsewhere: Elsewhere) -> None:
    made = await office.issue()
    first = await elsewhere.bearing(made.secret)
    assert elsewhere.statements == 1
    elsewhere.time_s = KEPT_S - 0.001
    assert await elsewhere.bearing(made.secret) == first
    assert elsewhere.statements == 0
    elsewhere.time_s = KEPT_S
    assert await elsewhere.bearing(made.secret) == first
    assert elsewhere.statements == 1


async def _revoke(office: Office, key: IssuedKey) -> None:
    await office.services.api_keys.revoke(await office.acting(), key.id)


async def _rotate(office: Office, key: IssuedKey) -> None:
    await office.services.api_keys.rotate(await office.acting(), key.id, timedelta(0), office.key)


async def _suspend(office: Office, _: IssuedKey) -> None:
    tenancy = await office.acting()
    changes = PlanChanges(status=SubscriptionStatus.SUSPENDED)
    await office.services.tenants.update_plan(office.alice, tenancy.tenant_id, changes)


async def _delete(office: Office, _: IssuedKey) -> None:
    await office.services.tenants.delete(await office.acting())


async def _narrow(office: Office, _: IssuedKey) -> None:
    await office.owner.execute("UPDATE api_keys SET allowed_cidrs = '{198.51.100.0/24}'")


async def _shorten(office: Office, _: IssuedKey) -> None:
    await office.owner.execute("UPDATE api_keys SET expires_at = created_at + interval '1 microsecond'")


async def _remove(office: Office, _: IssuedKey) -> None:
    await office.owner.execute("DELETE FROM api_keys")


@pytest.mark.parametrize("change", [_revoke, _rotate, _suspend, _delete, _narrow, _shorten, _remove])
async def test_whatever_ends_a_key_holds_everywhere_within_a_second_though_it_is_not_heard(
    office: Office, elsewhere: Elsewhere, change: Callable[[Office, IssuedKey], Awaitable[None]]
) -> None:
    made = await office.issue()
    assert await elsewhere.bearing(made.secret) is not None
    elsewhere.time_s = 0.5
    office.clock.advance(timedelta(seconds=0.5))
    await change(office, made)
    elsewhere.time_s = 1.0
    try:
        assert await elsewhere.bearing(made.secret) is None
    except KeyRefused:
        assert change in (_suspend, _narrow)


async def test_another_plan_and_other_limits_hold_everywhere_within_a_second(
    office: Office, elsewhere: Elsewhere
) -> None:
    made = await office.issue()
    tenant_id = (await office.acting()).tenant_id
    update = office.services.tenants.update_plan
    await update(office.alice, tenant_id, PlanChanges(plan=Plan.ENTERPRISE))
    assert await elsewhere.bearing(made.secret) is not None
    await update(office.alice, tenant_id, PlanChanges(plan=Plan.FREE, status=SubscriptionStatus.CANCELLED))
    await office.owner.execute("UPDATE api_keys SET rate_limit_per_minute = 7")
    elsewhere.time_s = 1.0
    acting = await elsewhere.bearing(made.secret)
    assert acting is not None
    assert acting.key is not None
    assert (acting.status, acting.key.plan, acting.key.per_minute) == (SubscriptionStatus.CANCELLED, Plan.FREE, 7)


async def test_a_key_that_is_known_expires_at_its_moment(office: Office, elsewhere: Elsewhere) -> None:
    made = await office.issue(expires_at=office.clock.now() + HOUR)
    assert await elsewhere.bearing(made.secret) is not None
    office.clock.advance(HOUR)
    assert await elsewhere.bearing(made.secret) is None


async def test_the_secret_before_ends_with_the_overlap_and_the_new_one_is_good_at_once(
    office: Office, elsewhere: Elsewhere
) -> None:
    made = await office.issue()
    before = await elsewhere.bearing(made.secret)
    rotated = await office.services.api_keys.rotate(await office.acting(), made.id, HOUR, office.key)
    new = await elsewhere.bearing(rotated.secret)
    old = await elsewhere.bearing(made.secret)
    assert before is not None
    assert new is not None
    assert old is not None
    assert len({before.held_by, new.held_by} & {before.held_by, old.held_by}) == 1
    assert old.key is not None
    assert old.key.expires_at == office.clock.now() + HOUR
    office.clock.advance(HOUR)
    assert await elsewhere.bearing(made.secret) is None
    assert await elsewhere.bearing(rotated.secret) is not None


async def test_who_would_be_refused_by_what_is_known_is_looked_up_anew(office: Office, elsewhere: Elsewhere) -> None:
    made = await office.issue(allowed_cidrs=["192.0.2.0/24"])
    assert await elsewhere.bearing(made.secret) is not None
    await office.owner.execute("UPDATE api_keys SET allowed_cidrs = '{}'")
    assert await elsewhere.bearing(made.secret, "198.51.100.1") is not None


async def test_wrong_secrets_are_compared_and_not_kept(office: Office, elsewhere: Elsewhere) -> None:
    made = await office.issue()
    wrong = f"{str(made.secret)[:25]}{'0' * 64}"
    unknown = f"mk_live_{'0' * 16}_{'0' * 64}"
    for each in (wrong, unknown):
        assert await elsewhere.bearing(each) is None
        assert elsewhere.statements == 1
    assert len(elsewhere.keys.known) == 0
    assert await elsewhere.bearing(made.secret) is not None
    assert await elsewhere.bearing(wrong) is None
    assert await elsewhere.bearing(made.secret) is not None
    assert elsewhere.statements == 0


async def test_no_more_keys_are_kept_than_the_bound_says(
    office: Office, elsewhere: Elsewhere, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(known_keys, "MOST", 3)
    made = [(await office.issue()).secret for _ in range(5)]
    for secret in (made[0], made[1], made[2], made[0], made[3], made[4]):
        assert await elsewhere.bearing(secret) is not None
    known = elsewhere.keys.known
    assert (len(known), len(known._ids)) == (3, 3)
    for secret, statements in ((made[0], 0), (made[4], 0), (made[1], 1)):
        await elsewhere.bearing(secret)
        assert elsewhere.statements == statements


async def test_without_postgres_nobody_is_accepted_for_longer(
    office: Office, elsewhere: Elsewhere, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = await office.issue()
    assert await elsewhere.bearing(made.secret) is not None

    async def away(*_: Any) -> None:
        raise Unavailable

    monkeypatch.setattr(office.database, "fetch_one", away)
    assert await elsewhere.bearing(made.secret) is not None
    elsewhere.time_s = KEPT_S
    with pytest.raises(Unavailable):
        await elsewhere.bearing(made.secret)


async def test_the_end_of_a_secret_that_is_heard_holds_at_once(office: Office, elsewhere: Elsewhere) -> None:
    made = await office.issue()
    acting = await elsewhere.bearing(made.secret)
    assert acting is not None
    await _revoke(office, made)
    assert await elsewhere.bearing(made.secret) is not None
    elsewhere.keys.known.forget(acting.held_by)
    assert await elsewhere.bearing(made.secret) is None


async def test_what_was_read_before_something_was_heard_is_not_kept(office: Office, elsewhere: Elsewhere) -> None:
    made, known = await office.issue(), elsewhere.keys.known
    read = known.read

    async def read_meanwhile(key_id: str) -> known_keys.KnownKey | None:
        found = await read(key_id)
        known.forget(uuid4())
        return found

    known.read = read_meanwhile  # type: ignore[method-assign]
    assert await elsewhere.bearing(made.secret) is not None
    assert len(known) == 0


async def test_many_calls_at_once_share_statements_that_began_after_they_came(
    office: Office, elsewhere: Elsewhere
) -> None:
    made, known = await office.issue(), elsewhere.keys.known
    assert await elsewhere.bearing(made.secret) is not None
    elsewhere.time_s = KEPT_S
    read, reads = known._read, 0

    async def counted(key_id: str) -> tuple[float, known_keys.KnownKey | None]:
        nonlocal reads
        reads += 1
        return await read(key_id)

    known._read = counted  # type: ignore[method-assign]
    found = await asyncio.gather(*(elsewhere.bearing(made.secret) for _ in range(50)))
    assert all(each is not None for each in found)
    assert reads == 1
    key_id = str(made.secret)[:24]
    # Who comes while one is under way waits for the next: it may have read what has ended since.
    first = asyncio.create_task(known.read_together(key_id))
    await asyncio.sleep(0)
    elsewhere.time_s += 0.1
    await _revoke(office, made)
    later = await known.read_together(key_id)
    await first
    assert later is None
