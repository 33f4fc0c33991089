"""Months that are over for more than a year: in files before they are gone, whole, and each event once."""

import asyncio
import gzip
import hashlib
from collections.abc import Callable
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from app.domains.campaigns.analytics.services import archive_files
from app.domains.campaigns.analytics.services.archive_files import ArchiveDamaged, ArchiveFolder
from app.domains.campaigns.analytics.services.archives import Archives
from app.domains.campaigns.analytics.statements import ArchiveSql
from app.kit.db import SYSTEM, Tx
from tests.databases import NOON
from tests.domains.campaigns.analytics.archived import LAST, MONTH, Killed, faults, filed, happened, is_there, rows
from tests.domains.campaigns.analytics.park import Park


async def test_a_month_is_in_files_and_then_gone(park: Park, archives: Archives) -> None:
    who = await park.fair.participant()
    await happened(park, who=who)
    before = await rows(park)
    assert await archives.archive() == "1 of 1 months archived"
    assert not await is_there(park)
    assert await rows(park) == {}
    found = filed(archives)
    assert found.keys() == before.keys()
    for id, row in before.items():
        event = msgspec.structs.asdict(found[id])
        as_stored = {**row, "ip_address": str(row["ip_address"])}
        as_stored |= {name: msgspec.json.decode(row[name]) for name in ("properties", "user_properties")}
        assert event == as_stored
    manifest = archives.folder.manifest(MONTH)
    assert manifest is not None
    assert (manifest.month, manifest.schema_version, manifest.events) == (MONTH, 1, 10)
    assert (manifest.first_at, manifest.last_at) == (LAST - timedelta(days=9), LAST)
    assert [each.events for each in manifest.files] == [4, 4, 2]
    folder = archives.folder.root / "2025-10"
    assert sorted(path.name for path in folder.iterdir()) == sorted(
        ["manifest.json", *(each.name for each in manifest.files)]
    )
    for each in manifest.files:
        content = (folder / each.name).read_bytes()
        assert (len(content), hashlib.sha256(content).hexdigest()) == (each.bytes, each.sha256)
        assert gzip.decompress(content).count(b"\n") == each.events
    assert await faults(archives) == {"2025-10": None}
    archived = await park.owner.fetchrow("SELECT month, events FROM analytics_archives")
    assert archived is not None
    assert tuple(archived) == (MONTH, 10)
    assert await archives.archive() == "0 of 0 months archived"


async def test_a_month_stays_until_it_is_over_for_a_year(park: Park, archives: Archives) -> None:
    await happened(park, datetime.fromisoformat("2025-11-30T12:00Z"))
    await happened(park, datetime.fromisoformat("2025-12-01T00:00Z"), number=1)
    clock = park.fair.office.clock
    clock.advance(datetime.fromisoformat("2026-12-01T00:00Z") - clock.now() - timedelta(microseconds=1))
    assert await archives.archive() == "0 of 0 months archived"
    clock.advance(timedelta(microseconds=1))
    assert await archives.archive() == "1 of 1 months archived"
    assert not await is_there(park, "2025_11")
    assert len(await rows(park)) == 1


async def test_a_month_in_which_nothing_happened_is_archived_as_well(park: Park, archives: Archives) -> None:
    await park.owner.execute("SELECT make_partitions('analytics_events', $1, $1)", LAST)
    assert await archives.archive() == "1 of 1 months archived"
    assert filed(archives) == {}
    assert await faults(archives) == {"2025-10": None}


async def test_what_changes_meanwhile_is_written_again(park: Park, archives: Archives) -> None:
    await happened(park)
    manifest = await archives.write(MONTH)
    assert manifest is not None
    await park.owner.execute("UPDATE analytics_events SET user_agent = 'other' WHERE event_name = 'Été 3'")
    assert await archives.drop(manifest) is False
    assert len(await rows(park)) == 10
    assert await archives.archive() == "1 of 1 months archived"
    assert [each.user_agent for each in filed(archives).values()].count("other") == 1
    await happened(park, datetime.fromisoformat("2025-09-09T12:00Z"), number=5)
    manifest = await archives.write(date(2025, 9, 1))
    assert manifest is not None
    await happened(park, datetime.fromisoformat("2025-09-30T12:00Z"), number=1)
    assert await archives.drop(manifest) is False
    assert len(await rows(park)) == 6


