"""The loaders of notifications, which only their user can read."""

from app.domains.notifications.statements import NotificationSql
from app.kit.loaders import Audience, one, page

notification_by_id = one(NotificationSql.notifications_by_ids, key="id", audience=Audience.VIEWER)
notifications_by_user = page(
    NotificationSql.notifications_by_user,
    count=NotificationSql.notifications_by_user_count,
    order=("created_at", "id"),
    filters=("type",),
    audience=Audience.VIEWER,
)
unread_notifications_by_user = page(
    NotificationSql.unread_notifications_by_user,
    count=NotificationSql.unread_notifications_by_user_count,
    order=("created_at", "id"),
    filters=("type",),
    audience=Audience.VIEWER,
)
unread_count_by_user = one(NotificationSql.unread_counts, key="user_id", audience=Audience.VIEWER)
