"""Whether all that is stored of participations is as expected."""

from collections.abc import Iterable, Sequence
from typing import Any, Final
from uuid import UUID

import msgspec

from app.domains.campaigns.participations.model import ParticipationFact
from tests.databases import Owner
from tests.domains.campaigns.participations.histories.expected import Part, Project, Side

_PARTS: Final = """
    SELECT p.tenant_id, p.livemode, p.project_id, p.participant_id, p.id, p.status, p.left_at IS NOT NULL, p.points,
        p.level, p.next_level_points, p.verification_status, r.ban_reason
    FROM participations p LEFT JOIN participation_reviews r ON r.participation_id = p.id
"""
_DONE: Final = """
    SELECT tenant_id, livemode, participation_id, id, task_id, ordinal, status, points FROM task_completions
"""
_ENTRIES: Final = """
    SELECT tenant_id, livemode, participation_id, amount, balance, reason FROM point_entries
"""
_PEOPLE: Final = """
    SELECT tenant_id, livemode, id, user_id, is_active, erased_at IS NOT NULL FROM participants
"""
_COUNTS: Final = """
    SELECT project_id, sum(participants)::bigint, sum(completions)::bigint FROM project_counters GROUP BY project_id
"""
_BOARDS: Final = """
    SELECT project_id, leaderboard_rank(tenant_id, livemode, project_id, points), participation_id, points, level
    FROM leaderboard_entries ORDER BY project_id, points DESC, participation_id DESC
"""
_GUESSES: Final = "SELECT participation_id, task_id, guesses FROM task_guesses"
_PERSONAL: Final = """
    SELECT p.id FROM participants who JOIN participations p ON p.participant_id = who.id
    LEFT JOIN participation_reviews r ON r.participation_id = p.id
    WHERE who.erased_at IS NOT NULL AND (
        r.ban_reason IS NOT NULL OR r.verification_note IS NOT NULL OR r.verification_data <> '{}'
        OR EXISTS (SELECT FROM task_completions t WHERE t.participation_id = p.id
            AND (t.proof IS NOT NULL OR t.review_note IS NOT NULL)))
"""
_EVENTS: Final = "SELECT stream, seq, payload FROM events WHERE stream LIKE 'participations:%' ORDER BY stream, seq"
_ENDS: Final = """
    SELECT s.stream FROM event_streams s LEFT JOIN events e USING (stream) GROUP BY s.stream, s.seq
    HAVING (count(e.seq), coalesce(min(e.seq), 1), coalesce(max(e.seq), 0)) IS DISTINCT FROM (s.seq, 1::bigint, s.seq)
"""

Row = tuple[Any, ...]


async def rows(owner: Owner, sql: str) -> list[Row]:
    return [tuple(row) for row in await owner.fetch(sql)]


async def assert_as_expected(owner: Owner, sides: Sequence[Side]) -> None:
    """Each row of each tenant and mode, each count, each rank, and each event."""
    projects = [(each, project) for each in sides for project in each.projects]
    parts = [(side, project, part) for side, project in projects for part in project.parts.values()]
    assert same(await rows(owner, _PEOPLE), (
        (*place(side), each.id, each.user, each.is_active, each.is_erased) for side in sides for each in side.people
    ))  # fmt: skip
    assert same(await rows(owner, _PARTS), (
        (*place(side), project.id, part.person.id, part.id, part.status, part.has_left, part.points, part.level,
         part.next_points, part.verification, reason(part)) for side, project, part in parts
    ))  # fmt: skip
    assert same(await rows(owner, _DONE), (
        (*place(side), part.id, each.id, each.task.id, each.ordinal, str(each.status), each.points)
        for side, _, part in parts for each in part.done
    ))  # fmt: skip
    assert same(await rows(owner, _ENTRIES), (
        (*place(side), part.id, *each) for side, _, part in parts for each in part.entries
    ))  # fmt: skip
    assert same(await rows(owner, _GUESSES), (
        (part.id, *each) for _, _, part in parts for each in part.guesses.items()
    ))  # fmt: skip
    counts = {id: (active, done) for id, active, done in await rows(owner, _COUNTS)}
    for _, project in projects:
        assert counts.get(project.id, (0, 0)) == (len(project.active), accepted(project))
        assert len(project.active) <= project.limit
    assert all(part.points == sum(amount for amount, *_ in part.entries) >= 0 for _, _, part in parts)
    assert await rows(owner, _PERSONAL) == []
    boards = [(project.id, *each) for _, project in projects for each in board(project)]
    assert sorted(await rows(owner, _BOARDS)) == sorted(boards)


async def assert_expected(owner: Owner, sides: Sequence[Side], known: dict[str, int]) -> None:
    """Each stream has the events that are expected, without gaps. Those of one step are in any order. `known`: how many
    events of each stream were compared before.
    """
    found: dict[str, list[Row]] = {}
    for stream, seq, payload in await rows(owner, _EVENTS):
        fact = msgspec.json.decode(payload, type=ParticipationFact)
        found.setdefault(stream, []).append(
            (fact.change, fact.participation_id, fact.points, fact.level, fact.amount, fact.completion_id)
        )
        assert seq == len(found[stream])
    expected = {stream: facts for side in sides for each in side.projects for stream, facts in each.facts.items()}
    assert found.keys() == expected.keys()
    for stream, facts in expected.items():
        before = known.get(stream, 0)
        assert same(found[stream][before:], facts[before:]), stream
        known[stream] = len(facts)
    assert await rows(owner, _ENDS) == []


def board(project: Project) -> list[tuple[int, UUID, int, int]]:
    """The leaderboard: rank, participation, points, level."""
    entries = sorted(project.active, key=lambda part: (part.points, part.id), reverse=True)
    return [(1 + sum(e.points > part.points for e in entries), part.id, part.points, part.level) for part in entries]


def accepted(project: Project) -> int:
    return sum(each.status == "accepted" for part in project.parts.values() for each in part.done)


def reason(part: Part) -> str | None:
    """Why they are banned, which an erasure forgets."""
    return "Spam" if part.status == "banned" and not part.person.is_erased else None


def place(side: Side) -> tuple[UUID, bool]:
    return side.tenancy.tenant_id, side.tenancy.livemode


def same(found: Iterable[Row], expected: Iterable[Row]) -> bool:
    """Whether both have the same rows, in any order."""
    first, second = sorted(found, key=repr), sorted(expected, key=repr)
    assert first == second
    return True
