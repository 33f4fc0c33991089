"""One accepted socket."""

import asyncio
import itertools
from collections.abc import Coroutine, Mapping
from datetime import datetime
from functools import partial
from typing import Any, Final, assert_never

import msgspec
from graphql import OperationType

from app.engine.execution.operations import Response
from app.engine.streams.budgets import Payer
from app.engine.streams.model import EndReason
from app.kit.errors import Code, Unauthenticated, UnderMaintenance
from app.transport.calls import charged
from app.transport.connection_limits import ConnectionKey
from app.transport.credentials import token_in
from app.transport.maintenance import is_exempt
from app.transport.messages import LARGE_BYTES
from app.transport.preparation import prepare_for
from app.transport.refusals import Refused, error_body
from app.transport.runtime import AppRuntime, Caller
from app.transport.sessions import Ending, Lease
from app.transport.sockets import protocol
from app.transport.sockets.error_mapping import REASONS, closing_for
from app.transport.sockets.execution import SocketExecution
from app.transport.sockets.operation import SocketOperation
from app.transport.sockets.protocol import CloseCode, Closing, Complete, Init, Ping, Pong, Subscribe
from app.transport.sockets.socket_server import SocketServer
from app.transport.sockets.subscription import SocketSubscription
from app.transport.sockets.wire import Wire

DOCUMENT_CHARS: Final = 64 * 1024
"""What is open holds its document, parsed: without a bound one caller's would be gigabytes."""

_TOO_SLOW: Final = "You read too slowly. Subscribe again from there."
_NOT_GOOD: Final = "This token is not good. The socket closes when the one before it expires."
_KEY: Final = "This socket acts by an API key, which is not renewed."
_NOBODY: Final = "This socket is anonymous: open another one with the token."


