"""Leaderboards: ranks, ties, and that they stay right whatever happens at once."""

import asyncio
from collections.abc import Sequence
from typing import Any
from uuid import UUID

import pytest
from redis.asyncio import Redis

from app.domains.campaigns.consistency.counters import LEADERBOARDS
from app.domains.campaigns.leaderboards import loaders
from app.domains.campaigns.leaderboards.model import leaderboard_topic
from app.domains.campaigns.participants.model import Attribute, ParticipantChanges
from app.domains.campaigns.participations.model import ParticipantBanned
from app.domains.tenancy.tenants.model.tenants import MemberRole
from app.kit.data_checks import DataDoctor, Finding, Repair
from app.kit.db import PUBLIC, SYSTEM, Scope
from app.kit.reads import Reads
from tests.databases import Owner
from tests.domains.campaigns.contest import Contest
from tests.domains.campaigns.fair import Fair, in_test_mode
from tests.domains.campaigns.leaderboards.board import assert_right, expected, rank, shown


async def check(fair: Fair, contest: Contest, scope: Scope | None = None) -> None:
    await assert_right(fair.office.database, fair.office.owner, scope or fair.alice.scope, contest.project)


async def places(fair: Fair, ids: Sequence[UUID]) -> list[int | None]:
    return [await rank(fair.office.database, fair.alice.scope, id) for id in ids]


async def test_ties_share_a_rank_and_the_next_one_is_as_many_lower(fair: Fair) -> None:
    contest = await Contest.begin(fair)
    ids = [await contest.join() for _ in range(6)]
    assert await places(fair, ids) == [1] * 6
    for id, points in zip(ids, (50, 100, 50, 7, 10**9, 0), strict=True):
        if points:
            await contest.adjust(id, points)
    assert await places(fair, ids) == [3, 2, 3, 5, 1, 6]
    await check(fair, contest)
    # Others see the same, of a public project.
    await check_public(fair, contest)


async def check_public(fair: Fair, contest: Contest) -> None:
    database, owner = fair.office.database, fair.office.owner
    assert await shown(database, PUBLIC, contest.project) == await expected(owner, contest.project)


async def test_who_has_left_or_is_banned_is_not_on_it(fair: Fair) -> None:
    contest, services, key = await Contest.begin(fair), fair.services, fair.office
    people = [await fair.participant() for _ in range(4)]
    ids = [await contest.join(each) for each in people]
    for number, id in enumerate(ids):
        await contest.adjust(id, 100 - number)
    await services.participations.leave(fair.alice, ids[0], key.key)
    await services.participations.ban(fair.alice, ids[2], "Bot", key.key)
    assert await places(fair, ids) == [None, 1, None, 2]
    await check(fair, contest)
    # Points that are counted again while they do not take part.
    await contest.adjust(ids[2], -50)
    await check(fair, contest)
    await services.joining.unban(fair.alice, ids[2], key.key)
    assert await contest.join(people[0]) == ids[0]
    assert await places(fair, ids) == [1, 2, 4, 3]
    await check(fair, contest)
    await services.participations.ban(fair.alice, ids[1], "Bot", key.key)
    with pytest.raises(ParticipantBanned):
        await services.participations.ban(fair.alice, ids[1], "Bot", key.key)
    await contest.adjust(ids[0], -100)
    assert await places(fair, ids) == [3, None, 2, 1]
    await check(fair, contest)


async def test_of_a_hundred_awards_at_once_each_is_counted(fair: Fair) -> None:
    contest, other = await Contest.begin(fair), await Contest.begin(fair)
    ids = [await contest.join() for _ in range(20)]
    there = await other.join()
    await asyncio.gather(
        *(contest.adjust(ids[number % 20], 1 + number * 37 % 90) for number in range(100)),
        *(other.adjust(there, 5) for _ in range(10)),
    )
    await check(fair, contest)
    await check(fair, other)
    await contest.assert_sound()


async def test_whatever_happens_at_once_it_is_right_afterwards(fair: Fair) -> None:
    contest, services = await Contest.begin(fair), fair.services
    people = [await fair.participant() for _ in range(10)]
    ids = [await contest.join(each) for each in people]

    async def turn(number: int) -> Any:
        at, key = number % 10, fair.office.key
        match number % 6:
            case 0:
                return await services.participations.leave(fair.alice, ids[at], key)
            case 1:
                return await contest.join(people[at])
            case 2:
                return await services.participations.ban(fair.alice, ids[at], "Bot", key)
            case 3:
                return await services.joining.unban(fair.alice, ids[at], key)
        return await contest.adjust(ids[at], 31 + number % 7)

    await asyncio.gather(*(turn(number) for number in range(96)), return_exceptions=True)
    await check(fair, contest)
    await contest.assert_sound()


