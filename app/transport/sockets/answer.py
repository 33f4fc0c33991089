"""A query or a mutation on a socket."""

import asyncio
import time
from typing import TYPE_CHECKING

from app.engine.execution import Prepared
from app.transport.runtime import Context
from app.transport.sockets import protocol

if TYPE_CHECKING:
    from app.transport.sockets.socket import Socket


class Answer:
    """One execution and its result."""

    __slots__ = ("_socket", "_task", "id")

    def __init__(self, socket: "Socket", operation_id: str) -> None:
        self.id = operation_id
        self._socket = socket
        self._task: asyncio.Task[None] | None = None

    def open(self, prepared: Prepared, context: Context) -> None:
        """Executes, in a moment."""
        self._task = self._socket.begin(self._execute(prepared, context))

    async def _execute(self, prepared: Prepared, context: Context) -> None:
        socket = self._socket
        began = time.perf_counter()
        response = await socket.runtime.engine.execute(prepared, context)
        socket.runtime.metrics.executed(prepared, response, time.perf_counter() - began)
        await socket.wire.writable.wait()
        if socket.forget(self):
            # The id is free, also for a client that answers our `complete` before we have looked again.
            socket.wire.send_text(protocol.next_(self.id, response.body()))
            socket.wire.send_text(protocol.complete(self.id))

    def resume(self) -> None:
        """Waits for the client by itself."""

    def close(self) -> None:
        """Ends it without a word."""
        if self._task is not None:
            self._task.cancel()
