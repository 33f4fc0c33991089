"""How often keys may call, and what is kept of it."""

import asyncio
from datetime import timedelta
from typing import Any

import msgspec
import pytest

from app.domains.accounts.model import Role
from app.domains.system.model import RateLimits
from app.domains.system.services import SystemServices
from app.domains.tenancy.api_keys.model import CallUsage
from app.domains.tenancy.api_keys.services import calls as calls_module
from app.domains.tenancy.api_keys.services.calls import Calls
from app.domains.tenancy.tenants.model.tenants import Plan, PlanChanges, Tenancy
from app.kit.db import Database
from app.kit.errors import RateLimited, Unavailable
from app.kit.house import Services
from app.kit.quotas import QuotaExceeded
from tests.domains.tenancy.office import Office


async def a_key(office: Office, **limits: int) -> Tenancy:
    await office.found()
    made = await office.issue()
    for name, limit in limits.items():
        await office.owner.execute(f"UPDATE {'tenants' if 'month' in name else 'api_keys'} SET {name} = {limit}")
    acting = await office.bearing(made.secret)
    assert acting is not None
    return acting


async def charge(office: Office, acting: Tenancy) -> CallUsage:
    assert acting.key is not None
    return await office.services.calls.charge(acting, acting.key)


async def flood(office: Office, acting: Tenancy, number: int = 100) -> int:
    """How many of so many at once were allowed."""
    made = await asyncio.gather(*(charge(office, acting) for _ in range(number)), return_exceptions=True)
    assert all(isinstance(each, CallUsage | RateLimited) for each in made)
    return sum(isinstance(each, CallUsage) for each in made)


@pytest.mark.parametrize(
    "limit", ["rate_limit_per_minute", "rate_limit_per_hour", "rate_limit_per_day", "max_api_calls_per_month"]
)
async def test_of_a_hundred_at_once_as_many_are_allowed_as_the_limit_says(office: Office, limit: str) -> None:
    acting = await a_key(office, **{limit: 10})
    assert await flood(office, acting) == 10
    await office.services.calls.flush()
    assert await office.owner.fetchval("SELECT sum(calls) FROM tenant_api_calls") == 10
    assert await office.owner.fetchval("SELECT usage_count FROM api_keys") == 10


async def test_the_keys_of_a_tenant_share_the_hour_of_its_plan(office: Office) -> None:
    acting = await a_key(office)
    other = await office.bearing((await office.issue()).secret)
    assert other is not None
    assert await flood(office, acting, 60) == 60
    assert await flood(office, other, 60) == 40


async def test_an_admin_says_how_many_calls_a_plan_has(office: Office, services: Services) -> None:
    id = await office.found()
    secret, system = (await office.issue()).secret, services[SystemServices]
    admin = msgspec.structs.replace(office.alice, role=Role.ADMIN)
    await system.update(admin, RateLimits(free=7, pro=9, enterprise=12))
    await system.cache.refresh()
    allowed = {}
    for plan in Plan:
        await office.services.tenants.update_plan(office.alice, id, PlanChanges(plan=plan))
        acting = await office.bearing(secret)
        assert acting is not None
        allowed[plan] = await flood(office, acting, 20)
    # All in the same hour.
    assert allowed == {Plan.FREE: 7, Plan.PRO: 2, Plan.ENTERPRISE: 3}


@pytest.mark.parametrize(
    ("limit", "span"),
    [
        ("rate_limit_per_minute", timedelta(minutes=1)),
        ("rate_limit_per_hour", timedelta(hours=1)),
        ("rate_limit_per_day", timedelta(days=1)),
    ],
)
async def test_a_window_ends_and_says_when(office: Office, limit: str, span: timedelta) -> None:
    office.clock.advance(timedelta(seconds=20))
    acting = await a_key(office, **{limit: 1})
    await charge(office, acting)
    with pytest.raises(QuotaExceeded) as refused:
        await charge(office, acting)
    left = refused.value.retry_after_s
    assert 0 < left <= span.total_seconds() - 20
    office.clock.advance(timedelta(seconds=left - 1))
    with pytest.raises(QuotaExceeded):
        await charge(office, acting)
    office.clock.advance(timedelta(seconds=1))
    await charge(office, acting)


async def test_what_is_left_is_said_of_each_window(office: Office) -> None:
    acting = await a_key(office)
    await charge(office, acting)
    usage = await charge(office, acting)
    assert usage.is_counted
    assert [(each.name, each.limit, each.remaining, each.span_s) for each in usage.windows] == [
        ("minute", 600, 598, 60),
        ("hour", 1000, 998, 3600),
        ("day", 10_000, 9998, 86_400),
        ("plan", 100, 98, 3600),
        ("month", 10_000, 9998, 30 * 86_400),
    ]


