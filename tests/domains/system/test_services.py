"""Changing settings: by admins, one after the other, with a history; and what other processes know of it."""

import asyncio
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, cast

import pytest

from app.domains.system.loaders import setting_changes
from app.domains.system.model import AT_FIRST, Maintenance, NewMaintenance, NewValue, RateLimits, SettingKey
from app.domains.system.services import SettingsCache
from app.domains.system.statements import SystemSql
from app.kit.clock import FixedClock
from app.kit.db import Database
from app.kit.errors import Forbidden, InvalidInput, Unavailable
from app.kit.lists import page_request
from app.kit.reads import Reads
from app.kit.sql import Query
from tests.databases import Owner
from tests.domains.system.conftest import Stage
from tests.waiting import until

CHANGES = "SELECT count(*) FROM system_setting_changes"
AUDITED = "SELECT resource_id, user_id, details FROM audit_logs WHERE resource_type = 'system_settings' ORDER BY seq"


async def test_a_new_database_has_the_settings_at_first(stage: Stage) -> None:
    (stored,) = await stage.database.fetch(SystemSql.current_settings)
    assert stored.settings == AT_FIRST
    assert SettingsCache(stage.database).current == AT_FIRST


async def test_a_change_is_stored_with_who_and_when(stage: Stage, clock: FixedClock) -> None:
    clock.advance(timedelta(minutes=5))
    await stage.system.update(stage.admin, ("SOL", "USDT"))
    row = await stage.owner.fetchrow("SELECT * FROM system_settings WHERE key = 'supported_tokens'")
    assert row is not None
    assert (row["updated_by"], row["updated_at"]) == (stage.admin.user_id, clock.now())

    reads = Reads(stage.database, stage.admin.scope)
    (change,) = (await reads.page(setting_changes, None, page_request(setting_changes, 10))).records
    await reads.aclose()
    assert (change.key, change.before, change.after) == (
        SettingKey.SUPPORTED_TOKENS, ("SOL", "USDC", "BONK"), ("SOL", "USDT")
    )  # fmt: skip
    assert (change.changed_by, change.changed_at) == (stage.admin.user_id, clock.now())

    (audited,) = await stage.owner.fetch(AUDITED)
    assert (audited["resource_id"], audited["user_id"]) == ("supported_tokens", stage.admin.user_id)


async def test_the_value_that_it_has_changes_nothing(stage: Stage) -> None:
    for value in (AT_FIRST.supported_tokens, AT_FIRST.max_upload_bytes, AT_FIRST.default_rate_limits):
        await stage.system.update(stage.admin, value)
    await stage.system.update(stage.admin, NewMaintenance(False))
    assert await stage.owner.fetchval(CHANGES) == 0
    assert await stage.owner.fetch(AUDITED) == []


async def test_the_order_of_tokens_is_part_of_the_value(stage: Stage) -> None:
    await stage.system.update(stage.admin, ("BONK", "USDC", "SOL"))
    assert await stage.owner.fetchval(CHANGES) == 1


@pytest.mark.parametrize("given", [NewMaintenance(True), 4096, RateLimits(1, 2, 3), ("A",)])
async def test_a_user_changes_nothing(stage: Stage, given: NewValue) -> None:
    with pytest.raises(Forbidden):
        await stage.system.update(stage.alice, given)
    assert await stage.owner.fetchval(CHANGES) == 0


async def test_what_is_no_value_changes_nothing(stage: Stage) -> None:
    with pytest.raises(InvalidInput):
        await stage.system.update(stage.admin, ("sol",))
    assert await stage.owner.fetchval(CHANGES) == 0


@pytest.mark.usefixtures("warm")
async def test_changes_at_once_come_one_after_the_other(stage: Stage) -> None:
    sizes = range(2000, 2020)
    await asyncio.gather(*(stage.system.update(stage.admin, size) for size in sizes))
    changes = await stage.owner.fetch("SELECT value_before, value_after FROM system_setting_changes")
    links = {row["value_before"]: row["value_after"] for row in changes}
    assert sorted(map(int, links.values())) == list(sizes)
    # Each change began with the result of another, down to the value that holds now.
    value = str(AT_FIRST.max_upload_bytes)
    for _ in sizes:
        value = links.pop(value)
    assert await stage.owner.fetchval("SELECT value FROM system_settings WHERE key = 'max_file_upload_size'") == value


class Ticking(FixedClock):
    """A clock that goes on by a second each time it is read."""

    def now(self) -> datetime:
        self.advance(timedelta(seconds=1))
        return super().now()


