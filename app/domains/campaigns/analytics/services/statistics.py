"""Counting what happens in projects."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from app.domains.campaigns.analytics.model import MAX_AGE, Interval
from app.domains.campaigns.analytics.rules import check_buckets
from app.domains.campaigns.analytics.statements import StatisticsSql
from app.kit.clock import Clock
from app.kit.db import SYSTEM, Database, Tx

BATCH: Final = 20_000
_SLACK: Final = timedelta(days=1)
"""For a transaction that is slow, and clocks that differ."""


@dataclass(frozen=True)
class Statistics:
    """Moves what has happened into sums. A batch is counted in the transaction that takes it from those to be counted:
    whatever stops in between, each event counts once.
    """

    database: Database
    clock: Clock
    batch: int = BATCH

    async def count(self) -> str:
        """Counts all that is not counted yet."""

        async def work(tx: Tx) -> int:
            await tx.execute(StatisticsSql.lock_counting)
            return await tx.execute(StatisticsSql.count_events, self.batch)

        changed = 0
        while rows := await self.database.write(SYSTEM, work):
            changed += rows
        return f"{changed} sums changed"

    async def forget(self) -> str:
        """Removes who was active when: what is counted of a time from which nothing comes any more stays as it is."""
        before, removed = self.clock.now() - MAX_AGE - _SLACK, 0

        async def work(tx: Tx) -> int:
            await tx.execute(StatisticsSql.lock_counting)
            return await tx.execute(StatisticsSql.forget_activity, before, self.batch)

        while rows := await self.database.write(SYSTEM, work):
            removed += rows
        return f"{removed} rows removed"


def span(since: datetime, until: datetime, interval: Interval) -> Mapping[str, Any]:
    """The values of the list of statistics. Raises InvalidInput where it is too long."""
    check_buckets(since, until, interval)
    return {"since": since, "until": until, "step": interval}
