"""What is decided about a participation while something else of it is under way: whichever is first, it holds for the
other.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import pytest

from app.domains.campaigns.participants.model import AlreadyLinked, ParticipantErased
from app.domains.campaigns.participations.model import (
    AlreadyJoined,
    NotBanned,
    NotTakingPart,
    ParticipantBanned,
    ParticipantInactive,
    ParticipationChange,
    ProjectFull,
    ProjectNotOpen,
    Verification,
    VerificationStatus,
    participation_stream,
)
from app.domains.campaigns.tasks.model import CompletionStatus, ProofKind, TaskNotOpen, TextProof
from app.kit.errors import Problem
from tests.domains.campaigns.contest import Contest
from tests.domains.campaigns.fair import Fair
from tests.factories import register
from tests.waiting import until

PERSONAL = """
    SELECT count(*) FROM participations p JOIN participants who ON who.id = p.participant_id
    LEFT JOIN participation_reviews r ON r.participation_id = p.id
    LEFT JOIN task_completions t ON t.participation_id = p.id
    WHERE who.erased_at IS NOT NULL AND (r.ban_reason IS NOT NULL OR r.verification_note IS NOT NULL
        OR t.proof IS NOT NULL OR t.review_note IS NOT NULL)
"""


async def gathered(calls: Sequence[Awaitable[Any]]) -> list[Any]:
    done = await asyncio.gather(*calls, return_exceptions=True)
    assert [each for each in done if isinstance(each, Exception) and not isinstance(each, Problem)] == []
    return done


def sorts(done: Sequence[Any]) -> dict[type, int]:
    """How many of each type."""
    kinds = [UUID if isinstance(each, UUID) else type(each) for each in done]
    return {kind: kinds.count(kind) for kind in {*kinds}}


@asynccontextmanager
async def meanwhile(fair: Fair, sql: str, *given: Any) -> AsyncIterator[Callable[[Awaitable[Any]], Awaitable[None]]]:
    """A statement whose transaction is open until the end of the block, which all that is started in it waits for."""
    owner, waiting = fair.office.owner, []

    async def start(work: Awaitable[Any]) -> None:
        waiting.append(asyncio.ensure_future(work))
        await until(is_blocked)

    async def is_blocked() -> bool:
        waits = await owner.fetchval("SELECT count(*) FROM pg_locks WHERE NOT granted")
        return bool(waits >= len(waiting) or any(each.done() for each in waiting))

    async with owner.transaction():
        await owner.execute(sql, *given)
        yield start
        assert [each for each in waiting if each.done()] == []
    await asyncio.gather(*waiting)


async def refused(work: Awaitable[Any], problem: type[Problem]) -> None:
    with pytest.raises(problem):
        await work


async def test_nothing_personal_is_written_of_who_is_being_erased(fair: Fair) -> None:
    contest, services = await Contest.begin(fair), fair.services
    person = await fair.participant()
    id, task = await contest.join(person), await contest.task(ProofKind.MANUAL)
    pending = await contest.complete(id, task, TextProof("x"))
    other = await Contest.begin(fair)
    review, key = services.completions.review, fair.office
    erased = (
        "UPDATE participants SET username = NULL, referral_code = 'ERASED-AAAAAAAAAAAAA', user_id = NULL,"
        " is_active = false, is_verified = false, has_notifications = false, erased_at = now() WHERE id = $1"
    )
    verification = Verification(VerificationStatus.VERIFIED, note="Seen")
    async with meanwhile(fair, erased, person) as start:
        await start(refused(other.join(person), ParticipantInactive))
        await start(refused(contest.complete(id, task, TextProof("y")), ParticipantErased))
        await start(refused(services.participations.verify(fair.alice, id, verification, key.key), ParticipantErased))
        await start(refused(services.participations.ban(fair.alice, id, "Spam", key.key), ParticipantErased))
        await start(refused(contest.adjust(id, 5), ParticipantErased))
        await start(refused(review(fair.alice, pending, "Fine", key.key, accepted=True), ParticipantErased))
    # What is not personal goes on.
    await review(fair.alice, pending, None, key.key, accepted=True)
    await services.participations.leave(fair.alice, id, key.key)
    with pytest.raises(ParticipantInactive):
        await contest.join(person)
    row = await contest.row(id)
    assert (row["status"], row["points"], row["verification_status"]) == ("left", 10, "pending")
    assert await other.facts() == []
    await contest.assert_sound()


async def test_an_erasure_waits_for_what_is_being_written_of_somebody(fair: Fair) -> None:
    contest = await Contest.begin(fair)
    person, task = await fair.participant(), await contest.task(ProofKind.MANUAL)
    id = await contest.join(person)
    stream = participation_stream(contest.project)
    # Its events are the last that a completion writes.
    async with meanwhile(fair, "SELECT FROM event_streams WHERE stream = $1 FOR UPDATE", stream) as start:
        await start(contest.complete(id, task, TextProof("https://example.com/zoe")))
        await start(fair.services.erasure.erase(fair.alice, person))
    assert await contest.number("SELECT count(*) FROM task_completions WHERE proof IS NULL") == 1
    assert await contest.number(PERSONAL) == 0


async def test_of_forty_who_are_erased_while_much_is_written_nothing_is_left(fair: Fair) -> None:
    contest, services = await Contest.begin(fair), fair.services
    people = [await fair.participant() for _ in range(40)]
    ids, task = [await contest.join(each) for each in people], await contest.task(ProofKind.MANUAL)
    verification, calls = Verification(VerificationStatus.REJECTED, note="Blurred"), list[Awaitable[Any]]()
    for person, id in zip(people, ids, strict=True):
        calls += [
            contest.complete(id, task, TextProof("x")),
            services.participations.verify(fair.alice, id, verification, fair.office.key),
            services.erasure.erase(fair.alice, person),
            services.participations.ban(fair.alice, id, "Spam", fair.office.key),
        ]
    done = await gathered(calls)
    assert {*sorts(done)} <= {UUID, type(None), ParticipantErased, ParticipantBanned}
    assert await contest.number("SELECT count(*) FROM participants WHERE erased_at IS NOT NULL") == 40
    assert await contest.number(PERSONAL) == 0
    await contest.assert_sound()


async def test_what_is_being_closed_is_closed_for_who_comes_at_once(fair: Fair) -> None:
    contest, services, key = await Contest.begin(fair), fair.services, fair.office
    id, task, manual = await contest.join(), await contest.task(), await contest.task(ProofKind.MANUAL, key="manual")
    someone, pending = await fair.participant(), await contest.complete(id, manual, TextProof("x"))
    async with meanwhile(fair, "UPDATE tasks SET is_active = false WHERE id = $1", task) as start:
        await start(refused(contest.complete(id, task), TaskNotOpen))
    await fair.office.owner.execute("UPDATE tasks SET is_active = true")
    banned = "UPDATE participations SET status = 'banned', banned_at = now() WHERE id = $1"
    async with meanwhile(fair, banned, id) as start:
        await start(refused(contest.complete(id, task), ParticipantBanned))
        await start(refused(services.participations.leave(fair.alice, id, key.key), ParticipantBanned))
        await start(refused(services.participations.ban(fair.alice, id, "Spam", key.key), ParticipantBanned))
        await start(refused(services.completions.review(fair.alice, pending, None, key.key, accepted=True), Problem))
    await fair.office.owner.execute("UPDATE participations SET status = 'active', banned_at = NULL")
    async with meanwhile(fair, "UPDATE projects SET archived_at = now() WHERE id = $1", contest.project) as start:
        await start(refused(contest.join(someone), ProjectNotOpen))
        await start(refused(contest.complete(id, task), ProjectNotOpen))
        await start(refused(contest.adjust(id, 5), ProjectNotOpen))
        await start(
            refused(services.completions.review(fair.alice, pending, None, key.key, accepted=True), ProjectNotOpen)
        )
    completions = await fair.office.owner.fetch("SELECT status FROM task_completions")
    assert [row[0] for row in completions] == [CompletionStatus.PENDING]
    assert (await contest.row(id))["points"] == 0
    assert await contest.active() == 1
    await contest.assert_sound()


async def test_levels_follow_the_thresholds_that_are_being_set(fair: Fair) -> None:
    contest = await Contest.begin(fair)
    id, task = await contest.join(), await contest.task(points=10)
    sql = "UPDATE projects SET level_thresholds = '{5,7}' WHERE id = $1"
    async with meanwhile(fair, sql, contest.project) as start:
        await start(contest.complete(id, task))
    row = await contest.row(id)
    assert (row["points"], row["level"], row["next_level_points"]) == (10, 3, None)
    await contest.assert_sound()


async def test_nobody_who_is_banned_completes_anything_afterwards(fair: Fair) -> None:
    contest, services = await Contest.begin(fair), fair.services
    task = await contest.task(max_completions=None)
    ids = [await contest.join() for _ in range(4)]
    calls = [contest.complete(id, task) for _ in range(20) for id in ids]
    bans = [services.participations.ban(fair.alice, id, "Spam", fair.office.key) for id in ids]
    done = await gathered([*calls[:40], *bans, *calls[40:]])
    assert {*sorts(done)} <= {UUID, ParticipantBanned}
    facts = await contest.facts()
    for id in ids:
        changes = [each.change for each in facts if each.participation_id == id]
        assert changes.count(ParticipationChange.BANNED) == 1
        assert changes[-1] is ParticipationChange.BANNED
    assert await contest.active() == 0
    await contest.assert_sound()


async def test_of_who_leaves_and_joins_at_once_never_more_take_part_than_can(fair: Fair) -> None:
    contest, services = await Contest.begin(fair, max_participants=2), fair.services
    people = [await fair.participant() for _ in range(4)]
    ids = [await contest.join(each) for each in people[:2]]
    calls: list[Awaitable[Any]] = []
    for number in range(40):
        calls += [
            services.participations.leave(fair.alice, ids[number % 2], fair.office.key),
            contest.join(people[number % 4]),
        ]
    done = await gathered(calls)
    assert {*sorts(done)} <= {UUID, AlreadyJoined, NotTakingPart, ProjectFull}
    there = 0
    for each in await contest.facts():
        there += 1 if each.change is ParticipationChange.JOINED else -1
        assert 0 <= there <= 2
    assert await contest.active() == there
    await contest.assert_sound()


async def test_the_last_place_is_taken_while_somebody_is_taking_it(fair: Fair) -> None:
    contest, services = await Contest.begin(fair, max_participants=1), fair.services
    ids = []
    for _ in range(2):
        ids.append(await contest.join())
        await services.participations.ban(fair.alice, ids[-1], "Spam", fair.office.key)
    stream, unban = participation_stream(contest.project), services.joining.unban
    sql = "SELECT FROM event_streams WHERE stream = $1 FOR UPDATE"
    async with meanwhile(fair, sql, stream) as start:
        await start(unban(fair.alice, ids[0], fair.office.key))
        await start(refused(unban(fair.alice, ids[1], fair.office.key), ProjectFull))
        await start(refused(contest.join(), ProjectFull))
    await services.participations.leave(fair.alice, ids[0], fair.office.key)
    async with meanwhile(fair, sql, stream) as start:
        await start(contest.join())
        await start(refused(unban(fair.alice, ids[1], fair.office.key), ProjectFull))
        await start(refused(contest.join(), ProjectFull))
    assert await contest.active() == 1
    await contest.assert_sound()


async def test_of_an_ended_ban_and_forty_who_join_one_has_the_last_place(fair: Fair) -> None:
    contest, services = await Contest.begin(fair, max_participants=1), fair.services
    ids = [await contest.join()]
    await services.participations.ban(fair.alice, ids[0], "Spam", fair.office.key)
    ids.append(await contest.join())
    await services.participations.ban(fair.alice, ids[1], "Spam", fair.office.key)
    people = [await fair.participant() for _ in range(40)]
    unban = services.joining.unban
    calls = [unban(fair.alice, ids[number % 2], fair.office.key) for number in range(10)]
    done = await gathered([*calls[:5], *(contest.join(each) for each in people), *calls[5:]])
    kinds = sorts(done)
    assert (kinds[UUID], kinds.get(NotBanned, 0) + kinds[ProjectFull]) == (1, 49)
    assert await contest.active() == 1
    await contest.assert_sound()


async def test_a_user_who_is_linked_while_they_join_is_one_participant(fair: Fair, services: Any) -> None:
    contest, links = await Contest.begin(fair), fair.services.links
    users = [await register(services, f"user{number}@example.com") for number in range(20)]
    people = [await fair.participant() for _ in users]
    tokens = [(await links.issue(fair.alice, each)).token for each in people]
    calls: list[Awaitable[Any]] = []
    for user, token in zip(users, tokens, strict=True):
        calls += [contest.join(by=user), links.link(user, token), contest.join(by=user)]
    done = await gathered(calls)
    for place, (user, person) in enumerate(zip(users, people, strict=True)):
        rows = await fair.office.owner.fetch("SELECT id FROM participants WHERE user_id = $1", user.user_id)
        assert len(rows) == 1
        first, linked, second = done[3 * place : 3 * place + 3]
        assert sorts([first, second]) == {UUID: 1, AlreadyJoined: 1}
        assert linked == person == rows[0]["id"] or isinstance(linked, AlreadyLinked)
        id = first if isinstance(first, UUID) else second
        assert (await contest.row(id))["participant_id"] == rows[0]["id"]
        assert [each.change for each in await contest.facts(rows[0]["id"])] == [ParticipationChange.JOINED]
    assert await contest.active() == 20
    await contest.assert_sound()
