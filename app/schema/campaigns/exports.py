"""Exports of participants, as the members of their tenant see them."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import strawberry

from app.domains.campaigns.exports import loaders, model
from app.domains.campaigns.exports.model import ExportStatus
from app.engine.declarations.computed import from_parent
from app.engine.declarations.extensions import extension_of
from app.engine.declarations.lookups import by_id, lookup
from app.engine.declarations.nodes import Node, node_type
from app.engine.declarations.pages import Connection
from app.engine.declarations.relations import paged
from app.schema.context import Context
from app.schema.enums import declare_enum
from app.schema.tenancy.tenants import Tenant

declare_enum(
    ExportStatus,
    name="ParticipantExportStatus",
    description="What has become of an export.",
    QUEUED="It waits for a worker.",
    RUNNING="A worker writes it.",
    COMPLETED="Its file can be fetched.",
    FAILED="It could not be written: `statusReason` says why.",
    CANCELLED="It was cancelled.",
    EXPIRED="Its file was deleted: after a day, or because a participant was erased.",
)


def _status(root: model.ParticipantExport) -> ExportStatus:
    return ExportStatus(root.status)


def _path(root: model.ParticipantExport) -> str | None:
    return f"/exports/{root.id}" if root.status == ExportStatus.COMPLETED else None


@node_type(by=loaders.export_by_id)
class ParticipantExport(Node):
    """An export of the participants of a tenant. The members of the tenant see it, where the request names it. Kept for
    90 days, its file for one.
    """

    livemode: bool = strawberry.field(name="isLive", description="Whether the participants are real.")
    of_verified: bool | None = strawberry.field(
        name="isVerifiedFilter", description="Whether its participants are verified, as its filter says. Null: either."
    )
    of_active: bool | None = strawberry.field(
        name="isActiveFilter", description="Whether its participants can take part, as its filter says. Null: either."
    )
    status: ExportStatus = from_parent(_status, description="What has become of it.")
    status_reason: str | None = strawberry.field(
        description="Why it could not be written, in English. Null unless the status is FAILED."
    )
    total_rows: int | None = strawberry.field(description="The number of participants to write. Null: not counted yet.")
    written_rows: int = strawberry.field(description="The number of participants that were written.")
    size_bytes: int | None = strawberry.field(
        description="The size of the file, in bytes. Null: it was never completed."
    )
    download_path: str | None = from_parent(
        _path,
        description="Where owners and admins of the tenant fetch the file, by GET with the same headers as a request of"
        " theirs: comma-separated values in UTF-8, which can be imported again. A value that a spreadsheet would run as"
        " a formula has an apostrophe in front. Null unless the status is COMPLETED.",
    )
    created_at: datetime = strawberry.field(description="When it was asked for.")
    started_at: datetime | None = strawberry.field(description="When a worker began it. Null: none has.")
    finished_at: datetime | None = strawberry.field(
        description="When it was completed, failed or cancelled. Null: it has not ended."
    )
    expires_at: datetime | None = strawberry.field(
        description="Until when the file can be fetched. Null: it was never completed."
    )


@strawberry.input(one_of=True)
class ParticipantExportBy:
    """Identifies an export."""

    id: strawberry.ID | None = strawberry.field(default=strawberry.UNSET, description="The global ID.")


@strawberry.type
class ParticipantExportQuery:
    """A single export."""

    participant_export: ParticipantExport | None = lookup(
        ParticipantExportBy,
        {"id": by_id(ParticipantExport, loaders.export_by_id)},
        of=ParticipantExport,
        argument="Identifies the export.",
        description="An export of the tenant that the request names. Null if there is none.",
    )


@strawberry.input
class ParticipantExportFilter:
    """Filters exports by all fields that are given. A field that is null or omitted matches all."""

    status: ExportStatus | None = strawberry.field(default=None, description="What has become of it.")

    def conditions(self) -> Mapping[str, Any]:
        """The filters of the loader."""
        return {"status": self.status}


@extension_of(Tenant)
class TenantParticipantExports:
    """The exports of a tenant."""

    participant_exports: Connection[ParticipantExport] = paged(
        loaders.exports_by_tenant,
        key="id",
        filter=ParticipantExportFilter,
        description="Its exports of participants, newest first: of real ones, or of those for tests, as the request"
        " acts. Empty unless the request names the tenant.",
    )


async def read_export(context: Context, id: Any) -> Any:
    """The record of an export, for a payload."""
    return await context.reads.one(loaders.export_by_id, id)
