"""A project that participants join, and whether all that is counted of it is so."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import msgspec

from app.domains.campaigns.participations.model import (
    Adjustment,
    ParticipationFact,
    PointReason,
    own_stream,
    participation_stream,
)
from app.domains.campaigns.participations.services.writing import Caller
from app.domains.campaigns.projects.model import ProjectFact, project_stream
from app.domains.campaigns.tasks.model import NewTask, Proof, ProofKind
from app.domains.tenancy.tenants.model.tenants import Tenancy
from tests.domains.campaigns.fair import Fair

UNSOUND = """
    SELECT 'points of ' || p.id FROM participations p
    WHERE p.points <> (SELECT coalesce(sum(e.amount), 0) FROM point_entries e WHERE e.participation_id = p.id)
    UNION ALL SELECT 'level of ' || p.id FROM participations p JOIN projects j ON j.id = p.project_id
    WHERE p.level <> 1 + (SELECT count(*) FROM unnest(j.level_thresholds) AS t WHERE t <= p.points)
        OR p.next_level_points IS DISTINCT FROM (SELECT min(t) FROM unnest(j.level_thresholds) AS t WHERE t > p.points)
    UNION ALL SELECT 'participants of ' || j.id FROM projects j
    WHERE (SELECT coalesce(sum(c.participants), 0) FROM project_counters c WHERE c.project_id = j.id)
        <> (SELECT count(*) FROM participations p WHERE p.project_id = j.id AND p.status = 'active')
    UNION ALL SELECT 'completions of ' || j.id FROM projects j
    WHERE (SELECT coalesce(sum(c.completions), 0) FROM project_counters c WHERE c.project_id = j.id)
        <> (SELECT count(*) FROM task_completions t WHERE t.project_id = j.id AND t.status = 'accepted')
    UNION ALL SELECT 'entry of ' || t.id FROM task_completions t
    WHERE (t.status = 'accepted' AND t.points > 0) <> EXISTS (
        SELECT FROM point_entries e WHERE e.completion_id = t.id AND e.amount = t.points AND e.reason = 'task'
    )
    UNION ALL SELECT 'user of ' || p.id FROM participations p JOIN participants w ON w.id = p.participant_id
    WHERE p.user_id IS DISTINCT FROM w.user_id
    UNION ALL SELECT 'completed of ' || p.id FROM participations p WHERE p.has_completed <> EXISTS (
        SELECT FROM task_completions t WHERE t.participation_id = p.id AND t.status = 'accepted'
    )
    UNION ALL SELECT 'funnel of ' || project_id FROM (
        SELECT project_id, has_completed, verification_status = 'verified' AS is_verified, level, count(*) AS counted
        FROM participations GROUP BY 1, 2, 3, 4
    ) p FULL JOIN (SELECT * FROM funnel_counts WHERE participants > 0) f
        USING (project_id, has_completed, is_verified, level)
    WHERE p.counted IS DISTINCT FROM f.participants
"""
"""What differs from what it is counted of; nothing."""


@dataclass
class Contest:
    """A project of Alice's, and what happens in it."""

    fair: Fair
    project: UUID
    key: str
    alice: Tenancy
    """Who defines its tasks."""

    @classmethod
    async def begin(cls, fair: Fair, by: Tenancy | None = None, **given: Any) -> "Contest":
        """A project that was created."""
        project = await fair.project(by, **given)
        return cls(fair, project, (await fair.row("projects", project))["key"], by or fair.alice)

    async def join(self, participant: UUID | None = None, by: Caller | None = None) -> UUID:
        """A participation, of a new participant unless one is named, who is one of the tenant's."""
        fair, caller = self.fair, by or self.fair.alice
        if participant is None and isinstance(caller, Tenancy):
            participant = await fair.participant(caller)
        return await fair.services.joining.join(caller, self.key, participant, fair.office.key)

    async def task(self, kind: ProofKind = ProofKind.API, **given: Any) -> UUID:
        """A task that was defined."""
        plain: dict[str, Any] = {"key": "task", "name": "Task", "points": 10, "proof_kind": kind}
        new = NewTask(**plain | given)
        return await self.fair.services.tasks.define(self.alice, self.project, new)

    async def complete(
        self, participation: UUID, task: UUID, proof: Proof = None, by: Caller | None = None, key: str | None = None
    ) -> UUID:
        """A completion."""
        complete = self.fair.services.completions.complete
        return await complete(by or self.fair.alice, participation, task, proof, key or self.fair.office.key)

    async def adjust(self, participation: UUID, amount: int, by: Tenancy | None = None) -> UUID:
        """Points that were given or taken."""
        given = Adjustment(amount, PointReason.CORRECTION, "Counted again.")
        return await self.fair.services.points.adjust(by or self.fair.alice, participation, given, self.fair.office.key)

    async def row(self, participation: UUID) -> dict[str, Any]:
        """A participation, as the owner of the database sees it."""
        return await self.fair.row("participations", participation)

    async def number(self, sql: str) -> int:
        """A number, as the owner of the database sees it."""
        return int(await self.fair.office.owner.fetchval(sql))

    async def active(self) -> int:
        """How many take part, by the rows of the counter."""
        sql = "SELECT coalesce(sum(participants), 0) FROM project_counters WHERE project_id = $1"
        return int(await self.fair.office.owner.fetchval(sql, self.project))

    async def assert_sound(self) -> None:
        """All that is counted is so, in all projects."""
        assert [row[0] for row in await self.fair.office.owner.fetch(UNSOUND)] == []

    async def facts(self, participant: UUID | None = None) -> list[ParticipationFact]:
        """The events of participations in the project: of all, or of one participant as the linked user has them."""
        own = None if participant is None else own_stream(self.project, participant)
        return await self._facts(own or participation_stream(self.project), ParticipationFact)

    async def project_facts(self) -> list[ProjectFact]:
        """The events of the project."""
        return await self._facts(project_stream(self.project), ProjectFact)

    async def _facts(self, stream: str, kind: Any) -> list[Any]:
        rows: Sequence[Any] = await self.fair.office.owner.fetch(
            "SELECT payload FROM events WHERE stream = $1 ORDER BY seq", stream
        )
        return [msgspec.json.decode(row[0], type=kind) for row in rows]
