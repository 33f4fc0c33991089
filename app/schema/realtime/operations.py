"""What can be done about open subscriptions."""

from typing import Any

import strawberry

from app.engine.problems import mutation
from app.kit.errors import NotFound
from app.schema.context import Info


@strawberry.input(description="Which subscription to close.")
class CloseSubscriptionInput:
    """Which subscription to close."""

    subscription_id: strawberry.ID = strawberry.field(description="The id of an `OpenSubscription` of the viewer's.")


@strawberry.type(description="The subscription was closed; its client was told that it is complete.")
class CloseSubscriptionPayload:
    """The subscription was closed."""

    subscription_id: strawberry.ID = strawberry.field(description="The id that was given.")


@strawberry.type
class RealtimeMutation:
    """What can be done about open subscriptions."""

    @mutation(
        CloseSubscriptionPayload,
        NotFound,
        description="Closes one of the viewer's subscriptions on whichever socket or stream it is. Its client gets"
        " `complete` and no further event. `NotFound` says that none of this id is open: closed before, never there,"
        " or another's. Where it may be in a server process that did not answer: an error with the code MAINTENANCE;"
        " it may be closed all the same.",
    )
    async def close_subscription(self, info: Info, input: CloseSubscriptionInput) -> Any:
        """Closes one of the viewer's subscriptions."""
        viewer = info.context.require_viewer()
        await info.context.runtime.open_subscriptions.close(viewer.user_id, input.subscription_id)
        return CloseSubscriptionPayload(subscription_id=input.subscription_id)
