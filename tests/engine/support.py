"""A small graph, and contexts whose loads count how often they are closed."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import Enum
from typing import Any
from uuid import UUID

import strawberry
import structlog
from msgspec.structs import replace
from strawberry.schema.config import StrawberryConfig
from structlog.typing import EventDict

from app.engine.declarations.costs import costs
from app.engine.declarations.cursors import Cursors
from app.engine.declarations.limits import Limits
from app.engine.declarations.stream_events import StreamEvent
from app.engine.declarations.subscriptions import durable
from app.engine.execution.engine import Engine
from app.engine.execution.failures import refuse
from app.engine.execution.operations import Prepared, Response
from app.engine.streams.budgets import Payer
from app.kit.db import PUBLIC
from app.kit.errors import InvalidInput, NotFound, RateLimited
from app.kit.events import Event
from app.kit.loaders import Audience
from app.kit.reads import Reads
from app.schema.scalars import SCALARS
from tests.factories import nowhere
from tests.waiting import HANG_S

LIMITS = Limits(
    body_bytes=1000,
    tokens=2000,
    depth=8,
    aliases=10,
    cost=1000,
    first=100,
    timeout_s=HANG_S,
    subscriptions_per_socket=10,
    sockets_per_viewer=20,
    replay_events=1000,
)


NOBODY = Payer("one connection", None, is_viewer=False)
"""Whom nobody else is charged with."""

CURSORS = Cursors(b"c" * 32)


class CountedReads(Reads):
    """Real loads of a database that is not there."""

    def __init__(self) -> None:
        super().__init__(nowhere(), PUBLIC)
        self.closed = 0

    async def aclose(self) -> None:
        self.closed += 1
        await super().aclose()


@dataclass
class Context:
    """The context of one operation."""

    cursors = CURSORS
    request_id: str = "request-1"
    viewer_id: UUID | None = None
    party: UUID | None = None
    reads: CountedReads = field(default_factory=CountedReads)
    release: asyncio.Event = field(default_factory=asyncio.Event)

    def audience_key(self, audience: Audience) -> UUID | None:
        return self.viewer_id

    def for_event(self, audience: Audience) -> "Context":
        return Context()

    async def read_anew(self) -> None:
        """There is nothing that could be read again."""


Info = strawberry.Info[Context, None]


@strawberry.type
class Page:
    @strawberry.field
    def nodes(self) -> list["Item"]:
        return []

    @strawberry.field
    def edges(self) -> list["Edge"]:
        return []

    @strawberry.field
    def total(self) -> int:
        return 0


@strawberry.type
class Item:
    name: str = "item"

    @strawberry.field
    def parent(self) -> "Item | None":
        return None

    @strawberry.field
    def tags(self) -> list[str]:
        return []

    @strawberry.field
    def parts(self) -> list["Item"]:
        return []

    dear: "Item | None" = strawberry.field(resolver=lambda: None, metadata=costs(50))
    long: str = strawberry.field(resolver=lambda: "word", metadata=costs(20))

    @strawberry.field
    def children(self, first: int = 20) -> Page:
        return Page()


@strawberry.type
class Edge:
    node: Item


@strawberry.enum
class Colour(Enum):
    RED = "red"


@strawberry.type
class Query:
    @strawberry.field
    def painted(self) -> Colour:
        return "no colour"  # type: ignore[return-value]  # a defect

    @strawberry.field
    def absent(self) -> str:
        return None  # type: ignore[return-value]  # a defect

    @strawberry.field
    def nameless(self) -> "Item":
        return Item(name=None)  # type: ignore[arg-type]  # a defect

    @strawberry.field
    def refused(self) -> str | None:
        raise refuse(NotFound(Item))

    @strawberry.field
    def item(self, name: str = "item") -> Item:
        return Item(name=name)

    @strawberry.field
    def items(self, first: int = 20) -> Page:
        return Page()

    @strawberry.field
    def number(self, value: int = 1) -> int:
        return value

    @strawberry.field
    def boom(self) -> str | None:
        raise ValueError("postgres://user:password@host")

    @strawberry.field
    def missing(self) -> str | None:
        raise NotFound(Item)

    @strawberry.field
    def limited(self) -> str | None:
        raise RateLimited(7)

    @strawberry.field
    def invalid(self) -> str | None:
        raise InvalidInput("name", "Too short.")

    @strawberry.field
    async def forever(self, info: Info) -> str:
        await info.context.release.wait()
        return "at last"


@strawberry.type
class Mutation:
    @strawberry.mutation
    def add(self) -> Item:
        return Item(name="added")


@strawberry.type
class Happening(Item, StreamEvent):
    """An item that was appended."""


def _number(event: Event) -> Happening:
    return Happening(name=str(event.seq))


@strawberry.type
class Subscription:
    @durable(Happening, payload=_number, per_s=1.0, description="Events.")
    async def events(self) -> str:
        return "events"


SCHEMA = strawberry.Schema(Query, Mutation, Subscription, config=StrawberryConfig(scalar_map=SCALARS))


def engine(**limits: Any) -> Engine:
    """An engine over the small graph."""
    return Engine(SCHEMA, replace(LIMITS, **limits), show_statements=True)


def prepare(engine: Engine, query: str, variables: dict[str, Any] | None = None) -> Prepared:
    """An operation that is expected to pass every check."""
    prepared = engine.prepare(query, None, variables, introspection_allowed=True)
    assert not isinstance(prepared, list), prepared
    return prepared


def refusal(
    engine: Engine, query: str, variables: dict[str, Any] | None = None, *, introspection_allowed: bool = True
) -> tuple[str, str]:
    """Code and message of the first error of an operation that is expected to be refused."""
    errors = engine.prepare(query, None, variables, introspection_allowed=introspection_allowed)
    assert isinstance(errors, list), "not refused"
    error = Response.refused(errors, "request-1").errors[0]
    return error["extensions"]["code"], error["message"]


def cost(query: str, variables: dict[str, Any] | None = None) -> int:
    """What an operation costs, whatever the limit."""
    return prepare(engine(cost=10**40, depth=100, aliases=10**40, selections=10**40), query, variables).cost


@contextmanager
def listening() -> Iterator[list[EventDict]]:
    """Everything that is logged meanwhile; tests hear nothing otherwise."""
    before = structlog.get_config()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(0))
    try:
        with structlog.testing.capture_logs([structlog.contextvars.merge_contextvars]) as entries:
            yield entries
    finally:
        structlog.configure(**before)
