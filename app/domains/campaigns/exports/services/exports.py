"""Asking for exports of participants, cancelling and fetching them. A worker writes them."""

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import Final
from uuid import UUID, uuid4

import msgspec

from app.domains.campaigns.exports.model import ExportFilter, ExportNotRunning, ExportStatus, ParticipantExport
from app.domains.campaigns.exports.statements import ExportReadSql, ExportSql
from app.domains.campaigns.files.model import FileGone, StoredFile
from app.domains.campaigns.files.services import Files
from app.domains.campaigns.imports.model import RETENTION
from app.domains.campaigns.imports.services.imports import check_transfers
from app.domains.tenancy.tenants.model.tenants import MemberRole, Tenancy
from app.domains.tenancy.tenants.services.access import Access, keyed_request, system_scope
from app.kit.clock import Clock
from app.kit.db import SYSTEM, Database, Tx
from app.kit.errors import NotFound, ResultDeleted
from app.kit.idempotency import Made, check_key, once_known
from app.kit.jobs import enqueue

EXPORT_JOB: Final = "campaigns.export_participants"
DELETED_AT_ONCE: Final = 10
ALL: Final = ExportFilter()


@dataclass(frozen=True)
class Exports:
    """The exports of all tenants. A tenant whose subscription has ended may export as well."""

    database: Database
    clock: Clock
    access: Access
    files: Files

    async def start(self, tenancy: Tenancy, idempotency_key: str, chosen: ExportFilter = ALL) -> UUID:
        """Asks for an export of these participants; returns its ID. Raises InvalidInput, Forbidden, TooManyTransfers,
        IdempotencyKeyReused, ResultDeleted.
        """
        made = Made(uuid4())

        async def insert(tx: Tx) -> None:
            await self.access.check(tx, tenancy, MemberRole.ADMIN, changes=False)
            await check_transfers(tx, tenancy)
            row = made.id, tenancy.tenant_id, tenancy.livemode, tenancy.user_id, self.clock.now()
            await tx.execute(ExportSql.insert_export, *row, chosen.verified, chosen.active)
            await enqueue(tx, EXPORT_JOB, {"id": str(made.id)})

        check_key(idempotency_key, lambda: None)
        request = {name: value for name, value in msgspec.structs.asdict(chosen).items() if value is not None}
        keyed = keyed_request(tenancy, idempotency_key, "exportParticipants", request)

        async def write(tx: Tx) -> UUID:
            outcome = await once_known(tx, keyed, made, lambda: insert(tx))
            if outcome.replayed and not await tx.fetch(ExportReadSql.exports_by_ids, [outcome.result.id]):
                raise ResultDeleted
            return outcome.result.id

        return await self.database.write(system_scope(tenancy), write)

    async def cancel(self, tenancy: Tenancy, id: UUID) -> None:
        """Cancels an export that has not ended. Raises NotFound, Forbidden, ExportNotRunning."""

        async def work(tx: Tx) -> None:
            await self.access.check(tx, tenancy, MemberRole.ADMIN, changes=False)
            if not await tx.fetch_one(ExportSql.is_export_of, id, tenancy.tenant_id, tenancy.livemode):
                raise NotFound(ParticipantExport)
            if await tx.fetch_one(ExportSql.end_export, id, ExportStatus.CANCELLED, None, self.clock.now()) is None:
                raise ExportNotRunning

        await self.database.write(system_scope(tenancy), work)

    async def open(self, tenancy: Tenancy, id: UUID) -> tuple[StoredFile, AsyncGenerator[bytes, None]]:
        """The file of an export, and its parts. Raises Forbidden, FileGone."""

        async def read(tx: Tx) -> StoredFile:
            await self.access.check(tx, tenancy, MemberRole.ADMIN, changes=False)
            row = id, tenancy.tenant_id, tenancy.livemode, self.clock.now()
            found = await tx.fetch_one(ExportSql.file_of_export, *row)
            if found is None:
                raise FileGone
            return found

        stored = await self.database.read(system_scope(tenancy), read)
        return stored, self.files.parts(stored.id, stored.chunks)

    async def expire(self) -> str:
        """Deletes the files of exports after a day."""
        now = self.clock.now()
        [count] = await self.database.write(SYSTEM, lambda tx: tx.fetch(ExportSql.expire_exports, now))
        return f"{count} exports"

    async def delete_old(self) -> str:
        """Deletes exports after 90 days."""
        before, deleted = self.clock.now() - RETENTION, 0
        while True:
            [count] = await self.database.write(
                SYSTEM, lambda tx: tx.fetch(ExportSql.delete_old_exports, before, DELETED_AT_ONCE)
            )
            deleted += count
            if count < DELETED_AT_ONCE:
                return f"{deleted} exports"
