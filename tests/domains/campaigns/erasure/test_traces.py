"""What was noted of an erased participant, and what they did: events, archives, reviews, proofs, the audit log."""

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import msgspec
import pytest
import pytest_asyncio

from app.domains.accounts.services import AccountsServices
from app.domains.campaigns.analytics.jobs import analytics_jobs
from app.domains.campaigns.analytics.model import REDACT_ARCHIVES
from app.domains.campaigns.analytics.services.archive_files import ArchiveFolder
from app.domains.campaigns.analytics.services.archives import Archives
from app.domains.campaigns.participants.model import Attribute
from app.domains.campaigns.participations.model import Adjustment, PointReason, Verification, VerificationStatus
from app.domains.campaigns.tasks.model import ProofKind, TextProof
from app.domains.tenancy.tenants.model.tenants import MemberRole
from app.kit.errors import Forbidden
from app.kit.house import Services
from tests.domains.campaigns.analytics.park import Park
from tests.domains.campaigns.analytics.test_archives import faults, filed, happened
from tests.domains.campaigns.contest import Contest
from tests.domains.campaigns.erasure.test_erasure import found, zoe
from tests.domains.campaigns.fair import Fair, in_test_mode

REDACTED: Final = "[redacted]"
NOTED: Final = ("participation_reviews", "task_completions")
PRIVATE: Final = ("verification_data", "verification_note", "ban_reason", "proof", "review_note")


async def take_part(contest: Contest, who: UUID, task: UUID) -> tuple[UUID, UUID]:
    """A participation with everything that a tenant can note of one, and a completion that was reviewed."""
    fair, services, alice = contest.fair, contest.fair.services, contest.fair.alice
    id = await contest.join(who)
    completion = await contest.complete(id, task, TextProof("I am zoe@secret.example"))
    await services.completions.review(alice, completion, "Zweig has shown it", fair.office.key, accepted=True)
    for status in (VerificationStatus.REJECTED, VerificationStatus.VERIFIED):
        seen = Verification(status, (Attribute("passport", "Zo\u00eb Zweig"),), "Met Zweig")
        await services.participations.verify(alice, id, seen, fair.office.key)
    given = Adjustment(7, PointReason.BONUS, "For zoe_user")
    await services.points.adjust(alice, id, given, fair.office.key)
    await services.participations.ban(alice, id, "zoe_user is Zweig", fair.office.key)
    tracked: dict[str, Any] = {
        "participant_id": who,
        "properties": {"mail": "zoe@secret.example"},
        "ip_address": "192.0.2.9",
    }
    more: dict[str, Any] = {
        "user_properties": {"name": "zoe_user"},
        "session_id": "zoe_user-1",
        "user_agent": "zoe_user's browser",
    }
    await Park(fair, contest.project).track(**tracked, **more)
    return id, completion


async def rows(fair: Fair, table: str, where: str, *values: Any) -> list[dict[str, Any]]:
    found = await fair.office.owner.fetch(f"SELECT * FROM {table} WHERE {where}", *values)
    return [{name: value for name, value in row.items() if name != "updated_at"} for row in found]


async def noted(fair: Fair) -> dict[int, dict[str, Any]]:
    """What the audit log says of reviews and completions."""
    found = await rows(fair, "audit_logs", "resource_type = ANY ($1) ORDER BY seq", list(NOTED))
    return {each["seq"]: each | {"details": msgspec.json.decode(each["details"])} for each in found}


async def jobs(fair: Fair) -> list[dict[str, Any]]:
    """What archives are to be rewritten of."""
    queued = await fair.office.owner.fetch(
        "SELECT payload FROM pgqueuer WHERE entrypoint = $1 ORDER BY id", REDACT_ARCHIVES
    )
    return [msgspec.json.decode(row["payload"]) for row in queued]


def redacted(side: dict[str, Any]) -> dict[str, Any]:
    return side | {name: REDACTED for name in PRIVATE if side.get(name) not in (None, {})}


@dataclass
class Two:
    """Who is to be erased, somebody else of whom the same was noted, and what there is before."""

    contest: Contest
    zoe: UUID
    participation: UUID
    completion: UUID
    other: UUID
    others: UUID
    """The participation of the other."""


@pytest_asyncio.fixture
async def two(fair: Fair) -> Two:
    contest = await Contest.begin(fair)
    task = await contest.task(ProofKind.MANUAL)
    id, other = await zoe(fair), await fair.participant()
    participation, completion = await take_part(contest, id, task)
    others, _ = await take_part(contest, other, task)
    return Two(contest, id, participation, completion, other, others)


@pytest.mark.parametrize(
    ("table", "key", "emptied"),
    [
        (
            "participation_reviews",
            "participation_id",
            {"verification_data": "{}", "verification_note": None, "ban_reason": None},
        ),
        ("task_completions", "participation_id", {"proof": None, "review_note": None}),
        ("point_entries", "participation_id", {"note": REDACTED}),
        ("participations", "id", {}),
    ],
)
async def test_notes_are_gone_and_what_counts_stays(
    fair: Fair, two: Two, table: str, key: str, emptied: dict[str, Any]
) -> None:
    async def read(participation: UUID) -> list[dict[str, Any]]:
        return await rows(fair, table, f"{key} = $1 ORDER BY 1", participation)

    before, others = await read(two.participation), await read(two.others)
    assert len(before) == (2 if table == "point_entries" else 1)
    await fair.services.erasure.erase(fair.alice, two.zoe)
    # Points of a task have no note.
    assert await read(two.participation) == [
        each | (emptied if each.get("reason") != "task" else {}) for each in before
    ]
    assert await read(two.others) == others
    await two.contest.assert_sound()


