"""Joining projects, and taking part again after a ban."""

from dataclasses import dataclass
from typing import Final
from uuid import UUID, uuid4

from app.domains.accounts.model import Viewer
from app.domains.campaigns.participants.model import Participant
from app.domains.campaigns.participants.services.participants import new_code
from app.domains.campaigns.participations.model import (
    AlreadyJoined,
    Joiner,
    LockedParticipation,
    NotBanned,
    OpenProject,
    ParticipantBanned,
    ParticipantInactive,
    ParticipationChange,
    ParticipationStatus,
    ProjectFull,
    ProjectNotOpen,
    RequirementsNotMet,
)
from app.domains.campaigns.participations.rules import has_room, unmet
from app.domains.campaigns.participations.services.writing import Caller, Writing, count, facts_of, keyed_by
from app.domains.campaigns.participations.statements import ParticipationSql
from app.domains.campaigns.projects.model import Project
from app.domains.tenancy.tenants.model.tenants import MemberRole, Tenancy
from app.kit.db import Tx
from app.kit.errors import NotFound, Unavailable
from app.kit.events import Fact
from app.kit.idempotency import Made, check_key
from app.kit.sql import Query

_ATTEMPTS: Final = 5


class _NearlyFull(Exception):
    """Only who is alone with the project can tell whether there is room."""


