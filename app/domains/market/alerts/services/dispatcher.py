"""Firing alerts of any type."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from app.domains.market.alerts.model import AlertChange, AlertType, FiredAlert, Firing, alert_fact
from app.domains.market.alerts.rules import storable
from app.domains.market.alerts.statements import AlertSql
from app.domains.notifications.model import NewNotification, NotificationType
from app.domains.notifications.services import Notifications
from app.kit.clock import Clock
from app.kit.db import SYSTEM, Database, Tx


@dataclass(frozen=True)
class AlertDispatcher:
    """Fires alerts and notifies their owners."""

    database: Database
    clock: Clock
    notifications: Notifications

    async def armed_symbols(self, type: AlertType) -> list[str]:
        """Returns the symbols with an armed alert of this type. Alerts in their cooldown count."""
        async with self.database.snapshot(SYSTEM) as tx:
            return await tx.fetch(AlertSql.armed_symbols, type, self.clock.now())

    async def fire(self, tx: Tx, firings: Sequence[Firing], at: datetime | None = None) -> int:
        """Fires the alerts that may still fire, and notifies their owners. Returns how many fired.

        `at` is when their conditions were met; null: now.

        Call this last in a transaction of the system. The same transaction must move the mark because of which the
        condition is met only once. An alert that is in `firings` twice fires twice if it rearms every time.
        """
        if not firings:
            return 0
        at = at or self.clock.now()
        fired = [alert for firing_round in _rounds(firings) for alert in await self._fire(tx, firing_round, at)]
        facts = [alert_fact(AlertChange.FIRED, alert.user_id, alert.id) for alert in fired]
        await self.notifications.notify(tx, [_notification(alert) for alert in fired], at, facts)
        return len(fired)

    async def _fire(self, tx: Tx, firings: Sequence[Firing], at: datetime) -> list[FiredAlert]:
        return await tx.fetch(
            AlertSql.fire_alerts,
            [firing.alert_id for firing in firings],
            [storable(firing.value) for firing in firings],
            [firing.title for firing in firings],
            [firing.message for firing in firings],
            at,
        )


def _rounds(firings: Iterable[Firing]) -> list[list[Firing]]:
    """Splits firings so that no alert is in a round twice."""
    rounds: list[list[Firing]] = []
    counts: dict[UUID, int] = {}
    for firing in firings:
        number = counts.get(firing.alert_id, 0)
        counts[firing.alert_id] = number + 1
        if number == len(rounds):
            rounds.append([])
        rounds[number].append(firing)
    return rounds


def _notification(alert: FiredAlert) -> NewNotification:
    return NewNotification(
        user_id=alert.user_id,
        type=NotificationType.ALERT,
        title=alert.title,
        message=alert.message,
        data={"symbol": alert.symbol, "alert_type": alert.alert_type, "value": alert.value},
        reference=alert.id,
    )
