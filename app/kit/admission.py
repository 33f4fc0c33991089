"""Admission to the connection pool: bounded, and fair among the parties that wait."""

import asyncio
import time
from bisect import bisect_left
from collections import deque
from collections.abc import Callable, Hashable
from typing import Final

from app.kit.errors import Unavailable

WAIT_BUCKETS_S: Final = (0.0, 0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Upper bounds of the histogram of waits; the first counts those who did not wait at all."""

STARVED_S: Final = 1.0
"""A pool is starved when a party below its share has waited this long."""

_NOBODY: Final = object()


class Overloaded(Unavailable):
    """Too many requests wait for the database. Try again shortly."""


def party_limit(waiting_limit: int) -> int:
    """How many waiters one party may have."""
    return max(1, waiting_limit // 4)


class _Waiter:
    __slots__ = ("began", "turn")

    def __init__(self, turn: "asyncio.Future[None]", began: float) -> None:
        self.turn = turn
        self.began = began


class Admission:
    """Hands out a number of slots, in turns among the parties that wait for one.

    A party holds at most half of the slots, so that it cannot stop the others, and no more than a quarter of those who
    may wait are its own. The party None is Moneta itself: it takes its turn as the others do, without these bounds.
    """

    def __init__(self, slots: int, *, waiting_limit: int, overloaded: Callable[[], Unavailable] = Overloaded) -> None:
        """`overloaded` returns the error to raise when too many callers wait already."""
        self.refused = 0
        """How many were turned away."""
        self.waits = [0] * (len(WAIT_BUCKETS_S) + 1)
        """How many waited how long, by WAIT_BUCKETS_S; the last bucket has no upper bound."""
        self.waited_s = 0.0
        """All waits together."""
        self.waiting = 0
        """How many wait now."""
        self._overloaded = overloaded
        self._free = slots
        self._share = max(1, slots // 2)
        self._waiting_limit = waiting_limit
        self._party_limit = party_limit(waiting_limit)
        self._held: dict[Hashable, int] = {}
        # In the order in which it is their turn.
        self._queues: dict[Hashable, deque[_Waiter]] = {}

    async def enter(self, party: Hashable) -> None:
        """Waits for a slot. Raises the error of `overloaded` when too many callers wait already."""
        if self._free and self._may_hold(party):
            self._take(party)
            self.waits[0] += 1
            return
        queue = self._queues.get(party)
        if self.waiting >= self._waiting_limit or (
            party is not None and queue is not None and len(queue) >= self._party_limit
        ):
            self.refused += 1
            raise self._overloaded()
        if queue is None:
            queue = self._queues[party] = deque()
        waiter = _Waiter(asyncio.get_running_loop().create_future(), time.monotonic())
        queue.append(waiter)
        self.waiting += 1
        try:
            await waiter.turn
        except asyncio.CancelledError:
            if waiter.turn.cancelled():
                self._forget(party, waiter)
            else:
                # The slot came in the same turn of the event loop as the cancellation.
                self.leave(party)
            raise
        self._waited(time.monotonic() - waiter.began)

    def leave(self, party: Hashable) -> None:
        """Releases a slot."""
        left = self._held[party] - 1
        if left:
            self._held[party] = left
        else:
            del self._held[party]
        self._free += 1
        self._admit()

    @property
    def starved(self) -> bool:
        """Whether a party below its share has waited for too long."""
        latest = time.monotonic() - STARVED_S
        return any(queue[0].began < latest for party, queue in self._queues.items() if self._may_hold(party))

    def _admit(self) -> None:
        while self._free and (party := next(filter(self._may_hold, self._queues), _NOBODY)) is not _NOBODY:
            # To the end of the queue: every other waiting party comes before this party's next request.
            queue = self._queues.pop(party)
            waiter = queue.popleft()
            if queue:
                self._queues[party] = queue
            self.waiting -= 1
            # A waiter that is being cancelled has not noticed yet.
            if not waiter.turn.done():
                self._take(party)
                waiter.turn.set_result(None)

    def _may_hold(self, party: Hashable) -> bool:
        return party is None or self._held.get(party, 0) < self._share

    def _take(self, party: Hashable) -> None:
        self._free -= 1
        self._held[party] = self._held.get(party, 0) + 1

    def _forget(self, party: Hashable, waiter: _Waiter) -> None:
        queue = self._queues.get(party)
        if queue is None or waiter not in queue:
            return
        queue.remove(waiter)
        if not queue:
            del self._queues[party]
        self.waiting -= 1

    def _waited(self, seconds: float) -> None:
        self.waits[bisect_left(WAIT_BUCKETS_S, seconds)] += 1
        self.waited_s += seconds
