"""Subscription fields are declarations: which stream a caller may follow, and what its events are in the schema.

The decorated function runs as the caller. It authorises, and returns the name of the stream. For a stream that is not
public it is called again for every event. Everything else, from `after` to shared executions, is done by the engine.
"""

import functools
import inspect
import math
from collections.abc import AsyncIterator, Awaitable, Callable, Hashable, Mapping
from typing import Annotated, Any, Final, NoReturn, TypeVar

import msgspec
import strawberry
from graphql import GraphQLField

from app.engine.declarations.cursors import Cursor
from app.engine.declarations.descriptions import described
from app.engine.declarations.limits import Limits
from app.engine.declarations.metadata import metadata_of
from app.engine.declarations.stream_events import StreamEvent
from app.kit.events import Event
from app.kit.loaders import Audience
from app.kit.volatile import Latest

E = TypeVar("E", bound=StreamEvent)

After = Annotated[
    Cursor | None,
    strawberry.argument(
        description="The cursor of an event: continue after it, without gaps or repeats. Null: start with new events."
        " The error code RESYNC_REQUIRED means that the events after it are no longer stored: read the data again."
    ),
]
_METADATA: Final = "stream"
_AFTER: Final = inspect.Parameter("after", inspect.Parameter.KEYWORD_ONLY, default=None, annotation=After)


Rate = float | Callable[[Limits], float]
"""The expected number of events a second of a busy stream. A subscription is charged its cost times this."""


class Durable(msgspec.Struct, frozen=True, eq=False):
    """A field over a stream of the event table. Each event is delivered once, in order, and can be resumed after."""

    audience: Audience
    per_s: Rate
    payload: Callable[[Event], StreamEvent | None]
    """Converts an event to the field's type; null if the field does not show this event."""


class Volatile(msgspec.Struct, frozen=True, eq=False):
    """A field over a topic with a newest value for each key. A slow reader receives fewer values."""

    audience: Audience
    per_s: Rate
    payload: Callable[[Latest, Any], Any]
    """Converts a value to the field's type, given the subscriber's `choice`; null if the field does not show it."""


class Followed(msgspec.Struct, frozen=True):
    """What the function of a declaration returns if the name of the stream or topic is not enough."""

    stream: str
    choice: Hashable = None
    """What the caller selects of each value of a topic. Equal choices share their executions."""
    since: int | None = None
    """Without `after`, the subscription starts after this event of the stream. Null: it starts with new events."""
    audience: Audience | None = None
    """PUBLIC where what the field declares for a tenant is for everybody this time: it is then executed for an
    anonymous caller, once for all, unless something is selected that is the viewer's alone. Null: as declared."""

    def audience_of(self, declared: Audience) -> Audience:
        """For whom events are executed, where this is the narrowest audience of all selected fields."""
        return declared if self.audience is None or declared is Audience.VIEWER else self.audience


class Opened:
    """What a subscription field returns to the engine: the stream that the caller may follow, and the start."""

    def __init__(self, followed: str | Followed, after: str | None) -> None:
        self.followed = Followed(followed) if isinstance(followed, str) else followed
        self.after = after

    @property
    def stream(self) -> str:
        """The name of the stream or topic."""
        return self.followed.stream

    def __aiter__(self) -> AsyncIterator[NoReturn]:
        """graphql-core requires a subscription to be iterable. The engine never iterates."""
        raise TypeError("a stream is shared, not iterated")


def durable(
    event: type[E],
    *,
    payload: Callable[[Event], E | None],
    audience: Audience = Audience.VIEWER,
    per_s: Rate,
    description: str | None = None,
) -> Callable[[Callable[..., Awaitable[str | Followed]]], Any]:
    """Declares a subscription of the GraphQL type `event` over the stream that the function names.

    `per_s` is the expected number of events a second. The engine fills in where and when the event was appended.
    """

    def declare(name_stream: Callable[..., Awaitable[str | Followed]]) -> Any:
        @functools.wraps(name_stream)
        async def open_stream(*arguments: Any, after: str | None = None, **named: Any) -> Opened:
            return Opened(await name_stream(*arguments, **named), after)

        signature = inspect.signature(name_stream)
        parameters = [*signature.parameters.values(), _AFTER]
        open_stream.__signature__ = signature.replace(parameters=parameters)  # type: ignore[attr-defined]
        open_stream.__annotations__ = name_stream.__annotations__ | {"after": After}
        return _field(open_stream, event, Durable(audience, per_s, payload), description or described(name_stream), {})

    return declare


def volatile(
    event: Any,
    *,
    payload: Callable[[Latest, Any], Any],
    audience: Audience = Audience.VIEWER,
    per_s: Rate,
    description: str | None = None,
    metadata: Mapping[str, Any] | None = None,
) -> Callable[[Callable[..., Awaitable[str | Followed]]], Any]:
    """Declares a subscription of the GraphQL type `event` over the volatile topic that the function names.

    `per_s` is the expected number of values a second, of all keys together.
    """

    def declare(name_topic: Callable[..., Awaitable[str | Followed]]) -> Any:
        @functools.wraps(name_topic)
        async def open_topic(*arguments: Any, **named: Any) -> Opened:
            return Opened(await name_topic(*arguments, **named), None)

        declared = Volatile(audience, per_s, payload)
        return _field(open_topic, event, declared, description or described(name_topic), metadata or {})

    return declare


def _field(
    resolver: Callable[..., Any],
    event: Any,
    declared: Durable | Volatile,
    description: str | None,
    metadata: Mapping[str, Any],
) -> Any:
    rate = "`serverInfo { limits { ticksPerSecond } }`" if callable(declared.per_s) else f"{declared.per_s:g}"
    return strawberry.subscription(
        resolver=resolver,
        graphql_type=event,
        description=f"{description} Charged for {rate} events a second.",
        metadata={_METADATA: declared, **metadata},
    )


def cost_per_s(declared: Durable | Volatile, cost: int, limits: Limits) -> int:
    """The charge for a subscription whose events cost `cost` each."""
    return max(1, math.ceil(cost * rate_of(declared, limits)))


def rate_of(declared: Durable | Volatile, limits: Limits) -> float:
    """The expected number of events a second."""
    return declared.per_s(limits) if callable(declared.per_s) else declared.per_s


def declared_stream(field: GraphQLField) -> Durable | Volatile | None:
    """How a subscription field was declared; None for any other field."""
    declared = metadata_of(field).get(_METADATA)
    return declared if isinstance(declared, Durable | Volatile) else None
