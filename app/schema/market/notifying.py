"""Reading notifications, and saying so."""

from datetime import datetime
from typing import Any

import strawberry

from app.domains.notifications import loaders as notification_loaders
from app.domains.notifications.model import UnreadCount
from app.engine.nodes import key_of
from app.engine.problems import mutation
from app.kit.errors import InvalidInput, NotFound
from app.schema.context import Info

MAX_IDS = 100
UNREAD = "Notifications that the viewer has not read. Counted up to 1,000: there may be more."


async def unread_count(info: Info) -> int:
    """How many notifications the viewer has not read."""
    counted = await info.context.reads.one(
        notification_loaders.unread_count_by_user, info.context.require_viewer().user_id
    )
    assert isinstance(counted, UnreadCount), "none is counted as 0"
    return counted.unread


@strawberry.input(one_of=True)
class MarkNotificationsReadInput:
    """What the viewer has read: exactly one of these."""

    ids: list[strawberry.ID] | None = strawberry.field(
        default=strawberry.UNSET,
        description=f"Global ids of notifications, at most {MAX_IDS}. Those that are gone, or not the viewer's, are"
        " passed over.",
    )
    up_to: datetime | None = strawberry.field(
        default=strawberry.UNSET, description="All that were made up to this moment, itself included."
    )


@strawberry.type
class MarkNotificationsReadPayload:
    """The notifications are marked as read."""

    marked: int = strawberry.field(description="How many of them were not before.")
    unread_notification_count: int = strawberry.field(description=UNREAD)


@strawberry.type
class NotifyingMutation:
    """Reading notifications."""

    @mutation(
        MarkNotificationsReadPayload,
        InvalidInput,
        NotFound,
    )
    async def mark_notifications_read(self, info: Info, input: MarkNotificationsReadInput) -> Any:
        """Marks notifications of the viewer's as read. Repeating it changes nothing."""
        viewer, notifications = info.context.require_viewer(), info.context.services.market.notifications
        if isinstance(input.up_to, datetime):
            marked = await notifications.mark_read_until(viewer, input.up_to)
        else:
            ids = input.ids or []
            if len(ids) > MAX_IDS:
                raise InvalidInput("ids", f"At most {MAX_IDS} ids.")
            marked = await notifications.mark_read(viewer, [key_of(id, "Notification") for id in ids])
        return MarkNotificationsReadPayload(marked=marked, unread_notification_count=await unread_count(info))
