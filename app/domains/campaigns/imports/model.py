"""Imports of participants from files of comma-separated values."""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

import msgspec

from app.domains.campaigns.networks.model import Network
from app.kit.errors import Problem

MAX_COLUMNS: Final = 200
MAX_SHOWN: Final = 10
"""How many columns a refusal names."""
MAX_ROWS: Final = 5_000_000
"""Of a file."""
MAX_RECORD_CHARS: Final = 64 * 1024
"""Of a row of a file."""
MAX_CSV_CHARS: Final = 200_000
"""Of a file that is part of the input."""
MAX_REFUSALS: Final = 10_000
"""How many refusals of an import are stored; others are counted."""
MAX_UNFINISHED: Final = 3
"""Imports and exports of a tenant that wait or run."""
RETENTION: Final = timedelta(days=90)
STREAM: Final = "participant-import:"
PROGRESS: Final = "progress"
ATTRIBUTE: Final = "attributes."
"""How the field of an attribute begins."""


class ImportStatus(StrEnum):
    """What has become of an import. All but QUEUED and RUNNING are final."""

    QUEUED = "queued"
    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"


class OnDuplicate(StrEnum):
    """What becomes of a row whose participant is there already."""

    SKIP = "skip"
    UPDATE = "update"


class RefusalReason(StrEnum):
    """Why a row was refused."""

    MALFORMED = "malformed"
    INVALID = "invalid"
    DUPLICATE_IN_FILE = "duplicate_in_file"
    TAKEN = "taken"
    CONTRADICTION = "contradiction"
    UNKNOWN_REFERRER = "unknown_referrer"
    OTHER_REFERRER = "other_referrer"
    ERASED = "erased"


class ParticipantImport(msgspec.Struct, frozen=True):
    """An import."""

    id: UUID
    tenant_id: UUID
    livemode: bool
    status: str
    status_reason: str | None
    on_duplicate: str
    file_id: UUID | None
    size_bytes: int
    delimiter: str
    fields: list[str]
    total_rows: int | None
    processed_rows: int
    imported_count: int
    updated_count: int
    skipped_count: int
    refused_count: int
    created_by: UUID | None
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None


class ImportRefusal(msgspec.Struct, frozen=True):
    """A fault of a row that was refused. It has none of the row's values."""

    import_id: UUID
    number: int
    row_number: int
    field: str | None
    reason: str
    detail: str


class ColumnTarget(msgspec.Struct, frozen=True):
    """What a column of a file is."""

    column: str
    field: str | None
    """Null: nothing."""


class NewImport(msgspec.Struct, frozen=True, kw_only=True):
    """An import to begin: of a file that was sent, or of a text."""

    upload_id: UUID | None = None
    csv: str | None = None
    mapping: tuple[ColumnTarget, ...] = ()
    on_duplicate: OnDuplicate = OnDuplicate.SKIP


class Header(msgspec.Struct, frozen=True):
    """How a file is to be read."""

    delimiter: str
    fields: tuple[str, ...]


class Record(msgspec.Struct, frozen=True):
    """A row of a file: where it is, its cells, and why it cannot be read."""

    number: int
    cells: list[str]
    fault: str | None = None


class Fault(msgspec.Struct, frozen=True):
    """What is wrong with a row."""

    field: str | None
    reason: RefusalReason
    detail: str


class GivenWallet(msgspec.Struct, frozen=True):
    """A wallet of a row."""

    network: Network
    address: str
    allows_off_curve: bool


class GivenRow(msgspec.Struct, frozen=True):
    """A row as it was understood: what its cells set, by field, or what is wrong with it."""

    number: int
    values: dict[str, Any]
    attributes: dict[str, str]
    wallets: tuple[GivenWallet, ...]
    faults: tuple[Fault, ...] = ()


class ImportProgress(msgspec.Struct, frozen=True):
    """What the stream of an import says: how far it was then."""

    status: ImportStatus
    processed: int
    total: int | None
    refused: int


class Counts(msgspec.Struct, frozen=True):
    """What has become of the rows of a batch."""

    imported: int = 0
    updated: int = 0
    skipped: int = 0
    refused: int = 0


class LockedImport(msgspec.Struct, frozen=True):
    """An import that a batch has locked."""

    tenant_id: UUID
    livemode: bool
    on_duplicate: str
    total_rows: int | None
    imported_count: int
    updated_count: int
    skipped_count: int
    refused_count: int
    started_at: datetime
    is_open: bool
    """Whether its tenant can be changed."""
    refusals: int
    """How many are stored."""


class Known(msgspec.Struct, frozen=True):
    """A participant of the tenant who has an ID or a code of a row."""

    id: UUID
    telegram_id: int | None
    discord_id: str | None
    username: str | None
    first_name: str | None
    last_name: str | None
    email: str | None
    locale: str | None
    time_zone: str | None
    has_notifications: bool
    attributes: dict[str, Any]
    is_active: bool
    is_verified: bool
    referral_code: str
    last_active_at: datetime
    import_id: UUID | None
    is_erased: bool
    referrer_code: str | None


class FileRefused(Problem):
    """The file cannot be imported as it is."""

    field = "source"

    def __init__(self, message: str, columns: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.columns = columns
        """Which of its columns are concerned."""


class TooManyTransfers(Problem):
    """As many imports and exports of the tenant wait or run as can at once."""

    def __init__(self, limit: int) -> None:
        super().__init__(f"{limit} imports and exports of this tenant wait or run already. Cancel one, or wait.")
        self.limit = limit


class ImportNotRunning(Problem):
    """The import has ended."""


def import_stream(id: UUID) -> str:
    """The stream of an import. Its facts are of the kind `progress` and carry an ImportProgress."""
    return f"{STREAM}{id}"
