"""Lets the alerts fire whose thresholds something measured has come to, however many they are."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import msgspec

from app.domains.market.alerts.model import ArmedAlert, Firing, Passage
from app.domains.market.alerts.rules import passage_text
from app.domains.market.alerts.services.dispatcher import Firings
from app.domains.market.statements import ALERTS
from app.kit.clock import Clock
from app.kit.db import SYSTEM, Database, Tx
from app.kit.jobs import enqueue

AT_ONCE: Final = 5_000
"""Alerts that fire in one transaction. It holds the prices' locks, and must not take longer than a statement may."""
FLOOD_JOB: Final = "market.alert_floods"


class Flood(msgspec.Struct, frozen=True):
    """What was measured at a moment at which more alerts are due than fire at once."""

    at: datetime
    passages: list[Passage]


@dataclass(frozen=True)
class Passing:
    """Finds the alerts on the way of passages: a range scan each. What is beyond AT_ONCE fires in a job."""

    database: Database
    clock: Clock
    firings: Firings

    async def tell(self, tx: Tx, passages: Sequence[Passage]) -> int:
        """Call it last in a transaction of the system's that moves the mark behind these passages.

        Returns how many alerts have fired here; the rest of a flood fires later.
        """
        if not passages:
            return 0
        flood = Flood(self.clock.now(), list(passages))
        met = await self._met(tx, flood, unfired_since=None)
        if len(met) == AT_ONCE:
            # What it finds has not fired since that moment: those of this transaction have.
            after = [msgspec.structs.replace(each, armed_before=each.armed_before or flood.at) for each in passages]
            await enqueue(tx, FLOOD_JOB, msgspec.to_builtins(Flood(flood.at, after)))
        return await self.firings.fire(tx, met, flood.at)

    async def go_on(self, payload: dict[str, Any]) -> None:
        """What the worker makes of FLOOD_JOB. An alert that has fired since the flood came is not asked again."""
        flood = msgspec.convert(payload, Flood)

        async def work(tx: Tx) -> int:
            met = await self._met(tx, flood, unfired_since=flood.at)
            await self.firings.fire(tx, met, flood.at)
            return len(met)

        while await self.database.write(SYSTEM, work) == AT_ONCE:
            pass

    async def _met(self, tx: Tx, flood: Flood, *, unfired_since: datetime | None) -> list[Firing]:
        """Locks the alerts that may fire and whose thresholds lie on the way."""
        passages = flood.passages
        rows = await tx.fetch(
            ALERTS.passed_alerts,
            [passage.symbol for passage in passages],
            [passage.alert_type for passage in passages],
            [passage.details for passage in passages],
            [passage.before for passage in passages],
            [passage.after for passage in passages],
            [float(min(passage.before, passage.after)) for passage in passages],
            [float(max(passage.before, passage.after)) for passage in passages],
            [passage.armed_before for passage in passages],
            flood.at,
            AT_ONCE,
            unfired_since,
        )
        return [_firing(ArmedAlert(*row[:-1]), passages[row[-1] - 1]) for row in map(tuple, rows)]


def _firing(alert: ArmedAlert, passage: Passage) -> Firing:
    text = passage.text or passage_text(alert.symbol, alert.condition, passage.after, passage.source)
    return Firing(alert.id, passage.after, *text)
