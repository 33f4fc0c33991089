"""Fires the alerts whose thresholds were crossed, however many there are."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import msgspec

from app.domains.market.alerts.model import CrossedAlert, Crossing, Firing
from app.domains.market.alerts.rules import crossing_text
from app.domains.market.alerts.services.dispatcher import AlertDispatcher
from app.domains.market.alerts.statements import AlertSql
from app.kit.clock import Clock
from app.kit.db import SYSTEM, Database, Tx
from app.kit.jobs import enqueue

BATCH: Final = 5_000
"""Alerts that fire in one transaction. It holds the locks of the prices, and must stay within the statement timeout."""
BACKLOG_JOB: Final = "market.alert_floods"
"""Stored with each job, so the name stays: jobs that an earlier release enqueued must be found."""


class AlertBacklog(msgspec.Struct, frozen=True, rename={"crossings": "passages"}):
    """The crossings of a moment at which more alerts were due than fire at once.

    It is the payload of stored jobs, in which the crossings are under the key `passages`.
    """

    at: datetime
    crossings: list[Crossing]


@dataclass(frozen=True)
class AlertMatcher:
    """Finds the alerts of crossings with one range scan each, and fires them. Those beyond BATCH fire in a job."""

    database: Database
    clock: Clock
    dispatcher: AlertDispatcher

    async def match(self, tx: Tx, crossings: Sequence[Crossing]) -> int:
        """Fires the alerts of these crossings. Returns how many fired; those in the backlog fire later.

        Call this last in a transaction of the system that moves the mark of these crossings.
        """
        if not crossings:
            return 0
        backlog = AlertBacklog(self.clock.now(), list(crossings))
        firings = await self._firings(tx, backlog, unfired_since=None)
        if len(firings) == BATCH:
            # The job fires what has not fired since this moment: the alerts of this transaction have.
            rest = [msgspec.structs.replace(each, armed_before=each.armed_before or backlog.at) for each in crossings]
            await enqueue(tx, BACKLOG_JOB, msgspec.to_builtins(AlertBacklog(backlog.at, rest)))
        return await self.dispatcher.fire(tx, firings, backlog.at)

    async def work_off(self, payload: dict[str, Any]) -> None:
        """Handles BACKLOG_JOB. Alerts that have fired since the backlog began do not fire again."""
        backlog = msgspec.convert(payload, AlertBacklog)

        async def work(tx: Tx) -> int:
            firings = await self._firings(tx, backlog, unfired_since=backlog.at)
            await self.dispatcher.fire(tx, firings, backlog.at)
            return len(firings)

        while await self.database.write(SYSTEM, work) == BATCH:
            pass

    async def _firings(self, tx: Tx, backlog: AlertBacklog, *, unfired_since: datetime | None) -> list[Firing]:
        """Locks the alerts that may fire and whose thresholds were crossed."""
        crossings = backlog.crossings
        alerts = await tx.fetch(
            AlertSql.crossed_alerts,
            [crossing.symbol for crossing in crossings],
            [crossing.alert_type for crossing in crossings],
            [crossing.details for crossing in crossings],
            [crossing.before for crossing in crossings],
            [crossing.after for crossing in crossings],
            [float(min(crossing.before, crossing.after)) for crossing in crossings],
            [float(max(crossing.before, crossing.after)) for crossing in crossings],
            [crossing.armed_before for crossing in crossings],
            backlog.at,
            BATCH,
            unfired_since,
        )
        return [_firing(alert, crossings[alert.ord - 1]) for alert in alerts]


def _firing(alert: CrossedAlert, crossing: Crossing) -> Firing:
    text = crossing.text or crossing_text(alert.symbol, alert.condition, crossing.after, crossing.source)
    return Firing(alert.id, crossing.after, *text)
