"""The hub fans facts out to the listeners of one process.

Each listener counts for itself and holds only its offset: it delivers only the next number of its stream. The
newest facts of a stream are kept once for all its listeners; a listener that is further behind reads from Redis or
Postgres, at its own pace. What Redis announces may be late, repeated or missing: it is only ever a hint.
"""

import asyncio
import contextlib
from collections.abc import Callable
from typing import Any
from uuid import UUID

import msgspec
import structlog
from broadcaster import Broadcast

from app.kit.errors import Problem
from app.kit.event_history import EventHistory, StreamHeads
from app.kit.event_ring import EventRing, RingBudget
from app.kit.events import Event, EventLog, decode_event
from app.kit.listeners import Listener, StreamState
from app.kit.pubsub import GAP
from app.kit.relay import CHANNEL
from app.kit.single_flight import SingleFlight
from app.kit.tasks import end
from app.kit.volatile import VOLATILE_CHANNEL, Latest, Topic, VolatileTopics, Watcher

__all__ = ["Hub", "Latest", "Listener", "Watcher"]

TOP_CHECK_S = 2.0
CHECK_PAUSE_S = 0.05
"""Seconds between two checks, however often one is requested."""
CHECK_BATCH = 5000
READING_PATIENCE_S = 0.5

log = structlog.get_logger(__name__)


