"""The one way in which alerts fire, whatever they wait for."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import msgspec

from app.domains.accounts.services.mail_queue import MailQueue
from app.domains.market.alerts.model import AlertType, Firing
from app.domains.market.alerts.rules import storable
from app.domains.market.statements import ALERTS, NOTIFICATIONS
from app.domains.notifications.model import NOTIFICATION_CREATED, Created, Mail, notification_stream
from app.kit.clock import Clock
from app.kit.db import SYSTEM, Database, Tx
from app.kit.events import EventLog, Fact
from app.kit.jobs import enqueue
from app.kit.mail import Message

MAIL_JOB: Final = "market.alert_mails"
MAILED_LINES: Final = 50
"""Of one mail; further ones are only counted in it."""


@dataclass(frozen=True)
class Firings:
    """Lets alerts fire, and tells their owners."""

    database: Database
    clock: Clock
    events: EventLog
    post: MailQueue

    async def armed_symbols(self, kind: AlertType) -> list[str]:
        """The symbols for which an alert of this type may fire, but for its cooldown."""
        async with self.database.snapshot(SYSTEM) as tx:
            return [row[0] for row in await tx.fetch(ALERTS.armed_symbols, kind, self.clock.now())]

    async def fire(self, tx: Tx, firings: Sequence[Firing], at: datetime | None = None) -> int:
        """Lets these alerts fire that still may: notes it, notifies, tells, mails. Returns how many did.

        `at` is when their conditions were met; null: now.

        Call it last in a transaction of the system's, in which that has moved which makes the condition met only once.
        An alert that is named twice fires twice if its owner wants to be told every time.
        """
        if not firings:
            return 0
        at = at or self.clock.now()
        facts: list[Fact] = []
        notified: dict[UUID, list[UUID]] = {}
        for firing_round in _rounds(firings):
            for id, user_id, alert_id, data in await self._fire(tx, firing_round, at):
                created = Created(
                    id=id,
                    created_at=at,
                    alert_id=alert_id,
                    alert_type=data["alert_type"],
                    symbol=data["symbol"],
                    value=data["value"],
                )
                facts.append(Fact(notification_stream(user_id), NOTIFICATION_CREATED, msgspec.to_builtins(created)))
                notified.setdefault(user_id, []).append(id)
        if facts:
            await self._ask_for_mail(tx, notified)
            await self.events.append(tx, facts)
        return len(facts)

    async def send_mails(self, payload: dict[str, Any]) -> None:
        """What the worker makes of MAIL_JOB: one mail to each user, of all their notifications that it names."""
        ids = [UUID(id) for id in payload["notifications"]]

        async def work(tx: Tx) -> None:
            for row in await tx.fetch(NOTIFICATIONS.mails_of_notifications, ids):
                await self.post.send(tx, _message(Mail(*row)))

        await self.database.write(SYSTEM, work)

    async def _fire(self, tx: Tx, firings: Sequence[Firing], at: datetime) -> list[Any]:
        return await tx.fetch(
            ALERTS.fire_alerts,
            [firing.alert_id for firing in firings],
            [storable(firing.value) for firing in firings],
            [firing.title for firing in firings],
            [firing.message for firing in firings],
            at,
        )

    async def _ask_for_mail(self, tx: Tx, notified: dict[UUID, list[UUID]]) -> None:
        # The mails are written by the worker: a tick must not wait until a thousand are sealed.
        rows = await tx.fetch(NOTIFICATIONS.who_wants_mail, list(notified))
        if ids := [str(id) for row in rows for id in notified[row["user_id"]]]:
            await enqueue(tx, MAIL_JOB, {"notifications": ids})


def _rounds(firings: Iterable[Firing]) -> list[list[Firing]]:
    """The same, such that no alert comes twice in a round."""
    rounds: list[list[Firing]] = []
    seen: dict[UUID, int] = {}
    for firing in firings:
        place = seen[firing.alert_id] = seen.get(firing.alert_id, -1) + 1
        if place == len(rounds):
            rounds.append([])
        rounds[place].append(firing)
    return rounds


def _message(mail: Mail) -> Message:
    count = len(mail.titles)
    lines = [f"{title}\n{message}" for title, message in zip(mail.titles, mail.messages, strict=True)]
    if count > MAILED_LINES:
        lines[MAILED_LINES:] = [f"And {count - MAILED_LINES} more: see your notifications."]
    subject = mail.titles[0] if count == 1 else f"{count} of your alerts have fired"
    footer = 'Turn these mails off by putting {"email": false} into your setting `notifications`.'
    return Message(to=mail.email, subject=f"Moneta: {subject}"[:200], text="\n\n".join([*lines, footer]))
