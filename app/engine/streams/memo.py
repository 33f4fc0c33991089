"""A cache of deliveries for clients that reconnect, limited in size for the whole process."""

from collections import OrderedDict
from typing import Final

import msgspec

from app.engine.streams.model import Delivery

OVERHEAD_BYTES: Final = 300
"""The approximate size of a cached delivery without its body."""


class Memo:
    """Deliveries by group and event. The least recently used is evicted first. None: the event has no delivery."""

    def __init__(self, limit_bytes: int) -> None:
        self._limit_bytes = limit_bytes
        self._known: OrderedDict[tuple[int, int], Delivery | None] = OrderedDict()
        self._bytes = 0

    def get(self, group: int, seq: int) -> Delivery | msgspec.UnsetType | None:
        """The delivery of an event; UNSET if it is not cached."""
        found = self._known.get((group, seq), msgspec.UNSET)
        if found is not msgspec.UNSET:
            self._known.move_to_end((group, seq))
        return found

    def put(self, group: int, seq: int, delivery: Delivery | None) -> None:
        """Caches the delivery of an event."""
        self._forget((group, seq))
        self._known[group, seq] = delivery
        self._bytes += _size(delivery)
        while self._bytes > self._limit_bytes:
            self._forget(next(iter(self._known)))

    def _forget(self, key: tuple[int, int]) -> None:
        if key in self._known:
            self._bytes -= _size(self._known.pop(key))


def _size(delivery: Delivery | None) -> int:
    return OVERHEAD_BYTES + (len(delivery.body) if delivery else 0)
