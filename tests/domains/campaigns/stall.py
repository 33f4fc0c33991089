"""Files that the tests send, import, export and look into."""

from collections.abc import AsyncGenerator, Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import msgspec
from msgspec.structs import replace

from app.domains.campaigns.exports.services.exports import EXPORT_JOB
from app.domains.campaigns.imports.model import NewImport, OnDuplicate
from app.domains.campaigns.imports.services.imports import IMPORT_JOB
from app.domains.tenancy.tenants.model.tenants import Tenancy
from tests.domains.campaigns.fair import Fair


async def sent(*parts: bytes) -> AsyncGenerator[bytes, None]:
    """What a client sends, in these parts."""
    for part in parts:
        yield part


def csv_of(header: str, rows: Iterable[str]) -> str:
    return "\n".join([header, *rows])


@dataclass
class Stall:
    """Imports, exports and erasures of a fair."""

    fair: Fair

    async def ask(self, csv: str, by: Tenancy | None = None, **given: Any) -> UUID:
        """An import that was asked for."""
        imports, key = self.fair.services.imports, self.fair.office.key
        return await imports.start(by or self.fair.alice, NewImport(csv=csv, **given), key)

    async def work(self, id: UUID, batch_rows: int = 3) -> None:
        """Imports as a worker does, in small batches."""
        importer = replace_batch(self.fair.services.importer, batch_rows)
        await importer.run({"id": str(id)})

    async def imported(self, csv: str, by: Tenancy | None = None, **given: Any) -> dict[str, Any]:
        """What has become of an import."""
        id = await self.ask(csv, by, **given)
        await self.work(id)
        return await self.fair.row("participant_imports", id)

    async def update(self, csv: str, **given: Any) -> dict[str, Any]:
        """What has become of an import that changes who is there."""
        return await self.imported(csv, on_duplicate=OnDuplicate.UPDATE, **given)

    async def refusals(self, id: UUID) -> list[tuple[int, str | None, str]]:
        """What was refused, in order."""
        rows = await self.fair.office.owner.fetch(
            "SELECT row_number, field, reason FROM participant_import_refusals WHERE import_id = $1 ORDER BY number", id
        )
        return [tuple(row) for row in rows]

    async def participants(self, by: Tenancy | None = None) -> list[dict[str, Any]]:
        """The participants of a tenant, in the order in which they were created."""
        tenancy = by or self.fair.alice
        rows = await self.fair.office.owner.fetch(
            "SELECT p.*, ARRAY(SELECT w.address FROM participant_wallets w WHERE w.participant_id = p.id"
            " ORDER BY w.network DESC) AS wallet_addresses"
            " FROM participants p WHERE p.tenant_id = $1 AND p.livemode = $2 ORDER BY p.created_at, p.id",
            tenancy.tenant_id,
            tenancy.livemode,
        )
        return [dict(row) for row in rows]

    async def exported(self, by: Tenancy | None = None, page_rows: int = 2) -> bytes:
        """The file of an export."""
        tenancy = by or self.fair.alice
        id = await self.fair.services.exports.start(tenancy, self.fair.office.key)
        await self.write(id, page_rows)
        _, parts = await self.fair.services.exports.open(tenancy, id)
        return b"".join([each async for each in parts])

    async def write(self, id: UUID, page_rows: int = 2) -> None:
        """Exports as a worker does, in small pages."""
        exporter = self.fair.services.exporter
        await type(exporter)(exporter.database, exporter.clock, exporter.files, page_rows).run({"id": str(id)})

    async def jobs(self) -> list[tuple[str, str]]:
        """What is enqueued, in order."""
        rows = await self.fair.office.owner.fetch(
            "SELECT entrypoint, payload FROM pgqueuer WHERE entrypoint = ANY ($1) ORDER BY id", [IMPORT_JOB, EXPORT_JOB]
        )
        return [(row["entrypoint"], msgspec.json.decode(row["payload"])["id"]) for row in rows]

    async def count(self, table: str) -> int:
        """How many rows a table has."""
        return int(await self.fair.office.owner.fetchval(f"SELECT count(*) FROM {table}"))

    def limit(self, bytes: int) -> None:
        """How large a file can be from now on."""
        cache = self.fair.services.files.settings
        cache.current = replace(cache.current, max_upload_bytes=bytes)


def replace_batch(importer: Any, batch_rows: int) -> Any:
    """The importer with batches of another size."""
    return type(importer)(
        importer.database, importer.clock, importer.events, importer.files, importer.batches, batch_rows
    )
