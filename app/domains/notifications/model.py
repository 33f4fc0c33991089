"""Notifications: what a user was told, and whether they have read it."""

from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any
from uuid import UUID

import msgspec

NOTIFICATION_CREATED = "notification.created"


class NotificationType(StrEnum):
    """What a notification is about."""

    ALERT = "alert"
    SYSTEM = "system"


class Notification(msgspec.Struct, frozen=True):
    """Something a user was told. Those of an alert have its symbol and what was measured."""

    id: UUID
    user_id: UUID
    type: str
    title: str
    message: str
    alert_id: UUID | None
    symbol: str | None
    value: Decimal | None
    read: bool
    read_at: datetime | None
    created_at: datetime


class UnreadCount(msgspec.Struct, frozen=True):
    """How many notifications a user has not read, counted up to a bound."""

    user_id: UUID
    unread: int


class Created(msgspec.Struct, frozen=True):
    """The payload of NOTIFICATION_CREATED. The last four are null unless an alert fired."""

    id: UUID
    created_at: datetime
    alert_id: UUID | None = None
    alert_type: str | None = None
    symbol: str | None = None
    value: Decimal | None = None


class Mail(msgspec.Struct, frozen=True):
    """Notifications that one user is told by e-mail, in the order in which they were made."""

    email: str
    titles: list[str]
    messages: list[str]


def notification_stream(user_id: UUID) -> str:
    """The stream that tells what a user is told."""
    return f"notifications:{user_id}"


def created_of(payload: dict[str, Any]) -> Created:
    """The payload of a stored fact."""
    return msgspec.convert(payload, Created)
