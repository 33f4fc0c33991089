"""Leaving projects, bans, and what tenants verify."""

from dataclasses import dataclass
from uuid import UUID

import msgspec

from app.domains.campaigns.participants.rules import attributes, stored_attributes
from app.domains.campaigns.participations.model import (
    ParticipantBanned,
    ParticipationChange,
    ParticipationStatus,
    Verification,
)
from app.domains.campaigns.participations.rules import note
from app.domains.campaigns.participations.services.writing import (
    Caller,
    Writing,
    count,
    facts_of,
    keyed_by,
    refuse_erased,
    refuse_inactive,
    writer_of,
)
from app.domains.campaigns.participations.statements import ParticipationSql
from app.domains.tenancy.tenants.model.tenants import Tenancy
from app.kit.db import Tx
from app.kit.errors import Faults
from app.kit.events import Fact
from app.kit.idempotency import Made, check_key


@dataclass(frozen=True)
class Participations:
    """What becomes of participations."""

    writing: Writing

    async def leave(self, by: Caller, id: UUID, idempotency_key: str) -> UUID:
        """Ends a participation, whose points stay. Raises NotFound, Forbidden, TenantNotActive, NotTakingPart,
        ParticipantBanned, IdempotencyKeyReused.
        """

        async def leave(tx: Tx, facts: list[Fact]) -> Made:
            await self.writing.place(tx, by, id)
            found = await self.writing.locked(tx, id)
            refuse_inactive(found)
            await tx.execute(ParticipationSql.set_status, id, ParticipationStatus.LEFT, self.writing.clock.now(), None)
            await count(tx, found, participants=-1)
            facts += facts_of(found, ParticipationChange.LEFT)
            return Made(id)

        check_key(idempotency_key, lambda: None)
        keyed = keyed_by(by, idempotency_key, "leaveProject", [id])
        return (await self.writing.once(by, keyed, leave, Made)).id

    async def ban(self, by: Tenancy, id: UUID, reason: str, idempotency_key: str) -> UUID:
        """Bans a participant from a project, which has room for another then. Raises InvalidInput, NotFound, Forbidden,
        TenantNotActive, ParticipantErased, ParticipantBanned, IdempotencyKeyReused.
        """

        async def ban(tx: Tx, facts: list[Fact]) -> Made:
            checked, place = note(reason, "reason"), await self.writing.place(tx, by, id)
            found = await self.writing.locked(tx, id)
            refuse_erased(found)
            if found.status == ParticipationStatus.BANNED:
                raise ParticipantBanned
            now = self.writing.clock.now()
            await tx.execute(ParticipationSql.set_status, id, ParticipationStatus.BANNED, found.left_at, now)
            row = id, place.tenant_id, place.livemode
            await tx.execute(ParticipationSql.put_ban, *row, checked, writer_of(by))
            if found.status == ParticipationStatus.ACTIVE:
                await count(tx, found, participants=-1)
            facts += facts_of(found, ParticipationChange.BANNED)
            return Made(id)

        check_key(idempotency_key, lambda: note(reason, "reason"))
        keyed = keyed_by(by, idempotency_key, "banParticipant", [id, reason])
        return (await self.writing.once(by, keyed, ban, Made)).id

    async def verify(
        self,
        by: Tenancy,
        id: UUID,
        given: Verification,
        idempotency_key: str,
    ) -> UUID:
        """Notes what a tenant has verified of a participation, in place of what it noted before. Raises InvalidInput,
        NotFound, Forbidden, TenantNotActive, ParticipantErased, IdempotencyKeyReused.
        """

        def check() -> str | None:
            with Faults() as faults:
                with faults.at():
                    attributes(given.data, "data")
                with faults.at():
                    checked = note(given.note, "note")
            return checked

        async def verify(tx: Tx, facts: list[Fact]) -> Made:
            checked, place = check(), await self.writing.place(tx, by, id)
            found = await self.writing.locked(tx, id)
            refuse_erased(found)
            await tx.execute(ParticipationSql.set_verification, id, given.status)
            row = id, place.tenant_id, place.livemode
            decided = stored_attributes(given.data), checked, writer_of(by), self.writing.clock.now()
            await tx.execute(ParticipationSql.put_verification, *row, *decided)
            facts += facts_of(found, ParticipationChange.VERIFICATION)
            return Made(id)

        check_key(idempotency_key, check)
        request = [id, msgspec.to_builtins(given)]
        keyed = keyed_by(by, idempotency_key, "verifyParticipation", request)
        return (await self.writing.once(by, keyed, verify, Made)).id
