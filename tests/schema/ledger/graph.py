"""The graph over a ledger of its own, executed in process. The accounts house has no services here."""

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import Any

from redis.asyncio import Redis

from app.domains.accounts import model as accounts
from app.engine.declarations.limits import Limits
from app.engine.execution.engine import Engine
from app.engine.execution.operations import Response
from app.engine.streams.iterator import Failed
from app.engine.streams.model import Delivery, Transport
from app.engine.streams.subscriptions import Subscriptions
from app.kit.db import PUBLIC, Scope
from app.kit.house import Services
from app.kit.hub import Hub
from app.kit.process_rpc import ProcessRpc
from app.kit.reads import Reads
from app.main import HOUSES, build_graph
from app.schema.composition import nodes_of
from app.schema.context import Context, Runtime
from app.schema.realtime.registry import OpenStreams
from app.settings import Settings
from tests.domains.ledger.scene import Person, Scene
from tests.engine.support import CURSORS, NOBODY
from tests.pulled_events import iterate
from tests.waiting import HANG_S

LIMITS = Limits(
    body_bytes=65_536,
    tokens=1000,
    depth=12,
    aliases=30,
    cost=20_000,
    first=100,
    timeout_s=HANG_S,
    subscriptions_per_socket=100,
    sockets_per_viewer=20,
    replay_events=1000,
)


SCHEMA = build_graph()
SETTINGS = Settings()


@dataclass
class Graph:
    """Runs operations as somebody, or as nobody."""

    scene: Scene
    hub: Hub
    engine: Engine
    redis: Redis

    def __post_init__(self) -> None:
        self.subscriptions = Subscriptions(self.engine, self.hub, replay_limit=1000)
        # Alone, since it is not started: nothing is asked of Redis.
        self.open_streams = OpenStreams(self.subscriptions, ProcessRpc(self.redis))

    async def run(self, query: str, variables: dict[str, Any] | None = None, *, by: Person | None = None) -> Response:
        """The response, whatever it holds."""
        prepared = self._prepare(query, variables)
        return await self.engine.execute(prepared, self.context(by))

    async def data(self, query: str, variables: dict[str, Any] | None = None, *, by: Person | None = None) -> Any:
        """The data of a response without errors."""
        response = await self.run(query, variables, by=by)
        assert response.errors == []
        return response.data

    def subscribe(
        self, query: str, *, by: Person | None = None, after: str | None = None
    ) -> AsyncGenerator[Delivery | Failed, None]:
        """Responses, one for each event."""
        prepared, context = self._prepare(query, None), self.context(by)
        return iterate(self.subscriptions, prepared, context, Transport.SSE, NOBODY, after=after)

    def context(self, person: Person | None) -> Context:
        viewer = person.viewer if person else None
        services = Services()
        services.add(self.scene.services)
        runtime = Runtime(
            settings=SETTINGS,
            services=services,
            limits=LIMITS,
            cursors=CURSORS,
            nodes=nodes_of(HOUSES),
            open_streams=self.open_streams,
            new_reads=self._reads_in,
        )
        return Context(
            runtime=runtime,
            viewer=viewer,
            client=accounts.Client(),
            request_id="test",
            from_browser=False,
            reads=self._reads(viewer),
        )

    def _reads(self, viewer: accounts.Viewer | None) -> Reads:
        return Reads(self.scene.database, viewer.scope if viewer else PUBLIC)

    def _reads_in(self, scope: Scope) -> Reads:
        return Reads(self.scene.database, scope)

    def _prepare(self, query: str, variables: dict[str, Any] | None) -> Any:
        prepared = self.engine.prepare(query, None, variables, introspection_allowed=True)
        assert not isinstance(prepared, list), prepared
        return prepared
