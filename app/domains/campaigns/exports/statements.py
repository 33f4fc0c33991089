"""The statements about exports."""

from uuid import UUID

from app.domains.campaigns.exports.model import ExportedRow, LockedExport, ParticipantExport
from app.domains.campaigns.files.model import StoredFile
from app.kit.sql import Command, Query, Rows, Statements


class ExportReadSql(Statements, file="exports_read.sql"):
    """What members of a tenant read of exports."""

    exports_by_ids: Query[ParticipantExport]
    exports_by_tenant: Rows[ParticipantExport]


class ExportSql(Statements, file="exports.sql"):
    """What becomes of exports."""

    insert_export: Command
    begin_export: Query[int]
    lock_export: Query[LockedExport]
    late_participants: Query[UUID]
    open_export: Command
    participants_after: Query[ExportedRow]
    participants_named: Query[ExportedRow]
    note_written: Command
    complete_export: Command
    end_export: Query[UUID]
    is_export_of: Query[bool]
    file_of_export: Query[StoredFile]
    expire_exports: Query[int]
    delete_old_exports: Query[int]
