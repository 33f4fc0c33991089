"""The root of the graph: the fields that belong to no house, and those that the houses add."""

import asyncio
from collections.abc import Sequence
from typing import Annotated, Any

import strawberry

from app.domains.accounts import model as accounts
from app.engine.declarations.audience import computed_for
from app.engine.declarations.costs import counted_by
from app.engine.declarations.key_scopes import NEVER, PUBLIC, declared_key_scope
from app.engine.declarations.maintenance import stays_open
from app.engine.declarations.nodes import Node, NodeKind, parse_global_id
from app.kit.errors import InvalidInput, NotFound
from app.kit.loaders import Audience
from app.schema.composition import GraphHouse, compose
from app.schema.context import Info
from app.schema.limits import ServerLimits
from app.schema.viewer import Viewer

MAX_NODES = 100


@strawberry.type
class ServerInfo:
    """Information about this server."""

    version: str = strawberry.field(description="The version of Moneta.")
    environment: str = strawberry.field(description="`development` or `production`.")
    limits: ServerLimits = strawberry.field(description="The limits on what clients can request.")


async def _nodes(info: Info, ids: list[str]) -> list[Any]:
    async def find(global_id: str) -> Any:
        try:
            kind, key = parse_global_id(global_id, info.context.runtime.nodes)
        except NotFound:
            return None
        if not _may_find(info, kind):
            return None
        return await info.context.reads.one(kind.loader, key)

    return await asyncio.gather(*map(find, ids))


def _may_find(info: Info, kind: NodeKind) -> bool:
    """Whether the caller's API key, if they have one, may read objects of a type."""
    if (key := info.context.key) is None:
        return True
    scope = declared_key_scope(info.schema._schema.type_map[kind.name]) or NEVER
    return scope == PUBLIC or key.holds(scope)


@strawberry.type
class Query:
    """The queries."""

    @strawberry.field(graphql_type=Viewer | None)
    def viewer(self, info: Info) -> accounts.Viewer | None:
        """The authenticated user. Null for anonymous callers; with an invalid token there is also an error."""
        context = info.context
        return context.viewer if context.refusal is None else context.require_viewer()

    @strawberry.field(graphql_type=Node | None)
    async def node(
        self, info: Info, id: Annotated[strawberry.ID, strawberry.argument(description="The global ID of the object.")]
    ) -> Any:
        """An object by its global ID. Null if there is none, or the viewer cannot see it."""
        return (await _nodes(info, [id]))[0]

    @strawberry.field(graphql_type=list[Node | None], metadata=counted_by("ids", MAX_NODES))
    async def nodes(
        self,
        info: Info,
        ids: Annotated[list[strawberry.ID], strawberry.argument(description=f"At most {MAX_NODES} global IDs.")],
    ) -> list[Any]:
        """Objects by their global IDs, each null if there is none, or the viewer cannot see it.

        The number of IDs multiplies the cost of the selected fields.
        """
        if len(ids) > MAX_NODES:
            raise InvalidInput("ids", f"At most {MAX_NODES} ids.")
        return await _nodes(info, [str(id) for id in ids])

    @strawberry.field(metadata=computed_for(Audience.PUBLIC) | stays_open())
    def server_info(self, info: Info) -> ServerInfo:
        """Information about this server and its limits."""
        limits: Any = info.context.runtime.limits
        return ServerInfo(version=VERSION, environment=info.context.settings.environment, limits=limits)


@strawberry.type
class Mutation:
    """The mutations. Those that create or move something take an idempotency key."""


@strawberry.type
class Subscription:
    """The subscriptions."""


VERSION = "0.1.0"


def build_schema(houses: Sequence[GraphHouse]) -> strawberry.Schema:
    """The whole graph: what these houses add, and what belongs to none of them."""
    return compose(houses, {"query": Query, "mutation": Mutation, "subscription": Subscription})
