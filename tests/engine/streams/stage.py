"""A small graph of streams over the real event table, relay and hub, and subscribers that note what they are given."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Hashable, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import msgspec
import strawberry
from redis.asyncio import Redis
from strawberry.schema.config import StrawberryConfig

from app.engine.declarations.audience import computed_for
from app.engine.declarations.bindings import bind_resolvers
from app.engine.declarations.stream_events import StreamEvent
from app.engine.declarations.subscriptions import Followed, durable, volatile
from app.engine.execution.engine import Engine
from app.engine.execution.operations import Prepared
from app.engine.streams.budgets import Payer
from app.engine.streams.model import Delivery, Transport
from app.engine.streams.subscription import Subscription
from app.engine.streams.subscriptions import Subscriptions
from app.kit.db import PUBLIC, SYSTEM, Database
from app.kit.errors import Forbidden
from app.kit.events import Event, EventLog, Fact
from app.kit.hub import Hub
from app.kit.loaders import Audience
from app.kit.reads import Reads
from app.kit.volatile import Latest, VolatileTopics
from app.schema.scalars import SCALARS
from tests.engine.support import CURSORS, LIMITS, NOBODY
from tests.kit.event_pipeline import hub_of, relaying
from tests.waiting import HANG_S

ALICE, BOB = UUID(int=1), UUID(int=2)
STREAM = "numbers"


@dataclass
class World:
    """What resolvers see, and what they note."""

    database: Database
    executed: list[int] = field(default_factory=list)
    """The number of each event, as often as it was executed."""
    forbidden: set[UUID] = field(default_factory=set)
    """Viewers who may not follow their own stream (any more)."""
    failures: list[Exception] = field(default_factory=list)
    """Raised one by one by the next executions."""


@dataclass
class Context:
    """Of one operation or event."""

    cursors = CURSORS
    world: World
    viewer_id: UUID | None
    request_id: str = "request-1"
    party: UUID | None = None
    reads: Reads = field(init=False)

    def __post_init__(self) -> None:
        self.reads = Reads(self.world.database, PUBLIC)

    def audience_key(self, audience: Audience) -> Hashable:
        return None if audience is Audience.PUBLIC else self.viewer_id

    def for_event(self, audience: Audience) -> "Context":
        return Context(self.world, None if audience is Audience.PUBLIC else self.viewer_id)

    async def read_anew(self) -> None:
        before, self.reads = self.reads, self.reads.anew(PUBLIC)
        await before.aclose()


Info = strawberry.Info[Context, None]


def _executed(root: "Value", info: Info) -> int:
    if info.context.world.failures:
        raise info.context.world.failures.pop(0)
    info.context.world.executed.append(root.number)
    return root.number


def _seen_by(root: "Value", info: Info) -> str:
    return str(info.context.viewer_id)


@strawberry.type
class Value:
    number: int
    value: int = strawberry.field(resolver=_executed, metadata=computed_for(Audience.PUBLIC))
    seen_by: str = strawberry.field(resolver=_seen_by)


@strawberry.type
class Number(Value, StreamEvent):
    """A number that was appended."""


def _number(event: Event) -> Number | None:
    return Number(number=event.payload["n"]) if event.kind == "n" else None


def _latest(latest: Latest, _: object) -> Value:
    return Value(number=latest.payload)


def _chosen(latest: Latest, choice: tuple[str, ...]) -> Value | None:
    return Value(number=latest.payload) if latest.key in choice else None


@strawberry.type(name="Subscription")
class Streams:
    @durable(Number, payload=_number, audience=Audience.PUBLIC, per_s=1.0, description="All.")
    async def numbers(self, scale: int = 1) -> str:
        return STREAM

    @durable(Number, payload=_number, per_s=1.0, description="The viewer's own.")
    async def own(self, info: Info) -> str:
        viewer = info.context.viewer_id
        if viewer is None or viewer in info.context.world.forbidden:
            raise Forbidden
        return f"own:{viewer}"

    @durable(
        Number, payload=_number, audience=Audience.PUBLIC, per_s=1.0, description="From its beginning, unless resumed."
    )
    async def whole(self, since: int = 0) -> Followed:
        return Followed(STREAM, since=since)

    @volatile(Value, payload=_latest, audience=Audience.PUBLIC, per_s=1.0, description="The latest.")
    async def latest(self) -> str:
        return "latest"

    @volatile(Value, payload=_chosen, audience=Audience.PUBLIC, per_s=1.0, description="The latest of some keys.")
    async def chosen(self, keys: list[str]) -> Followed:
        return Followed("latest", choice=tuple(sorted(set(keys))))


@strawberry.type
class Query:
    nothing: int = 0


SCHEMA = strawberry.Schema(
    Query,
    subscription=Streams,
    config=StrawberryConfig(scalar_map=SCALARS),
)
bind_resolvers(SCHEMA)


@dataclass(eq=False)
class Inbox:
    """A subscriber that takes what it is given, unless it is set to refuse."""

    full: bool = False
    bodies: list[bytes] = field(default_factory=list)
    cursors: list[str | None] = field(default_factory=list)
    finished: bool = False
    errors: list[dict[str, Any]] | None = None

    def deliver(self, deliveries: Sequence[Delivery]) -> bool:
        assert not self.finished
        if self.full:
            return False
        self.bodies += [each.body for each in deliveries]
        self.cursors += [each.cursor for each in deliveries]
        return True

    def finish(self, errors: list[dict[str, Any]]) -> None:
        assert not self.finished
        self.finished, self.errors = True, errors

    @property
    def numbers(self) -> list[int]:
        return [next(iter(json.loads(body)["data"].values()))["number"] for body in self.bodies]

    @property
    def codes(self) -> list[str]:
        return [error["extensions"]["code"] for error in self.errors or []]

    @property
    def reasons(self) -> list[str]:
        return [error["extensions"]["reason"] for error in self.errors or []]


class Stage:
    """One server process, as far as its subscriptions go."""

    def __init__(self, world: World, events: EventLog, hub: Hub, redis: Redis, *, replay_limit: int) -> None:
        self.world = world
        self.events = events
        self.hub = hub
        self.volatile = VolatileTopics(redis)
        self.engine = Engine(SCHEMA, msgspec.structs.replace(LIMITS, timeout_s=HANG_S))
        self.subscriptions = Subscriptions(self.engine, hub, replay_limit=replay_limit)

    def prepare(self, query: str, variables: dict[str, Any] | None = None) -> Prepared:
        prepared = self.engine.prepare(query, None, variables, introspection_allowed=True)
        assert not isinstance(prepared, list), prepared
        return prepared

    async def open(
        self,
        inbox: Inbox,
        query: str = "subscription { numbers { number value cursor } }",
        *,
        by: UUID | None = None,
        after: str | None = None,
        variables: dict[str, Any] | None = None,
        payer: Payer = NOBODY,
    ) -> Subscription:
        opened = await self.try_open(inbox, query, by=by, after=after, variables=variables, payer=payer)
        assert not isinstance(opened, list), opened
        return opened

    async def try_open(
        self,
        inbox: Inbox,
        query: str,
        *,
        by: UUID | None = None,
        after: str | None = None,
        variables: dict[str, Any] | None = None,
        payer: Payer = NOBODY,
    ) -> Subscription | list[dict[str, Any]]:
        prepared = self.prepare(query, variables)
        return await self.subscriptions.open(
            prepared, Context(self.world, by), inbox, Transport.WEBSOCKET, payer, after=after
        )

    async def append(self, *numbers: int, stream: str = STREAM, kind: str = "n") -> None:
        """One transaction for each number."""
        for number in numbers:
            fact = Fact(stream, kind, {"n": number})
            await self.world.database.write(SYSTEM, lambda tx, fact=fact: self.events.append(tx, [fact]))  # type: ignore[misc]


@contextlib.asynccontextmanager
async def stage_of(database: Database, redis: Redis, *, replay_limit: int = 10_000) -> AsyncIterator[Stage]:
    """A process with a relay beside it."""
    events = EventLog(database, redis)
    async with relaying(database, redis), hub_of(events, redis) as hub:
        stage = Stage(World(database), events, hub, redis, replay_limit=replay_limit)
        try:
            yield stage
        finally:
            stage.subscriptions.stop()


def idle() -> set[asyncio.Task[Any]]:
    """Every task there is now."""
    return asyncio.all_tasks()
