"""Months that are over for more than a year: in files before they are gone, whole, and each event once."""

import asyncio
import gzip
import hashlib
from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec
import pytest

from app.dev.embedded import Embedded
from app.domains.campaigns.analytics.model import ArchivedEvent
from app.domains.campaigns.analytics.services import archive_files
from app.domains.campaigns.analytics.services.archive_files import ArchiveDamaged, ArchiveFolder
from app.domains.campaigns.analytics.services.archives import Archives
from app.domains.campaigns.analytics.statements import ArchiveSql
from app.kit.db import SYSTEM, Tx
from tests.databases import NOON
from tests.domains.campaigns.analytics.park import Park
from tests.domains.campaigns.consistency.test_counters import command

MONTH = date(2025, 10, 1)
LAST = datetime.fromisoformat("2025-10-31T23:59:59.999999Z")


class Killed(BaseException):
    """The process ends here."""


async def happened(park: Park, at: datetime = LAST, number: int = 10, who: UUID | None = None) -> None:
    """Events of long ago."""
    await park.owner.execute("SELECT make_partitions('analytics_events', $1, $1)", at)
    await park.owner.execute(
        "INSERT INTO analytics_events (tenant_id, livemode, project_id, participant_id, source, event_type, event_name,"
        " properties, user_properties, session_id, ip_address, user_agent, occurred_at)"
        " SELECT tenant_id, livemode, id, $4, 'tenant', 'x', 'Été ' || n,"
        " '{\"a\": [1, null, 1e308]}', '{\"b\": 1}', 's', '192.0.2.7', 'agent', $2::timestamptz - n * interval '1 day'"
        " FROM projects, generate_series(0, $3 - 1) n WHERE id = $1",
        park.project,
        at,
        number,
        who,
    )


async def rows(park: Park) -> dict[UUID, dict[str, Any]]:
    """The events in the table."""
    found = await park.owner.fetch("SELECT * FROM analytics_events WHERE occurred_at < '2026-01-01'")
    return {row["id"]: dict(row) for row in found}


async def is_there(park: Park, month: str = "2025_10") -> bool:
    """Whether a month is in the table."""
    return await park.owner.fetchval("SELECT to_regclass($1)", f"analytics_events_{month}") is not None


def filed(archives: Archives, month: date = MONTH) -> dict[UUID, ArchivedEvent]:
    """The events in the files, none of them twice."""
    events = list(archives.folder.events(month))
    found = {each.id: each for each in events}
    assert len(found) == len(events)
    return found


async def faults(archives: Archives) -> dict[str, str | None]:
    return {verdict.month: verdict.fault async for _, _, verdict in archives.check()}


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


def _damages(folder: Path) -> Iterator[tuple[str, Callable[[], object]]]:
    first = sorted(folder.glob("*.gz"))[0]
    content = first.read_bytes()
    manifest = folder / "manifest.json"
    text = manifest.read_bytes()
    yield "is not what", lambda: first.write_bytes(content[:4] + b"\1" + content[5:])
    yield "cannot be read", lambda: first.write_bytes(content[: len(content) // 2])
    yield "is not what", lambda: first.write_bytes(gzip.compress(gzip.decompress(content)[:-1]))
    yield "No such file", lambda: first.rename(folder / "other")
    yield "manifest names", lambda: manifest.write_bytes(text.replace(b'"events": 10', b'"events": 11'))
    yield "cannot be read", lambda: manifest.write_bytes(text[:-9])
    yield "no manifest", manifest.unlink


@pytest.mark.parametrize("number", range(7))
async def test_a_damaged_archive_is_found(park: Park, archives: Archives, number: int) -> None:
    await happened(park)
    await happened(park, datetime.fromisoformat("2025-09-09T12:00Z"), number=1)
    await archives.archive()
    message, damage = list(_damages(archives.folder.root / "2025-10"))[number]
    damage()
    found = await faults(archives)
    assert found["2025-09"] is None
    assert (found["2025-10"] or "").find(message) >= 0, found
    if message != "manifest names":
        with pytest.raises((ArchiveDamaged, FileNotFoundError)):
            list(archives.folder.lines(MONTH))


async def test_the_command_reads_archives_and_prints_one(
    park: Park, database_url: str, servers: Embedded, tmp_path: Path
) -> None:
    office = park.fair.office
    archives = Archives(office.database, office.clock, ArchiveFolder(tmp_path / "archives"))
    await happened(park, number=3)
    await archives.archive()
    given = (database_url, servers.redis_url, tmp_path, "archives")
    code, said = await command(*given)
    assert (code, "1 archives, 3 events: all right" in said) == (0, True), said
    code, said = await command(*given, "--print", "2025-10")
    assert code == 0
    assert {msgspec.json.decode(line, type=ArchivedEvent).id for line in said.splitlines()} == filed(archives).keys()
    for month, message in (("2025-11", "There is no archive of 2025-11"), ("x", "x is no month")):
        code, said = await command(*given, "--print", month)
        assert (code, message in said) == (1, True), said
    (tmp_path / "archives" / "2025-10" / "manifest.json").unlink()
    code, said = await command(*given)
    assert (code, "2025-10: there is no manifest" in said) == (1, True), said
