"""Notifications, and whether their user has read them."""

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
    """A notification of a user. `symbol` and `value` are those of its data."""

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


class NewNotification(msgspec.Struct, frozen=True, kw_only=True):
    """A notification to add. `title` has 1 to 200 characters, `message` at most 2,000."""

    user_id: UUID
    type: NotificationType
    title: str
    message: str
    data: dict[str, Any] = {}
    """Further values, in JSON. Subscribers receive them with the event."""
    reference: UUID | None = None
    """The id of what the notification is about, which its type says. It is stored as `alert_id` for an alert, and as
    `reference` of the data for every other type."""


class AddedNotification(msgspec.Struct, frozen=True):
    """What was stored of a new notification."""

    id: UUID
    user_id: UUID
    type: str
    data: dict[str, Any]
    alert_id: UUID | None


class NotificationCreated(msgspec.Struct, frozen=True):
    """What every payload of NOTIFICATION_CREATED has. The notification's `alert_id` and data follow."""

    id: UUID
    created_at: datetime


class NotificationMail(msgspec.Struct, frozen=True):
    """A mail about notifications of one user, in the same order."""

    email: str
    types: list[str]
    titles: list[str]
    messages: list[str]


def notification_stream(user_id: UUID) -> str:
    """The stream of a user's notifications."""
    return f"notifications:{user_id}"


def created_payload(added: AddedNotification, created_at: datetime) -> dict[str, Any]:
    """The payload of NOTIFICATION_CREATED. Only an alert has `alert_id`."""
    created = msgspec.to_builtins(NotificationCreated(added.id, created_at))
    alert = {} if added.alert_id is None else {"alert_id": str(added.alert_id)}
    return {**created, **alert, **added.data}


def created_of(payload: dict[str, Any]) -> NotificationCreated:
    """The part of a NOTIFICATION_CREATED payload that does not depend on the type."""
    return msgspec.convert(payload, NotificationCreated)
