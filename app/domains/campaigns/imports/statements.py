"""The statements about imports."""

from uuid import UUID

from app.domains.campaigns.imports.model import ImportRefusal, Known, LockedImport, ParticipantImport
from app.kit.sql import Command, Query, Rows, Statements


class ImportReadSql(Statements, file="imports_read.sql"):
    """What members of a tenant read of imports."""

    imports_by_ids: Query[ParticipantImport]
    imports_by_tenant: Rows[ParticipantImport]
    refusals_by_import: Rows[ImportRefusal]


class ImportSql(Statements, file="imports.sql"):
    """What becomes of imports."""

    lock_transfers_of: Command
    count_unfinished: Query[int]
    insert_import: Command
    begin_import: Query[int]
    note_total: Query[int]
    lock_import: Query[LockedImport]
    note_batch: Command
    insert_refusals: Command
    end_import: Query[tuple[int, int | None, int]]
    is_import_of: Query[bool]
    exclusions_of: Query[str]
    delete_old_imports: Query[int]


class BatchSql(Statements, file="batches.sql"):
    """The participants of a batch of rows."""

    known: Query[Known]
    referrers: Query[tuple[str, UUID]]
    insert_participants: Command
    update_participants: Command
    remove_wallets: Command
    put_wallets: Command
    audit_import: Command
