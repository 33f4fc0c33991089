"""A small graph behind the real transports, on a real port."""

import asyncio
import contextlib
import json
from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, cast
from uuid import uuid4

import strawberry
from redis.asyncio import Redis
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Origin, Subprotocol

from app.domains.accounts.model import Client, Role, Viewer
from app.engine.execution import Engine
from app.engine.limits import Limits
from app.kit.db import PUBLIC, Database
from app.kit.errors import Forbidden
from app.kit.events import EventLog
from app.kit.hub import Hub
from app.kit.loading import Reads
from app.settings import Settings
from app.transport.application import create_app
from app.transport.cookies import SESSION
from app.transport.runtime import AppRuntime, Caller
from app.transport.server import serve
from app.transport.sockets import Sockets
from app.transport.sse import EventStreams
from tests.kit.moving import hub_of

PROTOCOL = Subprotocol("graphql-transport-ws")


@dataclass
class Context:
    stage: "Stage"
    caller: Caller
    reads: Reads
    new_session: None = None
    session_ended: bool = False
    events: list["Context"] = field(default_factory=list)

    @property
    def viewer(self) -> Viewer | None:
        return self.caller.viewer

    @property
    def request_id(self) -> str:
        return self.caller.request_id

    def next_event(self) -> "Context":
        self.events.append(fresh := self.stage.context(self.caller))
        return fresh


Info = strawberry.Info[Context, None]


@strawberry.type
class Tick:
    n: int
    cursor: str

    @strawberry.field
    def reads(self, info: Info) -> str:
        return str(id(info.context.reads))


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
    async def forever(self, info: Info) -> str:
        async with info.context.stage.running():
            await asyncio.Event().wait()
        return "never"


@strawberry.type
class Mutation:
    @strawberry.mutation
    def bump(self, info: Info) -> int:
        info.context.stage.bumps += 1
        return info.context.stage.bumps


@strawberry.type
class Subscription:
    @strawberry.subscription
    async def ticks(self, info: Info, count: int, after: str | None = None) -> AsyncGenerator[Tick, None]:
        async with info.context.stage.running():
            start = int(after or 0)
            for n in range(start + 1, start + count + 1):
                yield Tick(n=n, cursor=str(n))

    @strawberry.subscription
    async def silence(self, info: Info) -> AsyncGenerator[int, None]:
        async with info.context.stage.running():
            await asyncio.Event().wait()
            yield 0

    @strawberry.subscription
    async def flood(self, info: Info) -> AsyncGenerator[str, None]:
        async with info.context.stage.running():
            while True:
                info.context.stage.flooded += 1
                yield "x" * 100_000

    @strawberry.subscription
    async def failing(self, info: Info) -> AsyncGenerator[int, None]:
        yield 1
        raise Forbidden

    @strawberry.subscription
    async def facts(self, info: Info, stream: str) -> AsyncGenerator[Tick, None]:
        stage = info.context.stage
        async with (
            stage.running(),
            stage.hub.listen_as_before(stream) as listener,
            contextlib.aclosing(aiter(listener)) as facts,
        ):
            async for fact in facts:
                yield Tick(n=fact.payload["n"], cursor=str(fact.seq))


SCHEMA = strawberry.Schema(Query, Mutation, Subscription)
LIMITS = Limits(
    body_bytes=16_384,
    tokens=500,
    depth=10,
    aliases=10,
    cost=1000,
    first=100,
    timeout_s=30.0,
    subscriptions_per_socket=3,
)


@dataclass
class Stage:
    """The running server, and what happens behind it."""

    settings: Settings
    database: Database
    redis: Redis
    events: EventLog
    hub: Hub
    tokens: dict[str, Viewer] = field(default_factory=dict)
    authentications: int = 0
    bumps: int = 0
    flooded: int = 0
    open: int = 0
    """Resolvers under way."""
    url: str = ""
    stop: asyncio.Event = field(default_factory=asyncio.Event)
    streams: EventStreams | None = None

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        self.open += 1
        try:
            yield
        finally:
            self.open -= 1

    def context(self, caller: Caller) -> Context:
        return Context(self, caller, Reads(self.database, PUBLIC))

    async def authenticate(self, token: str, client: Client) -> Viewer | None:
        self.authentications += 1
        return self.tokens.get(token)

    def log_in(self, token: str, *, lasts: timedelta = timedelta(hours=1)) -> Viewer:
        viewer = Viewer(uuid4(), uuid4(), Role.USER, True, datetime.now(UTC) + lasts, Client())
        self.tokens[token] = viewer
        return viewer

    def runtime(self) -> AppRuntime:
        return AppRuntime(
            settings=self.settings,
            engine=Engine(SCHEMA, LIMITS),
            new_context=self.context,
            authenticate=self.authenticate,
            database=self.database,
            redis=cast(Any, self.redis),
            hub=self.hub,
        )

    def connect(
        self, *, cookie: str | None = None, origin: str | None = None, protocol: Subprotocol | None = PROTOCOL
    ) -> connect:
        return connect(
            f"ws{self.url.removeprefix('http')}/graphql",
            subprotocols=[protocol] if protocol else None,
            origin=Origin(origin) if origin else None,
            additional_headers={"cookie": f"{SESSION}={cookie}"} if cookie else None,
            proxy=None,
            # A test that stops reading must not wait for its own closing handshake.
            close_timeout=0.3,
            ping_interval=None,
        )


@contextlib.asynccontextmanager
async def staged(database: Database, redis: Redis, **settings: Any) -> AsyncIterator[Stage]:
    values = {"port": 0, "socket_init_timeout_s": 5.0, "socket_subscription_limit": 3, "body_limit_bytes": 16_384}
    events = EventLog(database, redis)
    async with hub_of(events, redis) as hub:
        stage = Stage(Settings(**(values | settings)), database, redis, events, hub)
        runtime = stage.runtime()
        stage.streams = EventStreams(runtime)
        address: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        app = create_app(runtime, sockets=Sockets(runtime), stream=stage.streams)
        server = asyncio.create_task(serve(app, stage.settings, ready=address.set_result, stop=stage.stop))
        stage.url = await asyncio.wait_for(address, 10)
        try:
            yield stage
        finally:
            stage.stop.set()
            await stage.streams.close()
            await asyncio.wait_for(server, 15)


async def say(socket: ClientConnection, type_: str, **message: Any) -> None:
    await socket.send(json.dumps({"type": type_} | message))


async def hear(socket: ClientConnection) -> dict[str, Any]:
    async with asyncio.timeout(10):
        message: dict[str, Any] = json.loads(await socket.recv())
    return message


async def begin(socket: ClientConnection, payload: dict[str, Any] | None = None) -> None:
    await say(socket, "connection_init", **({} if payload is None else {"payload": payload}))
    assert await hear(socket) == {"type": "connection_ack"}


async def subscribe(socket: ClientConnection, id_: str, query: str, **rest: Any) -> None:
    await say(socket, "subscribe", id=id_, payload={"query": query} | rest)


async def closed(socket: ClientConnection, *, within_s: float = 10.0) -> tuple[int, str]:
    """The code and reason with which the server closes; whatever it still says before is dropped."""
    async with asyncio.timeout(within_s):
        with contextlib.suppress(ConnectionClosed):
            while True:
                await socket.recv()
    assert socket.close_code is not None
    return socket.close_code, socket.close_reason or ""
