"""The limits as a record: enforced by the engine, published as `serverInfo { limits }`."""

import msgspec

from app.kit.errors import Code, Problem

COST_FORMULA = (
    "Each field costs 1, a root field of a mutation 10, and as much more as its description says. What is selected"
    " below a list counts 10 times; below the lists of a connection (`edges`, `nodes`) it counts `first` times, 20"
    " where `first` is not given. Fragments count wherever they are spread; `__schema` and `__type` cost 1 for each"
    " field below them."
)


class Limits(msgspec.Struct, frozen=True):
    """What one request may hold. Whatever exceeds a limit is refused before it is executed."""

    body_bytes: int
    """Bytes of an HTTP body or of one WebSocket message."""
    tokens: int
    """Lexical tokens of a document, and as many comments."""
    depth: int
    """Fields nested in one another; fragments count as if written out, introspection does not count."""
    aliases: int
    """Aliased fields, repeated fields and repeated directives, in all; fragments count wherever they are spread."""
    cost: int
    """Cost of one operation by `cost_formula`."""
    first: int
    """Largest page of a connection that declares no other."""
    timeout_s: float
    """Seconds that a query, a mutation or one event of a subscription may take."""
    subscriptions_per_socket: int
    """Operations open at once on one WebSocket."""
    sockets_per_viewer: int
    """WebSockets that one user has open at once to one server process."""
    replay_events: int
    """How far back a subscription may begin, in events of its stream."""
    cost_formula: str = COST_FORMULA
    """How the cost is computed, in English."""


class LimitExceeded(Problem):
    """The operation asks for too much."""

    code = Code.COST_EXCEEDED