async def test_without_redis_calls_are_not_limited_but_by_the_month(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    acting = await a_key(office, max_api_calls_per_month=2)

    async def lost(*_: Any) -> Any:
        raise Unavailable

    monkeypatch.setattr(office.services.calls._quotas, "take", lost)
    assert not (await charge(office, acting)).is_counted
    assert [each.name for each in (await charge(office, acting)).windows] == ["month"]
    with pytest.raises(QuotaExceeded):
        await charge(office, acting)


async def test_calls_are_stored_within_a_second_and_all_at_the_end(office: Office) -> None:
    acting = await a_key(office)
    await flood(office, acting, 7)
    assert await office.owner.fetchval("SELECT count(*) FROM tenant_api_calls") == 0
    await office.services.calls.stop()
    assert await office.owner.fetchval("SELECT calls FROM tenant_api_calls") == 7
    row = await office.owner.fetchrow("SELECT usage_count, last_used_at, host(last_used_ip) AS ip FROM api_keys")
    assert row is not None
    assert tuple(row) == (7, office.clock.now(), "192.0.2.1")
    # Being used is no change that anybody made.
    assert await office.owner.fetchval("SELECT count(*) FROM audit_logs WHERE resource_type = 'api_keys'") == 1


async def test_what_cannot_be_stored_is_kept(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    acting = await a_key(office)
    await flood(office, acting, 3)

    async def lost(*_: Any, **__: Any) -> Any:
        raise Unavailable

    with monkeypatch.context() as patch:
        patch.setattr(Database, "write", lost)
        with pytest.raises(Unavailable):
            await office.services.calls.flush()
    await flood(office, acting, 2)
    await office.services.calls.flush()
    assert await office.owner.fetchval("SELECT calls FROM tenant_api_calls") == 5


async def test_a_fault_does_not_end_the_storing(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    acting, write, faults = await a_key(office), Database.write, [RuntimeError("a fault")]

    async def faulty(database: Database, *args: Any, **kwargs: Any) -> Any:
        if faults:
            raise faults.pop()
        return await write(database, *args, **kwargs)

    monkeypatch.setattr(Database, "write", faulty)
    monkeypatch.setattr(calls_module, "FLUSH_S", 0.0)
    monkeypatch.setattr(calls_module, "USES_EVERY_S", 0.0)
    await charge(office, acting)
    storing = office.services.calls._flushing
    assert storing is not None
    await storing
    assert await office.owner.fetchval("SELECT sum(calls) FROM tenant_api_calls") == 1


async def test_a_month_ends_and_its_calls_are_not_lost(office: Office) -> None:
    acting = await a_key(office, max_api_calls_per_month=3)
    assert await flood(office, acting, 5) == 3
    office.clock.advance(timedelta(days=10))
    assert await flood(office, acting, 5) == 3
    await office.services.calls.flush()
    rows = await office.owner.fetch("SELECT month::text, calls FROM tenant_api_calls ORDER BY month")
    assert [tuple(row) for row in rows] == [("2026-11-01", 3), ("2026-12-01", 3)]


async def test_processes_add_up(office: Office) -> None:
    acting = await a_key(office, max_api_calls_per_month=10)
    mine = office.services.calls
    other = Calls(office.database, office.clock, mine._quotas, mine._settings)
    other._shard = (mine._shard + 1) % 16
    other.learn(acting.tenant_id, 0, 10)
    assert acting.key is not None
    for _ in range(6):
        await other.charge(acting, acting.key)
    await other.flush()
    await flood(office, acting, 1)
    await mine.flush()
    assert await flood(office, acting, 10) == 3
    await mine.flush()
    assert await office.owner.fetchval("SELECT sum(calls) FROM tenant_api_calls") == 10
    assert await office.owner.fetchval("SELECT count(*) FROM tenant_api_calls") == 2
    await mine.stop()
    await other.stop()


async def test_what_is_refused_while_others_are_stored_is_not_counted(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    acting, calls = await a_key(office, max_api_calls_per_month=2), office.services.calls
    asked, answer = asyncio.Event(), asyncio.Event()

    async def refuse(*_: Any) -> Any:
        asked.set()
        await answer.wait()
        raise QuotaExceeded(())

    await charge(office, acting)
    with monkeypatch.context() as patch:
        patch.setattr(calls._quotas, "take", refuse)
        refused = asyncio.create_task(charge(office, acting))
        await asked.wait()
        with pytest.raises(QuotaExceeded, match="limit of calls"):
            await charge(office, acting)
        await calls.flush()
        answer.set()
        with pytest.raises(RateLimited):
            await refused
    await charge(office, acting)
    await calls.flush()
    assert await office.owner.fetchval("SELECT sum(calls) FROM tenant_api_calls") == 2
