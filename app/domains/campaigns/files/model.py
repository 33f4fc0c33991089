"""Files that a tenant sends or fetches. They are kept in parts, each encrypted, and for a day at most."""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final
from uuid import UUID

import msgspec

from app.kit.errors import Code, Problem

CHUNK_BYTES: Final = 256 * 1024
"""Of each part but the last."""
MAX_UPLOADS: Final = 10
"""How many files of a tenant can wait to be imported."""
KEPT: Final = timedelta(days=1)
SENT_WITHIN: Final = timedelta(minutes=10)
"""A file that is not complete by then never will be: its process was killed. Longer than clients have to send one."""


class FileKind(StrEnum):
    """What a file is for."""

    UPLOAD = "upload"
    EXPORT = "export"


class StoredFile(msgspec.Struct, frozen=True):
    """A file."""

    id: UUID
    tenant_id: UUID
    livemode: bool
    size_bytes: int
    chunks: int
    created_at: datetime
    expires_at: datetime


class FileTooLarge(Problem):
    """The file is larger than the system allows."""

    def __init__(self, limit_bytes: int) -> None:
        super().__init__(f"The file is larger than {limit_bytes:,} bytes, which is the limit of the system.")
        self.limit_bytes = limit_bytes


class FileEmpty(Problem):
    """The file is empty."""


class TooManyUploads(Problem):
    """As many files wait to be imported as can. Import one, or wait until they expire."""


class UploadNotFound(Problem):
    """There is no such upload. It may have expired, been imported, or been deleted when a participant was erased."""

    code = Code.NOT_FOUND


class FileGone(Problem):
    """There is no such file, or not any more."""

    code = Code.NOT_FOUND
