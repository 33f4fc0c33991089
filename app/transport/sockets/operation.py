"""What a socket and its operations know of each other."""

import asyncio
from collections.abc import Coroutine
from typing import Any, Protocol

from app.engine.execution.operations import Prepared
from app.engine.streams.budgets import Payer
from app.engine.streams.model import EndReason
from app.transport.runtime import AppRuntime, Context
from app.transport.sockets.wire import Wire


class SocketOperation(Protocol):
    """An open operation of a socket, as the socket sees it."""

    id: str
    size: int
    """Characters of its document."""

    def open(self, prepared: Prepared, context: Context) -> None:
        """Begins the operation without waiting for it."""
        ...

    def resume(self) -> None:
        """Continues after the client has caught up."""
        ...

    def close(self, reason: EndReason) -> None:
        """Ends the operation without sending anything."""
        ...


class OperationOwner(Protocol):
    """A socket, as its operations see it."""

    wire: Wire

    @property
    def runtime(self) -> AppRuntime:
        """The runtime of the transports."""
        ...

    @property
    def payer(self) -> Payer:
        """Whose budgets the subscriptions of the socket are charged to."""
        ...

    def begin(self, work: Coroutine[Any, Any, None]) -> "asyncio.Task[None]":
        """Runs work that ends with the socket; if the work fails, the socket is closed."""
        ...

    def has(self, operation: SocketOperation) -> bool:
        """Whether the operation is open."""
        ...

    def forget(self, operation: SocketOperation) -> bool:
        """Frees the operation's id. Returns False when the operation was over before."""
        ...
