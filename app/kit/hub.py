"""The hub fans facts out to the subscriptions of one process.

Each listener counts for itself. What it is handed may be late, repeated or missing: it delivers only the next number
of its stream, and reads whatever it missed from Postgres. So Redis may lose anything, and a slow listener may fall
behind without holding memory: its queue is dropped and it catches up at its own pace.
"""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import msgspec
import structlog
from broadcaster import Broadcast

from app.kit.errors import Problem
from app.kit.events import Event, EventLog
from app.kit.pubsub import GAP
from app.kit.relay import CHANNEL
from app.kit.tasks import end

CATCH_UP_BATCH = 200
TOP_CHECK_S = 2.0

log = structlog.get_logger(__name__)


class Listener:
    """One subscription's place in one stream."""

    def __init__(self, log_: EventLog, stream: str, limit: int) -> None:
        self.stream = stream
        self.last = 0
        self._log = log_
        self._queue: deque[Event] = deque()
        self._limit = limit
        self._behind = False
        self._ready = asyncio.Event()

    @property
    def newest(self) -> int:
        """The newest fact that this listener has delivered or holds."""
        return self._queue[-1].seq if self._queue else self.last

    def offer(self, event: Event) -> None:
        """Hands over a fact. Never waits and never grows beyond the limit."""
        if len(self._queue) >= self._limit:
            self._queue.clear()
            self._behind = True
        elif not self._behind:
            self._queue.append(event)
        self._ready.set()

    def look(self) -> None:
        """Something may have been missed: read on from Postgres."""
        self._behind = True
        self._ready.set()

    async def __aiter__(self) -> AsyncGenerator[Event, None]:
        while True:
            await self._ready.wait()
            self._ready.clear()
            while self._queue or self._behind:
                if self._behind:
                    # Cleared first: what arrives while we read is either read too, or queued and recognised.
                    self._behind = False
                    async for event in self._missing():
                        yield event
                elif (event := self._queue.popleft()).seq == self.last + 1:
                    self.last = event.seq
                    yield event
                elif event.seq > self.last:
                    self._queue.clear()
                    self._behind = True

    async def _missing(self) -> AsyncGenerator[Event, None]:
        while True:
            events = await self._log.after(self.stream, self.last, CATCH_UP_BATCH)
            for event in events:
                self.last = event.seq
                yield event
            if len(events) < CATCH_UP_BATCH:
                return


class Hub:
    """One reader of Redis for the whole process, any number of listeners."""

    def __init__(self, broadcast: Broadcast, events: EventLog, *, queue_limit: int) -> None:
        self._broadcast = broadcast
        self._events = events
        self._queue_limit = queue_limit
        self._listeners: dict[str, set[Listener]] = {}
        self._tasks: list[asyncio.Task[None]] = []

    @property
    def listening(self) -> int:
        """How many listeners there are."""
        return sum(map(len, self._listeners.values()))

    async def start(self) -> None:
        """Connects and begins to read."""
        await self._broadcast.connect()
        self._tasks = [asyncio.create_task(self._read()), asyncio.create_task(_forever(self._check_tops, TOP_CHECK_S))]

    async def stop(self) -> None:
        """Stops reading. Listeners hear nothing more."""
        await end(*self._tasks)
        await self._broadcast.disconnect()

    @asynccontextmanager
    async def listen(self, stream: str, after: int | None = None) -> AsyncIterator[Listener]:
        """Facts of a stream that follow `after`; None: those that follow this moment."""
        listener = Listener(self._events, stream, self._queue_limit)
        group = self._listeners.setdefault(stream, set())
        # Registered before the top is read: a fact between the two is queued, and dropped if it was counted already.
        group.add(listener)
        try:
            if after is None:
                listener.last = (await self._events.tops([stream]))[stream]
            else:
                listener.last = after
                listener.look()
            yield listener
        finally:
            group.discard(listener)
            if not group and self._listeners.get(stream) is group:
                del self._listeners[stream]

    async def _read(self) -> None:
        async with self._broadcast.subscribe(CHANNEL) as subscriber:
            # Whoever listened before the subscription stood may have missed something.
            self._look_everywhere()
            while True:
                message = (await subscriber.get()).message
                if message == GAP:
                    self._look_everywhere()
                    continue
                try:
                    event = msgspec.json.decode(message, type=Event)
                except (msgspec.MsgspecError, UnicodeError) as error:
                    # Whatever it was, the listeners' own count finds what it should have told.
                    log.warning("hub.bad_message", error=str(error))
                    continue
                for listener in self._listeners.get(event.stream, ()):
                    listener.offer(event)

    def _look_everywhere(self) -> None:
        for group in self._listeners.values():
            for listener in group:
                listener.look()

    async def _check_tops(self) -> None:
        """Finds listeners that Redis has left behind, be it for a lost message or because Redis is gone."""
        if not self._listeners:
            return
        for stream, top in (await self._events.tops(list(self._listeners))).items():
            for listener in self._listeners.get(stream, ()):
                if listener.newest < top:
                    listener.look()


async def _forever(step: Callable[[], Awaitable[None]], every_s: float) -> None:
    while True:
        await asyncio.sleep(every_s)
        try:
            await step()
        except Problem as problem:
            log.warning("hub.interrupted", error=problem.message)
        except Exception:
            log.exception("hub.failed")
