"""Announces what has changed on leaderboards, and makes them right."""

import secrets
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from app.domains.campaigns.leaderboards.model import CHANGED, LeaderboardFaults, leaderboard_topic
from app.domains.campaigns.leaderboards.statements import LeaderboardSql
from app.kit.db import SYSTEM, Database, Tx
from app.kit.volatile import VolatileTopics

CHANGES_BATCH: Final = 1_000
PROJECTS_BATCH: Final = 100
_FIRST: Final = UUID(int=0)


@dataclass(frozen=True)
class Leaderboards:
    """Triggers on the participations keep the leaderboards in the transactions that change those. What is left to do
    is to announce changes, once for all that happened in a second, and to compare and repair.
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

    async def find_leaderboard_faults(self) -> list[LeaderboardFaults]:
        """The projects whose leaderboard is not as their participations are."""
        found: list[LeaderboardFaults] = []
        async for ids in self._projects():

            async def compare(tx: Tx, ids: Sequence[UUID] = ids) -> list[LeaderboardFaults]:
                return await tx.fetch(LeaderboardSql.leaderboard_faults, ids)

            found += await self.database.write(SYSTEM, compare)
        return found

    async def repair_leaderboards(self) -> list[LeaderboardFaults]:
        """Makes the leaderboards right that are not as the participations are; returns them with what was wrong. Who
        gets points in such a project meanwhile waits.
        """
        repaired = []
        for each in await self.find_leaderboard_faults():

            async def repair(tx: Tx, id: UUID = each.project_id) -> int:
                [faults] = await tx.fetch(LeaderboardSql.repair_leaderboard, id)
                return faults

            repaired.append(LeaderboardFaults(each.project_id, await self.database.write(SYSTEM, repair)))
        return repaired

    async def _projects(self) -> AsyncIterator[list[UUID]]:
        after = _FIRST
        while True:

            async def read(tx: Tx, after: UUID = after) -> list[UUID]:
                return await tx.fetch(LeaderboardSql.projects_after, after, PROJECTS_BATCH)

            ids = await self.database.write(SYSTEM, read)
            if not ids:
                return
            yield ids
            after = ids[-1]

    async def _publish(self, project_id: UUID) -> bool:
        # Another value each time: by that a hub finds what it has missed.
        return await self.volatile.publish(leaderboard_topic(project_id), CHANGED, secrets.token_hex(8))
