"""Writing exports. Each step is a transaction, and all that a step needs to know is stored with it."""

from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID, uuid4

from app.domains.campaigns.exports.model import ExportedRow, ExportStatus, LockedExport
from app.domains.campaigns.exports.rules import beginning, lines_of
from app.domains.campaigns.exports.statements import ExportSql
from app.domains.campaigns.files.model import KEPT, FileGone, FileKind
from app.domains.campaigns.files.services import Files
from app.domains.campaigns.files.statements import FileSql
from app.kit.clock import Clock
from app.kit.db import SYSTEM, Database, Tx

ATTEMPTS: Final = 5
PAGE_ROWS: Final = 500
_GIVEN_UP: Final = f"It was begun {ATTEMPTS} times, and its worker was ended each time."


@dataclass(frozen=True)
class Exporter:
    """Writes exports, as a job."""

    database: Database
    clock: Clock
    files: Files
    page_rows: int = field(default=PAGE_ROWS)

    async def run(self, payload: dict[str, Any]) -> None:
        """Handles EXPORT_JOB. Raises Unavailable, and is tried again."""
        id, now = UUID(payload["id"]), self.clock.now()
        attempt = await self.database.write(SYSTEM, lambda tx: tx.fetch_one(ExportSql.begin_export, id, now))
        if attempt is None:
            return
        if attempt > ATTEMPTS:
            end = ExportSql.end_export, id, ExportStatus.FAILED, _GIVEN_UP, now
            await self.database.write(SYSTEM, lambda tx: tx.fetch_one(*end))
            return
        while await self.database.write(SYSTEM, lambda tx: self._step(tx, id)):
            pass

    async def _step(self, tx: Tx, id: UUID) -> bool:
        """Writes the next rows. False: nothing is left to do. Erasing a participant meanwhile makes it begin anew."""
        export = await tx.fetch_one(ExportSql.lock_export, id)
        if export is None:
            return False
        tenant = export.tenant_id, export.livemode
        if export.file_id is None or export.late_ids is None:
            file_id, now = uuid4(), self.clock.now()
            late = await tx.fetch(ExportSql.late_participants, *tenant)
            await tx.execute(FileSql.insert_file, file_id, *tenant, FileKind.EXPORT, now, now + KEPT)
            await tx.execute(ExportSql.open_export, id, file_id, late)
            await self._append(tx, file_id, beginning())
            return True
        chosen = *tenant, export.of_verified, export.of_active
        after = export.after_at, export.after_id
        rows = await tx.fetch(ExportSql.participants_after, *chosen, *after, export.late_ids, self.page_rows)
        if rows:
            await self._append(tx, export.file_id, lines_of(rows))
            last = rows[-1].created_at, rows[-1].id
            await tx.execute(ExportSql.note_written, id, len(rows), *last, 0)
            return True
        return await self._late(tx, id, export, export.file_id, export.late_ids)

    async def _late(self, tx: Tx, id: UUID, export: LockedExport, file_id: UUID, late_ids: list[UUID]) -> bool:
        ids = late_ids[export.late_written : export.late_written + self.page_rows]
        if ids:
            chosen = export.tenant_id, export.livemode, export.of_verified, export.of_active
            rows: list[ExportedRow] = await tx.fetch(ExportSql.participants_named, *chosen, ids)
            if rows:
                await self._append(tx, file_id, lines_of(rows))
            await tx.execute(ExportSql.note_written, id, len(rows), None, None, len(ids))
            return True
        stored = await self.files.complete(tx, file_id)
        await tx.execute(ExportSql.complete_export, id, self.clock.now(), stored.expires_at, stored.size_bytes)
        return False

    async def _append(self, tx: Tx, file_id: UUID, text: str) -> None:
        # Read once the export is locked: before, another worker may have written.
        stored = await tx.fetch_one(FileSql.file_by_id, file_id)
        if stored is None:
            raise FileGone
        part, number = text.encode(), stored.chunks
        await self.files.append(tx, (file_id, number, self.files.sealed(file_id, number, part), len(part)))
