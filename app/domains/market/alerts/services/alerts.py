"""What users do with their alerts."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from msgspec import UNSET

from app.domains.accounts.model import Viewer
from app.domains.market.alerts.model import (
    Alert,
    AlertChanges,
    AlertLimitReached,
    Condition,
    NewAlert,
    Rearm,
    WhaleTransaction,
)
from app.domains.market.alerts.rules import check_condition, check_rearm, threshold_of
from app.domains.market.statements import ALERTS
from app.domains.market.tokens.model import symbol_of
from app.domains.market.tokens.services.search import known_symbol
from app.kit.clock import Clock
from app.kit.db import SYSTEM, Database, Tx
from app.kit.errors import InvalidInput, NotFound
from app.kit.idempotency import Keyed, Made, once


@dataclass(frozen=True)
class Alerts:
    """Each user's own, at most `limit` of them, the disabled and the fired ones included."""

    database: Database
    clock: Clock
    limit: int
    chain_symbol: str
    """The token whose chain tells of payments."""

    async def create(self, viewer: Viewer, new: NewAlert, idempotency_key: str) -> Alert:
        """Makes an alert. Raises InvalidInput, TokenNotFound, AlertLimitReached, IdempotencyKeyReused.

        A replay whose alert has since been deleted raises NotFound.
        """

        async def create(tx: Tx) -> Made:
            check_condition(new.condition)
            check_rearm(new.rearm, new.cooldown_s)
            symbol = await known_symbol(tx, new.symbol)
            self._check_chain(symbol, new.condition)
            return await self._insert(tx, viewer.user_id, symbol, new)

        request = msgspec.structs.replace(new, symbol=symbol_of(new.symbol))
        keyed = Keyed.of(viewer.user_id, idempotency_key, "createAlert", request)

        async def work(tx: Tx) -> Alert:
            created = await once(tx, keyed, lambda: create(tx), Made)
            return _found(await tx.fetch_one(ALERTS.lock_alert, created.result.id, viewer.user_id))

        return await self.database.write(viewer.scope, work)

    async def update(self, viewer: Viewer, id: UUID, changes: AlertChanges) -> Alert:
        """Changes an alert, and arms it anew while it is enabled. Raises InvalidInput, NotFound."""
        if changes.condition is not UNSET:
            check_condition(changes.condition)
        if changes.expires_at not in (UNSET, None):
            self._check_expiry(changes.expires_at)

        async def work(tx: Tx) -> Alert:
            alert = _found(await tx.fetch_one(ALERTS.lock_alert, id, viewer.user_id))
            condition = alert.condition if changes.condition is UNSET else changes.condition
            if type(condition) is not type(alert.condition):
                raise InvalidInput("condition", "An alert keeps its type.")
            rearm, cooldown_s = _rearm(alert, changes)
            enabled = alert.enabled if changes.enabled is UNSET else changes.enabled
            expires_at = alert.expires_at if changes.expires_at is UNSET else changes.expires_at
            if enabled:
                # Else it would be armed, and never fire.
                self._check_expiry(expires_at)
            return _found(
                await tx.fetch_one(
                    ALERTS.update_alert,
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

        return await self.database.write(viewer.scope, work)

    async def delete(self, viewer: Viewer, id: UUID) -> None:
        """Deletes an alert; what it told stays. Raises NotFound, also for one that is gone already."""
        if not await self.database.write(viewer.scope, lambda tx: tx.execute(ALERTS.delete_alert, id, viewer.user_id)):
            raise NotFound

    async def delete_expired(self) -> str:
        """Deletes the alerts of all users that are past their expiry, and what was kept only for them."""

        async def work(tx: Tx) -> str:
            deleted = await tx.execute(ALERTS.delete_expired_alerts, self.clock.now())
            await tx.execute(ALERTS.delete_marks_of_gone_alerts)
            return f"{deleted} deleted"

        return await self.database.write(SYSTEM, work)

    async def _insert(self, tx: Tx, user_id: UUID, symbol: str, new: NewAlert) -> Made:
        now = self.clock.now()
        self._check_expiry(new.expires_at)
        await tx.execute(ALERTS.lock_alerts_of, user_id)
        # A statement of its own: it must see what was committed while the lock was waited for.
        if await tx.fetch_value(ALERTS.count_alerts, user_id) >= self.limit:
            raise AlertLimitReached(self.limit)
        row: Any = await tx.fetch_one(
            ALERTS.insert_alert,
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
        return Made(row["id"])

    def _check_expiry(self, expires_at: datetime | None) -> None:
        if expires_at is not None and expires_at <= self.clock.now():
            raise InvalidInput("expiresAt", "An alert expires in the future.")

    def _check_chain(self, symbol: str, condition: Condition) -> None:
        if isinstance(condition, WhaleTransaction) and symbol != self.chain_symbol:
            raise InvalidInput("symbol", f"Only the payments of {self.chain_symbol} are followed.")


def _details(condition: Condition) -> dict[str, Any]:
    details: dict[str, Any] = msgspec.to_builtins(condition)
    # It has a column of its own.
    del details["type"]
    return details


def _rearm(alert: Alert, changes: AlertChanges) -> tuple[Rearm, int | None]:
    if changes.rearm is UNSET:
        if changes.cooldown_s is UNSET:
            return Rearm(alert.rearm), alert.cooldown_s
        rearm, cooldown_s = Rearm(alert.rearm), changes.cooldown_s
    else:
        rearm, cooldown_s = changes.rearm, None if changes.cooldown_s is UNSET else changes.cooldown_s
    check_rearm(rearm, cooldown_s)
    return rearm, cooldown_s


def _found(row: Any | None) -> Alert:
    if row is None:
        raise NotFound
    return Alert(*row)
