"""Points and levels."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID, uuid4

import msgspec

from app.domains.campaigns.participations.model import (
    Adjustment,
    Closed,
    LockedParticipation,
    NotEnoughPoints,
    ParticipationChange,
    ParticipationFact,
    PointReason,
    ProjectNotOpen,
)
from app.domains.campaigns.participations.rules import adjustment, note, thresholds
from app.domains.campaigns.participations.services.writing import Writing, facts_of, keyed_by, refuse_erased, writer_of
from app.domains.campaigns.participations.statements import ParticipationSql, PointSql
from app.domains.campaigns.projects.model import Project, ProjectArchived, ProjectChange, ProjectFact
from app.domains.campaigns.projects.statements import ProjectSql
from app.domains.tenancy.tenants.model.tenants import MemberRole, Tenancy
from app.domains.tenancy.tenants.services.access import system_scope
from app.kit.db import SYSTEM, Tx
from app.kit.errors import Faults, NotFound
from app.kit.events import Fact
from app.kit.idempotency import Made, check_key
from app.kit.jobs import enqueue

LEVEL_JOB: Final = "level-participations"
LEVEL_BATCH: Final = 200
COUNTS_BATCH: Final = 1_000
_FIRST: Final = UUID(int=0)


@dataclass(frozen=True)
class Points:
    """The points of participations: entries are added to and never changed, and their sum is what a participation has.
    Who gives points shares the project, so that its thresholds stay as they are meanwhile.
    """

    writing: Writing

    async def adjust(self, by: Tenancy, participation_id: UUID, given: Adjustment, idempotency_key: str) -> UUID:
        """Gives or takes points; returns the ID of the entry. Raises InvalidInput, NotFound, Forbidden,
        TenantNotActive, ProjectNotOpen, ParticipantErased, NotEnoughPoints, IdempotencyKeyReused.
        """

        def check() -> str | None:
            with Faults() as faults:
                faults.check(adjustment, given.amount)
                if given.reason is PointReason.TASK:
                    faults.add("reason", "Points for a task are given when it is completed.")
                with faults.at():
                    checked = note(given.note, "note")
            return checked

        async def adjust(tx: Tx, facts: list[Fact]) -> Made:
            checked, place = check(), await self.writing.place(tx, by, participation_id)
            project = await self.writing.shared(tx, place.project_id)
            if project.archived_at is not None:
                raise ProjectNotOpen(Closed.ARCHIVED)
            found = await self.writing.locked(tx, participation_id)
            refuse_erased(found)
            if found.points + given.amount < 0:
                raise NotEnoughPoints(found.points)
            entry = await self.give(tx, facts, found, given.amount, given.reason, note=checked, by=writer_of(by))
            return Made(entry)

        check_key(idempotency_key, check)
        keyed = keyed_by(by, idempotency_key, "adjustPoints", [participation_id, msgspec.structs.astuple(given)])
        return (await self.writing.once(by, keyed, adjust, Made)).id

    async def give(
        self,
        tx: Tx,
        facts: list[Fact],
        participation: LockedParticipation,
        amount: int,
        reason: PointReason,
        *,
        note: str | None = None,
        completion_id: UUID | None = None,
        by: UUID | None = None,
    ) -> UUID:
        """Gives points, other than 0, to a participation that is locked, and whose project is shared; returns the ID
        of the entry.
        """
        entry = uuid4()
        given = entry, reason, note, completion_id, by, self.writing.clock.now()
        [standing] = await tx.fetch(PointSql.add_points, participation.id, amount, *given)
        now: dict[str, Any] = msgspec.structs.asdict(standing)
        facts += facts_of(participation, ParticipationChange.POINTS, amount=amount, **now)
        if standing.level != participation.level:
            facts += facts_of(participation, ParticipationChange.LEVEL, **now)
        return entry

    async def set_levels(self, by: Tenancy, project_id: UUID, given: Sequence[int]) -> None:
        """The points from which on there is each level but the first, for all who take part: a job gives them the
        levels that they have then. Raises InvalidInput, NotFound, Forbidden, TenantNotActive, ProjectArchived.
        """
        made = thresholds(given)

        async def work(tx: Tx) -> None:
            await self.writing.access.check(tx, by, MemberRole.ADMIN)
            project = await tx.fetch_one(ProjectSql.lock_project, project_id, by.tenant_id, by.livemode)
            if project is None:
                raise NotFound(Project)
            if project.archived_at is not None:
                raise ProjectArchived
            if project.level_thresholds == made:
                return
            await tx.execute(PointSql.set_levels, project_id, made)
            await enqueue(tx, LEVEL_JOB, {"project_id": str(project_id)})
            fact = ProjectFact(change=ProjectChange.CHANGED, project_id=project_id).fact
            await self.writing.events.append(tx, [fact])

        await self.writing.database.write(system_scope(by), work)

    async def level(self, payload: dict[str, Any]) -> None:
        """Gives all who take part in a project the levels of their points."""
        project_id, after = UUID(payload["project_id"]), _FIRST
        while True:

            async def work(tx: Tx, after: UUID = after) -> list[UUID]:
                if await tx.fetch_one(ParticipationSql.share_project, project_id) is None:
                    return []
                ids = await tx.fetch(PointSql.participations_to_level, project_id, after, LEVEL_BATCH)
                changed = await tx.fetch(PointSql.level_participations, ids)
                facts: list[Fact] = []
                for each in changed:
                    fact = ParticipationFact(
                        change=ParticipationChange.LEVEL,
                        participation_id=each.id,
                        points=each.points,
                        level=each.level,
                    )
                    facts += fact.facts(each.project_id, each.participant_id, linked=each.user_id is not None)
                await self.writing.events.append(tx, facts)
                return ids

            ids = await self.writing.database.write(SYSTEM, work)
            if not ids:
                return
            after = ids[-1]

    async def announce(self) -> int:
        """Appends an event for each project of which something was counted since the one before; returns how many.
        The last number that was counted is always announced.
        """

        async def work(tx: Tx) -> int:
            due = await tx.fetch(PointSql.announce_counts, COUNTS_BATCH)
            counts = await tx.fetch(PointSql.counts_by_projects, due)
            await self.writing.events.append(
                tx,
                [
                    ProjectFact(
                        change=ProjectChange.COUNTED,
                        project_id=each.project_id,
                        participants=each.participants,
                        completions=each.completions,
                    ).fact
                    for each in counts
                ],
            )
            return len(counts)

        return await self.writing.database.write(SYSTEM, work)
