"""What users do with what they were told."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from app.domains.accounts.model import Viewer
from app.domains.notifications.statements import NotificationSql
from app.kit.clock import Clock
from app.kit.db import Database


@dataclass(frozen=True)
class Notifications:
    """Each user's own. Made by whoever has something to tell, kept for 6 months."""

    database: Database
    clock: Clock

    async def mark_read(self, viewer: Viewer, ids: Sequence[UUID]) -> int:
        """Marks these as read; returns how many were not. Passes over those that are gone or not the viewer's."""
        return await self.database.write(
            viewer.scope,
            lambda tx: tx.execute(NotificationSql.mark_read, viewer.user_id, list(ids), self.clock.now()),
        )

    async def mark_read_until(self, viewer: Viewer, until: datetime) -> int:
        """Marks all made up to `until` as read; returns how many were not."""
        return await self.database.write(
            viewer.scope,
            lambda tx: tx.execute(NotificationSql.mark_read_until, viewer.user_id, until, self.clock.now()),
        )
