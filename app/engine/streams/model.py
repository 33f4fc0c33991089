"""The types that streams, subscriptions and transports exchange."""

from collections.abc import Sequence
from enum import StrEnum
from typing import Any, Protocol

import msgspec


class Transport(StrEnum):
    """The transport of a subscription."""

    WEBSOCKET = "WEBSOCKET"
    SSE = "SSE"


class Delivery(msgspec.Struct, frozen=True):
    """One event, executed and encoded once for all subscribers of a group."""

    body: bytes
    """The GraphQL response as JSON."""
    cursor: str | None
    """The cursor of the event; null for a volatile topic, which cannot be resumed."""


class Sink(Protocol):
    """Sends events to one subscriber. Both methods return at once: nothing waits for a slow reader."""

    def deliver(self, deliveries: Sequence[Delivery]) -> bool:
        """Accepts all of them, in order. False: accepts none, and calls `Subscription.resume` when it can again."""
        ...

    def finish(self, errors: list[dict[str, Any]] | None) -> None:
        """The subscription has ended: completed, or with these errors, in the form that a client sees."""
        ...


class Counters(msgspec.Struct):
    """Counters of this process, for the metrics."""

    executions: int = 0
    """Events executed, each once for a group."""
    deliveries: int = 0
    """Events delivered to subscribers."""
    replays: int = 0
    """Replays: times that a subscriber was brought to the position of its group."""
    resyncs: int = 0
    """Streams that could not be continued."""
    refusals: int = 0
    """Subscriptions refused because a connection, viewer or address would exceed its budget."""
    evictions: int = 0
    """Subscribers disconnected because they did not read."""