class Hub:
    """One reader of Redis for the whole process, any number of listeners and watchers."""

    epoch: UUID
    """The epoch of the streams, known once the hub has started."""

    def __init__(self, broadcast: Broadcast, events: EventLog, *, memory_limit: int) -> None:
        self.listening = 0
        """How many listeners there are."""
        self._broadcast = broadcast
        self._events = events
        self._volatile = VolatileTopics(events.redis)
        self._event_history = EventHistory(events)
        self._stream_heads = StreamHeads(self._positions)
        self._single_flight: SingleFlight[list[Event]] = SingleFlight()
        self._readings: SingleFlight[None] = SingleFlight()
        self._streams: dict[str, StreamState] = {}
        self._topics: dict[str, Topic] = {}
        self._gaps = 0
        self._budget = RingBudget()
        self._ring_limit = memory_limit
        self._check_due = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Connects and begins to read. Raises Unavailable."""
        self.epoch = (await self._events.positions([])).epoch
        await self._broadcast.connect()
        self._tasks = [
            asyncio.create_task(self._read(CHANNEL, self._hear, self.check_soon)),
            asyncio.create_task(self._read(VOLATILE_CHANNEL, self._hear_volatile, self._read_topics)),
            asyncio.create_task(self._check_for_ever()),
        ]

    async def stop(self) -> None:
        """Stops reading. Listeners get no further notifications."""
        await end(*self._tasks)
        await self._stream_heads.stop()
        await self._single_flight.stop()
        await self._readings.stop()
        await self._broadcast.disconnect()

    async def listen(self, stream: str, notify: Callable[[], None], *, after: int | None = None) -> Listener:
        """Returns a listener that starts right after `after`, or with None at the head of the stream.

        `notify` is called, from this loop and never from within this call, whenever there may be something to take;
        also when there is not. Raises Unavailable.
        """
        state = self._streams.get(stream)
        if state is None:
            state = self._streams[stream] = StreamState(stream)
        listener = Listener(self, state)
        # Registered before the top is read: a fact between the two is kept, and not taken if it was counted already.
        state.listeners.add(listener)
        self.listening += 1
        try:
            top = await self._stream_heads.of(stream)
        except BaseException:
            listener.close()
            raise
        state.top = max(top, state.top)
        listener.begin(top if after is None else after, notify)
        return listener

    async def history(self, stream: str, after: int, limit: int) -> list[Event]:
        """Events contiguous from `after + 1`; none where none follow. Equal reads under way are one.

        Raises ResyncRequired where what follows `after` is gone, or `after` was never assigned; Unavailable.
        """
        state = self._streams.get(stream)
        if state is not None and (events := state.after(after, limit)):
            return events
        read = (self.epoch, stream, after, limit)
        joined = self._single_flight.has(read)
        events = await self._single_flight.join(read, lambda: self._catch_up(*read))
        if joined and not events:
            # That read may have begun before there was an event.
            events = await self._single_flight.join(read, lambda: self._catch_up(*read))
        return events

    async def top(self, stream: str) -> int:
        """The newest `seq` of a stream; 0 where nothing has happened yet. Raises Unavailable."""
        return await self._stream_heads.of(stream)

    def check_soon(self) -> None:
        """Compares every stream with Postgres now, not only when it is time."""
        self._check_due.set()

    async def watch(self, topic: str, notify: Callable[[], None]) -> Watcher:
        """Returns a watcher of a volatile topic, whose first take returns the latest values that Redis has.

        `notify` is called whenever there may be something to take; also when there is not.
        """
        state = self._topics.get(topic)
        if state is None:
            state = self._topics[topic] = Topic(topic)
        watcher = Watcher(state, notify, self._unwatch)
        state.watchers.add(watcher)
        try:
            gaps = -1
            # Again if a gap was reported meanwhile: only a reading that began after the gap is complete.
            while not state.complete and gaps != self._gaps:
                gaps = self._gaps
                # The wait is limited: later values are announced to the watcher.
                await asyncio.wait([self._begin_reading(state)], timeout=READING_PATIENCE_S)
        except BaseException:
            watcher.close()
            raise
        return watcher

    def is_watched(self, topic: str) -> bool:
        """Whether anybody in this process watches a volatile topic."""
        return topic in self._topics

    def publish(self, topic: str, key: str, payload: Any) -> None:
        """Makes `payload` the latest of `key` for the watchers in this process only."""
        if (state := self._topics.get(topic)) is not None:
            state.hear(key, payload)

    async def _catch_up(self, epoch: UUID, stream: str, after: int, limit: int) -> list[Event]:
        events = await self._event_history.after(epoch, stream, after, limit)
        state = self._streams.get(stream)
        if events and state is not None and epoch == self.epoch:
            state.remember(events, self._new_ring)
        return events

    async def _positions(self, streams: list[str]) -> dict[str, int]:
        positions = await self._events.positions(streams)
        if positions.epoch != self.epoch:
            self._begin_epoch(positions.epoch)
        return positions.seqs

    def _begin_epoch(self, epoch: UUID) -> None:
        log.warning("hub.new_epoch", epoch=str(epoch), listeners=self.listening)
        ended, self._streams, self.epoch = self._streams, {}, epoch
        for state in ended.values():
            state.lose()

    async def _read(self, channel: str, hear: Callable[[str], None], missed: Callable[[], None]) -> None:
        async with self._broadcast.subscribe(channel) as subscriber:
            # Listeners from before the subscription may have missed something.
            missed()
            while True:
                message = (await subscriber.get()).message
                if message == GAP:
                    missed()
                    continue
                try:
                    hear(message)
                except (msgspec.MsgspecError, UnicodeError, ValueError) as error:
                    # The listeners notice by their own count that an event is missing.
                    log.warning("hub.bad_message", channel=channel, error=str(error))

    def _hear(self, message: str) -> None:
        epoch, stream, body = message.split("\n", 2)
        if epoch != self.epoch.hex:
            # This process or the sender has an old epoch: the check asks Postgres.
            self.check_soon()
        elif (state := self._streams.get(stream)) is not None:
            state.hear(decode_event(body), len(body), self._new_ring)

    def _hear_volatile(self, message: str) -> None:
        name, key, body = message.split("\n", 2)
        if (topic := self._topics.get(name)) is not None:
            topic.hear(key, msgspec.json.decode(body))

    def _read_topics(self) -> None:
        # What was read before the gap may not hold what was missed in it.
        self._gaps += 1
        for topic in self._topics.values():
            self._begin_reading(topic)

    def _begin_reading(self, topic: Topic) -> asyncio.Task[None]:
        # The key is the Topic, not its name: a topic that is watched again is a new object and needs its own reading.
        return self._readings.begin((topic, self._gaps), lambda: topic.read(self._volatile))

    async def _check_for_ever(self) -> None:
        """Finds what Redis has not announced, because of a lost message or an outage, and a new epoch."""
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(TOP_CHECK_S):
                    await self._check_due.wait()
            self._check_due.clear()
            try:
                await self._check()
            except Problem as problem:
                log.warning("hub.interrupted", error=problem.message)
            except Exception:
                log.exception("hub.failed")
            await asyncio.sleep(CHECK_PAUSE_S)

    async def _check(self) -> None:
        names = list(self._streams)
        for start in range(0, max(len(names), 1), CHECK_BATCH):
            asked = {
                name: state.top for name in names[start : start + CHECK_BATCH] if (state := self._streams.get(name))
            }
            for name, top in (await self._positions(list(asked))).items():
                if (state := self._streams.get(name)) is None:
                    continue
                if top < asked[name]:
                    # Its numbers will be assigned again: a copy of the data was restored without a new epoch.
                    log.error("hub.stream_rolled_back", stream=name, seq=asked[name], top=top)
                    del self._streams[name]
                    state.lose()
                else:
                    state.reach(top)

    def _new_ring(self) -> EventRing:
        return EventRing(self._ring_limit, self._budget)

    def leave(self, listener: Listener, state: StreamState) -> None:
        """Removes a listener, and the stream with its last one. Idempotent."""
        if listener not in state.listeners:
            return
        state.listeners.remove(listener)
        self.listening -= 1
        if not state.listeners:
            state.forget()
            if self._streams.get(state.name) is state:
                del self._streams[state.name]

    def _unwatch(self, watcher: Watcher, topic: Topic) -> None:
        topic.watchers.discard(watcher)
        if not topic.watchers and self._topics.get(topic.name) is topic:
            del self._topics[topic.name]
