"""The messages of the bench to its client and its publisher, a line of JSON each, and their answers.

All times are seconds of the machine's monotonic clock, which all processes share.
"""

from typing import TypeAlias

import msgspec


class Open(msgspec.Struct, frozen=True, tag=True):
    """To the client: open sockets in addition to those that are open, each with one subscription. Answer: Opened."""

    port: int
    sockets: int
    in_flight: int
    """Connections that are being made at any time."""
    document: str
    """Takes `$after: Cursor` where `resume` is set."""
    marks: list[str]
    """Event number n shows the hash `marks[n % len(marks)]`."""
    next_number: int
    """Of the event that the publisher sends next."""
    own_streams: bool = False
    """Socket i gets the events n with n % sockets == i; otherwise every socket gets every event."""
    tokens: list[str] = []
    """They take turns; none: anonymous."""
    resume: bool = False
    """A socket that is cut comes back with its last cursor."""
    patience_s: float = 60.0


class Opened(msgspec.Struct, frozen=True):
    """All are subscribed, as far as the server's answers show it, or `failures` says why not."""

    begun: float
    ended: float
    refused: int
    """Connections that were refused and tried again."""
    failure: str = ""


class Prove(msgspec.Struct, frozen=True, tag=True):
    """To the client: say once every socket has had an event since it was opened, or after so long. Answer: Proved."""

    patience_s: float


class Proved(msgspec.Struct, frozen=True):
    """How many sockets have had no event, and when the last of the others had its first."""

    missing: int
    at: float


class Begin(msgspec.Struct, frozen=True, tag=True):
    """To the client: count from here on. Answer: Begun."""


class Begun(msgspec.Struct, frozen=True):
    """It counts."""


class Settle(msgspec.Struct, frozen=True, tag=True):
    """To the client: wait until every socket has all events up to the last published, then say. Answer: Outcome."""

    first: int
    """Number of the first event since Begin."""
    committed: list[float]
    """When each event since then was committed; for peers: published."""
    patience_s: float


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What every socket together received of the events asked about."""

    deliveries: int
    reached: list[float]
    """For each event, when the last socket had it; 0 where none had."""
    p50_ms: float
    p99_ms: float
    worst_ms: float
    missing: int
    """Sockets that have not had all."""
    faults: int
    """Events out of order, lost or repeated, and operations that ended; since the client began."""
    first_fault: str
    frame_bytes: int
    """Of the last frame, its head included."""
    client_cpu: float
    """The client's share of its core: near 1, the client was the bottleneck."""


class Cut(msgspec.Struct, frozen=True, tag=True):
    """To the client: say once every socket was lost and is subscribed again. Answer: Opened."""

    patience_s: float


Order: TypeAlias = Open | Prove | Begin | Settle | Cut


class Publish(msgspec.Struct, frozen=True, tag=True):
    """To the publisher: so many events a second, for so many seconds or until Stop. Answer: Published."""

    rate: float
    count: int


class Stop(msgspec.Struct, frozen=True, tag=True):
    """To the publisher: no more; Published follows."""


PublisherOrder: TypeAlias = Publish | Stop


class Published(msgspec.Struct, frozen=True):
    """The publisher's log."""

    first: int
    committing: list[float]
    """Just before COMMIT was sent: what a user waits for, the disk included."""
    committed: list[float]
    """When Postgres had answered."""


class Script(msgspec.Struct, frozen=True, kw_only=True):
    """What a publisher publishes: its first line of input."""

    redis_url: str
    marks: list[str]
    streams: list[str]
    """Event number n goes to `streams[n % len(streams)]`."""
    kind: str = ""
    payloads: list[dict[str, str | int]] = []
    """As many as marks."""
    database_url: str | None = None
    """None: no event log; the ready event is published to this Redis channel, for the servers it is compared with."""
    channel: str = ""
    cursor_chars: int = 0
    """Of the ready event's cursor."""
