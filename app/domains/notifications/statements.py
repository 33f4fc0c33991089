"""The statements about notifications."""

from uuid import UUID

from app.domains.notifications.model import AddedNotification, Notification, NotificationMail, UnreadCount
from app.kit.sql import Command, Query, Rows, Statements


class NotificationSql(Statements, file="notifications.sql"):
    """The statements about notifications."""

    notifications_by_ids: Query[Notification]
    notifications_by_user: Rows[Notification]
    unread_counts: Query[UnreadCount]
    mark_read: Command
    mark_read_until: Command
    insert_notifications: Query[AddedNotification]
    who_wants_mail: Query[UUID]
    mails_of_notifications: Query[NotificationMail]
