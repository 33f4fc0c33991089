"""The small graph of the stage: a field, a mutation or a subscription for each path of the transports."""

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

import strawberry
from strawberry.schema.config import StrawberryConfig

from app.engine.declarations.audience import computed_for
from app.engine.declarations.limits import Limits
from app.engine.declarations.maintenance import stays_open
from app.engine.declarations.stream_events import StreamEvent
from app.engine.declarations.subscriptions import durable, volatile
from app.kit.errors import Forbidden
from app.kit.events import Event
from app.kit.loaders import Audience
from app.kit.reads import Reads
from app.schema.scalars import SCALARS
from app.transport.runtime import Caller
from tests.transport.support import CallerContext
from tests.waiting import HANG_S

if TYPE_CHECKING:
    from tests.transport.stage import Stage


@dataclass
class Context(CallerContext):
    stage: "Stage"
    caller: Caller
    reads: Reads
    new_session: None = None
    session_ended: bool = False
    reveals_secret: bool = False

    def for_event(self, audience: Audience) -> "Context":
        return self.stage.context(self.caller)


Info = strawberry.Info[Context, None]


def _text(size: int) -> str:
    return "x" * size


def _state() -> str:
    return "here"


@strawberry.type
class Price:
    n: int
    text: str = strawberry.field(resolver=_text, metadata=computed_for(Audience.PUBLIC))


@strawberry.type
class Tick(Price, StreamEvent):
    """A fact."""


def tick(event: Event) -> Tick:
    return Tick(n=event.payload["n"])


@strawberry.type
class Query:
    @strawberry.field
    def hello(self, name: str = "world") -> str:
        return f"hello {name}"

    @strawberry.field
    def sets_cookies(self, info: Info) -> bool:
        return info.context.caller.from_browser

    @strawberry.field
    def me(self, info: Info) -> str | None:
        return str(info.context.viewer.user_id) if info.context.viewer else None

    @strawberry.field
    def why(self, info: Info) -> str | None:
        refusal = info.context.caller.refusal
        return None if refusal is None else refusal.reason

    @strawberry.field
    async def forever(self, info: Info) -> str:
        async with info.context.stage.running():
            await asyncio.Event().wait()
        return "never"

    state: str = strawberry.field(resolver=_state, metadata=stays_open())


@strawberry.type
class Mutation:
    @strawberry.mutation
    def bump(self, info: Info) -> int:
        info.context.stage.bumps += 1
        return info.context.stage.bumps

    @strawberry.mutation
    async def bump_slowly(self, info: Info) -> int:
        stage = info.context.stage
        async with stage.running():
            await stage.released.wait()
            stage.bumps += 1
        return stage.bumps


@strawberry.type
class Subscription:
    @durable(Tick, payload=tick, audience=Audience.PUBLIC, per_s=1.0, description="Facts.")
    async def facts(self, stream: str = "facts") -> str:
        return stream

    @durable(Tick, payload=tick, per_s=1.0, description="Facts of the viewer, whom it is asked about for each.")
    async def mine(self, info: Info) -> str:
        if info.context.stage.forbidden:
            raise Forbidden
        return f"of:{info.context.viewer_id}"

    @volatile(
        Price,
        payload=lambda latest, _: Price(n=latest.payload),
        audience=Audience.PUBLIC,
        per_s=1.0,
        description="A price.",
    )
    async def price(self) -> str:
        return "price"


SCHEMA = strawberry.Schema(Query, Mutation, Subscription, config=StrawberryConfig(scalar_map=SCALARS))
LIMITS = Limits(
    body_bytes=16_384,
    tokens=500,
    depth=10,
    aliases=10,
    cost=1000,
    first=100,
    timeout_s=HANG_S,
    subscriptions_per_socket=3,
    sockets_per_viewer=20,
    replay_events=1000,
)