async def test_levels_are_on_it(fair: Fair) -> None:
    contest = await Contest.begin(fair)
    ids = [await contest.join() for _ in range(3)]
    for number, id in enumerate(ids):
        await contest.adjust(id, 100 * number + 50)
    await fair.services.points.set_levels(fair.alice, contest.project, [10, 20, 30])
    await fair.services.points.level({"project_id": str(contest.project)})
    await check(fair, contest)
    board = await shown(fair.office.database, PUBLIC, contest.project)
    assert [(rank, level) for rank, _, _, level in board] == [(1, 4), (2, 4), (3, 4)]


async def test_it_goes_with_its_project_and_its_participants(fair: Fair, owner: Owner) -> None:
    contest, other = await Contest.begin(fair), await Contest.begin(fair)
    person = await fair.participant()
    id, others = await contest.join(person), await other.join(person)
    stays = await contest.join()
    for each, at in ((contest, id), (other, others), (contest, stays)):
        await each.adjust(at, 1_000)
    await owner.execute("DELETE FROM projects WHERE id = $1", other.project)
    await check(fair, other)
    await owner.execute("DELETE FROM participants WHERE id = $1", person)
    await check(fair, contest)
    assert await places(fair, [stays]) == [1]
    await owner.execute("DELETE FROM tenants")
    for table in ("leaderboard_entries", "leaderboard_counts", "leaderboard_changes"):
        assert await owner.fetchval(f"SELECT count(*) FROM {table}") == 0, table


BREAKS = (
    "TRUNCATE leaderboard_entries, leaderboard_counts",
    "TRUNCATE leaderboard_counts",
    "UPDATE leaderboard_counts SET participants = participants + 1",
    "UPDATE leaderboard_entries SET points = points + 1, level = 2",
    "DELETE FROM leaderboard_entries WHERE points > 60",
    "INSERT INTO leaderboard_entries SELECT tenant_id, livemode, id, project_id, 9, 1 FROM participations"
    " WHERE status = 'left'",
)


@pytest.mark.parametrize("sql", BREAKS)
async def test_what_was_lost_or_broken_is_found_and_made_anew(fair: Fair, owner: Owner, sql: str) -> None:
    contest, sound = await Contest.begin(fair), await Contest.begin(fair)
    ids = [await contest.join() for _ in range(5)]
    for number, id in enumerate(ids):
        await contest.adjust(id, 40 + 20 * (number % 3))
    await fair.services.participations.leave(fair.alice, ids[4], fair.office.key)
    doctor = DataDoctor(fair.office.database, [LEADERBOARDS])
    assert (await doctor.check()).findings == ()
    await owner.execute(sql)
    report = await doctor.check()
    [finding] = report.findings
    assert (finding.check, finding.found) == (LEADERBOARDS.name, 1)
    assert finding.examples[0].startswith(str(contest.project))
    # Points are given meanwhile, whatever is lost.
    await contest.adjust(ids[0], 1)
    await asyncio.gather(*(contest.adjust(ids[number % 5], 1) for number in range(20)), doctor.repair(report))
    assert (await doctor.repair(report)).findings == ()
    assert (await doctor.check()).findings == ()
    await check(fair, contest)
    await check(fair, sound)
    await contest.assert_sound()


async def test_a_repair_says_how_much_was_wrong(fair: Fair, owner: Owner) -> None:
    contest = await Contest.begin(fair)
    await contest.adjust(await contest.join(), 7)
    await owner.execute("DELETE FROM leaderboard_entries")
    doctor = DataDoctor(fair.office.database, [LEADERBOARDS])
    report = await doctor.check()
    example = f"{contest.project}: 1 wrong, counted as participations are"
    assert report.findings == (Finding(LEADERBOARDS.name, 1, (example,)),)
    example = f"{contest.project}: 1 wrong, now as participations are"
    assert (await doctor.repair(report)).repairs == (Repair(LEADERBOARDS.name, 1, (example,)),)


