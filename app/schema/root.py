"""The root of the graph: what every house offers, and what belongs to none."""

import asyncio
from typing import Annotated, Any

import strawberry
from strawberry.schema.config import StrawberryConfig

from app.domains.accounts import model as accounts
from app.engine.audience import computed_for
from app.engine.direct import resolve_directly
from app.engine.limits.extra import counted_by
from app.engine.nodes import Node, node_loader, parse_global_id, record_type
from app.kit.errors import InvalidInput, NotFound
from app.kit.loaders import Audience
from app.schema.accounts.operations import AccountsMutation, AccountsQuery
from app.schema.accounts.types import AccountsViewer
from app.schema.context import Info
from app.schema.ledger.operations import LedgerMutation, LedgerQuery
from app.schema.ledger.streams import LedgerSubscription
from app.schema.ledger.viewer import LedgerViewer
from app.schema.limits import ServerLimits
from app.schema.market.operations import MarketMutation, MarketQuery
from app.schema.market.streams import MarketSubscription
from app.schema.market.viewer import MarketViewer
from app.schema.realtime.operations import RealtimeMutation
from app.schema.realtime.viewer import RealtimeViewer
from app.schema.scalars import SCALARS

MAX_NODES = 100


@record_type(accounts.Viewer, description="Who is asking, and all that is theirs alone.")
class Viewer(AccountsViewer, LedgerViewer, MarketViewer, RealtimeViewer):
    """Who is asking."""


@strawberry.type(description="This server.")
class ServerInfo:
    """This server."""

    version: str = strawberry.field(description="Moneta's version.")
    environment: str = strawberry.field(description="`development` or `production`.")
    limits: ServerLimits = strawberry.field(description="What clients may ask for.")


async def _nodes(info: Info, ids: list[str]) -> list[Any]:
    async def find(global_id: str) -> Any:
        try:
            type_name, key = parse_global_id(global_id)
        except NotFound:
            return None
        return await info.context.reads.one(node_loader(type_name), key)

    return await asyncio.gather(*map(find, ids))


@strawberry.type(description="What can be read.")
class Query(AccountsQuery, LedgerQuery, MarketQuery):
    """What can be read."""

    @strawberry.field(
        graphql_type=Viewer | None,
        description="Who is asking; null for anonymous callers, with an error for those whose token is not good.",
    )
    def viewer(self, info: Info) -> accounts.Viewer | None:
        """Who is asking."""
        context = info.context
        return context.viewer if context.refusal is None else context.require_viewer()

    @strawberry.field(graphql_type=Node | None, description="Any object by its global id; null if absent or not yours.")
    async def node(
        self, info: Info, id: Annotated[strawberry.ID, strawberry.argument(description="A global id.")]
    ) -> Any:
        """Any object by its global id."""
        return (await _nodes(info, [id]))[0]

    @strawberry.field(
        graphql_type=list[Node | None],
        metadata=counted_by("ids", MAX_NODES),
        description="Objects by global id, null where absent or not yours. Each id multiplies the cost of what is"
        " below.",
    )
    async def nodes(
        self,
        info: Info,
        ids: Annotated[list[strawberry.ID], strawberry.argument(description=f"At most {MAX_NODES} global ids.")],
    ) -> list[Any]:
        """Objects by their global ids."""
        if len(ids) > MAX_NODES:
            raise InvalidInput("ids", f"At most {MAX_NODES} ids.")
        return await _nodes(info, [str(id) for id in ids])

    @strawberry.field(metadata=computed_for(Audience.PUBLIC), description="This server and its limits.")
    def server_info(self, info: Info) -> ServerInfo:
        """This server and its limits."""
        limits: Any = info.context.runtime.limits
        return ServerInfo(version=VERSION, environment=info.context.settings.environment, limits=limits)


@strawberry.type(description="What can be done. Everything that creates or moves something takes an idempotency key.")
class Mutation(AccountsMutation, LedgerMutation, MarketMutation, RealtimeMutation):
    """What can be done."""


@strawberry.type(description="What can be watched.")
class Subscription(LedgerSubscription, MarketSubscription):
    """What can be watched."""


VERSION = "0.1.0"


def build_schema() -> strawberry.Schema:
    """The whole graph, with every resolver as short as it can be."""
    schema = strawberry.Schema(
        query=Query,
        mutation=Mutation,
        subscription=Subscription,
        config=StrawberryConfig(scalar_map=SCALARS),
    )
    resolve_directly(schema)
    return schema
