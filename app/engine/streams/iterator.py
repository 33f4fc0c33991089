"""A subscription whose events are pulled, one after the other."""

import asyncio
from collections import deque
from collections.abc import Sequence
from typing import Any, Final

import msgspec

from app.engine.execution.operations import Prepared, RequestContext
from app.engine.streams.budgets import Payer
from app.engine.streams.model import Delivery, EndReason, Transport
from app.engine.streams.subscription import Subscription
from app.engine.streams.subscriptions import Subscriptions

BUDGET_BYTES: Final = 64 * 1024
"""The maximum size of what is buffered for one reader. Further events stay in the stream."""


class Failed(msgspec.Struct, frozen=True):
    """The subscription was refused, or ended with errors."""

    errors: list[dict[str, Any]]
    """The errors in the form that a client sees."""


class PulledSubscription:
    """A subscription, opened when its first event is pulled. Its cost is charged to `payer` until it is closed."""

    def __init__(  # noqa: PLR0917  # six different types: no two can be confused
        self,
        subscriptions: Subscriptions,
        prepared: Prepared,
        context: RequestContext,
        transport: Transport,
        payer: Payer,
        after: str | None = None,
    ) -> None:
        self._subscriptions = subscriptions
        self._prepared = prepared
        self._context = context
        self._transport = transport
        self._payer = payer
        self._after = after
        self._inbox = _Inbox()
        self._opened: Subscription | None = None

    async def next(self) -> Delivery | Failed:
        """The next event. Failed is the last. One call at a time; close it also if a call was cancelled."""
        if self._opened is None:
            opened = await self._subscriptions.open(
                self._prepared, self._context, self._inbox, self._transport, self._payer, after=self._after
            )
            if isinstance(opened, list):
                return Failed(opened)
            self._opened = opened
        return await self._inbox.next(self._opened)

    def close(self, reason: EndReason) -> None:
        """Ends the subscription, if it has not ended already. Idempotent."""
        if self._opened is not None:
            self._opened.close(reason)


class _Inbox:
    """A sink with a buffer of limited size."""

    def __init__(self) -> None:
        self._errors: list[dict[str, Any]] | None = None
        self._waiting: deque[Delivery] = deque()
        self._bytes = 0
        self._refused = False
        self._ready = asyncio.Event()

    def deliver(self, deliveries: Sequence[Delivery]) -> bool:
        if self._bytes >= BUDGET_BYTES:
            self._refused = True
            return False
        self._waiting.extend(deliveries)
        self._bytes += sum(len(delivery.body) for delivery in deliveries)
        self._ready.set()
        return True

    def finish(self, errors: list[dict[str, Any]]) -> None:
        self._errors = errors
        self._ready.set()

    async def next(self, subscription: Subscription) -> Delivery | Failed:
        """The next event; Failed after the last."""
        while not self._waiting:
            if self._errors is not None:
                return Failed(self._errors)
            # Cleared first, since resuming may deliver at once.
            self._ready.clear()
            if self._refused:
                self._refused = False
                subscription.resume()
            await self._ready.wait()
        delivery = self._waiting.popleft()
        self._bytes -= len(delivery.body)
        return delivery