async def test_nobody_drops_a_month_before_its_time_or_that_is_not_written(
    park: Park, archives: Archives, honest_database: None
) -> None:
    await park.track()
    await happened(park)
    database = park.fair.office.database
    [found] = await database.read(
        SYSTEM, lambda tx: tx.fetch(ArchiveSql.fingerprint_of_month, NOON - timedelta(days=30), NOON + timedelta(9))
    )
    # Not by a clock that is ahead either.
    for month, given in [(date(2026, 11, 1), found), (MONTH, msgspec.structs.replace(found, events=0))]:
        late = NOON.replace(year=2028)
        asked = month, given.events, given.value, late

        async def drop(tx: Tx, asked: tuple[Any, ...] = asked) -> bool | None:
            return await tx.fetch_one(ArchiveSql.drop_month, *asked)

        assert await database.write(SYSTEM, drop) is False
    assert await is_there(park)
    assert len(await park.events()) == 11


POINTS: list[tuple[str, str]] = [
    ("begin", "before a file"),
    ("write", "in a file"),
    ("finish", "before a file has its name"),
    ("publish", "before the manifest"),
    ("clean", "after the manifest"),
    ("drop", "before the month is dropped"),
]


@pytest.mark.parametrize("point", [each[0] for each in POINTS], ids=[each[1].replace(" ", "-") for each in POINTS])
@pytest.mark.parametrize("time", [1, 2])
async def test_killed_at_any_point_nothing_is_lost_or_written_twice(
    park: Park, archives: Archives, monkeypatch: pytest.MonkeyPatch, point: str, time: int
) -> None:
    await happened(park)
    before = await rows(park)
    calls = 0

    def killing(real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **given: Any) -> Any:
            nonlocal calls
            calls += 1
            if calls == time:
                raise Killed
            return real(*args, **given)

        return call

    owner: Any = Archives if point == "drop" else ArchiveFolder
    if point in {"write", "finish"}:
        owner = archive_files.FileWriter
    with monkeypatch.context() as patch:
        patch.setattr(owner, point, killing(getattr(owner, point)))
        # What is done once is done again by a second run.
        for _ in range(2):
            try:
                await archives.archive()
            except Killed:
                break
        was_killed = calls >= time
    if was_killed and await is_there(park):
        assert (await rows(park)).keys() == before.keys()
    await archives.archive()
    assert not await is_there(park)
    assert filed(archives).keys() == before.keys()
    assert await faults(archives) == {"2025-10": None}
    manifest = archives.folder.manifest(MONTH)
    assert manifest is not None
    names = {path.name for path in (archives.folder.root / "2025-10").iterdir()}
    assert names == {"manifest.json", *(each.name for each in manifest.files)}


async def test_what_is_whole_is_not_written_again(
    park: Park, archives: Archives, monkeypatch: pytest.MonkeyPatch
) -> None:
    await happened(park)
    assert await archives.write(MONTH) is not None

    def refuse(*_: Any) -> None:
        raise AssertionError("written twice")

    monkeypatch.setattr(ArchiveFolder, "begin", refuse)
    assert await archives.archive() == "1 of 1 months archived"


async def test_a_file_that_was_not_written_as_it_was_meant_keeps_the_month(
    park: Park, archives: Archives, monkeypatch: pytest.MonkeyPatch
) -> None:
    await happened(park)
    real = archive_files._read

    def broken(path: Path) -> tuple[str, str, int]:
        path.write_bytes(path.read_bytes()[:-9])
        return real(path)

    with monkeypatch.context() as patch:
        patch.setattr(archive_files, "_read", broken)
        with pytest.raises(ArchiveDamaged):
            await archives.archive()
    assert len(await rows(park)) == 10
    assert await archives.archive() == "1 of 1 months archived"


async def test_many_at_once_write_it_once(park: Park, archives: Archives, warm: None) -> None:
    await happened(park)
    before = await rows(park)
    await asyncio.gather(*(archives.archive() for _ in range(12)))
    await archives.archive()
    assert filed(archives).keys() == before.keys()
    assert not await is_there(park)
