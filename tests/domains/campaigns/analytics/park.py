"""A project of Alice, and what happens in it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from app.domains.campaigns.analytics import loaders
from app.domains.campaigns.analytics.model import (
    Funnel,
    Interval,
    NewEvent,
    ProjectEvent,
    ProjectRef,
    ProjectStatistics,
    RetentionWeek,
)
from app.domains.campaigns.analytics.services.statistics import Statistics
from app.domains.tenancy.tenants.model.tenants import Tenancy
from app.kit.lists import page_request
from app.kit.reads import Reads
from tests.databases import NOON, Owner
from tests.domains.campaigns.fair import Fair

DAY = NOON.replace(hour=0)


@dataclass
class Park:
    """What the tests do in one project."""

    fair: Fair
    project: UUID
    task: UUID = field(default_factory=uuid4)

    @property
    def owner(self) -> Owner:
        return self.fair.office.owner

    @property
    def statistics(self) -> Statistics:
        return self.fair.services.statistics

    async def track(self, *events: NewEvent, by: Tenancy | None = None, key: str | None = None, **given: Any) -> int:
        """Tracks events in the project, or one of which something is given."""
        new = events or (NewEvent(**({"type": "page.opened", "name": "Page"} | given)),)
        by = by or self.fair.alice
        tracked = await self.fair.services.events.track(
            by, ProjectRef(id=self.project), new, key or self.fair.office.key
        )
        return tracked.events

    async def joined(self, at: datetime = NOON, project: UUID | None = None) -> UUID:
        """A participant who has joined; returns their ID."""
        id = await self.fair.participant()
        await self.join(id, at, project)
        return id

    async def join(self, id: UUID, at: datetime = NOON, project: UUID | None = None) -> UUID:
        """Has a participant join; returns the ID of the participation."""
        participation = uuid4()
        await self.owner.execute(
            "INSERT INTO participations (id, tenant_id, livemode, project_id, participant_id, joined_at)"
            " SELECT $1, tenant_id, livemode, $2, id, $4 FROM participants WHERE id = $3",
            participation,
            project or self.project,
            id,
            at,
        )
        return participation

    async def completed(self, participant: UUID, at: datetime = NOON, points: int = 5) -> UUID:
        """Has a participant complete the task, and gives the points for it; returns the ID of the completion."""
        owner, id = self.owner, uuid4()
        await owner.execute(
            "INSERT INTO tasks (id, tenant_id, livemode, project_id, key, name, points, cooldown_s, proof_kind,"
            " created_at) SELECT $1, tenant_id, livemode, id, 'follow', 'Follow us', 5, 1, 'manual', $3 FROM projects"
            " WHERE id = $2 ON CONFLICT DO NOTHING",
            self.task,
            self.project,
            at,
        )
        await owner.execute(
            "INSERT INTO task_completions (id, tenant_id, livemode, project_id, participation_id, task_id, ordinal,"
            " status, points, created_at) SELECT $1, p.tenant_id, p.livemode, p.project_id, p.id, $2, 1 + (SELECT"
            " count(*) FROM task_completions c WHERE c.participation_id = p.id), 'accepted', $5, $4"
            " FROM participations p WHERE p.participant_id = $3 AND p.project_id = $6",
            id,
            self.task,
            participant,
            at,
            points,
            self.project,
        )
        await self.points(participant, points, at, id)
        return id

    async def points(self, participant: UUID, amount: int, at: datetime = NOON, completion: UUID | None = None) -> None:
        """Gives points."""
        await self.owner.execute(
            "WITH p AS (UPDATE participations SET points = points + $2 WHERE participant_id = $1 AND project_id = $5"
            " RETURNING *) INSERT INTO point_entries (id, tenant_id, livemode, project_id, participation_id, amount,"
            " balance, reason, note, completion_id, created_at) SELECT gen_random_uuid(), tenant_id, livemode,"
            " project_id, id, $2, points, CASE WHEN $4::uuid IS NULL THEN 'correction' ELSE 'task' END, 'x', $4, $3"
            " FROM p",
            participant,
            amount,
            at,
            completion,
            self.project,
        )

    async def change(self, participant: UUID, columns: str) -> None:
        """Changes a participation."""
        sql = f"UPDATE participations SET {columns} WHERE participant_id = $1 AND project_id = $2"
        await self.owner.execute(sql, participant, self.project)

    async def events(self, by: Tenancy | None = None, **filters: Any) -> list[ProjectEvent]:
        """The events of the project, newest first, as somebody reads them."""
        return await self._list(loaders.events_by_project, by, filters)

    async def buckets(
        self,
        since: datetime = DAY,
        until: datetime = DAY + timedelta(days=1),
        interval: Interval = Interval.DAY,
        by: Tenancy | None = None,
    ) -> list[ProjectStatistics]:
        """The statistics of the project."""
        given = {"since": since, "until": until, "step": interval}
        return await self._list(loaders.statistics_by_project, by, given)

    async def retention(self) -> list[RetentionWeek]:
        return await self._list(loaders.retention_by_project, None, {})

    async def funnel(self, by: Tenancy | None = None) -> Funnel | None:
        reads = Reads(self.fair.office.database, (by or self.fair.alice).scope)
        try:
            return await reads.one(loaders.funnel_by_project, self.project)
        finally:
            await reads.aclose()

    async def _list(self, loader: Any, by: Tenancy | None, filters: Any) -> list[Any]:
        reads = Reads(self.fair.office.database, (by or self.fair.alice).scope)
        try:
            return list((await reads.page(loader, self.project, page_request(loader, 1000, filters=filters))).records)
        finally:
            await reads.aclose()


def numbers(of: Sequence[ProjectStatistics]) -> list[tuple[int, ...]]:
    """Joins, leaves, completions, verifications, points, tracked events and active participants."""
    return [
        (
            each.joins,
            each.leaves,
            each.completions,
            each.verifications,
            each.points,
            each.tracked,
            each.active_participants,
        )
        for each in of
    ]
