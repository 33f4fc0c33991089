"""A query or a mutation on a socket."""

import asyncio
import time

from graphql import OperationType

from app.engine.execution.operations import Prepared
from app.engine.streams.model import EndReason
from app.transport.runtime import Context
from app.transport.sockets import protocol
from app.transport.sockets.operation import OperationOwner


class SocketExecution:
    """One execution and its result."""

    __slots__ = ("_must_end", "_socket", "_task", "id", "size")

    def __init__(self, socket: OperationOwner, operation_id: str, size: int) -> None:
        self.id = operation_id
        self.size = size
        """Characters of its document."""
        self._must_end = False
        self._socket = socket
        self._task: asyncio.Task[None] | None = None

    def open(self, prepared: Prepared, context: Context) -> None:
        """Executes, without waiting for it."""
        self._must_end = prepared.kind is OperationType.MUTATION
        self._task = self._socket.begin(self._execute(prepared, context))

    async def _execute(self, prepared: Prepared, context: Context) -> None:
        socket = self._socket
        began = time.perf_counter()
        response = await socket.runtime.engine.execute(prepared, context)
        socket.runtime.metrics.executed(prepared, response, time.perf_counter() - began)
        await socket.wire.writable.wait()
        if socket.forget(self):
            # The id is free before the client can answer our `complete`.
            socket.wire.send_text(protocol.next_(self.id, response.body()))
            socket.wire.send_text(protocol.complete(self.id))

    def resume(self) -> None:
        """Nothing to do: an execution waits for the client by itself."""

    def close(self, reason: EndReason) -> None:
        """Ends it without sending anything. A mutation that has begun runs to its end, as over HTTP."""
        if self._task is not None and not self._must_end:
            self._task.cancel()
