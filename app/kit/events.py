"""Events: appended in the transaction that caused them, numbered without gaps, and read back in order."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from redis.asyncio import Redis

from app.kit.db import Database, Tx
from app.kit.loaders import Audience, one
from app.kit.sql import Command, Query, Statements
from app.kit.wake import Wake

WAKE_CHANNEL = "moneta:wake"
"""On which the relay learns that there are facts."""


class Fact(msgspec.Struct, frozen=True):
    """A domain event before it is stored. `payload` carries ids, not rows, unless the fact can never change.

    `stream` has no line break, which separates the parts of a message in Redis.
    """

    stream: str
    kind: str
    payload: dict[str, Any]

    def __post_init__(self) -> None:
        if "\n" in self.stream:
            raise ValueError("the name of a stream cannot contain a line break")


class Event(msgspec.Struct, frozen=True):
    """A stored fact. `seq` counts 1, 2, 3 ... within its stream, in the order of commit."""

    stream: str
    seq: int
    kind: str
    payload: dict[str, Any]
    created_at: datetime


class Position(msgspec.Struct, frozen=True):
    """How far a stream is: the newest `seq`, 0 where nothing has happened yet, in this epoch."""

    stream: str
    seq: int
    epoch: UUID


class Positions(msgspec.Struct, frozen=True):
    """How far several streams are, at one moment."""

    epoch: UUID
    seqs: dict[str, int]


class UnpublishedEvent(msgspec.Struct, frozen=True):
    """A stored fact that Redis has not been given, and the epoch it belongs to."""

    id: int
    epoch: UUID
    stream: str
    seq: int
    kind: str
    payload: dict[str, Any]
    created_at: datetime


class History(msgspec.Struct, frozen=True):
    """What Postgres holds of a stream after a position, and its newest `seq`, at one moment."""

    epoch: UUID
    top: int
    events: list[Event]


class EventAndTop(msgspec.Struct, frozen=True):
    """A stream's newest `seq`, and one of its events; where there is none, one row without it."""

    epoch: UUID
    top: int
    stream: str | None
    seq: int
    kind: str
    payload: dict[str, Any]
    created_at: datetime


class EventSql(Statements, file="events.sql"):
    """The statements about events."""

    append_events: Command
    unpublished_events: Query[UnpublishedEvent]
    oldest_unpublished: Query[datetime]
    mark_published: Command
    events_after: Query[Event]
    events_and_top: Query[EventAndTop]
    epoch_and_positions: Query[tuple[UUID, str | None, int]]
    stream_positions: Query[Position]
    renew_epoch: Query[UUID]
    try_relay_lock: Query[bool]


positions_by_stream = {
    audience: one(EventSql.stream_positions, key="stream", audience=audience) for audience in Audience
}
"""The position of a stream, read in the same snapshot as the list that a client continues from."""

decode_event = msgspec.json.Decoder(Event).decode


def stream_key(epoch: UUID, stream: str) -> str:
    """Where Redis keeps the newest facts of a stream."""
    return f"moneta:stream:{epoch.hex}:{stream}"


def contiguous(events: Iterable[Event], after: int) -> list[Event]:
    """The run that begins right after `after`, up to the first hole."""
    run: list[Event] = []
    for event in events:
        if event.seq != after + len(run) + 1:
            break
        run.append(event)
    return run


class EventLog:
    """The event table, and the copy of its newest facts in Redis: appended to by services, read by the hub."""

    def __init__(self, database: Database, redis: "Redis") -> None:
        self.redis = redis
        self._database = database
        self._wake = Wake(redis, WAKE_CHANNEL)

    async def append(self, tx: Tx, facts: Sequence[Fact]) -> None:
        """Adds facts, in this order. Call it last in a transaction: it holds the streams' locks until the commit."""
        if not facts:
            return
        await tx.execute(
            EventSql.append_events,
            [fact.stream for fact in facts],
            [fact.kind for fact in facts],
            [fact.payload for fact in facts],
        )
        tx.after_commit(self._wake.ring_soon)

    async def after(self, stream: str, seq: int, limit: int) -> list[Event]:
        """Up to `limit` events that follow `seq`."""
        return await self._database.fetch(EventSql.events_after, stream, seq, limit)

    async def history(self, stream: str, seq: int, limit: int) -> History:
        """Up to `limit` events that follow `seq`, and how far the stream is. Raises Unavailable."""
        rows = await self._database.fetch(EventSql.events_and_top, stream, seq, limit)
        events = [
            Event(row.stream, row.seq, row.kind, row.payload, row.created_at) for row in rows if row.stream is not None
        ]
        return History(rows[0].epoch, rows[0].top, events)

    async def recent(self, epoch: UUID, stream: str, seq: int, limit: int) -> list[Event]:
        """What Redis holds right after `seq`: up to `limit` events, none where it does not know. Raises RedisError."""
        entries: Any = await self.redis.xrange(stream_key(epoch, stream), min=f"({seq}-0", count=limit)
        return contiguous((decode_event(fields[b"e"]) for _, fields in entries), seq)

    async def waiting_since(self) -> datetime:
        """When the oldest event that the relay has not moved was appended; now if none waits. Raises Unavailable."""
        (moment,) = await self._database.fetch(EventSql.oldest_unpublished)
        return moment

    async def positions(self, streams: Sequence[str]) -> Positions:
        """How far these streams are, and the epoch, renewed first after a restore. Raises Unavailable."""
        rows = await self._database.fetch(EventSql.epoch_and_positions, list(streams))
        seqs = dict.fromkeys(streams, 0)
        seqs.update((stream, seq) for _, stream, seq in rows if stream is not None)
        return Positions(rows[0][0], seqs)

    async def renew_epoch(self) -> UUID:
        """Begins a new epoch: every cursor issued so far is refused from now on."""
        (epoch,) = await self._database.fetch(EventSql.renew_epoch)
        return epoch
