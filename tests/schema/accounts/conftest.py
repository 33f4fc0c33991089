"""The accounts' part of the graph, executed in process on the real schema."""

from dataclasses import dataclass, field
from typing import Any, cast

import pytest

from app.domains.accounts.model import Viewer
from app.engine.declarations.limits import Limits
from app.engine.execution.engine import Engine
from app.engine.execution.operations import Response
from app.kit.db import PUBLIC, Scope
from app.kit.house import Services
from app.kit.reads import Reads
from app.main import HOUSES, build_graph
from app.schema.composition import nodes_of
from app.schema.context import Context, Runtime
from app.schema.realtime.registry import OpenStreams
from app.settings import Settings
from tests.domains.accounts.conftest import House, house
from tests.engine.support import CURSORS
from tests.factories import CLIENT
from tests.waiting import HANG_S

__all__ = ["house"]

LIMITS = Limits(
    body_bytes=65_536,
    tokens=2000,
    depth=12,
    aliases=30,
    cost=20_000,
    first=100,
    timeout_s=HANG_S,
    subscriptions_per_socket=100,
    sockets_per_viewer=20,
    replay_events=1000,
)
LOGIN = """mutation($input: LoginInput!) { login(input: $input) {
    __typename
    ... on LoginPayload { viewer { user { email } } accessToken refreshToken accessTokenExpiresAt }
    ... on InvalidInput { path }
    ... on Problem { message } } }"""
USER = "id displayName email fullName isVerified role hasNationalId createdAt"
ENGINE = Engine(build_graph(), LIMITS)


@dataclass
class Graph:
    """Runs operations as somebody, or as nobody. `context` is that of the last one."""

    house: House
    contexts: list[Context] = field(default_factory=list)

    @property
    def context(self) -> Context:
        return self.contexts[-1]

    async def run(
        self,
        query: str,
        variables: dict[str, Any] | None = None,
        *,
        by: Viewer | None = None,
        browser: bool = False,
        refresh_cookie: str | None = None,
        refusal: str | None = None,
    ) -> Response:
        """The response, whatever it holds."""
        prepared = ENGINE.prepare(query, None, variables, introspection_allowed=True)
        assert not isinstance(prepared, list), prepared
        services = Services()
        services.add(self.house.accounts)
        runtime = Runtime(
            settings=cast(Settings, None),
            services=services,
            limits=LIMITS,
            cursors=CURSORS,
            nodes=nodes_of(HOUSES),
            open_streams=cast(OpenStreams, None),
            new_reads=self._reads_in,
        )
        self.contexts.append(
            Context(
                runtime=runtime,
                viewer=by,
                client=CLIENT,
                request_id="test",
                from_browser=browser,
                reads=self._reads(by),
                refresh_token=refresh_cookie,
                refusal=refusal,
            )
        )
        return await ENGINE.execute(prepared, self.context)

    async def data(self, query: str, variables: dict[str, Any] | None = None, **caller: Any) -> Any:
        """The data of a response without errors."""
        response = await self.run(query, variables, **caller)
        assert response.errors == []
        return response.data

    def _reads(self, viewer: Viewer | None) -> Reads:
        return Reads(self.house.database, viewer.scope if viewer else PUBLIC)

    def _reads_in(self, scope: Scope) -> Reads:
        return Reads(self.house.database, scope)


@pytest.fixture
def graph(house: House) -> Graph:
    return Graph(house)
