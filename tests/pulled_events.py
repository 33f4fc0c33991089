"""A subscription as an asynchronous iterator, for tests that pull its events."""

from collections.abc import AsyncGenerator

from app.engine.execution.operations import Prepared, RequestContext
from app.engine.streams.budgets import Payer
from app.engine.streams.iterator import Failed, PulledSubscription
from app.engine.streams.model import Delivery, EndReason, Transport
from app.engine.streams.subscriptions import Subscriptions


async def iterate(
    subscriptions: Subscriptions,
    prepared: Prepared,
    context: RequestContext,
    transport: Transport,
    payer: Payer,
    *,
    after: str | None = None,
) -> AsyncGenerator[Delivery | Failed, None]:
    """The events of a subscription. Close the generator (`aclose`) to stop."""
    pulled = PulledSubscription(subscriptions, prepared, context, transport, payer, after)
    try:
        while True:
            event = await pulled.next()
            yield event
            if isinstance(event, Failed):
                return
    finally:
        pulled.close(EndReason.COMPLETED)
