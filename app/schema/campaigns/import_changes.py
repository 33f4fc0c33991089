"""Asking for imports of participants, and cancelling them."""

from typing import Any
from uuid import UUID

import strawberry

from app.domains.campaigns.files import model as files
from app.domains.campaigns.imports import model
from app.domains.campaigns.imports.model import OnDuplicate
from app.domains.campaigns.imports.services.imports import Imports
from app.domains.campaigns.services import CampaignsServices
from app.engine.declarations.costs import holds
from app.engine.declarations.nodes import key_of
from app.engine.declarations.problems import (
    IdempotencyKeyReused,
    InvalidInput,
    NotFound,
    Problem,
    ResultDeleted,
    mutation,
    problem_type,
)
from app.kit import errors
from app.schema.campaigns.imports import ParticipantImport, read_import
from app.schema.context import Info
from app.schema.idempotency import IDEMPOTENCY_KEY
from app.schema.tenancy.changes import TenantNotActive


@problem_type(files.UploadNotFound)
class UploadNotFound(Problem):
    """There is no such upload in the tenant and mode: it may have expired, been imported, or been deleted because a
    participant was erased.
    """


@problem_type(files.FileTooLarge)
class FileTooLarge(Problem):
    """The file is larger than the system allows."""

    limit_bytes: int = strawberry.field(description="How large a file can be, in bytes, as admins have set it.")


@problem_type(files.FileEmpty)
class FileEmpty(Problem):
    """The file is empty."""


@problem_type(files.TooManyUploads)
class TooManyUploads(Problem):
    """As many files of the tenant wait to be imported as can."""


@problem_type(model.FileRefused)
class ParticipantFileRefused(Problem):
    """The file cannot be imported as it is: the message says why. Nothing of it was stored."""

    columns: list[str] = strawberry.field(
        description="Up to ten of the columns that are concerned, as the header or the mapping names them.",
        metadata=holds(model.MAX_SHOWN),
    )


@problem_type(model.TooManyTransfers)
class TooManyTransfers(Problem):
    """As many imports and exports of the tenant wait or run as can at once."""

    limit: int = strawberry.field(description="How many can wait or run at once.")


@problem_type(model.ImportNotRunning)
class ParticipantImportNotRunning(Problem):
    """The import has ended."""


@strawberry.input(one_of=True)
class ParticipantImportSource:
    """The file to import: comma-separated values in UTF-8, with a header. Cells are separated by commas, semicolons or
    tabs, as the header says.
    """

    csv: str | None = strawberry.field(
        default=strawberry.UNSET, description=f"The file itself, up to {model.MAX_CSV_CHARS:,} characters."
    )
    upload_id: strawberry.ID | None = strawberry.field(
        default=strawberry.UNSET,
        description="A file that was sent by `POST /uploads` within the last day, as its answer names it.",
    )


@strawberry.input
class ParticipantImportColumnInput:
    """What a column of the file is."""

    column: str = strawberry.field(
        description="The name of the column in the header, in any case, 1 to 255 characters."
    )
    field: str | None = strawberry.field(
        name="fieldName",
        description="The field: telegram_id, discord_id, username, first_name, last_name, email, locale, time_zone,"
        " has_notifications, is_active, is_verified, referral_code, referrer_code, solana_address, solana_off_curve,"
        " ethereum_address, wallet_address with wallet_type, last_active_at, attributes as an object in JSON, or"
        " attributes. and the name of one. Null: the column is left out.",
    )


@strawberry.input
class ImportParticipantsInput:
    """The import to begin, into the tenant that the request names."""

    source: ParticipantImportSource = strawberry.field(description="The file.")
    mapping: list[ParticipantImportColumnInput] | None = strawberry.field(
        default=None,
        description="What columns are that are not named like fields, up to 200. Null: all columns are named like"
        " fields, in any case.",
    )
    on_duplicate: OnDuplicate | None = strawberry.field(
        default=None, description="What becomes of rows whose participants are there already. Null: SKIP."
    )
    idempotency_key: str = strawberry.field(description=IDEMPOTENCY_KEY)

    def new(self) -> model.NewImport:
        """The import to begin. Raises UploadNotFound."""
        source, upload_id = self.source, None
        if source.upload_id:
            try:
                upload_id = UUID(source.upload_id)
            except ValueError:
                raise files.UploadNotFound(path=("source", "upload_id")) from None
        return model.NewImport(
            upload_id=upload_id,
            csv=source.csv if isinstance(source.csv, str) else None,
            mapping=tuple(model.ColumnTarget(each.column, each.field) for each in self.mapping or []),
            on_duplicate=self.on_duplicate or OnDuplicate.SKIP,
        )


@strawberry.input
class CancelParticipantImportInput:
    """The import to cancel."""

    id: strawberry.ID = strawberry.field(description="The global ID of the import.")


@strawberry.type
class ImportParticipantsPayload:
    """The import is asked for, now or when the idempotency key was first used. `participantImportProgress` says how far
    it is.
    """

    participant_import: ParticipantImport = strawberry.field(description="The import as it is now.")


@strawberry.type
class CancelParticipantImportPayload:
    """The import was cancelled. What it has imported stays."""

    participant_import: ParticipantImport = strawberry.field(description="The import as it is now.")


@strawberry.type
class ImportMutation:
    """Imports of participants, for the owners and admins of a tenant."""

    @mutation(
        ImportParticipantsPayload,
        InvalidInput,
        TenantNotActive,
        UploadNotFound,
        FileTooLarge,
        FileEmpty,
        ParticipantFileRefused,
        TooManyUploads,
        TooManyTransfers,
        ResultDeleted,
        IdempotencyKeyReused,
    )
    async def import_participants(self, info: Info, input: ImportParticipantsInput) -> Any:
        """Asks for an import of participants from a file. A worker imports its rows one after the other,
        and reports those that it refuses. For the owners and admins of the tenant that the request names.
        """
        tenancy = info.context.require_tenancy()
        id = await _imports(info).start(tenancy, input.new(), input.idempotency_key)
        if (made := await read_import(info.context, id)) is None:
            raise errors.ResultDeleted
        return ImportParticipantsPayload(participant_import=made)

    @mutation(CancelParticipantImportPayload, NotFound, ParticipantImportNotRunning)
    async def cancel_participant_import(self, info: Info, input: CancelParticipantImportInput) -> Any:
        """Cancels an import that waits or runs. For the owners and admins of its tenant."""
        tenancy, id = info.context.require_tenancy(), key_of(input.id, ParticipantImport)
        await _imports(info).cancel(tenancy, id)
        return CancelParticipantImportPayload(participant_import=await read_import(info.context, id))


def _imports(info: Info) -> Imports:
    return info.context.services[CampaignsServices].imports
