"""The loaders of notifications, which only their user can read."""

from app.domains.notifications.model import NotificationType
from app.domains.notifications.statements import NotificationSql
from app.kit.lists import at_least, before, by, constant
from app.kit.loaders import Audience, one, page

notification_by_id = one(NotificationSql.notifications_by_ids, key="id", audience=Audience.VIEWER)
notifications_by_user = page(
    NotificationSql.notifications_by_user,
    orders={"CREATED_AT": by("created_at", "id", descending=True)},
    filters={
        "type": constant("type", NotificationType),
        "read": constant("read"),
        "since": at_least("created_at"),
        "until": before("created_at"),
    },
    audience=Audience.VIEWER,
)
unread_count_by_user = one(NotificationSql.unread_counts, key="user_id", audience=Audience.VIEWER)
