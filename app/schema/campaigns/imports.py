"""Imports of participants, as the members of their tenant see them."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import msgspec
import strawberry

from app.domains.campaigns.imports import loaders, model
from app.domains.campaigns.imports.model import ImportStatus, OnDuplicate, RefusalReason
from app.engine.declarations.computed import from_parent
from app.engine.declarations.costs import holds
from app.engine.declarations.extensions import extension_of
from app.engine.declarations.lookups import by_id, lookup
from app.engine.declarations.nodes import Node, key_of, node_type, record_type
from app.engine.declarations.pages import Connection
from app.engine.declarations.relations import paged, related
from app.engine.declarations.stream_events import StreamEvent
from app.engine.declarations.subscriptions import Followed, durable
from app.kit.errors import NotFound
from app.kit.events import Event
from app.kit.loaders import Audience
from app.schema.context import Context, Info
from app.schema.enums import declare_enum
from app.schema.tenancy.tenants import Tenant

TOTAL = "The number of its rows that are not empty, without the header. Null: not counted yet."
PROCESSED = "The number of rows that were dealt with."

declare_enum(
    ImportStatus,
    name="ParticipantImportStatus",
    description="What has become of an import.",
    QUEUED="It waits for a worker.",
    RUNNING="A worker imports it.",
    COMPLETED="All of its rows were dealt with.",
    FAILED="It could not go on: `statusReason` says why. What was imported stays.",
    CANCELLED="It was cancelled. What was imported stays.",
)
declare_enum(
    OnDuplicate,
    name="ParticipantDuplicates",
    description="What becomes of a row whose participant is in the tenant already: their number at Telegram, their key"
    " at Discord or their referral code says so.",
    SKIP="The participant stays as they are.",
    UPDATE="The participant is set to what the cells say. Empty cells, and who has referred them, change nothing.",
)
declare_enum(
    RefusalReason,
    name="ParticipantImportRefusalReason",
    description="Why a row was refused.",
    MALFORMED="The row cannot be read: its quotation marks, its characters, or too many cells.",
    INVALID="A value is not one that the field can have.",
    DUPLICATE_IN_FILE="An earlier row of the file is about the same participant.",
    TAKEN="Another participant has an ID or the code of the row.",
    CONTRADICTION="Its IDs and its code are those of several participants.",
    UNKNOWN_REFERRER="Nobody has the code of the referrer, neither in the tenant nor in an earlier row.",
    OTHER_REFERRER="Somebody else has referred the participant, or nobody has: an import does not change that.",
    ERASED="The participant was erased after the import was begun.",
)


def _status(root: model.ParticipantImport) -> ImportStatus:
    return ImportStatus(root.status)


def _on_duplicate(root: model.ParticipantImport) -> OnDuplicate:
    return OnDuplicate(root.on_duplicate)


def _fields(root: model.ParticipantImport) -> list[str | None]:
    return [each or None for each in root.fields]


def _reason(root: model.ImportRefusal) -> RefusalReason:
    return RefusalReason(root.reason)


@record_type(model.ImportRefusal)
class ParticipantImportRefusal:
    """What is wrong with a row that was refused. None of the values of the row are kept."""

    row_number: int = strawberry.field(
        description="The row in the file as a spreadsheet shows it: the header is row 1, and empty rows count."
    )
    field: str | None = strawberry.field(
        name="fieldName", description="The field that it is about. Null: it is about the whole row."
    )
    reason: RefusalReason = from_parent(_reason, description="Why it was refused.")
    detail: str = strawberry.field(description="Why it was refused, as a sentence in English.")


@node_type(by=loaders.import_by_id)
class ParticipantImport(Node):
    """An import of participants. The members of the tenant see it, where the request names it. Kept for 90 days; its
    file is deleted as soon as it has ended.
    """

    livemode: bool = strawberry.field(name="isLive", description="Whether the participants are real.")
    status: ImportStatus = from_parent(_status, description="What has become of it.")
    status_reason: str | None = strawberry.field(
        description="Why it could not go on, in English. Null unless the status is FAILED."
    )
    on_duplicate: OnDuplicate = from_parent(
        _on_duplicate, description="What becomes of rows whose participants are there."
    )
    size_bytes: int = strawberry.field(description="The size of the file, in bytes.")
    column_fields: list[str | None] = from_parent(
        _fields,
        description="What its columns are, in order: names of fields, such as telegram_id. Null: one that is left out.",
        metadata=holds(model.MAX_COLUMNS),
    )
    total_rows: int | None = strawberry.field(description=TOTAL)
    processed_rows: int = strawberry.field(description=PROCESSED)
    imported_count: int = strawberry.field(description="The number of rows whose participants were created.")
    updated_count: int = strawberry.field(description="The number of rows whose participants were changed.")
    skipped_count: int = strawberry.field(description="The number of rows whose participants were left as they are.")
    refused_count: int = strawberry.field(description="The number of rows that were refused.")
    refusals: Connection[ParticipantImportRefusal] = paged(
        loaders.refusals_by_import,
        key="id",
        description=f"What is wrong with the rows that were refused, in their order. Of more than"
        f" {model.MAX_REFUSALS:,} the first are stored.",
    )
    created_at: datetime = strawberry.field(description="When it was asked for.")
    started_at: datetime | None = strawberry.field(description="When a worker began it. Null: none has.")
    finished_at: datetime | None = strawberry.field(
        description="When it was completed, failed or cancelled. Null: it has not ended."
    )


@strawberry.input(one_of=True)
class ParticipantImportBy:
    """Identifies an import."""

    id: strawberry.ID | None = strawberry.field(default=strawberry.UNSET, description="The global ID.")


@strawberry.type
class ParticipantImportQuery:
    """A single import."""

    participant_import: ParticipantImport | None = lookup(
        ParticipantImportBy,
        {"id": by_id(ParticipantImport, loaders.import_by_id)},
        of=ParticipantImport,
        argument="Identifies the import.",
        description="An import of the tenant that the request names. Null if there is none.",
    )


@strawberry.input
class ParticipantImportFilter:
    """Filters imports by all fields that are given. A field that is null or omitted matches all."""

    status: ImportStatus | None = strawberry.field(default=None, description="What has become of it.")

    def conditions(self) -> Mapping[str, Any]:
        """The filters of the loader."""
        return {"status": self.status}


@extension_of(Tenant)
class TenantParticipantImports:
    """The imports of a tenant."""

    participant_imports: Connection[ParticipantImport] = paged(
        loaders.imports_by_tenant,
        key="id",
        filter=ParticipantImportFilter,
        description="Its imports of participants, newest first: of real ones, or of those for tests, as the request"
        " acts. Empty unless the request names the tenant.",
    )


@strawberry.type
class ParticipantImportProgressEvent(StreamEvent):
    """How far an import was."""

    import_id: strawberry.Private[UUID]
    status: ImportStatus = strawberry.field(description="What had become of it.")
    processed: int = strawberry.field(name="processedRows", description=PROCESSED)
    total: int | None = strawberry.field(name="totalRows", description=TOTAL)
    refused: int = strawberry.field(name="refusedCount", description="The number of rows that were refused.")
    participant_import: ParticipantImport | None = related(
        loaders.import_by_id,
        key="import_id",
        description="The import as it is now. Null if it is no longer stored.",
    )


def _event(event: Event) -> ParticipantImportProgressEvent:
    fact = msgspec.convert(event.payload, model.ImportProgress)
    return ParticipantImportProgressEvent(
        import_id=UUID(event.stream.removeprefix(model.STREAM)),
        status=fact.status,
        processed=fact.processed,
        total=fact.total,
        refused=fact.refused,
    )


@strawberry.type
class ParticipantImportSubscription:
    """The progress of imports."""

    @durable(ParticipantImportProgressEvent, payload=_event, audience=Audience.TENANT, per_s=1)
    async def participant_import_progress(
        self,
        info: Info,
        import_id: Annotated[strawberry.ID, strawberry.argument(description="The global ID of the import.")],
    ) -> Followed:
        """How far an import of the tenant that the request names is, from when it was asked for on, or after `after`.
        The last event says how it ended.
        """
        info.context.require_tenancy()
        id: UUID = key_of(import_id, ParticipantImport)
        if await read_import(info.context, id) is None:
            raise NotFound(ParticipantImport)
        return Followed(model.import_stream(id), since=0)


async def read_import(context: Context, id: Any) -> Any:
    """The record of an import, for a payload."""
    return await context.reads.one(loaders.import_by_id, id)
