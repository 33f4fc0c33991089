"""A subscription on a socket."""

import asyncio
from collections.abc import Sequence
from functools import partial
from typing import Any

from app.engine.execution.operations import Prepared
from app.engine.streams.model import Delivery, EndReason, Transport
from app.engine.streams.subscription import Subscription
from app.kit.errors import RateLimited
from app.transport.calls import count_minutes
from app.transport.refusals import error_body
from app.transport.runtime import Context
from app.transport.sockets import protocol
from app.transport.sockets.operation import OperationOwner


class SocketSubscription:
    """A subscription's sink: it writes at once, or returns that it cannot. It has no task once it is open."""

    __slots__ = ("_minutes", "_opening", "_refused", "_socket", "_subscription", "_task", "id", "size")

    def __init__(self, socket: OperationOwner, operation_id: str, size: int) -> None:
        self.id = operation_id
        self.size = size
        """Characters of its document."""
        self._socket = socket
        self._opening = protocol.opening(operation_id)
        self._refused = False
        self._subscription: Subscription | None = None
        self._task: asyncio.Task[None] | None = None
        self._minutes: asyncio.Task[None] | None = None

    def open(self, prepared: Prepared, context: Context) -> None:
        """Subscribes, without waiting for it."""
        self._task = self._socket.begin(self._open(prepared, context))

    async def _open(self, prepared: Prepared, context: Context) -> None:
        opened = await self._socket.runtime.subscriptions.open(
            prepared, context, self, Transport.WEBSOCKET, self._socket.payer
        )
        self._task = None
        if isinstance(opened, list):
            self.finish(opened)
            return
        self._subscription = opened
        if (tenancy := context.tenancy) is not None and tenancy.key is not None:
            counting = count_minutes(self._socket.runtime, tenancy, partial(self._over, context.request_id))
            self._minutes = self._socket.begin(counting)
        if not self._socket.has(self):
            # The engine ended it while it was being opened.
            opened.close(EndReason.COMPLETED)
        elif not self._socket.wire.paused:
            self.resume()

    def deliver(self, deliveries: Sequence[Delivery]) -> bool:
        """Writes a frame for each, in one go; False while the client is behind."""
        wire = self._socket.wire
        if wire.paused:
            self._refused = True
            return False
        wire.send_events(self._opening, deliveries)
        return True

    def resume(self) -> None:
        """Continues after the client has caught up: asks for what was not taken."""
        if self._refused and self._subscription is not None:
            self._refused = False
            self._subscription.resume()

    def finish(self, errors: list[dict[str, Any]]) -> None:
        """Sends the end. The id is free from here on."""
        self._stop_counting()
        if self._socket.forget(self):
            self._socket.wire.send_text(protocol.error(self.id, errors))

    def close(self, reason: EndReason) -> None:
        """Ends it without sending anything."""
        self._stop_counting()
        if self._task is not None:
            self._task.cancel()
        if self._subscription is not None:
            self._subscription.close(reason)

    def _over(self, request_id: str, limited: RateLimited) -> None:
        """The API key has reached a limit."""
        self._minutes = None
        if self._subscription is not None:
            self._subscription.close(EndReason.FORBIDDEN)
        self.finish(error_body(limited.message, limited.code, request_id)["errors"])

    def _stop_counting(self) -> None:
        if self._minutes is not None:
            self._minutes.cancel()
            self._minutes = None