@pytest.mark.usefixtures("warm")
async def test_maintenance_enabled_at_once_by_many_has_one_beginning(stage: Stage, clock: FixedClock) -> None:
    system = replace(stage.system, clock=Ticking(clock.now()))
    await asyncio.gather(*(system.update(stage.admin, NewMaintenance(True, f"{n}")) for n in range(10)))
    began = await stage.owner.fetch("SELECT DISTINCT value_after ->> 'started_at' FROM system_setting_changes")
    assert len(began) == 1
    await system.update(stage.admin, NewMaintenance(True, "Almost done"))
    await system.cache.refresh()
    assert system.cache.current.maintenance == Maintenance(True, "Almost done", 60, clock.now() + timedelta(seconds=1))


async def test_the_history_survives_the_admin(stage: Stage) -> None:
    await stage.system.update(stage.admin, 4096)
    before = await stage.owner.fetchrow("SELECT updated_at FROM system_settings WHERE key = 'max_file_upload_size'")
    await stage.owner.execute("DELETE FROM users WHERE id = $1", stage.admin.user_id)
    assert await stage.owner.fetchval("SELECT changed_by FROM system_setting_changes") is None
    after = await stage.owner.fetchrow(
        "SELECT updated_at, updated_by FROM system_settings WHERE key = 'max_file_upload_size'"
    )
    assert before is not None
    assert after is not None
    assert (after["updated_at"], after["updated_by"]) == (before["updated_at"], None)
    assert await stage.owner.fetchval(CHANGES) == 1
    assert len(await stage.owner.fetch(AUDITED)) == 1


async def test_a_change_by_hand_is_in_the_history(stage: Stage, owner: Owner) -> None:
    await owner.execute("UPDATE system_settings SET value = '2048' WHERE key = 'max_file_upload_size'")
    (change,) = await owner.fetch("SELECT * FROM system_setting_changes")
    assert (change["value_before"], change["value_after"], change["changed_by"]) == ("10485760", "2048", None)


async def test_another_process_learns_of_a_change_when_it_reads(stage: Stage) -> None:
    here, elsewhere = SettingsCache(stage.database), SettingsCache(stage.database)
    began: list[str] = []
    here.maintenance.follow(lambda: began.append("here"))
    elsewhere.maintenance.follow(lambda: began.append("elsewhere"))
    await stage.system.update(stage.admin, NewMaintenance(True, "Back soon", 5))
    await stage.system.update(stage.admin, 4096)
    await stage.system.update(stage.admin, RateLimits(1, 2, 3))
    await stage.system.update(stage.admin, ("SOL",))
    assert (here.current, here.maintenance.is_on) == (AT_FIRST, False)

    await here.refresh()
    assert (here.maintenance.is_on, elsewhere.maintenance.is_on) == (True, False)
    await elsewhere.refresh()
    await elsewhere.refresh()
    assert here.current == elsewhere.current
    assert (here.current.max_upload_bytes, here.current.default_rate_limits) == (4096, RateLimits(1, 2, 3))
    assert here.current.supported_tokens == ("SOL",)
    notice = elsewhere.maintenance.notice
    assert notice is not None
    assert (notice.message, notice.retry_after_ms) == ("Back soon", 5000)
    # Who follows is called when it begins, not at each reading.
    assert began == ["here", "elsewhere"]

    await stage.system.update(stage.admin, NewMaintenance(False))
    await elsewhere.refresh()
    assert not elsewhere.maintenance.is_on
    assert here.maintenance.is_on


@dataclass
class Outages:
    """A database that is away while a test wants it so."""

    database: Database
    is_away: bool = False
    failures: int = 0

    async def fetch(self, query: Query[Any]) -> list[Any]:
        if self.is_away:
            self.failures += 1
            # What is not foreseen ends nothing either.
            raise Unavailable if self.failures % 2 else LookupError
        return await self.database.fetch(query)


async def test_without_the_database_the_settings_stay(stage: Stage) -> None:
    await stage.system.update(stage.admin, NewMaintenance(True))
    outages = Outages(stage.database)
    cache = SettingsCache(cast(Any, outages))
    await cache.refresh()
    known, outages.is_away = cache.current, True
    with pytest.raises(Unavailable):
        await cache.refresh()
    assert cache.current == known
    assert cache.maintenance.is_on


async def test_a_process_reads_while_it_runs(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.domains.system.services.REFRESH_EVERY_S", 0)
    outages = Outages(stage.database)
    cache = SettingsCache(cast(Any, outages))
    await stage.system.update(stage.admin, 4096)
    async with cache.kept():
        assert cache.current.max_upload_bytes == 4096
        await stage.system.update(stage.admin, NewMaintenance(True))
        await until(lambda: cache.maintenance.is_on)
        outages.is_away = True
        await stage.system.update(stage.admin, NewMaintenance(False))
        await until(lambda: outages.failures > 2)
        assert cache.maintenance.is_on
        outages.is_away = False
        await until(lambda: not cache.maintenance.is_on)


async def test_a_process_that_cannot_read_at_first_does_not_begin(stage: Stage) -> None:
    cache = SettingsCache(cast(Any, Outages(stage.database, is_away=True)))
    with pytest.raises(Unavailable):
        async with cache.kept():
            raise AssertionError
