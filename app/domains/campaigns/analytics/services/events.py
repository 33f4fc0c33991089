"""Tracking what happens in projects."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

import msgspec

from app.domains.campaigns.analytics.model import ORIGIN_RETENTION, NewEvent, ProjectRef
from app.domains.campaigns.analytics.rules import check_events, digestible
from app.domains.campaigns.analytics.statements import ProjectEventSql
from app.domains.campaigns.participants.model import Participant, ParticipantErased
from app.domains.campaigns.projects.model import Project, ProjectArchived
from app.domains.tenancy.tenants.model.tenants import MemberRole, Tenancy
from app.domains.tenancy.tenants.services.access import Access, keyed_request, system_scope
from app.kit.clock import Clock
from app.kit.db import SYSTEM, Database, Tx
from app.kit.errors import NotFound
from app.kit.idempotency import check_key, once
from app.kit.sql import columns_of

_BATCH: Final = 10_000
_COLUMNS: Final = 9


class Tracked(msgspec.Struct, frozen=True):
    """The result of tracking: the project, and how many events were recorded."""

    project_id: UUID
    events: int


@dataclass(frozen=True)
class ProjectEvents:
    """Records what tenants track. What Moneta itself does is recorded by triggers, not here."""

    database: Database
    clock: Clock
    access: Access

    async def track(
        self, tenancy: Tenancy, project: ProjectRef, events: Sequence[NewEvent], idempotency_key: str
    ) -> Tracked:
        """Records events of a project: all of them, or none. Raises InvalidInput, NotFound, Forbidden, TenantNotActive,
        ProjectArchived, ParticipantErased, IdempotencyKeyReused.
        """
        check_key(idempotency_key, lambda: check_events(events, self.clock.now()))
        request = [msgspec.to_builtins(project), msgspec.to_builtins(digestible(events))]
        keyed = keyed_request(tenancy, idempotency_key, "trackProjectEvent", request)

        async def write(tx: Tx) -> Tracked:
            return (await once(tx, keyed, lambda: self._record(tx, tenancy, project, events), Tracked)).result

        return await self.database.write(system_scope(tenancy), write)

    async def _record(self, tx: Tx, tenancy: Tenancy, project: ProjectRef, events: Sequence[NewEvent]) -> Tracked:
        now = self.clock.now()
        await self.access.check(tx, tenancy, MemberRole.ADMIN)
        check_events(events, now)
        row = tenancy.tenant_id, tenancy.livemode
        found = await tx.fetch_one(ProjectEventSql.project_to_track, *row, project.id, project.key)
        if found is None:
            raise NotFound(Project, path=("by",))
        project_id, is_archived = found
        if is_archived:
            raise ProjectArchived
        await self._check_participants(tx, tenancy, events)
        columns = columns_of([_columns(each, now) for each in events], _COLUMNS)
        await tx.execute(ProjectEventSql.insert_events, *row, project_id, now, *columns)
        return Tracked(project_id, len(events))

    async def _check_participants(self, tx: Tx, tenancy: Tenancy, events: Sequence[NewEvent]) -> None:
        named = {each.participant_id for each in events if each.participant_id is not None}
        if not named:
            return
        row = tenancy.tenant_id, tenancy.livemode
        known = dict(await tx.fetch(ProjectEventSql.known_participants, *row, list(named)))
        for position, each in enumerate(events):
            if each.participant_id is None:
                continue
            path = "events", str(position), "participant_id"
            if each.participant_id not in known:
                raise NotFound(Participant, path=path)
            if known[each.participant_id]:
                raise ParticipantErased(path=path)

    async def redact(self, tx: Tx, tenancy: Tenancy, participants: Sequence[UUID]) -> int:
        """Empties what the events of participants say of them, in the caller's transaction. How many events."""
        return await tx.execute(ProjectEventSql.redact_events, tenancy.tenant_id, tenancy.livemode, list(participants))

    async def empty_origins(self) -> str:
        """Empties the IP addresses and user agents of old events, a batch in each transaction."""
        before, emptied = self.clock.now() - ORIGIN_RETENTION, 0
        while batch := await self.database.write(
            SYSTEM, lambda tx: tx.execute(ProjectEventSql.empty_origins, before, _BATCH)
        ):
            emptied += batch
        return f"{emptied} events"


def _columns(event: NewEvent, now: Any) -> tuple[Any, ...]:
    return (
        event.participant_id,
        event.type,
        event.name,
        event.properties or {},
        event.user_properties or {},
        event.session_id,
        event.ip_address,
        event.user_agent,
        event.occurred_at or now,
    )
