"""What users do, unless they have opted out."""

import math
from dataclasses import dataclass
from typing import Final

import msgspec

from app.domains.accounts.model import Viewer
from app.domains.accounts.services.auth_log import origin_of, system_scope
from app.domains.trading.analytics.model import EVENT_LIMIT, EVENT_WINDOW_S, ORIGIN_RETENTION, NewEvent, Source
from app.domains.trading.analytics.rules import check_event, digestible
from app.domains.trading.analytics.statements import AnalyticsSql
from app.kit.clock import Clock
from app.kit.db import SYSTEM, Database, Tx
from app.kit.errors import RateLimited
from app.kit.idempotency import KeyedRequest, check_key, once

_BATCH: Final = 10_000


class Tracked(msgspec.Struct, frozen=True):
    """The result of tracking: whether the event was recorded."""

    recorded: bool


@dataclass(frozen=True)
class Analytics:
    """Records events. What the product itself does is recorded by triggers (`record_action`), not here."""

    database: Database
    clock: Clock
    limit: int = EVENT_LIMIT

    async def track(self, viewer: Viewer, event: NewEvent, idempotency_key: str) -> bool:
        """Records an event of the viewer; False if they have opted out.

        Raises InvalidInput, RateLimited, IdempotencyKeyReused.
        """
        check_key(idempotency_key, lambda: check_event(event))
        keyed = KeyedRequest.of(viewer.user_id, idempotency_key, "trackEvent", digestible(event))

        async def record(tx: Tx) -> Tracked:
            check_event(event)
            wait = await tx.fetch_one(AnalyticsSql.wait_for_event, viewer.user_id, EVENT_WINDOW_S, self.limit)
            if wait is not None:
                raise RateLimited(max(1, math.ceil(wait)))
            values = (event.type, event.data or {}, event.client_session, Source.CLIENT, *origin_of(viewer.client))
            return Tracked(await tx.fetch_one(AnalyticsSql.record_event, viewer.user_id, *values) is not None)

        async def write(tx: Tx) -> bool:
            return (await once(tx, keyed, lambda: record(tx), Tracked)).result.recorded

        return await self.database.write(system_scope(viewer.client, viewer.user_id), write)

    async def empty_origins(self) -> str:
        """Empties the IP addresses and user agents of old events, a batch in each transaction."""
        before, emptied = self.clock.now() - ORIGIN_RETENTION, 0
        while batch := await self.database.write(
            SYSTEM, lambda tx: tx.execute(AnalyticsSql.empty_origins, before, _BATCH)
        ):
            emptied += batch
        return f"{emptied} events"

    async def count(self) -> str:
        """Counts the events of today, and of the days before that have not been counted to their end."""
        counted = await self.database.write(SYSTEM, lambda tx: tx.execute(AnalyticsSql.count_events))
        return f"{counted} counts"
