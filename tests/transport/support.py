"""A small graph behind the real transport; only what the houses would bring is made up."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import msgspec
import strawberry
from broadcaster import Broadcast
from redis.asyncio import Redis
from starlette.types import ASGIApp

from app.domains.accounts.model import Client, Role, SessionTokens, Viewer
from app.domains.tenancy.api_keys.model import CallUsage
from app.domains.tenancy.tenants.model.tenants import Tenancy
from app.engine.declarations.limits import Limits
from app.engine.execution.engine import Engine
from app.engine.streams.subscriptions import Subscriptions
from app.kit.clock import SystemClock
from app.kit.db import PUBLIC
from app.kit.errors import NotFound, Unavailable
from app.kit.events import EventLog
from app.kit.hub import Hub
from app.kit.loaders import Audience
from app.kit.reads import Reads
from app.settings import Settings
from app.transport.application import create_app
from app.transport.runtime import AppRuntime, Caller
from app.transport.server import serve
from app.transport.sessions import SessionWatch
from tests.engine.support import CURSORS
from tests.factories import nowhere

ORIGIN = "http://testserver"
ALICE = UUID(int=0xA11CE)
TOKEN = "good.token"
TOKENS = SessionTokens(UUID(int=1), ALICE, "new.access", datetime.now(UTC), "new-refresh", datetime.now(UTC))


async def no_tenancy(viewer: Viewer, slug: str) -> Tenancy | None:
    """Nobody is a member of any tenant."""
    return None


class CallerContext:
    """What contexts of the small graphs say of their caller."""

    cursors = CURSORS
    caller: Caller
    reads: Reads

    @property
    def request_id(self) -> str:
        return self.caller.request_id

    @property
    def viewer(self) -> Viewer | None:
        return self.caller.viewer

    @property
    def tenancy(self) -> Tenancy | None:
        return self.caller.tenancy

    @property
    def usage(self) -> CallUsage | None:
        return self.caller.usage

    @property
    def viewer_id(self) -> UUID | None:
        return self.viewer.user_id if self.viewer else None

    @property
    def party(self) -> UUID | None:
        return self.viewer_id

    def audience_key(self, audience: Audience) -> UUID | None:
        return None if audience is Audience.PUBLIC else self.viewer_id

    async def read_anew(self) -> None:
        before, self.reads = self.reads, self.reads.anew(PUBLIC)
        await before.aclose()


@dataclass
class FakeContext(CallerContext):
    """What a resolver of the small graph reaches."""

    caller: Caller
    reads: Reads
    witness: "Witness"
    new_session: SessionTokens | None = None
    session_ended: bool = False
    reveals_secret: bool = False

    def for_event(self, audience: Audience) -> "FakeContext":
        return replace(self, reads=Reads(self.reads.database, PUBLIC))


@dataclass
class Witness:
    """What happened inside, for tests that ask about more than the answer."""

    started: asyncio.Event = field(default_factory=asyncio.Event)
    release: asyncio.Event = field(default_factory=asyncio.Event)
    finished: list[str] = field(default_factory=list)
    callers: list[Caller] = field(default_factory=list)


async def _linger(info: "strawberry.Info[FakeContext, None]", name: str) -> str:
    witness = info.context.witness
    witness.started.set()
    try:
        await witness.release.wait()
    except asyncio.CancelledError:
        witness.finished.append(f"{name} cancelled")
        raise
    witness.finished.append(f"{name} done")
    return name


@strawberry.input(one_of=True)
class Greeted:
    name: str | None = strawberry.UNSET
    number: int | None = strawberry.UNSET


@strawberry.type
class Query:
    @strawberry.field
    def hello(self, name: str = "world") -> str:
        return f"hello {name}"

    @strawberry.field
    def greet(self, by: Greeted) -> str:
        return f"hello {by.name or by.number}"

    @strawberry.field
    def number(self, value: int) -> int:
        return value

    @strawberry.field
    def who(self, info: strawberry.Info[FakeContext, None]) -> str | None:
        viewer = info.context.caller.viewer
        return str(viewer.user_id) if viewer else None

    @strawberry.field
    def boom(self) -> str | None:
        raise ValueError("the secret of the house")

    @strawberry.field
    def gone(self) -> str | None:
        raise NotFound(Query)

    @strawberry.field
    def down(self) -> str:
        raise Unavailable

    @strawberry.field
    async def linger(self, info: strawberry.Info[FakeContext, None]) -> str:
        return await _linger(info, "query")


@strawberry.type
class Mutation:
    @strawberry.mutation
    def login(self, info: strawberry.Info[FakeContext, None]) -> bool:
        info.context.new_session = TOKENS
        info.context.reveals_secret = True
        return True

    @strawberry.mutation
    def logout(self, info: strawberry.Info[FakeContext, None]) -> bool:
        info.context.session_ended = True
        return True

    @strawberry.mutation
    async def linger(self, info: strawberry.Info[FakeContext, None]) -> str:
        return await _linger(info, "mutation")


@strawberry.type
class Subscription:
    @strawberry.subscription
    async def count(self) -> AsyncGenerator[int, None]:
        yield 1


SCHEMA = strawberry.Schema(Query, Mutation, Subscription)


class Answering:
    """A Redis that is there."""

    async def ping(self) -> bool:
        return True


async def authenticate(token: str, client: Client) -> Viewer | None:
    """Knows one token; says that it cannot tell about another, and nothing at all about a third."""
    if token == "unknowable":
        raise Unavailable
    if token == "forever":
        await asyncio.Event().wait()
    if token != TOKEN:
        return None
    return Viewer(ALICE, UUID(int=2), Role.USER, True, datetime.now(UTC) + timedelta(hours=1), client)


async def no_sessions(session_ids: Sequence[UUID]) -> dict[UUID, datetime]:
    """Sessions are not watched here."""
    return {}


def build(settings: Settings | None = None, witness: Witness | None = None, **parts: Any) -> ASGIApp:
    """The application over the small graph."""
    settings = settings or Settings(public_url=ORIGIN)
    witness = witness or Witness()
    database = parts.pop("database", None) or nowhere()
    limits = Limits(
        body_bytes=settings.body_limit_bytes,
        tokens=settings.query_token_limit,
        depth=settings.query_depth_limit,
        aliases=settings.query_alias_limit,
        cost=settings.query_cost_limit,
        first=100,
        timeout_s=settings.query_timeout_s,
        subscriptions_per_socket=settings.socket_subscription_limit,
        sockets_per_viewer=20,
        replay_events=1000,
    )

    def new_context(caller: Caller) -> FakeContext:
        witness.callers.append(caller)
        return FakeContext(caller, Reads(database, PUBLIC), witness)

    engine = Engine(SCHEMA, limits)
    hub = Hub(Broadcast("memory://"), EventLog(database, Redis()), memory_limit=1)
    runtime = AppRuntime(
        settings=settings,
        engine=engine,
        new_context=new_context,
        authenticate=authenticate,
        tenancy_of=parts.pop("tenancy_of", no_tenancy),
        fault_of=lambda token: f"{token!r} is not valid.",
        database=database,
        redis=parts.pop("redis", None) or Answering(),
        hub=hub,
        subscriptions=Subscriptions(engine, hub, replay_limit=1),
        sessions=SessionWatch(hub, no_sessions, SystemClock()),
        web=parts.pop("web", Path("/nonexistent")),
        **parts,
    )
    return create_app(runtime)


def client_for(app: ASGIApp, **options: Any) -> httpx.AsyncClient:
    """A client of the application, in this process."""
    return httpx.AsyncClient(transport=httpx.ASGITransport(app, **options), base_url=ORIGIN)


async def ask(client: httpx.AsyncClient, query: str, **headers: str) -> httpx.Response:
    """POSTs an operation; underscores in header names are hyphens."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return await client.post("/graphql", json={"query": query}, headers=named)


def errors(response: httpx.Response) -> list[tuple[str, str]]:
    """Code and message of each error."""
    return [(each["extensions"]["code"], each["message"]) for each in msgspec.json.decode(response.content)["errors"]]


@asynccontextmanager
async def serving(app: ASGIApp) -> AsyncIterator[str]:
    """The application behind a real server on a free port; gives its address."""
    address: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    stop = asyncio.Event()
    running = asyncio.create_task(serve(app, Settings(port=0), ready=address.set_result, stop=stop))
    try:
        yield await address
    finally:
        stop.set()
        await running
