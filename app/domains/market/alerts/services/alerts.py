"""Creating, changing and deleting alerts."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from msgspec import UNSET

from app.domains.accounts.model import Viewer
from app.domains.market.alerts.model import (
    Alert,
    AlertChange,
    AlertChanges,
    AlertLimitReached,
    Condition,
    NewAlert,
    Rearm,
    WhaleTransaction,
    alert_fact,
)
from app.domains.market.alerts.rules import check_condition, check_rearm, threshold_of
from app.domains.market.alerts.statements import AlertSql
from app.domains.market.tokens.model import symbol_of
from app.domains.market.tokens.services.search import known_symbol
from app.kit.clock import Clock
from app.kit.db import SYSTEM, Database, Tx
from app.kit.errors import Faults, InvalidInput, NotFound, ResultDeleted
from app.kit.events import EventLog
from app.kit.idempotency import KeyedRequest, Made, check_key, once


@dataclass(frozen=True)
class Alerts:
    """The alerts of all users. Each user has at most `limit`, including disabled alerts and those that have fired."""

    database: Database
    clock: Clock
    events: EventLog
    limit: int
    chain_symbol: str
    """The token whose payments are followed."""

    async def create(self, viewer: Viewer, new: NewAlert, idempotency_key: str) -> Alert:
        """Creates an alert. Raises InvalidInput, TokenNotFound, AlertLimitReached, IdempotencyKeyReused.

        A replay raises ResultDeleted when the alert has since been deleted.
        """

        async def create(tx: Tx) -> Made:
            self._check(new)
            symbol = await known_symbol(tx, new.symbol)
            self._check_chain(symbol, new.condition)
            return await self._insert(tx, viewer.user_id, symbol, new)

        check_key(idempotency_key, lambda: self._check(new))
        request = msgspec.structs.replace(new, symbol=symbol_of(new.symbol))
        keyed = KeyedRequest.of(viewer.user_id, idempotency_key, "createAlert", request)

        async def work(tx: Tx) -> Alert:
            created = await once(tx, keyed, lambda: create(tx), Made)
            alert = await tx.fetch_one(AlertSql.lock_alert, created.result.id, viewer.user_id)
            if alert is None:
                raise ResultDeleted
            if not created.replayed:
                await self.events.append(tx, [alert_fact(AlertChange.CREATED, viewer.user_id, alert.id)])
            return alert

        return await self.database.write(viewer.scope, work)

    async def update(self, viewer: Viewer, id: UUID, changes: AlertChanges) -> Alert:
        """Changes an alert, and rearms it if it is enabled. Without any changes it stays as it is.

        Raises InvalidInput, NotFound.
        """

        async def work(tx: Tx) -> Alert:
            alert = _found(await tx.fetch_one(AlertSql.lock_alert, id, viewer.user_id))
            if changes.is_empty:
                return alert
            condition = alert.condition if changes.condition is UNSET else changes.condition
            enabled = alert.enabled if changes.enabled is UNSET else changes.enabled
            expires_at = alert.expires_at if changes.expires_at is UNSET else changes.expires_at
            with Faults() as faults:
                changes.check(faults)
                if changes.condition is not UNSET:
                    with faults.at("condition"):
                        check_condition(condition)
                if type(condition) is not type(alert.condition):
                    faults.add("condition", "An alert keeps its type.")
                with faults.at():
                    rearm, cooldown_s = _rearm(alert, changes)
                # One that is enabled would be armed, and could never fire.
                if enabled or changes.expires_at is not UNSET:
                    self._check_expiry(expires_at)
            changed = _found(
                await tx.fetch_one(
                    AlertSql.update_alert,
                    id,
                    viewer.user_id,
                    threshold_of(condition),
                    _details(condition),
                    rearm,
                    cooldown_s,
                    enabled,
                    expires_at,
                    self.clock.now(),
                )
            )
            await self.events.append(tx, [alert_fact(AlertChange.CHANGED, viewer.user_id, id)])
            return changed

        return await self.database.write(viewer.scope, work)

    async def delete(self, viewer: Viewer, id: UUID) -> None:
        """Deletes an alert. Its notifications stay. Raises NotFound."""

        async def work(tx: Tx) -> None:
            if not await tx.execute(AlertSql.delete_alert, id, viewer.user_id):
                raise NotFound(Alert)
            await self.events.append(tx, [alert_fact(AlertChange.DELETED, viewer.user_id, id)])

        await self.database.write(viewer.scope, work)

    async def delete_expired(self) -> str:
        """Deletes the expired alerts of all users, and their marks."""

        async def work(tx: Tx) -> str:
            deleted = await tx.fetch(AlertSql.delete_expired_alerts, self.clock.now())
            await tx.execute(AlertSql.delete_marks_of_deleted_alerts)
            await self.events.append(tx, [alert_fact(AlertChange.DELETED, user_id, id) for id, user_id in deleted])
            return f"{len(deleted)} deleted"

        return await self.database.write(SYSTEM, work)

    async def _insert(self, tx: Tx, user_id: UUID, symbol: str, new: NewAlert) -> Made:
        now = self.clock.now()
        await tx.execute(AlertSql.lock_alerts_of, user_id)
        # A separate statement: it must see what was committed while this transaction waited for the lock.
        [count] = await tx.fetch(AlertSql.count_alerts, user_id)
        if count >= self.limit:
            raise AlertLimitReached(self.limit)
        [id] = await tx.fetch(
            AlertSql.insert_alert,
            user_id,
            symbol,
            new.condition.__struct_config__.tag,
            threshold_of(new.condition),
            _details(new.condition),
            new.rearm,
            new.cooldown_s,
            new.enabled,
            new.expires_at,
            now,
        )
        return Made(id)

    def _check(self, new: NewAlert) -> None:
        with Faults() as faults:
            with faults.at("condition"):
                check_condition(new.condition)
            with faults.at():
                check_rearm(new.rearm, new.cooldown_s)
            with faults.at():
                self._check_expiry(new.expires_at)

    def _check_expiry(self, expires_at: datetime | None) -> None:
        if expires_at is not None and expires_at <= self.clock.now():
            raise InvalidInput("expires_at", "An alert expires in the future.")

    def _check_chain(self, symbol: str, condition: Condition) -> None:
        if isinstance(condition, WhaleTransaction) and symbol != self.chain_symbol:
            raise InvalidInput("symbol", f"Only the payments of {self.chain_symbol} are followed.")


def _details(condition: Condition) -> dict[str, Any]:
    details: dict[str, Any] = msgspec.to_builtins(condition)
    # The type has its own column.
    del details["type"]
    return details


def _rearm(alert: Alert, changes: AlertChanges) -> tuple[Rearm, int | None]:
    if changes.rearm is UNSET:
        if changes.cooldown_s is UNSET:
            return Rearm(alert.rearm), alert.cooldown_s
        rearm, cooldown_s = Rearm(alert.rearm), changes.cooldown_s
    else:
        rearm = changes.rearm
        unchanged = alert.cooldown_s if rearm is Rearm.AFTER_COOLDOWN else None
        cooldown_s = unchanged if changes.cooldown_s is UNSET else changes.cooldown_s
    check_rearm(rearm, cooldown_s)
    return rearm, cooldown_s


def _found(alert: Alert | None) -> Alert:
    if alert is None:
        raise NotFound(Alert)
    return alert
