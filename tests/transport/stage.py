"""A small graph behind the real transports, on a real port."""

import asyncio
import contextlib
import itertools
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, cast
from uuid import UUID, uuid4

import httpx
from redis.asyncio import Redis
from websockets.asyncio.client import connect
from websockets.typing import Origin, Subprotocol

from app.dev.processes import free_port
from app.domains.accounts.model import SESSIONS_STREAM, Client, Role, Viewer
from app.domains.tenancy.tenants.model.tenants import Tenancy
from app.engine.execution.engine import Engine
from app.engine.streams.model import Counters
from app.engine.streams.subscriptions import Subscriptions
from app.kit.clock import FixedClock
from app.kit.db import PUBLIC, SYSTEM, Database
from app.kit.errors import Unavailable
from app.kit.events import EventLog, Fact
from app.kit.hub import Hub
from app.kit.reads import Reads
from app.settings import Settings
from app.transport.application import create_app
from app.transport.cookies import SESSION
from app.transport.event_streams import EventStreams
from app.transport.runtime import AppRuntime, Caller
from app.transport.server import serve
from app.transport.sessions import SessionWatch
from app.transport.sockets import SocketEndpoint
from tests.kit.event_pipeline import hub_of, relaying
from tests.transport.graph import LIMITS, SCHEMA, Context
from tests.waiting import HANG_S

PROTOCOL = Subprotocol("graphql-transport-ws")


class Handle:
    """Of a callback that waits."""

    def __init__(self, callback: Callable[[], None]) -> None:
        self.callback: Callable[[], None] | None = callback

    def cancel(self) -> None:
        self.callback = None


class Time(FixedClock):
    """A clock and its timers: nothing happens until it is moved, however long that takes."""

    def __init__(self) -> None:
        super().__init__(datetime.now(UTC))
        self._waiting: list[tuple[datetime, int, Handle]] = []
        self._numbers = itertools.count()

    def call_later(self, delay_s: float, callback: Callable[[], None]) -> Handle:
        handle = Handle(callback)
        self._waiting.append((self.now() + timedelta(seconds=delay_s), next(self._numbers), handle))
        return handle

    def pass_to(self, moment: datetime) -> None:
        """Calls back the timers that are due until then, in order."""
        while due := [each for each in self._waiting if each[0] <= moment]:
            first = min(due)
            self._waiting.remove(first)
            self.advance(max(timedelta(0), first[0] - self.now()))
            if first[2].callback is not None:
                first[2].callback()
        self.advance(moment - self.now())