async def test_who_sees_the_project_sees_who_is_how_far_and_nothing_else(fair: Fair) -> None:
    contest = await Contest.begin(fair)
    hidden = await Contest.begin(fair, is_public=False)
    trial = await Contest.begin(fair, in_test_mode(fair.alice))
    for each in (contest, hidden, trial):
        await each.adjust(await each.join(by=each.alice), 5, each.alice)
    bob = await fair.office.join(fair.office.bob, MemberRole.VIEWER)
    await fair.office.found("other", by=fair.office.bob)
    elsewhere = await fair.office.acting(fair.office.bob, "other")
    for scope, seen in (
        (fair.alice.scope, {contest.project, hidden.project}),
        (bob.scope, {contest.project, hidden.project}),
        (in_test_mode(fair.alice).scope, {contest.project, trial.project}),
        (elsewhere.scope, {contest.project}),
        (fair.office.bob.scope, {contest.project}),
        (PUBLIC, {contest.project}),
    ):
        for each in (contest, hidden, trial):
            board = await shown(fair.office.database, scope, each.project)
            assert len(board) == (each.project in seen)
        assert await fair.rows(scope, "SELECT FROM leaderboard_counts") == 0
        assert await fair.rows(scope, "SELECT FROM leaderboard_changes") == 0
        for sql in (
            "UPDATE leaderboard_entries SET points = 1",
            "DELETE FROM leaderboard_entries",
            "UPDATE leaderboard_counts SET participants = 1",
        ):
            assert await fair.rows(scope, sql) == 0
    own = await fair.office.owner.fetchval("SELECT id FROM participations WHERE project_id = $1", contest.project)
    for scope in (PUBLIC, elsewhere.scope, fair.office.bob.scope):
        assert await rank(fair.office.database, scope, own) is None
    assert await rank(fair.office.database, bob.scope, own) == 1
    await fair.services.projects.archive(fair.alice, contest.project)
    assert await shown(fair.office.database, PUBLIC, contest.project) == []


async def test_one_of_tests_or_of_a_hidden_project_is_not_for_everybody(fair: Fair) -> None:
    test = in_test_mode(fair.alice)
    contest, trial = await Contest.begin(fair), await Contest.begin(fair, test)
    hidden = await Contest.begin(fair, is_public=False)
    for each, scope, is_public in (
        (contest, fair.alice.scope, True),
        (hidden, fair.alice.scope, False),
        (trial, test.scope, False),
    ):
        reads = Reads(fair.office.database, scope)
        found = await reads.one(loaders.leaderboard_by_key, each.key)
        await reads.aclose()
        assert found is not None
        assert (found.project_id, found.is_public) == (each.project, is_public)


async def test_a_user_sees_their_own_rank_also_where_the_project_is_hidden(fair: Fair) -> None:
    contest = await Contest.begin(fair)
    own = await contest.join(by=fair.office.bob)
    await contest.adjust(await contest.join(), 5)
    await fair.office.owner.execute("UPDATE projects SET is_public = false")
    database, bob = fair.office.database, fair.office.bob.scope
    assert await rank(database, bob, own) == 2
    assert await shown(database, bob, contest.project) == []


async def test_a_name_is_shown_only_of_who_has_agreed_to_it(fair: Fair) -> None:
    contest = await Contest.begin(fair)
    shy = await fair.participant(username="shy", first_name="Shy")
    named = await fair.participant(username="x", attributes=(Attribute("public_name", "Ann"),))
    await contest.adjust(await contest.join(shy), 2)
    await contest.adjust(await contest.join(named), 1)

    async def names() -> list[str | None]:
        sql = "SELECT leaderboard_name(participation_id) FROM leaderboard_entries ORDER BY points DESC"
        return [row[0] for row in await fair.office.owner.fetch(sql)]

    assert await names() == [None, "Ann"]
    changes = ParticipantChanges(attributes=())
    await fair.services.participants.update(fair.alice, named, changes)
    assert await names() == [None, None]


async def test_a_change_is_announced_once_when_it_is_committed(fair: Fair, redis: Redis) -> None:
    contest, other, boards = await Contest.begin(fair), await Contest.begin(fair), fair.services.leaderboards
    topic, volatile = leaderboard_topic(contest.project), boards.volatile
    assert await boards.announce() == 0
    ids = [await contest.join() for _ in range(3)]
    assert await boards.announce() == 1
    first = await volatile.latest(topic)
    assert await boards.announce() == 0
    await asyncio.gather(*(contest.adjust(ids[number % 3], 5) for number in range(20)), boards.announce())
    assert await boards.announce() <= 1
    assert await boards.announce() == 0
    assert await volatile.latest(topic) != first
    assert await volatile.latest(leaderboard_topic(other.project)) == {}
    # Verification moves nobody.
    await fair.services.participations.leave(fair.alice, ids[0], fair.office.key)
    assert await boards.announce() == 1
    await boards.announce_first(other.project)
    known = await volatile.latest(leaderboard_topic(other.project))
    assert known
    await boards.announce_first(other.project)
    assert await volatile.latest(leaderboard_topic(other.project)) == known


async def test_what_redis_does_not_take_is_announced_later(fair: Fair, monkeypatch: pytest.MonkeyPatch) -> None:
    contest, boards = await Contest.begin(fair), fair.services.leaderboards
    await contest.join()

    async def refuse(*_: Any) -> bool:
        return False

    with monkeypatch.context() as patched:
        patched.setattr(type(boards.volatile), "publish", refuse)
        assert await boards.announce() == 0
        await boards.announce_first(contest.project)
    assert await boards.announce() == 1
    assert await fair.rows(SYSTEM, "SELECT FROM leaderboard_changes") == 0
