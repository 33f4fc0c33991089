"""Facts: appended in the transaction that made them true, numbered without a gap, read back in order."""

import asyncio
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec
import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

from app.kit.db import Database, Tx
from app.kit.sql import beside

Q = beside(__file__, "events.sql")
WAKE_CHANNEL = "moneta:wake"
log = structlog.get_logger(__name__)


class Fact(msgspec.Struct, frozen=True):
    """Something that became true. `payload` carries ids, not rows, unless the fact can never change."""

    stream: str
    kind: str
    payload: dict[str, Any]


class Event(msgspec.Struct, frozen=True):
    """A stored fact. `seq` counts 1, 2, 3 ... within its stream, in the order of commit."""

    stream: str
    seq: int
    kind: str
    payload: dict[str, Any]
    created_at: datetime


class EventLog:
    """The event table: appended to by services, read by the hub."""

    def __init__(self, database: Database, redis: "Redis") -> None:
        self._database = database
        self._redis = redis
        self._waking: asyncio.Task[None] | None = None

    async def append(self, tx: Tx, facts: Sequence[Fact]) -> None:
        """Adds facts, in this order. Call it last in a transaction: it holds the streams' locks until the commit."""
        if not facts:
            return
        await tx.execute(
            Q.append_events,
            [fact.stream for fact in facts],
            [fact.kind for fact in facts],
            [fact.payload for fact in facts],
        )
        tx.after_commit(self._wake_relay)

    async def after(self, stream: str, seq: int, limit: int) -> list[Event]:
        """Up to `limit` events that follow `seq`."""
        return [Event(*row) for row in await self._database.fetch(Q.events_after, stream, seq, limit)]

    async def tops(self, streams: Sequence[str]) -> dict[str, int]:
        """The newest seq of each stream; 0 where nothing has happened yet."""
        tops = dict.fromkeys(streams, 0)
        tops.update((row[0], row[1]) for row in await self._database.fetch(Q.stream_tops, list(streams)))
        return tops

    async def _wake_relay(self) -> None:
        # Best effort, and never waited for: the relay polls as well. One message on the way is enough for many writes.
        if self._waking is None or self._waking.done():
            self._waking = asyncio.create_task(self._publish_wake())

    async def _publish_wake(self) -> None:
        try:
            await self._redis.publish(WAKE_CHANNEL, b"")
        except (RedisError, OSError) as error:
            log.warning("events.wake_failed", error=str(error))
