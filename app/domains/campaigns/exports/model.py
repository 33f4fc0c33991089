"""Exports of participants to files of comma-separated values."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

import msgspec

from app.kit.errors import Problem


class ExportStatus(StrEnum):
    """What has become of an export. All but QUEUED and RUNNING are final, and COMPLETED until it expires."""

    QUEUED = "queued"
    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"
    EXPIRED = "expired"


class ExportFilter(msgspec.Struct, frozen=True):
    """Which participants an export is of. None: of either."""

    verified: bool | None = None
    active: bool | None = None


class ParticipantExport(msgspec.Struct, frozen=True):
    """An export."""

    id: UUID
    tenant_id: UUID
    livemode: bool
    of_verified: bool | None
    of_active: bool | None
    status: str
    status_reason: str | None
    size_bytes: int | None
    total_rows: int | None
    written_rows: int
    created_by: UUID | None
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    expires_at: datetime | None


class LockedExport(msgspec.Struct, frozen=True):
    """A running export that a step has locked."""

    tenant_id: UUID
    livemode: bool
    of_verified: bool | None
    of_active: bool | None
    file_id: UUID | None
    after_at: datetime | None
    after_id: UUID | None
    late_ids: list[UUID] | None
    late_written: int


class ExportedRow(msgspec.Struct, frozen=True):
    """A participant as they are exported."""

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
    is_active: bool
    is_verified: bool
    referral_code: str
    referrer_code: str | None
    solana_address: str | None
    solana_off_curve: bool | None
    ethereum_address: str | None
    attributes: dict[str, Any]
    created_at: datetime
    last_active_at: datetime
    total_referrals: int


class ExportNotRunning(Problem):
    """The export has ended."""
