"""Importing what was asked for. A worker that is killed leaves whole batches, and the next goes on behind them."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID

import structlog

from app.domains.campaigns.files.model import FileGone
from app.domains.campaigns.files.services import Files
from app.domains.campaigns.imports.model import (
    MAX_ROWS,
    FileRefused,
    GivenRow,
    ImportStatus,
    ParticipantImport,
    Record,
)
from app.domains.campaigns.imports.rules.records import Reader
from app.domains.campaigns.imports.rules.rows import rows_of
from app.domains.campaigns.imports.services.batches import Batches, Closed, Ended
from app.domains.campaigns.imports.services.imports import progress_of
from app.domains.campaigns.imports.statements import ImportReadSql, ImportSql
from app.domains.campaigns.participants.statements import ParticipantSql
from app.kit.clock import Clock
from app.kit.db import SYSTEM, Database, Tx
from app.kit.events import EventLog

ATTEMPTS: Final = 5
"""After so many, what ends its worker is given up."""
BATCH_ROWS: Final = 1_000
log = structlog.get_logger(__name__)


class Impossible(Exception):
    """It cannot be imported, however often it is tried. Says why."""


@dataclass(frozen=True)
class Importer:
    """Imports files, as a job."""

    database: Database
    clock: Clock
    events: EventLog
    files: Files
    batches: Batches
    batch_rows: int = field(default=BATCH_ROWS)

    async def run(self, payload: dict[str, Any]) -> None:
        """Handles IMPORT_JOB. Raises Unavailable, and is tried again."""
        id, now = UUID(payload["id"]), self.clock.now()
        attempt = await self.database.write(SYSTEM, lambda tx: tx.fetch_one(ImportSql.begin_import, id, now))
        if attempt is None:
            return
        try:
            if attempt > ATTEMPTS:
                raise Impossible(f"It was begun {ATTEMPTS} times, and its worker was ended each time.")
            await self._import(id)
        except Ended:
            log.info("import.ended", id=str(id))
        except (Impossible, Closed, FileRefused, FileGone) as problem:
            await self._end(id, ImportStatus.FAILED, str(problem))

    async def _import(self, id: UUID) -> None:
        asked, tenant = await self.database.read(SYSTEM, lambda tx: self._asked(tx, id))
        if asked.total_rows is None:
            total = 0
            async with aclosing(self._records(asked, 0)) as batches:
                async for records in batches:
                    total += len(records)
            if total > MAX_ROWS:
                raise Impossible(f"The file has more than {MAX_ROWS:,} rows.")
            await self.batches.note_total(id, total)
        done = asked.processed_rows
        async with aclosing(self._rows(asked, tenant, done)) as prepared:
            async for rows in prepared:
                await self.batches.write(asked, rows, done)
                done += len(rows)
        await self._end(id, ImportStatus.COMPLETED, None)

    async def _asked(self, tx: Tx, id: UUID) -> tuple[ParticipantImport, str]:
        found = await tx.fetch_one(ImportReadSql.imports_by_ids, [id])
        if found is None:
            raise Ended
        [tenant] = await tx.fetch(ParticipantSql.name_of_tenant, found.tenant_id)
        return found, tenant

    async def _rows(self, asked: ParticipantImport, tenant: str, done: int) -> AsyncGenerator[list[GivenRow], None]:
        """What the rows behind the first `done` say. The next ones are read while a batch is stored."""
        async with aclosing(self._records(asked, done)) as batches:
            ahead: asyncio.Task[list[GivenRow]] | None = None
            try:
                async for records in batches:
                    reading = self._in_thread(rows_of, records, asked.fields, tenant, self.clock.now())
                    before, ahead = ahead, asyncio.create_task(reading)
                    if before is not None:
                        yield await before
                if ahead is not None:
                    yield await ahead
            finally:
                if ahead is not None:
                    ahead.cancel()

    async def _records(self, asked: ParticipantImport, skipped: int) -> AsyncGenerator[list[Record], None]:
        """The rows of a file behind its header and the first `skipped`, in batches."""
        if asked.file_id is None:
            raise FileGone
        reader, held, skipped = Reader(asked.delimiter), list[Record](), skipped + 1
        stored = await self.files.stored(asked.file_id)
        number = 0
        async with aclosing(self.files.parts(stored.id, stored.chunks)) as parts:
            async for part in parts:
                number += 1
                held += await self._in_thread(reader.feed, part, final=number == stored.chunks)
                dropped = min(skipped, len(held))
                skipped -= dropped
                del held[:dropped]
                while len(held) >= self.batch_rows:
                    yield held[: self.batch_rows]
                    del held[: self.batch_rows]
        if held:
            yield held

    async def _in_thread(self, work: Callable[..., Any], *args: Any, **named: Any) -> Any:
        return await asyncio.to_thread(work, *args, **named)

    async def _end(self, id: UUID, status: ImportStatus, reason: str | None) -> None:
        async def work(tx: Tx) -> None:
            ended = await tx.fetch_one(ImportSql.end_import, id, status, reason, self.clock.now())
            if ended is not None:
                await self.events.append(tx, [progress_of(id, status, *ended)])

        await self.database.write(SYSTEM, work)
