"""Reads what the hub does not hold, from Redis or else from Postgres, and the heads of many streams at once."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from uuid import UUID

import msgspec
import structlog
from redis.exceptions import RedisError

from app.kit.errors import ResyncRequired
from app.kit.events import Event, EventLog, contiguous
from app.kit.work import detached_context

REDIS_PATIENCE_S = 0.5
"""How long Redis is waited for: Postgres has the same events."""
REDIS_PAUSE_S = 1.0

log = structlog.get_logger(__name__)


class EventHistory:
    """Reads the events that follow an offset in a stream."""

    def __init__(self, events: EventLog) -> None:
        self._events = events
        self._redis_from = 0.0
        self._reading: set[asyncio.Task[list[Event]]] = set()

    async def after(self, epoch: UUID, stream: str, seq: int, limit: int) -> list[Event]:
        """Up to `limit` events, contiguous from `seq + 1`; none where none follow.

        Raises ResyncRequired where they are gone, where `seq` was never assigned, and where the epoch
        is another by now; Unavailable where Postgres does not answer.
        """
        if events := await self._from_redis(epoch, stream, seq, limit):
            return events
        history = await self._events.history(stream, seq, limit)
        run = contiguous(history.events, seq)
        if history.epoch != epoch or history.top < seq or (history.top > seq and not run):
            raise ResyncRequired
        return run

    async def _from_redis(self, epoch: UUID, stream: str, seq: int, limit: int) -> list[Event]:
        clock = asyncio.get_running_loop().time
        if clock() < self._redis_from:
            return []
        # Not a timeout around it: redis-py may swallow the cancellation of a connection being made, and retries.
        task = asyncio.ensure_future(self._events.recent(epoch, stream, seq, limit))
        self._reading.add(task)
        task.add_done_callback(self._read)
        await asyncio.wait([task], timeout=REDIS_PATIENCE_S)
        if task.done() and not task.cancelled() and task.exception() is None:
            return task.result()
        task.cancel()
        self._redis_from = clock() + REDIS_PAUSE_S
        return []

    def _read(self, task: "asyncio.Task[list[Event]]") -> None:
        self._reading.discard(task)
        error = None if task.cancelled() else task.exception()
        if isinstance(error, RedisError | OSError):
            log.warning("hub.redis_read_failed", error=str(error) or type(error).__name__)
        elif error is not None:
            # The key holds something else. Postgres is read instead.
            log.error("hub.redis_unreadable", exc_info=error, malformed=isinstance(error, msgspec.MsgspecError))


class StreamHeads:
    """Reads the newest `seq` of many streams in one statement.

    An answer is never older than its request: a request made while a statement runs is part of the next one.
    """

    def __init__(self, read: Callable[[list[str]], Awaitable[Mapping[str, int]]]) -> None:
        self._read = read
        self._asked: dict[str, asyncio.Future[int]] = {}
        self._asking: asyncio.Task[None] | None = None

    async def of(self, stream: str) -> int:
        """The newest `seq` of a stream; 0 where nothing has happened yet. Raises Unavailable."""
        future = self._asked.get(stream)
        if future is None:
            future = self._asked[stream] = asyncio.get_running_loop().create_future()
        if self._asking is None:
            self._asking = asyncio.get_running_loop().create_task(self._ask(), context=detached_context())
        return await asyncio.shield(future)

    async def stop(self) -> None:
        """Stops reading."""
        if self._asking is not None:
            self._asking.cancel()
            await asyncio.wait([self._asking])

    async def _ask(self) -> None:
        batch: dict[str, asyncio.Future[int]] = {}
        try:
            while self._asked:
                batch, self._asked = self._asked, {}
                try:
                    seqs = await self._read(list(batch))
                except Exception as error:
                    for future in batch.values():
                        future.set_exception(error)
                        # Marks it as retrieved: its caller may be gone.
                        future.exception()
                else:
                    for stream, future in batch.items():
                        future.set_result(seqs[stream])
        finally:
            self._asking = None
            for future in (*batch.values(), *self._asked.values()):
                future.cancel()
            self._asked = {}
