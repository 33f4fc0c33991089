"""Writing old months of events into files, and taking participants out of them."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from itertools import islice
from typing import Final, TypeAlias
from uuid import UUID

import msgspec

from app.domains.campaigns.analytics.model import (
    ArchivedEvent,
    ArchiveFile,
    ArchiveVerdict,
    EventSource,
    Fingerprint,
    Manifest,
)
from app.domains.campaigns.analytics.services.archive_files import ArchiveFolder
from app.domains.campaigns.analytics.statements import ArchiveSql
from app.kit.clock import Clock
from app.kit.db import SYSTEM, Database, Tx
from app.kit.errors import Unavailable

BATCH: Final = 5000


@dataclass(frozen=True)
class Archives:
    """The archives of events. One transaction at a time writes them; the folder is one for all workers."""

    database: Database
    clock: Clock
    folder: ArchiveFolder
    batch: int = BATCH

    async def archive(self) -> str:
        """Writes months that are over for more than a year into files, and drops those that are there whole."""
        months = await self.database.read(SYSTEM, lambda tx: tx.fetch(ArchiveSql.months_to_archive, self.clock.now()))
        archived = 0
        for month in months:
            manifest = await self.write(month)
            if manifest is not None and await self.drop(manifest):
                archived += 1
        return f"{archived} of {len(months)} months archived"

    async def write(self, month: date) -> Manifest | None:
        """Writes the events of a month, unless they are in files already. None: another process writes."""

        async def work(tx: Tx) -> Manifest | None:
            if not await tx.fetch_one(ArchiveSql.lock_archiving):
                return None
            [found] = await tx.fetch(ArchiveSql.fingerprint_of_month, *_span(month))
            if (written := await asyncio.to_thread(self._written, month, found)) is not None:
                return written
            return await self._written_anew(tx, month, found)

        return await self.database.read(SYSTEM, work)

    async def drop(self, manifest: Manifest) -> bool:
        """Drops a month that is in files. False: it has other events by now."""
        given = manifest.month, manifest.events, manifest.fingerprint, self.clock.now()
        return bool(await self.database.write(SYSTEM, lambda tx: tx.fetch_one(ArchiveSql.drop_month, *given)))

    async def redact(self, tenant_id: UUID, participants: Sequence[UUID], *, livemode: bool) -> int:
        """Empties what archives say of participants of a tenant. How many events that were. A month is replaced as a
        whole, so that this can be stopped and repeated. Raises Unavailable while another process writes.
        """
        meant = set(participants)

        def redacted(event: ArchivedEvent) -> ArchivedEvent:
            if event.participant_id not in meant or (event.tenant_id, event.livemode) != (tenant_id, livemode):
                return event
            return redacted_event(event)

        async def work(tx: Tx) -> int:
            if not await tx.fetch_one(ArchiveSql.lock_archiving):
                raise Unavailable
            return await asyncio.to_thread(self._rewrite, redacted)

        return await self.database.read(SYSTEM, work)

    async def check(self) -> AsyncGenerator[tuple[int, int, ArchiveVerdict], None]:
        """Reads all archives: how many so far, of how many, and whether the last one is whole."""
        dropped = await self.database.read(SYSTEM, lambda tx: tx.fetch(ArchiveSql.archived_months))
        months = sorted({*dropped, *await asyncio.to_thread(self.folder.months)})
        for number, month in enumerate(months, 1):
            yield number, len(months), await asyncio.to_thread(self.folder.check, month)

    def _written(self, month: date, found: Fingerprint) -> Manifest | None:
        """The archive of a month, if it is whole and has these events."""
        if self.folder.check(month).fault is not None:
            return None
        manifest = self.folder.manifest(month)
        assert manifest is not None
        if (manifest.events, manifest.fingerprint) != (found.events, found.value):
            return None
        self.folder.clean(manifest)
        return manifest

    async def _written_anew(self, tx: Tx, month: date, found: Fingerprint) -> Manifest:
        files: list[ArchiveFile] = []
        after: UUID | None = None
        while True:
            writer = await asyncio.to_thread(self.folder.begin, month, len(files) + 1)
            try:
                while writer.events < self.folder.file_events:
                    size = min(self.batch, self.folder.file_events - writer.events)
                    events = await tx.fetch(ArchiveSql.events_after, *_span(month), after, size)
                    if not events:
                        break
                    after = events[-1].id
                    await asyncio.to_thread(writer.write, events)
                if not writer.events:
                    writer.abandon()
                    break
                files.append(await asyncio.to_thread(writer.finish))
            except BaseException:
                writer.abandon()
                raise
        return await asyncio.to_thread(self.folder.publish, month, files, found)

    def _rewrite(self, change: "Change") -> int:
        changed = 0
        for month in self.folder.months():
            if not (events := sum(change(each) is not each for each in self.folder.events(month))):
                continue
            changed += events
            manifest = self.folder.manifest(month)
            assert manifest is not None
            found = Fingerprint(manifest.events, manifest.fingerprint, manifest.first_at, manifest.last_at)
            self.folder.publish(month, self._changed(month, change), found)
        return changed

    def _changed(self, month: date, change: "Change") -> list[ArchiveFile]:
        files: list[ArchiveFile] = []
        events = map(change, self.folder.events(month))
        while part := list(islice(events, min(self.batch, self.folder.file_events))):
            writer = self.folder.begin(month, len(files) + 1)
            try:
                while part:
                    writer.write(part)
                    part = list(islice(events, min(self.batch, self.folder.file_events - writer.events)))
                files.append(writer.finish())
            except BaseException:
                writer.abandon()
                raise
        return files


Change: TypeAlias = Callable[[ArchivedEvent], ArchivedEvent]


def redacted_event(event: ArchivedEvent) -> ArchivedEvent:
    """An event without what it says of its participant; that it happened stays."""
    return msgspec.structs.replace(
        event,
        participant_id=None,
        properties={} if event.source == EventSource.TENANT else event.properties,
        user_properties={},
        session_id=None,
        ip_address=None,
        user_agent=None,
    )


def _span(month: date) -> tuple[datetime, datetime]:
    """When a month begins, and when the next one does, in UTC."""
    following = date(month.year + month.month // 12, month.month % 12 + 1, 1)
    begins, ends = (datetime.combine(each, time(), UTC) for each in (month, following))
    return begins, ends
