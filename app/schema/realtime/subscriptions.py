"""Open subscriptions: the viewer's, as data, and how to close one."""

from datetime import datetime
from typing import Annotated, Any

import strawberry

from app.engine.declarations.nodes import record_type
from app.engine.declarations.pages import MAX_SIZE
from app.engine.declarations.problems import NotFound, mutation
from app.engine.streams.model import Transport
from app.kit.errors import InvalidInput
from app.schema.context import Info
from app.schema.enums import declare_enum
from app.schema.realtime import registry

DEFAULT_SIZE = 50

declare_enum(
    Transport,
    name="StreamTransport",
    WEBSOCKET="A WebSocket with the graphql-transport-ws protocol.",
    SSE="A stream of server-sent events.",
    MULTIPART="A stream of parts: the protocol of Apollo's clients over HTTP.",
)


@record_type(registry.OpenStream)
class OpenStream:
    """An open subscription, as it was when it was read."""

    id: strawberry.ID = strawberry.field(
        description="Identifies the subscription for `closeStream`. A client that reconnects gets a new one."
    )
    document: str = strawberry.field(
        description="The GraphQL document, as printed by the server, without the values of variables and without"
        f" `after`; cut off at {registry.MAX_DOCUMENT:,} characters."
    )
    transport: Transport = strawberry.field(description="The connection that carries the events to the client.")
    opened_at: datetime = strawberry.field(description="When the subscription was opened.")
    delivered: int = strawberry.field(
        description="The number of events passed on for sending since the subscription was opened, including replayed"
        f" ones. The count stops at {registry.MAX_INT:,}."
    )
    lag: int = strawberry.field(
        description="The number of events that wait to be passed on. It is 0 if the subscription is up to date, or if"
        " its topic keeps only the latest value."
    )


async def _subscriptions(
    root: Any,
    info: Info,
    first: Annotated[
        int | None,
        strawberry.argument(
            description=f"The number of subscriptions, 1 to {MAX_SIZE}. Null: {DEFAULT_SIZE}. It multiplies the cost"
            " of the selected fields."
        ),
    ] = DEFAULT_SIZE,
) -> Any:
    first = DEFAULT_SIZE if first is None else first
    if not 1 <= first <= MAX_SIZE:
        raise InvalidInput("first", f"`first` must be between 1 and {MAX_SIZE}.")
    return await info.context.runtime.open_streams.newest(root.user_id, first)


@strawberry.input
class CloseStreamInput:
    """The subscription to close."""

    id: strawberry.ID = strawberry.field(description="The `id` of one of the viewer's open subscriptions.")


@strawberry.type
class CloseStreamPayload:
    """The subscription was closed, and its client was notified."""

    deleted_id: strawberry.ID = strawberry.field(description="The `id` of the closed subscription.")


@strawberry.type
class SubscriptionMutation:
    """Changes to open subscriptions."""

    @mutation(CloseStreamPayload, NotFound)
    async def close_stream(self, info: Info, input: CloseStreamInput) -> Any:
        """Closes one of the viewer's subscriptions, whichever connection carries it.

        Its client receives an error with the code STREAM_CLOSED and no further event. `NotFound` means that the viewer
        has no open subscription with this `id`. If a server process that may hold the subscription does not answer,
        there is an error with the code MAINTENANCE; the subscription may have been closed even so.
        """
        viewer = info.context.require_viewer()
        await info.context.runtime.open_streams.close(viewer.user_id, input.id)
        return CloseStreamPayload(deleted_id=input.id)


@strawberry.type
class SubscriptionViewer:
    """The viewer's open subscriptions."""

    open_streams: list[OpenStream] = strawberry.field(
        resolver=_subscriptions,
        graphql_type=list[OpenStream],
        description="The viewer's open subscriptions on all connections, newest first. There are no further pages."
        " Subscriptions of a server process that does not answer within half a second are missing.",
    )
