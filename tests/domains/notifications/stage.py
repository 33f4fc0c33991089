"""Users, and the notifications that a test sends them."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import msgspec

from app.domains.accounts.model import Viewer
from app.domains.accounts.services import AccountsServices
from app.domains.notifications import loaders as notification_loaders
from app.domains.notifications.model import NewNotification, NotificationType, notification_stream
from app.domains.notifications.services import Notifications
from app.kit.clock import FixedClock
from app.kit.db import SYSTEM, Database
from app.kit.house import Services, jobs_of
from app.kit.lists import page_request
from app.kit.mail import FolderMailer
from app.kit.reads import Reads
from app.main import DOMAINS, Application
from tests.databases import Owner


async def set_mail(services: Services, viewer: Viewer, value: Any) -> None:
    """Stores a user's setting."""
    await services[AccountsServices].profiles.put_setting(viewer, "notifications", value)


async def work(services: Services, owner: Owner) -> list[str]:
    """Runs the queued jobs, as the worker does. Returns their names."""
    handlers = {job.name: job.handler for job in jobs_of(DOMAINS, services)}
    done: list[str] = []
    while rows := await owner.fetch("DELETE FROM pgqueuer RETURNING entrypoint, payload"):
        for row in rows:
            await handlers[row["entrypoint"]](msgspec.json.decode(row["payload"]))
            done.append(row["entrypoint"])
    return done


async def mails(application: Application) -> list[tuple[str, str, str]]:
    """Address, subject and text of each mail that was sent, the newest first."""
    assert isinstance(application.mailer, FolderMailer)
    return [(each.message.to, each.message.subject, each.message.text) for each in await application.mailer.recent()]


@dataclass
class Stage:
    """The service, and a user."""

    notifications: Notifications
    database: Database
    owner: Owner
    clock: FixedClock
    alice: Viewer

    def new(self, title: str, *, by: Viewer | None = None, **fields: Any) -> NewNotification:
        """A notification, for Alice unless another user is named."""
        fields = {"type": NotificationType.SYSTEM, "message": "", **fields}
        return NewNotification(user_id=(by or self.alice).user_id, title=title, **fields)

    async def notify(self, new: Iterable[NewNotification]) -> None:
        """Notifies, in one transaction."""
        await self.database.write(SYSTEM, lambda tx: self.notifications.notify(tx, list(new)))

    async def send(self, *titles: str, by: Viewer | None = None) -> list[UUID]:
        """Notifies a user. Returns the ids of all their notifications, in the order of their titles."""
        await self.notify(self.new(title, by=by) for title in titles)
        rows = await self.owner.fetch(
            "SELECT id FROM notifications WHERE user_id = $1 ORDER BY title", (by or self.alice).user_id
        )
        return [row[0] for row in rows]

    async def facts(self, by: Viewer | None = None) -> list[Any]:
        """The payloads on a user's stream, in order."""
        rows = await self.owner.fetch(
            "SELECT payload::text FROM events WHERE stream = $1 ORDER BY seq",
            notification_stream((by or self.alice).user_id),
        )
        return [json.loads(row[0]) for row in rows]

    async def unread(self, by: Viewer | None = None) -> tuple[int, int]:
        """How many are counted as unread, and how many are listed."""
        viewer = by or self.alice
        reads = Reads(self.database, viewer.scope)
        counted = await reads.one(notification_loaders.unread_count_by_user, viewer.user_id)
        assert counted is not None
        listed = await reads.page(
            notification_loaders.notifications_by_user,
            viewer.user_id,
            page_request(notification_loaders.notifications_by_user, 100, filters={"read": False}),
        )
        await reads.aclose()
        return counted.unread, len(listed.records)