@dataclass(frozen=True)
class Joining:
    """Who comes to take part in which project.

    Those who join share the project, so that they wait for nobody. They count themselves in one of its rows, and look
    at the sum of what is committed. Those who do so at once are not in that sum, but there are fewer of them than
    transactions can be open; so as long as there is room for that many, there is room. Where there is not, who
    joins begins again alone with the project, when all the others have ended, and the sum is exact.
    """

    writing: Writing

    async def join(self, by: Caller, project_key: str, participant_id: UUID | None, idempotency_key: str) -> UUID:
        """Lets a participant of the tenant join its project, or the user who calls join a public one, as the
        participant that they are linked to, who is created if need be; returns the participation's ID. Who had left
        has their points again.

        Raises InvalidInput, NotFound, Forbidden, TenantNotActive, ProjectNotOpen, ProjectFull, RequirementsNotMet,
        AlreadyJoined, ParticipantBanned, ParticipantInactive, IdempotencyKeyReused.
        """
        check_key(idempotency_key, lambda: None)
        keyed = keyed_by(by, idempotency_key, "joinProject", [project_key, participant_id])

        async def joined(*, alone: bool) -> UUID:
            async def join(tx: Tx, facts: list[Fact]) -> Made:
                return Made(await self._join(tx, facts, by, project_key, participant_id, alone=alone))

            return (await self.writing.once(by, keyed, join, Made)).id

        try:
            return await joined(alone=False)
        except _NearlyFull:
            return await joined(alone=True)

    async def unban(self, by: Tenancy, id: UUID, idempotency_key: str) -> UUID:
        """Ends a ban: who took part before takes part again. Raises NotFound, Forbidden, TenantNotActive, NotBanned,
        ProjectFull, IdempotencyKeyReused.
        """

        async def unban(tx: Tx, facts: list[Fact]) -> Made:
            place = await self.writing.place(tx, by, id)
            # Bans end rarely: there is nothing to gain by sharing the project.
            project = await self._held(tx, place.project_id)
            found = await self.writing.locked(tx, id)
            if found.status != ParticipationStatus.BANNED:
                raise NotBanned
            status = ParticipationStatus.LEFT if found.left_at else ParticipationStatus.ACTIVE
            if status is ParticipationStatus.ACTIVE:
                await self._refuse_full(tx, project, alone=True)
                await count(tx, found, participants=1)
            await tx.execute(ParticipationSql.set_status, id, status, found.left_at, None)
            await tx.execute(ParticipationSql.put_ban, id, place.tenant_id, place.livemode, None, None)
            facts += facts_of(found, ParticipationChange.UNBANNED)
            return Made(id)

        check_key(idempotency_key, lambda: None)
        keyed = keyed_by(by, idempotency_key, "unbanParticipant", [id])
        return (await self.writing.once(by, keyed, unban, Made)).id

    async def _join(
        self, tx: Tx, facts: list[Fact], by: Caller, key: str, participant_id: UUID | None, *, alone: bool
    ) -> UUID:
        if isinstance(by, Tenancy):
            await self.writing.access.check(tx, by, MemberRole.ADMIN)
        if isinstance(by, Viewer):
            # Before the project is locked: a tenant is locked before its projects.
            project = await self._visible(tx, by, ParticipationSql.project_of_key, key)
            participant_id = await self._own_participant(tx, by, project)
        find = ParticipationSql.hold_project_of_key if alone else ParticipationSql.share_project_of_key
        project = await self._visible(tx, by, find, key)
        place = project.tenant_id, project.livemode
        joiner = await tx.fetch_one(ParticipationSql.joiner_by_id, participant_id, *place, project.network)
        if joiner is None:
            raise NotFound(Participant)
        if (reason := self.writing.closed(project)) is not None:
            raise ProjectNotOpen(reason)
        found = await self._entered(tx, project, joiner)
        if not joiner.is_active:
            raise ParticipantInactive
        if missing := unmet(project, joiner, self.writing.clock.now()):
            raise RequirementsNotMet(missing)
        await self._refuse_full(tx, project, alone=alone)
        await count(tx, found, participants=1)
        facts += facts_of(found, ParticipationChange.JOINED)
        return found.id

    async def _visible(self, tx: Tx, by: Caller, find: Query[OpenProject], key: str) -> OpenProject:
        """The project with a key, if the caller may know of it. Raises NotFound."""
        project = await tx.fetch_one(find, key)
        if project is None or not _can_see(by, project):
            raise NotFound(Project, path=("project_key",))
        return project

    async def _entered(self, tx: Tx, project: OpenProject, joiner: Joiner) -> LockedParticipation:
        """The participation of who joins, which did not take part. Raises AlreadyJoined, ParticipantBanned."""
        row = project.tenant_id, project.livemode
        next_level = project.level_thresholds[0] if project.level_thresholds else None
        new = uuid4(), *row, project.id, joiner.id, self.writing.clock.now(), next_level
        if (made := await tx.fetch_one(ParticipationSql.insert_participation, *new)) is not None:
            return made
        found = await tx.fetch_one(ParticipationSql.lock_participation_of, *row, joiner.id, project.id)
        if found is None:
            raise NotFound(Participant)
        if found.status == ParticipationStatus.ACTIVE:
            raise AlreadyJoined
        if found.status == ParticipationStatus.BANNED:
            raise ParticipantBanned
        await tx.execute(ParticipationSql.set_status, found.id, ParticipationStatus.ACTIVE, None, None)
        return found

    async def _own_participant(self, tx: Tx, by: Viewer, project: OpenProject) -> UUID:
        """The participant that a user is linked to in the tenant of a project. Of two at once, the second collides with
        the first, begins again, and finds it.
        """
        place = project.tenant_id, project.livemode
        found = await tx.fetch_one(ParticipationSql.participant_of_user, *place, by.user_id)
        if found is not None:
            return found
        name = await tx.fetch_one(ParticipationSql.username_of_user, by.user_id)
        for _ in range(_ATTEMPTS):
            id, now = uuid4(), self.writing.clock.now()
            new = id, *place, by.user_id, name, new_code(), now
            if await tx.fetch_one(ParticipationSql.insert_joiner, *new) is not None:
                return id
        raise Unavailable

    async def _held(self, tx: Tx, project_id: UUID) -> OpenProject:
        project = await tx.fetch_one(ParticipationSql.hold_project, project_id)
        if project is None:
            raise NotFound(Project, path=("project_key",))
        return project

    async def _refuse_full(self, tx: Tx, project: OpenProject, *, alone: bool) -> None:
        place = project.tenant_id, project.livemode, project.id
        [(number, most_at_once)] = await tx.fetch(ParticipationSql.count_of_project, *place)
        room = has_room(number, project.participant_limit, most_at_once, alone=alone)
        if room is None:
            raise _NearlyFull
        if not room:
            raise ProjectFull(project.participant_limit)


def _can_see(by: Caller, project: OpenProject) -> bool:
    """Whether the caller may know that there is this project: a tenant its own, a user one that is public."""
    if isinstance(by, Tenancy):
        return (project.tenant_id, project.livemode) == (by.tenant_id, by.livemode)
    is_current = project.is_active and project.archived_at is None
    return project.is_public and project.livemode and project.is_tenant_open and is_current