async def test_events_name_nobody_and_are_there(fair: Fair, two: Two) -> None:
    before = {each["id"]: each for each in await rows(fair, "analytics_events", "true")}
    theirs = [each for each in before.values() if each["participant_id"] == two.zoe]
    assert {each["source"] for each in theirs} == {"tenant", "moneta"}
    await fair.services.erasure.erase(fair.alice, two.zoe)
    after = {each["id"]: each for each in await rows(fair, "analytics_events", "true")}
    assert after.keys() == before.keys()
    nobody: dict[str, Any] = {
        "participant_id": None, "user_properties": "{}", "session_id": None, "ip_address": None, "user_agent": None,
    }  # fmt: skip
    for id, was in before.items():
        tracked = {"properties": "{}"} if was["source"] == "tenant" else {}
        assert after[id] == was | (nobody | tracked if was in theirs else {})


async def test_the_audit_log_says_what_was_done_and_not_what_was_noted(
    fair: Fair, two: Two, services: Services
) -> None:
    before = await noted(fair)
    await fair.services.erasure.erase(fair.alice, two.zoe)
    after, theirs = await noted(fair), (str(two.participation), str(two.completion))
    for seq, entry in before.items():
        mine = entry["resource_id"] in theirs
        details = {part: redacted(side) if mine else side for part, side in entry["details"].items()}
        assert after[seq] == entry | {"details": details}
    assert {each["resource_type"] for each in before.values() if each["resource_id"] in theirs} == set(NOTED)
    added = [after[seq] for seq in after.keys() - before.keys()]
    assert sorted(each["resource_id"] for each in added) == sorted(theirs)
    for entry in added:
        assert set(entry["details"]["old"].values()) == {REDACTED}
        assert all(value in (None, {}, REDACTED) for value in entry["details"]["new"].values())
    assert (await services[AccountsServices].audit.verify()).ok


async def test_of_two_who_are_erased_nothing_is_left_anywhere(fair: Fair, two: Two, services: Services) -> None:
    assert {table for table, _ in await found(fair)} >= {*NOTED, "point_entries", "participants"}
    for each in (two.zoe, two.other):
        await fair.services.erasure.erase(fair.alice, each)
    assert await found(fair) == set()
    assert (await services[AccountsServices].audit.verify()).ok
    await two.contest.assert_sound()


async def test_an_entry_about_a_review_cannot_be_changed_after_it_was_redacted(
    fair: Fair, two: Two, services: Services
) -> None:
    await fair.services.erasure.erase(fair.alice, two.zoe)
    assert (await services[AccountsServices].audit.verify()).ok
    edit = "UPDATE audit_logs SET details = jsonb_set(details, '{new,reviewed_by}', 'null') WHERE resource_id = $1"
    await fair.office.owner.execute(edit + " AND resource_type = 'participation_reviews'", str(two.participation))
    assert not (await services[AccountsServices].audit.verify()).ok


async def test_archives_are_rewritten_by_a_job_once(fair: Fair, tmp_path: Path) -> None:
    office = fair.office
    park = Park(fair, await fair.project())
    archives = Archives(office.database, office.clock, ArchiveFolder(tmp_path / "archives", file_events=4), batch=3)
    id, other = await zoe(fair), await fair.participant()
    await happened(park, number=5, who=id)
    await happened(park, number=5, who=other)
    await archives.archive()
    before = filed(archives)
    bob = await office.join(office.bob, MemberRole.VIEWER)
    with pytest.raises(Forbidden):
        await fair.services.erasure.erase(bob, id)
    assert await jobs(fair) == []
    for _ in range(2):
        await fair.services.erasure.erase(fair.alice, id)
    [job] = await jobs(fair)
    assert job == {"tenant_id": str(fair.alice.tenant_id), "livemode": True, "participant_ids": [str(id)]}
    [rewriting] = analytics_jobs(archives)
    assert filed(archives) == before
    await rewriting.handler(job)
    after = filed(archives)
    assert after.keys() == before.keys()
    assert {key for key, each in after.items() if each != before[key]} == {
        key for key, each in before.items() if each.participant_id == id
    }
    assert sorted(str(each.participant_id) for each in after.values()) == sorted(["None"] * 5 + [str(other)] * 5)
    assert await faults(archives) == {"2025-10": None}


async def test_what_happens_in_the_other_mode_stays(fair: Fair) -> None:
    id, tests = await zoe(fair), in_test_mode(fair.alice)
    park = Park(fair, await fair.project(tests))
    who = await fair.participant(tests, username="zoe_user")
    await park.track(by=tests, participant_id=who, user_properties={"name": "zoe_user"})
    fair.office.clock.advance(timedelta(seconds=1))
    before = await rows(fair, "analytics_events", "NOT livemode")
    await fair.services.erasure.erase(fair.alice, id)
    assert await rows(fair, "analytics_events", "NOT livemode") == before
    assert (await fair.row("participants", who))["username"] == "zoe_user"
