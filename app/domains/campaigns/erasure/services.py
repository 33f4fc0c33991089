"""Erasing participants. Their row stays, without anything personal, so that sums and referrals stay true."""

import secrets
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

import msgspec

from app.domains.campaigns.analytics.model import REDACT_ARCHIVES
from app.domains.campaigns.analytics.services.events import ProjectEvents
from app.domains.campaigns.erasure.statements import ErasureSql
from app.domains.campaigns.imports.services.digests import digests_of
from app.domains.campaigns.participants.model import MAX_CODE_CHARS, Participant
from app.domains.campaigns.participants.rules import CODE_ALPHABET
from app.domains.tenancy.tenants.model.tenants import MemberRole, Tenancy
from app.domains.tenancy.tenants.services.access import Access, system_scope
from app.kit.clock import Clock
from app.kit.db import Database, Tx
from app.kit.errors import NotFound
from app.kit.jobs import enqueue

_PREFIX: Final = "ERASED-"


@dataclass(frozen=True)
class Erasure:
    """Erases participants of tenants, for good."""

    database: Database
    clock: Clock
    access: Access
    project_events: ProjectEvents
    secret: bytes = field(repr=False)

    async def erase(self, tenancy: Tenancy, id: UUID) -> None:
        """Erases a participant; one that was erased stays as they are. Files of the tenant that may name them are
        deleted. Raises NotFound, Forbidden, TenantNotActive.
        """
        row = tenancy.tenant_id, tenancy.livemode

        async def work(tx: Tx) -> None:
            await self.access.check(tx, tenancy, MemberRole.ADMIN)
            # A batch locks its import before participants.
            await tx.fetch(ErasureSql.lock_running_imports, *row)
            found = await tx.fetch_one(ErasureSql.lock_for_erasure, id, *row)
            if found is None:
                raise NotFound(Participant)
            if found.erased_at is not None:
                return
            addresses = await tx.fetch(ErasureSql.addresses_of, id)
            digests = digests_of(self.secret, msgspec.structs.asdict(found), addresses)
            now = self.clock.now()
            await tx.execute(ErasureSql.exclude_from_imports, *row, sorted(digests))
            await tx.execute(ErasureSql.delete_uploads, *row)
            await tx.execute(ErasureSql.renew_exports, *row)
            await tx.execute(ErasureSql.erase_wallets, id)
            await tx.execute(ErasureSql.erase_link, id)
            await tx.execute(ErasureSql.erase_reviews, id)
            await tx.execute(ErasureSql.erase_proofs, id)
            await self.project_events.redact(tx, tenancy, [id])
            concerned = {
                "tenant_id": str(tenancy.tenant_id),
                "livemode": tenancy.livemode,
                "participant_ids": [str(id)],
            }
            await enqueue(tx, REDACT_ARCHIVES, concerned)
            await tx.execute(ErasureSql.erase_participant, id, _code(), now)
            await tx.execute(ErasureSql.note_erased, *row, id, now)
            # Last: it locks the audit log for everybody.
            await tx.fetch(ErasureSql.redact_audit, id)

        await self.database.write(system_scope(tenancy), work)


def _code() -> str:
    """What stands in place of the code, and refers nobody."""
    return _PREFIX + "".join(secrets.choice(CODE_ALPHABET) for _ in range(MAX_CODE_CHARS - len(_PREFIX)))
