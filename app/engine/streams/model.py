"""The types that streams, subscriptions and transports exchange."""

from collections import Counter
from collections.abc import Sequence
from enum import StrEnum
from typing import Any, Protocol

import msgspec


class Transport(StrEnum):
    """The transport of a subscription."""

    WEBSOCKET = "WEBSOCKET"
    SSE = "SSE"
    MULTIPART = "MULTIPART"


class EndReason(StrEnum):
    """Why a subscription ended. Clients read it as `extensions.reason`, where the end is an error."""

    COMPLETED = "COMPLETED"
    """The client completed it."""
    DISCONNECTED = "DISCONNECTED"
    """The client closed the connection, or it was lost."""
    UNRESPONSIVE = "UNRESPONSIVE"
    """The client did not answer a ping."""
    CLIENT_ERROR = "CLIENT_ERROR"
    """The client sent what the protocol does not allow, and its socket was closed."""
    SLOW_READER = "SLOW_READER"
    """The client read too slowly."""
    STREAM_CLOSED = "STREAM_CLOSED"
    """The viewer closed it through the graph."""
    SESSION_EXPIRED = "SESSION_EXPIRED"
    """The session expired and was not renewed."""
    SESSION_ENDED = "SESSION_ENDED"
    """The session was ended."""
    SESSION_UNVERIFIED = "SESSION_UNVERIFIED"
    """For too long it was not known whether the session was active."""
    FORBIDDEN = "FORBIDDEN"
    """The viewer may not follow the stream, or not any more."""
    RESYNC_REQUIRED = "RESYNC_REQUIRED"
    """The stream cannot be continued without gaps."""
    SERVER_STOPPING = "SERVER_STOPPING"
    """The server is stopping."""
    FAILED = "FAILED"
    """An unexpected error, which is logged, or a service that does not answer."""


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

    def finish(self, errors: list[dict[str, Any]]) -> None:
        """The subscription has ended with these errors, in the form that a client sees."""
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
    """Connections closed because their clients did not read."""
    ends: Counter[tuple[Transport, EndReason]] = msgspec.field(default_factory=Counter)
    """Subscriptions that ended."""
