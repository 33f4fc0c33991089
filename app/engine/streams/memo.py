"""Deliveries kept for clients that reconnect: bounded in bytes for the whole process."""

from collections import OrderedDict
from typing import Final

import msgspec

from app.engine.streams.model import Delivery

OVERHEAD_BYTES: Final = 300
"""What a kept delivery takes beside its body, about."""


class Memo:
    """The newest deliveries by group and event, least recently used first to go. Null: the event shows nothing."""

    def __init__(self, limit_bytes: int) -> None:
        self._limit_bytes = limit_bytes
        self._known: OrderedDict[tuple[int, int], Delivery | None] = OrderedDict()
        self._bytes = 0

    def get(self, group: int, seq: int) -> Delivery | msgspec.UnsetType | None:
        """What is known of an event; UNSET when nothing is."""
        found = self._known.get((group, seq), msgspec.UNSET)
        if found is not msgspec.UNSET:
            self._known.move_to_end((group, seq))
        return found

    def put(self, group: int, seq: int, delivery: Delivery | None) -> None:
        """Keeps it for as long as there is room."""
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