@dataclass
class Stage:
    """The running server, and what happens behind it."""

    settings: Settings
    database: Database
    redis: Redis
    events: EventLog
    hub: Hub
    time: Time = field(default_factory=Time)
    """Of the sessions."""
    tokens: dict[str, Viewer] = field(default_factory=dict)
    authentications: int = 0
    bumps: int = 0
    released: asyncio.Event = field(default_factory=asyncio.Event)
    """Lets slow mutations go on."""
    is_down: bool = False
    """Whether authentication is unavailable."""
    tenancies: dict[tuple[UUID, str], Tenancy] = field(default_factory=dict)
    """Who is a member of which tenant."""
    forbidden: bool = False
    """Whether subscriptions to a viewer's own data are refused."""
    over: list[UUID] = field(default_factory=list)
    """What was heard of as over."""
    executing: int = 0
    """Queries under way."""
    url: str = ""
    stop: asyncio.Event = field(default_factory=asyncio.Event)
    gone: Callable[[], bool] = field(init=False)
    """Whether the server has stopped."""
    runtime: AppRuntime = field(init=False)
    sockets: SocketEndpoint = field(init=False)
    streams: EventStreams = field(init=False)

    def __post_init__(self) -> None:
        engine = Engine(SCHEMA, LIMITS)
        sessions = SessionWatch(self.hub, self.expiries, self.time, self.over.append)
        sessions.call_later = self.time.call_later  # type: ignore[method-assign, assignment]
        self.runtime = AppRuntime(
            settings=self.settings,
            engine=engine,
            new_context=self.context,
            authenticate=self.authenticate,
            tenancy_of=self.tenancy_of,
            fault_of=lambda token: f"{token!r} is not valid.",
            database=self.database,
            redis=cast(Any, self.redis),
            hub=self.hub,
            subscriptions=Subscriptions(engine, self.hub, replay_limit=10_000),
            sessions=sessions,
        )
        self.sockets, self.streams = SocketEndpoint(self.runtime), EventStreams(self.runtime)

    async def tenancy_of(self, viewer: Viewer, slug: str) -> Tenancy | None:
        """The part of a viewer in a tenant."""
        return self.tenancies.get((viewer.user_id, slug))

    @property
    def open(self) -> int:
        """Subscriptions, over any transport."""
        return len(self.runtime.subscriptions)

    @property
    def counters(self) -> Counters:
        return self.runtime.subscriptions.counters

    @property
    def paused(self) -> int:
        """Sockets whose reader is behind."""
        return sum(socket.wire.paused for socket in self.sockets)

    def held_bytes(self) -> list[int]:
        """What the server holds for each socket."""
        return [socket.wire.transport.get_write_buffer_size() for socket in self.sockets]

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        self.executing += 1
        try:
            yield
        finally:
            self.executing -= 1

    def context(self, caller: Caller) -> Context:
        return Context(self, caller, Reads(self.database, PUBLIC))

    async def authenticate(self, token: str, client: Client) -> Viewer | None:
        self.authentications += 1
        if self.is_down:
            raise Unavailable
        return self.tokens.get(token)

    def log_in(self, token: str, *, lasts: timedelta = timedelta(hours=1), role: Role = Role.USER) -> Viewer:
        viewer = Viewer(uuid4(), uuid4(), role, True, self.time.now() + lasts, Client())
        self.tokens[token] = viewer
        return viewer

    async def expiries(self, session_ids: Sequence[UUID]) -> dict[UUID, datetime]:
        return {
            viewer.session_id: viewer.expires_at for viewer in self.tokens.values() if viewer.session_id in session_ids
        }

    async def revoke(self, viewer: Viewer) -> None:
        """As the accounts do it."""
        fact = Fact(SESSIONS_STREAM, "session.revoked", {"session_id": str(viewer.session_id)})
        await self.database.write(SYSTEM, lambda tx: self.events.append(tx, [fact]))

    async def publish(self, numbers: Sequence[int], stream: str = "facts") -> None:
        """Facts in one transaction."""
        facts = [Fact(stream, "n", {"n": n}) for n in numbers]
        await self.database.write(SYSTEM, lambda tx: self.events.append(tx, facts))

    async def metrics(self) -> dict[str, float]:
        """What /metrics shows."""
        async with httpx.AsyncClient(trust_env=False, timeout=HANG_S) as client:
            text = (await client.get(f"{self.url}/metrics")).text
        lines = [line.rpartition(" ") for line in text.splitlines() if not line.startswith("#")]
        return {name: float(value) for name, _, value in lines}

    def connect(
        self,
        *,
        cookie: str | None = None,
        origin: str | None = None,
        host: str | None = None,
        authorization: str | None = None,
        protocol: Subprotocol | None = PROTOCOL,
        path: str = "/graphql",
        **options: Any,
    ) -> connect:
        """`host` is the name under which the server is reached, as a browser would tell it."""
        address = self.url.removeprefix("http://")
        shown = {"cookie": f"{SESSION}={cookie}" if cookie else None, "authorization": authorization}
        if host is not None:
            # Connected to where the server is, whatever the address says.
            options |= dict(zip(("host", "port"), address.split(":"), strict=True))
        return connect(
            f"ws://{host or address}{path}",
            subprotocols=[protocol] if protocol else None,
            origin=Origin(origin) if origin else None,
            additional_headers={name: value for name, value in shown.items() if value is not None},
            proxy=None,
            # A test that stops reading must not wait for its own closing handshake.
            open_timeout=HANG_S,
            close_timeout=0.3,
            ping_interval=None,
            **options,
        )


@contextlib.asynccontextmanager
async def staged(database: Database, redis: Redis, **settings: Any) -> AsyncIterator[Stage]:
    """The server, with its settings changed where a test wants them so, and a relay beside it."""
    port = free_port()
    values = {
        "port": port,
        "socket_address_accept_rate": 2000,
        "socket_init_timeout_s": HANG_S,
        "socket_drain_s": HANG_S,
        "socket_ping_s": HANG_S,
        "socket_subscription_limit": 3,
        "body_limit_bytes": 16_384,
    }
    events = EventLog(database, redis)
    async with relaying(database, redis), hub_of(events, redis) as hub:
        stage = Stage(Settings(**(values | settings)), database, redis, events, hub)
        await stage.runtime.sessions.start()
        address: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        app = create_app(stage.runtime, sockets=stage.sockets, stream=stage.streams)
        stopping = (stage.streams.close, stage.sockets.close)
        server = asyncio.create_task(
            serve(app, stage.settings, ready=address.set_result, stop=stage.stop, stopping=stopping)
        )
        stage.gone = server.done
        stage.url = await address
        try:
            yield stage
        finally:
            stage.stop.set()
            await server
            await stage.runtime.sessions.stop()
            stage.runtime.subscriptions.stop()
