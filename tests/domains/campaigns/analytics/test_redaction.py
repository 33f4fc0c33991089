"""Participants are taken out of archives, and what happened stays."""

import gzip
from datetime import datetime
from typing import Any

import pytest

from app.domains.campaigns.analytics.jobs import analytics_jobs
from app.domains.campaigns.analytics.model import REDACT_ARCHIVES
from app.domains.campaigns.analytics.services import archive_files
from app.domains.campaigns.analytics.services.archive_files import ArchiveFolder
from app.domains.campaigns.analytics.services.archives import Archives
from tests.domains.campaigns.analytics.park import Park
from tests.domains.campaigns.analytics.test_archives import Killed, faults, filed, happened


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
