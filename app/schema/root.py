"""The root of the graph: what every house offers, and what belongs to none."""

import asyncio
from typing import Annotated, Any

import strawberry
from strawberry.schema.config import StrawberryConfig

from app.domains.accounts import model as accounts
from app.engine.declarations.audience import computed_for
from app.engine.declarations.bindings import bind_resolvers
from app.engine.declarations.costs import counted_by
from app.engine.declarations.descriptions import describe
from app.engine.declarations.nodes import Node, node_loader, parse_global_id, record_type
from app.kit.errors import InvalidInput, NotFound
from app.kit.loaders import Audience
from app.schema.accounts.access_codes import AccessCodeMutation, AccessCodeQuery
from app.schema.accounts.auth_log import AuthLogViewer
from app.schema.accounts.passwords import PasswordMutation, PasswordResetMutation
from app.schema.accounts.profile import ProfileMutation, ProfileViewer
from app.schema.accounts.registration import RegistrationMutation
from app.schema.accounts.scheduled_jobs import ScheduledJobQuery
from app.schema.accounts.sessions import SessionMutation, SessionViewer
from app.schema.accounts.settings import SettingMutation, SettingViewer
from app.schema.accounts.users import UserMutation, UserQuery, UserViewer
from app.schema.accounts.verification import VerificationMutation
from app.schema.context import Info
from app.schema.ledger.beneficiaries import BeneficiaryMutation, BeneficiaryViewer
from app.schema.ledger.blocks import BlockQuery, BlockSubscription
from app.schema.ledger.chain import ChainQuery
from app.schema.ledger.mining import MiningSubscription
from app.schema.ledger.payments import PaymentMutation
from app.schema.ledger.transactions import TransactionQuery, TransactionSubscription
from app.schema.ledger.wallets import WalletQuery, WalletSubscription, WalletViewer
from app.schema.limits import ServerLimits
from app.schema.market.alerts.alerts import AlertMutation, AlertSubscription, AlertViewer
from app.schema.market.analysis.phases import AnalysisSubscription
from app.schema.market.analysis.token import AnalysisQuery
from app.schema.market.news import NewsMutation, NewsQuery
from app.schema.market.prices.ticks import PriceSubscription
from app.schema.market.sources import SourceQuery
from app.schema.market.tokens import TokenQuery
from app.schema.market.watchlist import WatchlistMutation, WatchlistSubscription, WatchlistViewer
from app.schema.notifications.notifications import NotificationMutation, NotificationSubscription, NotificationViewer
from app.schema.realtime.subscriptions import SubscriptionMutation, SubscriptionViewer
from app.schema.scalars import SCALARS

MAX_NODES = 100


@record_type(accounts.Viewer)
class Viewer(
    UserViewer,
    ProfileViewer,
    SessionViewer,
    AuthLogViewer,
    SettingViewer,
    WalletViewer,
    BeneficiaryViewer,
    WatchlistViewer,
    AlertViewer,
    NotificationViewer,
    SubscriptionViewer,
):
    """The authenticated user, with the data that only this user can see."""


@strawberry.type
class ServerInfo:
    """Information about this server."""

    version: str = strawberry.field(description="The version of Moneta.")
    environment: str = strawberry.field(description="`development` or `production`.")
    limits: ServerLimits = strawberry.field(description="The limits on what clients can request.")


async def _nodes(info: Info, ids: list[str]) -> list[Any]:
    async def find(global_id: str) -> Any:
        try:
            type_name, key = parse_global_id(global_id)
        except NotFound:
            return None
        return await info.context.reads.one(node_loader(type_name), key)

    return await asyncio.gather(*map(find, ids))


@strawberry.type
class Query(
    AccessCodeQuery,
    UserQuery,
    ScheduledJobQuery,
    ChainQuery,
    BlockQuery,
    TransactionQuery,
    WalletQuery,
    AnalysisQuery,
    TokenQuery,
    NewsQuery,
    SourceQuery,
):
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

    @strawberry.field(metadata=computed_for(Audience.PUBLIC))
    def server_info(self, info: Info) -> ServerInfo:
        """Information about this server and its limits."""
        limits: Any = info.context.runtime.limits
        return ServerInfo(version=VERSION, environment=info.context.settings.environment, limits=limits)


@strawberry.type
class Mutation(
    RegistrationMutation,
    VerificationMutation,
    PasswordResetMutation,
    SessionMutation,
    PasswordMutation,
    ProfileMutation,
    SettingMutation,
    AccessCodeMutation,
    UserMutation,
    PaymentMutation,
    BeneficiaryMutation,
    AlertMutation,
    NotificationMutation,
    NewsMutation,
    WatchlistMutation,
    SubscriptionMutation,
):
    """The mutations. Those that create or move something take an idempotency key."""


@strawberry.type
class Subscription(
    BlockSubscription,
    TransactionSubscription,
    WalletSubscription,
    MiningSubscription,
    PriceSubscription,
    WatchlistSubscription,
    AnalysisSubscription,
    NotificationSubscription,
    AlertSubscription,
):
    """The subscriptions."""


VERSION = "0.1.0"


def build_schema() -> strawberry.Schema:
    """The whole graph, with every resolver as short as it can be."""
    schema = strawberry.Schema(
        query=Query,
        mutation=Mutation,
        subscription=Subscription,
        config=StrawberryConfig(scalar_map=SCALARS),
    )
    describe(schema)
    bind_resolvers(schema)
    return schema
