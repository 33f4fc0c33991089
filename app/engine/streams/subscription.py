"""One subscriber of a group: its position, and its deliveries."""

import secrets
from datetime import UTC, datetime
from enum import Enum, auto
from typing import Any, Protocol
from uuid import UUID

import structlog

from app.engine.streams.model import Sink, Transport

log = structlog.get_logger(__name__)


class State(Enum):
    """What a subscriber is doing."""

    LIVE = auto()
    """It has all that its group has, and is given each event as it comes."""
    REPLAYING = auto()
    """It is being brought up to where its group is."""
    PARKED = auto()
    """Its sink takes nothing now; its events wait where they are kept anyway."""
    CLOSED = auto()


class SubscriptionGroup(Protocol):
    """What a subscriber needs of its group."""

    delivered: int
    position: int

    @property
    def document(self) -> str:
        """What its subscribers ask for, as the engine prints it."""
        ...

    def lag_of(self, member: "Subscription") -> int:
        """The number of events that this subscriber has not been given yet."""
        ...

    def resume(self, member: "Subscription") -> None:
        """Continues after the subscriber's sink refused deliveries."""
        ...

    def leave(self, member: "Subscription") -> None:
        """Removes a subscriber."""
        ...


class Subscription:
    """Registered while it is open. Every method returns at once."""

    __slots__ = ("_delivered", "_group", "_position", "id", "opened_at", "sink", "state", "transport", "viewer_id")

    def __init__(
        self, group: SubscriptionGroup, sink: Sink, transport: Transport, viewer_id: UUID | None, position: int
    ) -> None:
        self.id = secrets.token_hex(8)
        self.viewer_id = viewer_id
        """Whose it is; null for an anonymous caller's."""
        self.transport = transport
        self.opened_at = datetime.now(UTC)
        self.sink = sink
        self.state = State.REPLAYING
        self._group = group
        self._position = position
        self._delivered = 0

    @property
    def document(self) -> str:
        """What it asks for, as the engine prints it."""
        return self._group.document

    @property
    def position(self) -> int:
        """The newest event that it was given or that does not concern it."""
        return self._group.position if self.state is State.LIVE else self._position

    @property
    def delivered(self) -> int:
        """Events handed to the sink so far."""
        # A live one is counted by its group, so that giving it an event costs nothing but the giving.
        return self._delivered + self._group.delivered if self.state is State.LIVE else self._delivered

    @property
    def lag(self) -> int:
        """Events of the stream that it has not been given yet; 0 for a volatile topic."""
        return self._group.lag_of(self)

    @property
    def is_open(self) -> bool:
        """Whether it may still be given something."""
        return self.state is not State.CLOSED

    def advance(self, position: int, deliveries: int) -> None:
        """Notes what it was given while it was not live."""
        self._position = position
        self._delivered += deliveries

    def go_live(self) -> None:
        """It stands where its group stands: from here on it is given what the group is given."""
        self._delivered -= self._group.delivered
        self.state = State.LIVE

    def leave_live(self, state: State, position: int, undelivered: int) -> None:
        """It stands on its own again, at `position`; the last `undelivered` of the group's events were not given."""
        self._delivered += self._group.delivered - undelivered
        self._position = position
        self.state = state

    def resume(self) -> None:
        """The sink can take again."""
        if self.state is State.PARKED:
            self._group.resume(self)

    def close(self) -> None:
        """The subscriber has gone; the sink hears nothing more. May be called again."""
        if self.is_open:
            self._group.leave(self)

    def finish(self, errors: list[dict[str, Any]] | None) -> None:
        """Ends it from our side: complete, or failed with these errors."""
        if self.is_open:
            self._group.leave(self)
            try:
                self.sink.finish(errors)
            except Exception:
                # The others of its group are to hear of their end all the same.
                log.exception("streams.finish_failed", subscription=self.id)
