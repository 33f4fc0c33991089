"""The newest events of a stream, held in memory once for all who listen to it, bounded by count and bytes."""

from collections import deque
from collections.abc import Sequence
from itertools import islice

import msgspec

from app.kit.events import Event

RING_BYTES = 256 * 1024
TOTAL_BYTES = 64 * 1024 * 1024


class RingBudget:
    """What the rings of a process may hold together, in bytes of JSON."""

    __slots__ = ("free",)

    def __init__(self, total: int = TOTAL_BYTES) -> None:
        self.free = total


class EventRing:
    """A gapless run of events, the newest at its end."""

    __slots__ = ("_budget", "_bytes", "_events", "_limit", "_sizes")

    def __init__(self, limit: int, budget: RingBudget) -> None:
        self._events: deque[Event] = deque()
        self._sizes: deque[int] = deque()
        self._bytes = 0
        self._limit = limit
        self._budget = budget

    def __len__(self) -> int:
        return len(self._events)

    def add(self, event: Event, size: int) -> None:
        """Adds an event that follows the newest. At a gap, older events are dropped; an older `seq` is ignored."""
        if self._events and event.seq != self._events[-1].seq + 1:
            if event.seq <= self._events[-1].seq:
                return
            self.clear()
        self._events.append(event)
        self._sizes.append(size)
        self._hold(size)
        while self._events and (len(self._events) > self._limit or self._bytes > RING_BYTES or self._budget.free < 0):
            self._events.popleft()
            self._hold(-self._sizes.popleft())

    def join(self, events: Sequence[Event]) -> None:
        """Adds a run that was read, if it touches or overlaps the run held here; of older events, as many as fit."""
        if not self._events or self._events[0].seq <= events[0].seq <= self._events[-1].seq + 1:
            for event in events:
                self.add(event, len(msgspec.json.encode(event)))
            return
        for event in reversed(events):
            if event.seq != self._events[0].seq - 1:
                continue
            size = len(msgspec.json.encode(event))
            if len(self._events) >= self._limit or self._bytes + size > RING_BYTES or self._budget.free < size:
                return
            self._events.appendleft(event)
            self._sizes.appendleft(size)
            self._hold(size)

    def after(self, seq: int, limit: int) -> list[Event]:
        """The events right after `seq`; none if they are no longer held, or not yet."""
        if not self._events:
            return []
        start = seq + 1 - self._events[0].seq
        missing = len(self._events) - start
        if start < 0 or missing <= 0:
            return []
        if missing == 1:
            return [self._events[-1]]
        return list(islice(self._events, start, start + limit))

    def clear(self) -> None:
        """Drops all events."""
        self._events.clear()
        self._sizes.clear()
        self._hold(-self._bytes)

    def _hold(self, size: int) -> None:
        self._bytes += size
        self._budget.free -= size