class Socket:
    """A connection, its caller and its operations. Every end of it goes through `close` or `leave`."""

    __slots__ = (
        "_acknowledged",
        "_caller",
        "_connection_key",
        "_drain",
        "_initialised",
        "_lease",
        "_numbers",
        "_operations",
        "_server",
        "_timer",
        "_waiting",
        "wire",
    )

    def __init__(self, server: SocketServer, wire: Wire, caller: Caller, waiting: ConnectionKey | None) -> None:
        """`waiting` is the key under which it counts until it has been initialised."""
        self.wire = wire
        self._server = server
        # A frame sets no cookies, and no refresh token is ever read again.
        self._caller = msgspec.structs.replace(caller, from_browser=False, refresh_token=None, device_token=None)
        self._operations: dict[str, SocketOperation] = {}
        self._numbers = itertools.count(1)
        self._initialised = False
        self._acknowledged = False
        self._lease: Lease | None = None
        self._waiting = waiting
        self._connection_key: ConnectionKey | None = None
        self._timer: asyncio.TimerHandle | None = asyncio.get_running_loop().call_later(
            server.runtime.settings.socket_init_timeout_s, self._not_initialised
        )
        self._drain: asyncio.TimerHandle | None = None
        wire.flow = self

    @property
    def runtime(self) -> AppRuntime:
        """The runtime of the transports."""
        return self._server.runtime

    @property
    def payer(self) -> Payer:
        """Whose budgets its subscriptions are charged to."""
        return Payer(self, self._connection_key, self._caller.viewer is not None)

    async def run(self) -> None:
        """Answers messages until the connection is over. Raises Closing, or any other failure."""
        while True:
            frame = await self.wire.receive()
            # What came before we closed is not answered any more: the session may be over.
            if frame["type"] == "websocket.disconnect" or self.wire.close_sent:
                return
            size = len(str(frame.get("text") or ""))
            read = partial(protocol.parse, dict(frame))
            checks = self._server.runtime.engine.checks
            await self._handle(read() if size <= LARGE_BYTES else await checks.run(self._connection_key, read), size)
            # A client that does not read our answers gets no further ones.
            await self.wire.writable.wait()

    def close(self, code: CloseCode, text: str, reason: EndReason) -> None:
        """Closes the socket with this code and text. `reason` is why its subscriptions end."""
        self.wire.end(code, text)
        self.leave(reason)

    def fail(self, error: BaseException) -> None:
        """Closes the socket for an error."""
        closing = closing_for(error)
        self.close(closing.code, closing.reason, REASONS.get(closing.code, EndReason.CLIENT_ERROR))

    def begin_maintenance(self) -> None:
        """Closes the socket, retryable, if it has subscriptions and its caller is no admin. Others may stay."""
        has_streams = any(isinstance(each, SocketSubscription) for each in self._operations.values())
        if has_streams and not is_exempt(self._caller.viewer):
            self.close(CloseCode.TRY_AGAIN_LATER, UnderMaintenance(None, 0).message, EndReason.MAINTENANCE)

    def leave(self, reason: EndReason) -> None:
        """Ends everything without sending anything. Idempotent."""
        self.wire.flow = None
        for timer in (self._timer, self._drain):
            if timer is not None:
                timer.cancel()
        self._timer = self._drain = None
        if self._lease is not None:
            self._lease.close()
        for operation in self._operations.values():
            operation.close(reason)
        self._operations.clear()
        if self._connection_key is not None:
            self._server.admission.release(self._connection_key)
            self._connection_key = None
        self._release_waiting()

    def _release_waiting(self) -> None:
        self._server.admission.release_waiting(self._waiting)
        self._waiting = None

    # Called by operations

    def begin(self, work: Coroutine[Any, Any, None]) -> "asyncio.Task[None]":
        """Runs work that the socket does not outlive: if it fails, so does the socket."""
        task = asyncio.create_task(work)
        # The event loop itself would let a task be collected while it waits.
        self._server.tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: "asyncio.Task[None]") -> None:
        self._server.tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self.fail(error)

    def has(self, operation: SocketOperation) -> bool:
        """Whether the operation is open."""
        return self._operations.get(operation.id) is operation

    def forget(self, operation: SocketOperation) -> bool:
        """Frees the operation's id; False: it was over before."""
        # A client that completes an operation may use its id again at once, for another.
        if not self.has(operation):
            return False
        del self._operations[operation.id]
        return True

    # Called by the wire

    def pause(self) -> None:
        """Gives the client, which is behind, some time to catch up."""
        if self._drain is None:
            loop = asyncio.get_running_loop()
            self._drain = loop.call_later(self.runtime.settings.socket_drain_s, self._evict)

    def resume(self) -> None:
        """The client has caught up."""
        if self._drain is not None:
            self._drain.cancel()
            self._drain = None
        for operation in list(self._operations.values()):
            operation.resume()

    def _evict(self) -> None:
        self.runtime.subscriptions.counters.evictions += 1
        self.close(CloseCode.TRY_AGAIN_LATER, _TOO_SLOW, EndReason.SLOW_READER)

    # What the client says

    async def _handle(self, message: protocol.ClientMessage, size_bytes: int) -> None:
        if self.wire.close_sent:
            return
        match message:
            case Init():
                await self._init(message)
            case Ping():
                has_token = await self._renew(message.payload)
                self.wire.send_text(protocol.pong(None if has_token else message.payload))
            case Pong():
                await self._renew(message.payload)
            case Subscribe():
                await self._subscribe(message, size_bytes)
            case Complete():
                # Not known: it has just completed by itself, and the two messages have crossed.
                if (operation := self._operations.pop(message.id, None)) is not None:
                    operation.close(EndReason.COMPLETED)
            case _:
                assert_never(message)

    def _not_initialised(self) -> None:
        self.close(CloseCode.INIT_TIMEOUT, "Connection initialisation timeout", EndReason.CLIENT_ERROR)

    async def _init(self, message: Init) -> None:
        if self._initialised:
            raise Closing(CloseCode.TOO_MANY_INITS, "Too many initialisation requests")
        self._initialised = True
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._caller = await self._server.introduced(message.payload or {}, self._caller)
        self._connection_key = self._server.admission.acquire(self._caller)
        self._release_waiting()
        if self._caller.is_known:
            self._lease = Lease(
                self.runtime.sessions,
                self._over,
                warning_s=self.runtime.settings.socket_token_warning_s,
                warn=self._warn,
            )
            # It may have ended while it was authenticated, or since the handshake.
            if not self._lease.take(self._caller.viewer, self._caller.tenancy):
                raise _forbidden()
        self.wire.send_text(protocol.ACK)
        self._acknowledged = True

    async def _renew(self, payload: Mapping[str, Any] | None) -> bool:
        """Continues with the token that the client has sent. Returns False when it has sent none.

        Raises Closing when the token belongs to another user.
        """
        if payload is None:
            return False
        if payload.get("renewed") is True and self._lease is not None:
            self._lease.recheck()
            return True
        if not self._acknowledged:
            return False
        lease, before = self._lease, self._caller.viewer
        try:
            token = token_in(payload)
            if token is None:
                return False
            if lease is None or before is None:
                self.wire.send_text(protocol.ping({"error": _NOBODY if lease is None else _KEY}))
                return True
            viewer = (await self._server.callers.bearing(token, self._caller)).viewer if token else None
        except (Unauthenticated, Refused) as error:
            self.wire.send_text(protocol.ping({"error": error.message}))
            return True
        if viewer is None:
            self.wire.send_text(protocol.ping({"error": _NOT_GOOD}))
        elif viewer.user_id != before.user_id:
            raise _forbidden()
        elif lease.viewer is None or not lease.take(viewer, self._caller.tenancy):
            self._over(Ending.ENDED)
        else:
            self._caller = msgspec.structs.replace(self._caller, viewer=viewer)
        return True

    def _warn(self, expires_at: datetime) -> None:
        left_s = max(0, round(self.runtime.sessions.seconds_until(expires_at)))
        payload = {"expiresAt": expires_at.isoformat(), "expiresInS": left_s}
        self.wire.send_text(protocol.ping(payload))

    def _over(self, ending: Ending) -> None:
        code = CloseCode.TRY_AGAIN_LATER if ending is Ending.UNSURE else CloseCode.FORBIDDEN
        self.close(code, ending.value, ending.reason)

    async def _subscribe(self, message: Subscribe, size_bytes: int) -> None:
        if not self._acknowledged:
            raise Closing(CloseCode.UNAUTHORIZED, "Unauthorized")
        if message.id in self._operations:
            raise Closing(CloseCode.SUBSCRIBER_EXISTS, f"Subscriber for {message.id} already exists")
        caller = msgspec.structs.replace(self._caller, request_id=f"{self._caller.request_id}.{next(self._numbers)}")
        if (reason := self._no_room_for(message.payload.query)) is not None:
            self._refuse(message.id, error_body(reason, Code.RATE_LIMITED, caller.request_id)["errors"])
            return
        try:
            caller = await charged(caller, self.runtime)
            prepared = await prepare_for(caller, message.payload.params(size_bytes), self.runtime)
        except Refused as refused:
            self._refuse(message.id, refused.body(caller.request_id)["errors"])
            return
        if self.wire.close_sent or self.wire.disconnected:
            # Its session may have ended meanwhile.
            return
        if isinstance(prepared, Response):
            self._refuse(message.id, prepared.errors)
            return
        is_stream = prepared.kind is OperationType.SUBSCRIPTION
        size = len(message.payload.query)
        kind = SocketSubscription if is_stream else SocketExecution
        operation: SocketOperation = kind(self, message.id, size)
        self._operations[message.id] = operation
        operation.open(prepared, self.runtime.new_context(caller))

    def _no_room_for(self, query: str) -> str | None:
        limit = self.runtime.settings.socket_subscription_limit
        if len(self._operations) >= limit:
            return f"This socket has {limit} operations open already: complete one, or open another socket."
        if len(query) + sum(operation.size for operation in self._operations.values()) > DOCUMENT_CHARS:
            return f"The documents of a socket's open operations may have {DOCUMENT_CHARS:,} characters together."
        return None

    def _refuse(self, operation_id: str, errors: list[dict[str, Any]]) -> None:
        self.runtime.metrics.refused()
        self.wire.send_text(protocol.error(operation_id, errors))


def _forbidden() -> Closing:
    return Closing(CloseCode.FORBIDDEN, "Forbidden")
