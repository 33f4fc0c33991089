"""The state of a stream in one process, and the stream's listeners."""

import asyncio
from collections.abc import Callable
from typing import Protocol

import structlog

from app.kit.errors import ResyncRequired
from app.kit.event_ring import EventRing
from app.kit.events import Event

log = structlog.get_logger(__name__)


class ListenerOwner(Protocol):
    """What a listener needs of the hub that owns it."""

    async def history(self, stream: str, after: int, limit: int) -> list[Event]:
        """Events contiguous from `after + 1`."""
        ...

    def check_soon(self) -> None:
        """Compares every stream with Postgres."""
        ...

    def leave(self, listener: "Listener", state: "StreamState") -> None:
        """Removes the listener."""
        ...


class StreamState:
    """The state of a stream that has listeners in this process."""

    __slots__ = ("_ring", "listeners", "lost", "name", "top")

    def __init__(self, name: str) -> None:
        self.name = name
        self.listeners: set[Listener] = set()
        self.top = 0
        """The newest `seq` that is known to exist."""
        self.lost = False
        self._ring: EventRing | None = None

    def hear(self, event: Event, size: int, new_ring: Callable[[], EventRing]) -> None:
        """Keeps an announced event, and notifies the listeners that have not seen it."""
        if self._ring is None:
            self._ring = new_ring()
        self._ring.add(event, size)
        self.reach(event.seq)

    def reach(self, top: int) -> None:
        """Notes that there are events up to `top`, and notifies the listeners."""
        self.top = max(top, self.top)
        for listener in tuple(self.listeners):
            if listener.last < self.top:
                listener.wake()

    def remember(self, events: list[Event], new_ring: Callable[[], EventRing]) -> None:
        """Keeps what one listener had to read for other listeners."""
        if self._ring is None:
            self._ring = new_ring()
        self._ring.join(events)
        self.top = max(self.top, events[-1].seq)

    def after(self, seq: int, limit: int) -> list[Event]:
        """The events right after `seq` that are in memory."""
        return [] if self._ring is None else self._ring.after(seq, limit)

    def lose(self) -> None:
        """Ends the stream: no listener can continue from its offset."""
        self.lost = True
        self.forget()
        for listener in tuple(self.listeners):
            listener.wake()

    def forget(self) -> None:
        """Drops the events that are in memory."""
        if self._ring is not None:
            self._ring.clear()


class Listener:
    """One consumer's offset in one stream. One take at a time."""

    __slots__ = ("_hub", "_notify", "_state", "last")

    def __init__(self, hub: "ListenerOwner", state: StreamState) -> None:
        self.last = 0
        """The `seq` of the newest event that was taken."""
        self._hub = hub
        self._state = state
        self._notify: Callable[[], None] | None = None

    @property
    def stream(self) -> str:
        """The stream's name."""
        return self._state.name

    @property
    def top(self) -> int:
        """The newest known `seq` of the stream."""
        return max(self._state.top, self.last)

    async def take(self, limit: int = 64) -> list[Event]:
        """The next events, contiguous from `last + 1`; none when nothing is due now.

        Raises ResyncRequired where the offset cannot be continued from, and Unavailable: take again when notified.
        """
        state = self._state
        if state.lost or self.last > state.top:
            raise ResyncRequired
        if self.last == state.top or self not in state.listeners:
            return []
        events = await self._hub.history(state.name, self.last, limit)
        if state.lost:
            raise ResyncRequired
        if events:
            self.last = events[-1].seq
        else:
            # What was announced is not there. The check finds out whether the stream went back.
            self._hub.check_soon()
        return events

    def close(self) -> None:
        """Stops listening. Idempotent."""
        self._notify = None
        self._hub.leave(self, self._state)

    def begin(self, last: int, notify: Callable[[], None]) -> None:
        """Notifies from now on when there is something to take."""
        self.last = last
        self._notify = notify
        if self._state.lost or last != self._state.top:
            asyncio.get_running_loop().call_soon(self.wake)

    def wake(self) -> None:
        """Notifies the consumer that there may be something to take."""
        if self._notify is not None:
            try:
                self._notify()
            except Exception:
                log.exception("hub.notify_failed", stream=self.stream)
