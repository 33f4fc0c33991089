"""Settings of the system, and their changes."""

from datetime import datetime
from enum import StrEnum
from typing import Any, Final, TypeAlias
from uuid import UUID

import msgspec

MAX_MESSAGE_CHARS: Final = 500
MAX_RETRY_AFTER_S: Final = 86_400
DEFAULT_RETRY_AFTER_S: Final = 60
MIN_UPLOAD_BYTES: Final = 1024
MAX_UPLOAD_BYTES: Final = 1024**3
MAX_CALLS: Final = 1_000_000_000
MAX_TOKENS: Final = 100
MAX_SYMBOL_CHARS: Final = 20


class SettingKey(StrEnum):
    """A setting of the system."""

    MAINTENANCE = "maintenance_mode"
    MAX_UPLOAD_BYTES = "max_file_upload_size"
    DEFAULT_RATE_LIMITS = "default_rate_limits"
    SUPPORTED_TOKENS = "supported_tokens"


class Maintenance(msgspec.Struct, frozen=True):
    """Whether users are turned away."""

    enabled: bool
    message: str | None
    """What they are shown; null: a message of ours."""
    retry_after_s: int
    started_at: datetime | None
    """Null if it is not enabled."""


class RateLimits(msgspec.Struct, frozen=True):
    """How many calls a plan has in an hour where nothing else is agreed. A call is one GraphQL operation."""

    free: int
    pro: int
    enterprise: int


class NewMaintenance(msgspec.Struct, frozen=True):
    """Maintenance as an admin wants it."""

    enabled: bool
    message: str | None = None
    retry_after_s: int = DEFAULT_RETRY_AFTER_S


Value: TypeAlias = Maintenance | int | RateLimits | tuple[str, ...]
"""Of a setting, as its key says."""
NewValue: TypeAlias = NewMaintenance | int | RateLimits | tuple[str, ...]

_TYPES: Final[dict[SettingKey, Any]] = {
    SettingKey.MAINTENANCE: Maintenance,
    SettingKey.MAX_UPLOAD_BYTES: int,
    SettingKey.DEFAULT_RATE_LIMITS: RateLimits,
    SettingKey.SUPPORTED_TOKENS: tuple[str, ...],
}


def value_of(key: SettingKey, stored: Any) -> Value:
    """The value of a setting, from what is stored."""
    value: Value = msgspec.convert(stored, _TYPES[key])
    return value


class SystemSettings(msgspec.Struct, frozen=True):
    """All settings of the system."""

    maintenance: Maintenance
    max_upload_bytes: int
    default_rate_limits: RateLimits
    supported_tokens: tuple[str, ...]


AT_FIRST: Final = SystemSettings(
    Maintenance(enabled=False, message=None, retry_after_s=DEFAULT_RETRY_AFTER_S, started_at=None),
    10 * 1024**2,
    RateLimits(100, 10_000, 100_000),
    ("SOL", "USDC", "BONK"),
)
"""The settings of a new database."""


class StoredSettings(msgspec.Struct, frozen=True):
    """All settings of the system as they are stored, by key."""

    values: dict[str, Any]

    @property
    def settings(self) -> SystemSettings:
        """The settings."""
        return msgspec.convert(
            {
                "maintenance": self.values[SettingKey.MAINTENANCE],
                "max_upload_bytes": self.values[SettingKey.MAX_UPLOAD_BYTES],
                "default_rate_limits": self.values[SettingKey.DEFAULT_RATE_LIMITS],
                "supported_tokens": self.values[SettingKey.SUPPORTED_TOKENS],
            },
            SystemSettings,
        )


class SettingChange(msgspec.Struct, frozen=True):
    """A change of a setting."""

    id: UUID
    key: SettingKey
    value_before: Any
    value_after: Any
    changed_by: UUID | None
    """Null: changed by hand, or by an admin who has been deleted."""
    changed_at: datetime

    @property
    def before(self) -> Value:
        """The value before."""
        return value_of(self.key, self.value_before)

    @property
    def after(self) -> Value:
        """The value after."""
        return value_of(self.key, self.value_after)
