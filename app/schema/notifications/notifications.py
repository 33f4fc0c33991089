"""The viewer's notifications."""

from datetime import datetime
from decimal import Decimal
from typing import Any

import strawberry

from app.domains.notifications import loaders as notification_loaders
from app.domains.notifications.model import (
    NOTIFICATION_CREATED,
    NotificationType,
    UnreadCount,
    created_of,
    notification_stream,
)
from app.domains.notifications.services import Notifications
from app.engine.declarations.nodes import Node, key_of, node_type
from app.engine.declarations.pages import Connection
from app.engine.declarations.problems import InvalidInput, NotFound, mutation
from app.engine.declarations.relations import paged, related
from app.engine.declarations.stream_events import StreamEvent
from app.engine.declarations.subscriptions import durable
from app.kit import errors
from app.kit.events import Event
from app.schema.context import Info
from app.schema.enums import declare_enum

MAX_IDS = 100
UNREAD = "The number of unread notifications. Counting stops at 1,000: there may be more."

declare_enum(
    NotificationType,
    ALERT="An alert of the viewer has fired.",
    SYSTEM="A message from Moneta.",
)


@node_type(by=notification_loaders.notification_by_id)
class Notification(Node):
    """A notification of the viewer. Kept for 6 months. Visible to the viewer only."""

    type: NotificationType = strawberry.field(description="What the notification is about.")
    title: str = strawberry.field(description="The title, one line of at most 200 characters.")
    message: str = strawberry.field(
        description="The message, at most 2,000 characters. Empty if the title is sufficient."
    )
    value: Decimal | None = strawberry.field(
        description="The value measured when the alert fired, in the unit of its threshold. Null if the notification is"
        " not about an alert."
    )
    read: bool = strawberry.field(name="isRead", description="Whether the viewer has read the notification.")
    read_at: datetime | None = strawberry.field(description="When it was marked as read. Null if it is unread.")
    created_at: datetime = strawberry.field(description="When the notification was created.")


@strawberry.input(one_of=True)
class MarkNotificationsReadInput:
    """The notifications to mark as read. Set exactly one field."""

    ids: list[strawberry.ID] | None = strawberry.field(
        default=strawberry.UNSET,
        description=f"The global ids of at most {MAX_IDS} notifications. Notifications that do not exist or are not the"
        " viewer's are ignored.",
    )
    newest_created_at: datetime | None = strawberry.field(
        default=strawberry.UNSET,
        description="The `createdAt` of the newest notification to mark: it and all earlier ones are marked.",
    )


@strawberry.type
class MarkNotificationsReadPayload:
    """The notifications were marked as read."""

    marked: int = strawberry.field(
        name="markedCount", description="The number of notifications that were unread before."
    )
    unread_notification_count: int = strawberry.field(description=UNREAD)


async def _unread_count(info: Info) -> int:
    counted = await info.context.reads.one(
        notification_loaders.unread_count_by_user, info.context.require_viewer().user_id
    )
    assert isinstance(counted, UnreadCount), "none is counted as 0"
    return counted.unread


@strawberry.type
class NotificationMutation:
    """Changes to notifications."""

    @mutation(MarkNotificationsReadPayload, InvalidInput, NotFound)
    async def mark_notifications_read(self, info: Info, input: MarkNotificationsReadInput) -> Any:
        """Marks notifications of the viewer as read. Repeating the request changes nothing."""
        viewer, notifications = info.context.require_viewer(), info.context.services[Notifications]
        if isinstance(input.newest_created_at, datetime):
            marked = await notifications.mark_read_until(viewer, input.newest_created_at)
        else:
            ids = input.ids or []
            if len(ids) > MAX_IDS:
                raise errors.InvalidInput("ids", f"At most {MAX_IDS} ids.")
            marked = await notifications.mark_read(viewer, [key_of(id, Notification) for id in ids])
        return MarkNotificationsReadPayload(marked=marked, unread_notification_count=await _unread_count(info))


@strawberry.type
class NotificationEvent(StreamEvent):
    """A notification was created."""

    notification_id: strawberry.Private[object]
    notification: Notification = related(
        notification_loaders.notification_by_id, key="notification_id", description="The notification as it is now."
    )


def _notification_event(event: Event) -> NotificationEvent | None:
    if event.kind != NOTIFICATION_CREATED:
        return None
    return NotificationEvent(notification_id=created_of(event.payload).id)


@strawberry.type
class NotificationSubscription:
    """Notifications as they are created."""

    @durable(NotificationEvent, payload=_notification_event, per_s=0.5)
    async def notifications(self, info: Info) -> str:
        """The viewer's notifications as they are created, in order."""
        return notification_stream(info.context.require_viewer().user_id)


@strawberry.input
class NotificationFilter:
    """Filters notifications by all fields that are given. A field that is null or omitted matches all."""

    unread: bool | None = strawberry.field(default=None, description="Whether the notification is unread.")
    type: NotificationType | None = strawberry.field(default=None, description="The type of the notification.")
    since: datetime | None = strawberry.field(default=None, description="Created at this time or later.")
    until: datetime | None = strawberry.field(default=None, description="Created before this time.")

    def conditions(self) -> dict[str, Any]:
        """The filters of the loader."""
        read = None if self.unread is None else not self.unread
        return {"read": read, "type": self.type, "since": self.since, "until": self.until}


@strawberry.type
class NotificationViewer:
    """The viewer's notifications."""

    notifications: Connection[Notification] = paged(
        notification_loaders.notifications_by_user,
        key="user_id",
        stream=notification_stream,
        filter=NotificationFilter,
        description="The viewer's notifications of the last 6 months, newest first.",
    )
    unread_notification_count: int = strawberry.field(resolver=_unread_count, description=UNREAD)
