"""Notifying users, and marking their notifications as read."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from app.domains.accounts.model import Viewer
from app.domains.accounts.services.mail_queue import MailQueue
from app.domains.notifications.model import (
    NOTIFICATION_CREATED,
    AddedNotification,
    NewNotification,
    created_payload,
    notification_stream,
)
from app.domains.notifications.rules import mail_of
from app.domains.notifications.statements import NotificationSql
from app.kit.clock import Clock
from app.kit.db import SYSTEM, Database, Tx
from app.kit.events import EventLog, Fact
from app.kit.jobs import enqueue

# This name is stored in queues. It must not change.
MAIL_JOB: Final = "market.alert_mails"


@dataclass(frozen=True)
class Notifications:
    """The notifications of all users. They are kept for 6 months."""

    database: Database
    clock: Clock
    events: EventLog
    mail_queue: MailQueue

    async def notify(
        self, tx: Tx, new: Sequence[NewNotification], at: datetime | None = None, facts: Sequence[Fact] = ()
    ) -> None:
        """Notifies users: stores the notifications, appends an event for each, and sends mail to users who want it.

        `at` is when the notifications were made; null: now. `facts` are of their cause, and are appended with them.
        Call this last in a transaction of the system: it holds the locks of the streams until the commit.
        """
        if not new:
            return
        at = at or self.clock.now()
        added = await tx.fetch(
            NotificationSql.insert_notifications,
            [each.user_id for each in new],
            [each.type for each in new],
            [each.title for each in new],
            [each.message for each in new],
            [each.data for each in new],
            [each.reference for each in new],
            at,
        )
        await self._request_mails(tx, added)
        await self.events.append(
            tx,
            [
                *facts,
                *(
                    Fact(notification_stream(each.user_id), NOTIFICATION_CREATED, created_payload(each, at))
                    for each in added
                ),
            ],
        )

    async def send_mails(self, payload: dict[str, Any]) -> None:
        """Handles MAIL_JOB: sends one mail to each user about all their notifications in the payload."""
        ids = [UUID(id) for id in payload["notifications"]]

        async def work(tx: Tx) -> None:
            for mail in await tx.fetch(NotificationSql.mails_of_notifications, ids):
                await self.mail_queue.send(tx, mail_of(mail))

        await self.database.write(SYSTEM, work)

    async def mark_read(self, viewer: Viewer, ids: Sequence[UUID]) -> int:
        """Marks notifications as read. Returns how many were unread. Ignores ids that are not the viewer's."""
        return await self.database.write(
            viewer.scope,
            lambda tx: tx.execute(NotificationSql.mark_read, viewer.user_id, list(ids), self.clock.now()),
        )

    async def mark_read_until(self, viewer: Viewer, until: datetime) -> int:
        """Marks all notifications created up to `until` as read. Returns how many were unread."""
        return await self.database.write(
            viewer.scope,
            lambda tx: tx.execute(NotificationSql.mark_read_until, viewer.user_id, until, self.clock.now()),
        )

    async def _request_mails(self, tx: Tx, added: Sequence[AddedNotification]) -> None:
        # The worker writes the mails: a price tick must not wait until a thousand are sealed.
        ids: dict[UUID, list[str]] = defaultdict(list)
        for each in added:
            ids[each.user_id].append(str(each.id))
        users = await tx.fetch(NotificationSql.who_wants_mail, list(ids))
        if users:
            await enqueue(tx, MAIL_JOB, {"notifications": [id for user_id in users for id in ids[user_id]]})
