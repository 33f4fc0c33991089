"""What passes between a stream, the subscriptions that share it, and the transports that carry them."""

from collections.abc import Sequence
from enum import StrEnum
from typing import Any, Protocol

import msgspec


class Transport(StrEnum):
    """What carries a subscription to its client."""

    WEBSOCKET = "WEBSOCKET"
    SSE = "SSE"


class Delivery(msgspec.Struct, frozen=True):
    """One event, executed and encoded once for all who share it."""

    body: bytes
    """The GraphQL response as JSON."""
    cursor: str | None
    """Where the event stands in its stream; null for a volatile one, which cannot be resumed."""


class Sink(Protocol):
    """One subscriber's way out. Both methods return at once: nothing waits for a slow reader."""

    def deliver(self, deliveries: Sequence[Delivery]) -> bool:
        """Takes all of them, in order; False: takes none now, and calls `Subscription.resume` when it can again."""
        ...

    def finish(self, errors: list[dict[str, Any]] | None) -> None:
        """The stream is over: complete, or failed with these errors, in the form that a client sees."""
        ...


class Counters(msgspec.Struct):
    """What has happened in this process since it began, for the metrics."""

    executions: int = 0
    """Events executed, each once for a whole group."""
    deliveries: int = 0
    """Events handed to subscribers."""
    replays: int = 0
    """Times that a subscriber was brought up to where its group was."""
    resyncs: int = 0
    """Streams that could not be continued."""
    refusals: int = 0
    """Subscriptions refused because those of one connection, viewer or address would cost too much together."""
    evictions: int = 0
    """Subscribers let go because they did not read."""
