"""Asking for imports of participants, and cancelling them. A worker imports."""

from dataclasses import dataclass
from typing import Final
from uuid import UUID, uuid4

import msgspec

from app.domains.campaigns.files.model import CHUNK_BYTES, FileEmpty, FileTooLarge, StoredFile, UploadNotFound
from app.domains.campaigns.files.services import Files
from app.domains.campaigns.files.statements import FileSql
from app.domains.campaigns.imports.model import (
    MAX_UNFINISHED,
    PROGRESS,
    RETENTION,
    ImportNotRunning,
    ImportProgress,
    ImportStatus,
    NewImport,
    ParticipantImport,
    TooManyTransfers,
    import_stream,
)
from app.domains.campaigns.imports.rules.columns import check_new, header_of
from app.domains.campaigns.imports.statements import ImportReadSql, ImportSql
from app.domains.tenancy.tenants.model.tenants import MemberRole, Tenancy
from app.domains.tenancy.tenants.services.access import Access, keyed_request, system_scope
from app.kit.clock import Clock
from app.kit.db import SYSTEM, Database, Tx
from app.kit.errors import NotFound, ResultDeleted
from app.kit.events import EventLog, Fact
from app.kit.idempotency import Made, check_key, once_known
from app.kit.jobs import enqueue

IMPORT_JOB: Final = "campaigns.import_participants"
DELETED_AT_ONCE: Final = 10
FILE_KEPT: Final = RETENTION
"""Until an import has ended, its file is there: only one that never ends would meet this."""


async def check_transfers(tx: Tx, tenancy: Tenancy) -> None:
    """Locks the imports and exports of a tenant against more of them. Raises TooManyTransfers."""
    await tx.execute(ImportSql.lock_transfers_of, f"{tenancy.tenant_id}:{tenancy.livemode}")
    [unfinished] = await tx.fetch(ImportSql.count_unfinished, tenancy.tenant_id, tenancy.livemode)
    if unfinished >= MAX_UNFINISHED:
        raise TooManyTransfers(MAX_UNFINISHED)


def progress_of(id: UUID, status: ImportStatus, processed: int, total: int | None, refused: int) -> Fact:
    """What the stream of an import says."""
    progress = ImportProgress(status, processed, total, refused)
    return Fact(import_stream(id), PROGRESS, msgspec.to_builtins(progress))


@dataclass(frozen=True)
class Imports:
    """The imports of all tenants. Only Moneta writes them."""

    database: Database
    clock: Clock
    access: Access
    events: EventLog
    files: Files

    async def start(self, tenancy: Tenancy, new: NewImport, idempotency_key: str) -> UUID:
        """Asks for an import; returns its ID. Raises InvalidInput, Forbidden, TenantNotActive, UploadNotFound,
        FileTooLarge, FileEmpty, FileRefused, TooManyUploads, TooManyTransfers, IdempotencyKeyReused, ResultDeleted.
        """
        made = Made(uuid4())

        async def insert(tx: Tx) -> None:
            await self.access.check(tx, tenancy, MemberRole.ADMIN)
            check_new(new)
            await check_transfers(tx, tenancy)
            file, first = await self._file(tx, tenancy, new)
            header = header_of(first, new.mapping, final=file.chunks == 1)
            await tx.execute(FileSql.keep_until, file.id, self.clock.now() + FILE_KEPT)
            row = made.id, tenancy.tenant_id, tenancy.livemode, new.on_duplicate, file.id, file.size_bytes
            more = header.delimiter, list(header.fields), tenancy.user_id, self.clock.now()
            await tx.execute(ImportSql.insert_import, *row, *more)
            await enqueue(tx, IMPORT_JOB, {"id": str(made.id)})
            await self.events.append(tx, [progress_of(made.id, ImportStatus.QUEUED, 0, None, 0)])

        check_key(idempotency_key, lambda: check_new(new))
        keyed = keyed_request(tenancy, idempotency_key, "importParticipants", msgspec.to_builtins(new))

        async def write(tx: Tx) -> UUID:
            outcome = await once_known(tx, keyed, made, lambda: insert(tx))
            if outcome.replayed and not await tx.fetch(ImportReadSql.imports_by_ids, [outcome.result.id]):
                raise ResultDeleted
            return outcome.result.id

        return await self.database.write(system_scope(tenancy), write)

    async def cancel(self, tenancy: Tenancy, id: UUID) -> None:
        """Cancels an import that has not ended: what it has imported stays. Raises NotFound, Forbidden,
        ImportNotRunning.
        """

        async def work(tx: Tx) -> None:
            # What has begun can be ended, whatever the subscription allows now.
            await self.access.check(tx, tenancy, MemberRole.ADMIN, changes=False)
            if not await tx.fetch_one(ImportSql.is_import_of, id, tenancy.tenant_id, tenancy.livemode):
                raise NotFound(ParticipantImport)
            now = self.clock.now()
            ended = await tx.fetch_one(ImportSql.end_import, id, ImportStatus.CANCELLED, None, now)
            if ended is None:
                raise ImportNotRunning
            await self.events.append(tx, [progress_of(id, ImportStatus.CANCELLED, *ended)])

        await self.database.write(system_scope(tenancy), work)

    async def delete_old(self) -> str:
        """Deletes imports, with what was refused of them, after 90 days."""
        before, deleted = self.clock.now() - RETENTION, 0
        while True:
            [count] = await self.database.write(
                SYSTEM, lambda tx: tx.fetch(ImportSql.delete_old_imports, before, DELETED_AT_ONCE)
            )
            deleted += count
            if count < DELETED_AT_ONCE:
                return f"{deleted} imports"

    async def _file(self, tx: Tx, tenancy: Tenancy, new: NewImport) -> tuple[StoredFile, bytes]:
        """The file to import, and how it begins."""
        limit = self.files.limit_bytes
        if new.csv is not None:
            content = new.csv.encode()
            if len(content) > limit:
                raise FileTooLarge(limit)
            if not content:
                raise FileEmpty
            id = uuid4()
            await self.files.begin_upload(tx, tenancy, id)
            parts = [content[place : place + CHUNK_BYTES] for place in range(0, len(content), CHUNK_BYTES)]
            for number, part in enumerate(parts):
                await self.files.append(tx, (id, number, self.files.sealed(id, number, part), len(part)))
            return await self.files.complete(tx, id), parts[0]
        row = new.upload_id, tenancy.tenant_id, tenancy.livemode, self.clock.now()
        stored = await tx.fetch_one(FileSql.lock_upload, *row)
        if stored is None:
            raise UploadNotFound(path=("source", "upload_id"))
        if stored.size_bytes > limit:
            raise FileTooLarge(limit)
        sealed = await tx.fetch_one(FileSql.chunk_of_file, stored.id, 0)
        return stored, self.files.opened(stored.id, 0, sealed)
