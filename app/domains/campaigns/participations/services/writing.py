"""Writing on behalf of a tenant, or of a user who takes part."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, TypeAlias, TypeVar
from uuid import UUID

from app.domains.accounts.model import Viewer
from app.domains.accounts.services.auth_log import system_scope as system_scope_of
from app.domains.campaigns.participants.model import ParticipantErased
from app.domains.campaigns.participations.model import (
    Closed,
    Location,
    LockedParticipation,
    NotTakingPart,
    OpenProject,
    ParticipantBanned,
    Participation,
    ParticipationChange,
    ParticipationFact,
    ParticipationStatus,
)
from app.domains.campaigns.participations.rules import closed
from app.domains.campaigns.participations.statements import ParticipationSql, PointSql
from app.domains.campaigns.projects.model import Project
from app.domains.tenancy.tenants.model.tenants import MemberRole, Tenancy
from app.domains.tenancy.tenants.services.access import Access, keyed_request, system_scope
from app.kit.clock import Clock
from app.kit.db import Database, Scope, Tx
from app.kit.errors import NotFound
from app.kit.events import EventLog, Fact
from app.kit.idempotency import KeyedRequest, once

T = TypeVar("T")

Caller: TypeAlias = Tenancy | Viewer
"""Who writes: a tenant about its participants, or a user about what they take part in themself."""


@dataclass(frozen=True)
class Writing:
    """Keyed writes about participations. A transaction shares the participant, so that nobody is linked or erased
    meanwhile, locks the project, then the participation, then what is below it; the streams are last.
    """

    database: Database
    clock: Clock
    access: Access
    events: EventLog

    async def once(
        self,
        by: Caller,
        keyed: KeyedRequest,
        work: Callable[[Tx, list[Fact]], Awaitable[T]],
        result_type: type[T],
    ) -> T:
        """Does the work, and appends the events that it has added, unless it is a replay."""

        async def write(tx: Tx) -> T:
            facts: list[Fact] = []
            outcome = await once(tx, keyed, lambda: work(tx, facts), result_type)
            await self.events.append(tx, facts)
            return outcome.result

        return await self.database.write(scope_of(by), write)

    async def place(self, tx: Tx, by: Caller, participation_id: UUID) -> Location:
        """Where a participation is that the caller may write about. Raises NotFound, and what `Access.check` does."""
        if isinstance(by, Tenancy):
            await self.access.check(tx, by, MemberRole.ADMIN)
        place = await tx.fetch_one(ParticipationSql.place_of_participation, participation_id)
        if place is None or not owns(by, place):
            raise NotFound(Participation)
        return place

    async def shared(self, tx: Tx, project_id: UUID) -> OpenProject:
        """A project that stays as it is until the end of the transaction. Raises NotFound."""
        project = await tx.fetch_one(ParticipationSql.share_project, project_id)
        if project is None:
            raise NotFound(Project)
        return project

    async def locked(self, tx: Tx, participation_id: UUID) -> LockedParticipation:
        """A participation, locked. Raises NotFound."""
        found = await tx.fetch_one(ParticipationSql.lock_participation, participation_id)
        if found is None:
            raise NotFound(Participation)
        return found

    def closed(self, project: OpenProject) -> Closed | None:
        """Why nobody can take part in a project now."""
        return closed(project, self.clock.now())


def scope_of(by: Caller) -> Scope:
    """The scope of Moneta itself, on behalf of the caller, whom the audit log names."""
    return system_scope(by) if isinstance(by, Tenancy) else system_scope_of(by.client, by.user_id)


def keyed_by(by: Caller, key: str, operation: str, request: Any) -> KeyedRequest:
    """A request under an idempotency key of the caller."""
    if isinstance(by, Tenancy):
        return keyed_request(by, key, operation, request)
    return KeyedRequest.of(by.user_id, key, operation, request)


def owns(by: Caller, place: Location) -> bool:
    """Whether a participation is one of the caller's: of the tenant, in its mode, or of the user."""
    if isinstance(by, Tenancy):
        return (place.tenant_id, place.livemode) == (by.tenant_id, by.livemode)
    return place.user_id == by.user_id


def writer_of(by: Caller) -> UUID | None:
    """The user who writes; None: a key."""
    return by.user_id


def facts_of(participation: LockedParticipation, change: ParticipationChange, **given: Any) -> list[Fact]:
    """The events of a change: for the tenant, and for the user who is linked, if anybody is."""
    fact = ParticipationFact(
        change=change,
        participation_id=participation.id,
        **{"points": participation.points, "level": participation.level} | given,
    )
    return fact.facts(participation.project_id, participation.participant_id, linked=participation.user_id is not None)


async def count(tx: Tx, participation: LockedParticipation, *, participants: int = 0, completions: int = 0) -> None:
    """Counts for the project of a participation."""
    place = participation.tenant_id, participation.livemode, participation.project_id
    await tx.execute(PointSql.count, *place, participation.id, participants, completions)


def refuse_erased(participation: LockedParticipation) -> None:
    """Raises ParticipantErased: nothing is written of who is to be forgotten."""
    if participation.is_erased:
        raise ParticipantErased


def refuse_inactive(participation: LockedParticipation) -> None:
    """Raises ParticipantBanned or NotTakingPart."""
    if participation.status == ParticipationStatus.BANNED:
        raise ParticipantBanned
    if participation.status != ParticipationStatus.ACTIVE:
        raise NotTakingPart
