"""A subscription as an iterator, for callers that pull events."""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Sequence
from typing import Any, Final

import msgspec

from app.engine.execution.operations import Prepared, RequestContext
from app.engine.streams.budgets import Payer
from app.engine.streams.model import Delivery, Transport
from app.engine.streams.subscription import Subscription
from app.engine.streams.subscriptions import Subscriptions

BUDGET_BYTES: Final = 64 * 1024
"""The maximum size of what is buffered for one reader. Further events stay in the stream."""


class Failed(msgspec.Struct, frozen=True):
    """The subscription was refused, or ended with errors."""

    errors: list[dict[str, Any]]
    """The errors in the form that a client sees."""


async def iterate(
    subscriptions: Subscriptions,
    prepared: Prepared,
    context: RequestContext,
    transport: Transport,
    payer: Payer,
    *,
    after: str | None = None,
) -> AsyncGenerator[Delivery | Failed, None]:
    """The events of a subscription. Failed can only be the last item. Close the generator (`aclose`) to stop.

    The cost is charged to `payer` until then.
    """
    inbox = _Inbox()
    opened = await subscriptions.open(prepared, context, inbox, transport, payer, after=after)
    if isinstance(opened, list):
        yield Failed(opened)
        return
    try:
        while (delivery := await inbox.next(opened)) is not None:
            yield delivery
        if inbox.errors is not None:
            yield Failed(inbox.errors)
    finally:
        opened.close()


class _Inbox:
    """A sink with a buffer of limited size."""

    def __init__(self) -> None:
        self.errors: list[dict[str, Any]] | None = None
        self._waiting: deque[Delivery] = deque()
        self._bytes = 0
        self._refused = False
        self._finished = False
        self._ready = asyncio.Event()

    def deliver(self, deliveries: Sequence[Delivery]) -> bool:
        if self._bytes >= BUDGET_BYTES:
            self._refused = True
            return False
        self._waiting.extend(deliveries)
        self._bytes += sum(len(delivery.body) for delivery in deliveries)
        self._ready.set()
        return True

    def finish(self, errors: list[dict[str, Any]] | None) -> None:
        self.errors = errors
        self._finished = True
        self._ready.set()

    async def next(self, subscription: Subscription) -> Delivery | None:
        """The next event; None after the last."""
        while not self._waiting:
            if self._finished:
                return None
            # Cleared first, since resuming may deliver at once.
            self._ready.clear()
            if self._refused:
                self._refused = False
                subscription.resume()
            await self._ready.wait()
        delivery = self._waiting.popleft()
        self._bytes -= len(delivery.body)
        return delivery
