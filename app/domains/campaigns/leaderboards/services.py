"""Announces what has changed on leaderboards."""

import secrets
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from app.domains.campaigns.leaderboards.model import CHANGED, leaderboard_topic
from app.domains.campaigns.leaderboards.statements import LeaderboardSql
from app.kit.db import SYSTEM, Database, Tx
from app.kit.volatile import VolatileTopics

CHANGES_BATCH: Final = 1_000


@dataclass(frozen=True)
class Leaderboards:
    """Triggers on the participations keep the leaderboards in the transactions that change those. What is left to do
    is to announce changes, once for all that happened in a second. The doctor of data compares and mends them.
    """

    database: Database
    volatile: VolatileTopics

    async def announce(self) -> int:
        """Announces each leaderboard that has changed since it was last announced; returns how many. What Redis does
        not take is announced later.
        """

        async def take(tx: Tx) -> list[UUID]:
            return await tx.fetch(LeaderboardSql.take_changes, CHANGES_BATCH)

        taken = await self.database.write(SYSTEM, take)
        left = [id for id in taken if not await self._publish(id)]
        if left:

            async def put_back(tx: Tx) -> None:
                await tx.execute(LeaderboardSql.put_changes_back, left)

            await self.database.write(SYSTEM, put_back)
        return len(taken) - len(left)

    async def announce_first(self, project_id: UUID) -> None:
        """Announces a leaderboard of which nothing is known to have changed, so that who follows it has it at
        once. Who follows it already gets nothing again.
        """
        if await self.volatile.latest(leaderboard_topic(project_id)) == {}:
            await self._publish(project_id)

    async def _publish(self, project_id: UUID) -> bool:
        # Another value each time: by that a hub finds what it has missed.
        return await self.volatile.publish(leaderboard_topic(project_id), CHANGED, secrets.token_hex(8))
