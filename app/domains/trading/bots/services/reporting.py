"""What users hear of their bots: signals, what became of them, and bots that stopped by themselves."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import msgspec

from app.domains.notifications.model import NewNotification, NotificationType
from app.domains.notifications.services import Notifications
from app.domains.trading.bots.model import (
    BOT_CHANGED,
    BOT_TRADED,
    SIGNAL_CHANGED,
    BotFact,
    BotStatus,
    ChangedSignal,
    ExecutionStatus,
    SignalFact,
    bot_stream,
    signal_stream,
)
from app.domains.trading.bots.rules.deciding import Decided
from app.domains.trading.bots.statements import BotSql, RunSql
from app.domains.trading.strategies.model import SignalType
from app.kit.clock import Clock
from app.kit.db import SYSTEM, Database, Tx
from app.kit.events import EventLog, Fact
from app.kit.sql import columns_of


class NewSignal(msgspec.Struct, frozen=True):
    """A signal to store, and what becomes of it."""

    id: UUID
    decided: Decided
    status: ExecutionStatus
    reason: str | None

    def refused(self, reason: str) -> "NewSignal":
        """It could not be executed. To hold is never a failure, though a stop could not be placed anew."""
        if self.decided.decision.type is SignalType.HOLD:
            return self.ignored(reason)
        return msgspec.structs.replace(self, status=ExecutionStatus.FAILED, reason=reason)

    def ignored(self, reason: str) -> "NewSignal":
        """It was not to be executed."""
        return msgspec.structs.replace(self, status=ExecutionStatus.IGNORED, reason=reason)

    @property
    def is_worth_noting(self) -> bool:
        """Whether it is stored: of holding, the first after something else."""
        due, decision = self.decided.due, self.decided.decision
        return decision.type is not SignalType.HOLD or due.last_type != SignalType.HOLD


@dataclass(frozen=True)
class BotReports:
    """Stores signals, and appends events of signals and bots."""

    database: Database
    clock: Clock
    events: EventLog
    notifications: Notifications

    async def insert(
        self,
        tx: Tx,
        signals: Sequence[NewSignal],
        closed_at: datetime,
        at: datetime,
        changed: Sequence[ChangedSignal] = (),
    ) -> None:
        """Stores signals of candles that ended, which are made at a time, and says which earlier ones have changed. It
        is the last in a transaction.
        """
        facts = facts_of(changed)
        if signals:
            await self._insert(tx, signals, closed_at, at)
            facts += [_signal_fact(each.decided.due.bot_id, each.id, each.status, each.reason) for each in signals]
        if facts:
            await self.events.append(tx, facts)

    async def _insert(self, tx: Tx, signals: Sequence[NewSignal], closed_at: datetime, at: datetime) -> None:
        rows = [
            (
                each.id,
                each.decided.due.bot_id,
                each.decided.due.symbol,
                each.decided.decision.type,
                each.decided.decision.confidence,
                each.decided.price,
                each.decided.decision.reasoning,
                each.decided.decision.indicators,
                each.status,
                each.reason,
            )
            for each in signals
        ]
        await tx.execute(RunSql.insert_signals, *columns_of(rows), closed_at, at)

    async def settle(self, tx: Tx, order_ids: list[UUID], at: datetime) -> list[Fact]:
        """Sets what became of entries and signals after these orders of bots have changed; returns what to append."""
        entries = await tx.fetch(RunSql.settle_entries, order_ids, at)
        if not entries:
            return []
        facts = facts_of(await tx.fetch(RunSql.settle_signals, entries, at))
        for bot in await tx.fetch(RunSql.bots_of_entries, entries):
            fact = BotFact(bot.bot_id, BotStatus(bot.status), bot.status_reason)
            facts.append(Fact(bot_stream(bot.user_id), BOT_TRADED, msgspec.to_builtins(fact)))
        return facts

    async def fail(self, bot_id: UUID, user_id: UUID, reason: str, *, abandons: bool = False) -> None:
        """Stops an active bot with an error, and notifies its user. `abandons`: what it holds is gone."""

        async def work(tx: Tx) -> None:
            bot = await tx.fetch_one(BotSql.lock_bot, bot_id, user_id)
            if bot is None or bot.status != BotStatus.ACTIVE:
                return
            await tx.execute(BotSql.set_status, bot_id, BotStatus.ERROR, reason, self.clock.now())
            notification = NewNotification(
                user_id=user_id,
                type=NotificationType.SYSTEM,
                title="A bot has stopped",
                message=f"{bot.name} has stopped: {reason}",
                reference=bot_id,
            )
            facts = [bot_fact(user_id, bot_id, BotStatus.ERROR, reason)]
            if abandons:
                held = [each.id for each in await tx.fetch(RunSql.held_entries, [bot_id])]
                facts += facts_of(await tx.fetch(RunSql.abandon_entries, held, self.clock.now()))
            await self.notifications.notify(tx, [notification], facts=facts)

        await self.database.write(SYSTEM, work)


def bot_fact(user_id: UUID, bot_id: UUID, status: BotStatus, reason: str | None, kind: str = BOT_CHANGED) -> Fact:
    """What `bot_stream` says of a bot."""
    return Fact(bot_stream(user_id), kind, msgspec.to_builtins(BotFact(bot_id, status, reason)))


def facts_of(changed: Sequence[ChangedSignal]) -> list[Fact]:
    """What `signal_stream` says of signals that have changed."""
    return [
        _signal_fact(each.bot_id, each.id, ExecutionStatus(each.execution_status), each.status_reason)
        for each in changed
    ]


def _signal_fact(bot_id: UUID, id: UUID, status: ExecutionStatus, reason: str | None) -> Fact:
    return Fact(signal_stream(bot_id), SIGNAL_CHANGED, msgspec.to_builtins(SignalFact(id, status, reason)))
