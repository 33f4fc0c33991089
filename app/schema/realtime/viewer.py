"""What real time adds to the viewer: their open subscriptions, as data."""

from datetime import datetime
from enum import Enum
from typing import Annotated, Any

import strawberry

from app.engine.nodes import record_type
from app.engine.pages import MAX_FIRST
from app.kit.errors import InvalidInput
from app.schema.context import Info
from app.schema.realtime import registry

DEFAULT_FIRST = 50


@strawberry.enum(description="What carries a subscription to its client.")
class SubscriptionTransport(Enum):
    """What carries a subscription to its client."""

    WEBSOCKET = strawberry.enum_value("WEBSOCKET", description="A WebSocket that speaks graphql-transport-ws.")
    SSE = strawberry.enum_value("SSE", description="A stream of server-sent events.")


@record_type(registry.OpenSubscription, description="A subscription that is open, as it was when it was looked at.")
class OpenSubscription:
    """A subscription that is open."""

    id: strawberry.ID = strawberry.field(
        description="Names it to `closeSubscription` while it is open. A client that reconnects gets a new one."
    )
    document: str = strawberry.field(
        description="What it asks for, printed as the server understood it, without values of variables and without"
        f" `after`; cut at {registry.MAX_DOCUMENT:,} characters."
    )
    transport: SubscriptionTransport = strawberry.field(description="What carries it to its client.")
    opened_at: datetime = strawberry.field(description="When it was opened.")
    delivered: int = strawberry.field(
        description="Events handed over for sending since it was opened, those of a replay among them. It stops at"
        f" {registry.MAX_INT:,}."
    )
    lag: int = strawberry.field(
        description="Events of its stream that wait to be handed over; 0: it is up to date, or its topic keeps only the"
        " latest value."
    )


async def _subscriptions(
    root: Any,
    info: Info,
    first: Annotated[
        int,
        strawberry.argument(
            description=f"How many at most, 1 to {MAX_FIRST}. Each multiplies the cost of what is below."
        ),
    ] = DEFAULT_FIRST,
) -> Any:
    if not 1 <= first <= MAX_FIRST:
        raise InvalidInput("first", f"`first` must be between 1 and {MAX_FIRST}.")
    return await info.context.runtime.open_subscriptions.newest(root.user_id, first)


@strawberry.type(description="The viewer in real time.")
class RealtimeViewer:
    """The viewer in real time."""

    subscriptions: list[OpenSubscription] = strawberry.field(
        resolver=_subscriptions,
        graphql_type=list[OpenSubscription],
        description="The viewer's open subscriptions on all sockets and streams, the newest first. There are no further"
        " pages. Those of a server process that does not answer within half a second are left out.",
    )
