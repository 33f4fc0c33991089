"""Archives that were damaged, or from which somebody is taken out."""

import gzip
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest

from app.dev.embedded import Embedded
from app.domains.campaigns.analytics.jobs import REDACT_ARCHIVES, analytics_jobs
from app.domains.campaigns.analytics.model import ArchivedEvent
from app.domains.campaigns.analytics.services import archive_files
from app.domains.campaigns.analytics.services.archive_files import ArchiveDamaged, ArchiveFolder
from app.domains.campaigns.analytics.services.archives import Archives
from tests.domains.campaigns.analytics.archived import MONTH, Killed, faults, filed, happened
from tests.domains.campaigns.analytics.park import Park
from tests.domains.campaigns.consistency.test_counters import command


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


async def test_an_erased_participant_is_taken_out_of_archives(park: Park, archives: Archives) -> None:
    fair = park.fair
    who, other = await fair.participant(), await fair.participant()
    await happened(park, number=5, who=who)
    await happened(park, number=5, who=other)
    await happened(park, datetime.fromisoformat("2025-09-09T12:00Z"), number=5, who=other)
    await archives.archive()
    before = filed(archives)
    untouched = sorted((path.name, path.stat().st_mtime_ns) for path in (archives.folder.root / "2025-09").iterdir())
    [job] = analytics_jobs(archives)
    assert job.name == REDACT_ARCHIVES
    payload = {"tenant_id": str(fair.alice.tenant_id), "livemode": False, "participant_ids": [str(who)]}
    await job.handler(payload)
    assert filed(archives) == before, "those for tests are others"
    for _ in range(2):
        await job.handler({**payload, "livemode": True})
    after = filed(archives)
    assert after.keys() == before.keys()
    for id, event in after.items():
        if before[id].participant_id == other:
            assert event == before[id]
            continue
        assert (event.participant_id, event.properties, event.user_properties) == (None, {}, {})
        assert (event.session_id, event.ip_address, event.user_agent) == (None, None, None)
        assert (event.event_type, event.occurred_at) == (before[id].event_type, before[id].occurred_at)
    assert sum(each.participant_id is None for each in after.values()) == 5
    assert await faults(archives) == {"2025-09": None, "2025-10": None}
    folder = archives.folder.root
    assert sorted((path.name, path.stat().st_mtime_ns) for path in (folder / "2025-09").iterdir()) == untouched
    texts = [gzip.decompress(path.read_bytes()) for path in (folder / "2025-10").glob("*.gz")]
    assert not any(str(who).encode() in text for text in texts)


@pytest.mark.parametrize("point", ["finish", "publish", "clean"])
async def test_killed_while_it_is_rewritten_an_archive_is_the_one_before_or_the_new_one(
    park: Park, archives: Archives, monkeypatch: pytest.MonkeyPatch, point: str
) -> None:
    who = await park.fair.participant()
    await happened(park, who=who)
    await archives.archive()
    before = filed(archives)
    owner: Any = archive_files.FileWriter if point == "finish" else ArchiveFolder

    def killed(*_: Any) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(owner, point, killed)
        with pytest.raises(Killed):
            await archives.redact(park.fair.alice.tenant_id, [who], livemode=True)
    assert await faults(archives) == {"2025-10": None}
    assert filed(archives).keys() == before.keys()
    await archives.redact(park.fair.alice.tenant_id, [who], livemode=True)
    assert all(each.participant_id is None for each in filed(archives).values())


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
