"""One subscriber of a group: its position and its deliveries."""

import secrets
from datetime import UTC, datetime
from enum import Enum, auto
from typing import Any, Protocol
from uuid import UUID

import structlog

from app.engine.streams.model import EndReason, Sink, Transport

log = structlog.get_logger(__name__)


class State(Enum):
    """The state of a subscriber."""

    LIVE = auto()
    """It is at the position of its group, and receives each event as it happens."""
    REPLAYING = auto()
    """It is being brought to the position of its group."""
    PARKED = auto()
    """Its sink accepts nothing now. Its events stay in the stream."""
    CLOSED = auto()


class SubscriptionGroup(Protocol):
    """What a subscriber needs of its group."""

    delivered: int
    position: int

    @property
    def document(self) -> str:
        """The operation of its subscribers, as the engine prints it."""
        ...

    def lag_of(self, member: "Subscription") -> int:
        """The number of events that were not delivered to this subscriber yet."""
        ...

    def resume(self, member: "Subscription") -> None:
        """Continues with a subscriber whose sink accepts deliveries again."""
        ...

    def leave(self, member: "Subscription", reason: EndReason) -> None:
        """Removes a subscriber."""
        ...


class Subscription:
    """A subscriber, registered while it is open. Every method returns at once."""

    __slots__ = ("_delivered", "_group", "_position", "id", "opened_at", "sink", "state", "transport", "viewer_id")

    def __init__(
        self, group: SubscriptionGroup, sink: Sink, transport: Transport, viewer_id: UUID | None, position: int
    ) -> None:
        self.id = secrets.token_hex(8)
        self.viewer_id = viewer_id
        """The user; null for an anonymous caller."""
        self.transport = transport
        self.opened_at = datetime.now(UTC)
        self.sink = sink
        self.state = State.REPLAYING
        self._group = group
        self._position = position
        self._delivered = 0

    @property
    def document(self) -> str:
        """Its operation, as the engine prints it."""
        return self._group.document

    @property
    def position(self) -> int:
        """The newest event that was delivered to it, or that it need not receive."""
        return self._group.position if self.state is State.LIVE else self._position

    @property
    def delivered(self) -> int:
        """The number of events delivered to it so far."""
        # The group counts for its live subscribers, so that a delivery needs no count of its own.
        return self._delivered + self._group.delivered if self.state is State.LIVE else self._delivered

    @property
    def lag(self) -> int:
        """The number of events that were not delivered to it yet; 0 for a volatile topic."""
        return self._group.lag_of(self)

    @property
    def is_open(self) -> bool:
        """Whether it may still receive events."""
        return self.state is not State.CLOSED

    def advance(self, position: int, deliveries: int) -> None:
        """Records what was delivered to it while it was not live."""
        self._position = position
        self._delivered += deliveries

    def go_live(self) -> None:
        """Makes it live: it is at the position of its group, and the group delivers to it from now on."""
        self._delivered -= self._group.delivered
        self.state = State.LIVE

    def leave_live(self, state: State, position: int, undelivered: int) -> None:
        """Ends its being live, at `position`. The last `undelivered` events of the group were not delivered to it."""
        self._delivered += self._group.delivered - undelivered
        self._position = position
        self.state = state

    def resume(self) -> None:
        """The sink accepts deliveries again."""
        if self.state is State.PARKED:
            self._group.resume(self)

    def close(self, reason: EndReason) -> None:
        """Ends it without a message to the sink. Idempotent."""
        if self.is_open:
            self._group.leave(self, reason)

    def finish(self, reason: EndReason, errors: list[dict[str, Any]]) -> None:
        """Ends it and notifies the sink with these errors, which also say the reason."""
        if self.is_open:
            self._group.leave(self, reason)
            try:
                self.sink.finish([with_reason(error, reason) for error in errors])
            except Exception:
                # The other subscribers of the group must still be finished.
                log.exception("streams.finish_failed", subscription=self.id)


def with_reason(error: dict[str, Any], reason: EndReason) -> dict[str, Any]:
    """An error, in the form that a client sees, with the reason why the stream ended."""
    return {**error, "extensions": {**error.get("extensions", {}), "reason": reason}}
