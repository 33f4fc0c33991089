"""From the handshake to the socket, and the shutdown of all sockets."""

import asyncio
import random
from collections.abc import Iterator
from typing import Final

from starlette.responses import Response
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket

from app.engine.execution.encoding import encode
from app.engine.streams.model import EndReason
from app.kit.tasks import end
from app.transport.callers import Callers, client_of
from app.transport.connection_limits import ConnectionKey
from app.transport.messages import JSON
from app.transport.refusals import Refused
from app.transport.request_middleware import request_log_of
from app.transport.runtime import AppRuntime
from app.transport.sockets.admission import SocketAdmission
from app.transport.sockets.protocol import SUBPROTOCOL, CloseCode
from app.transport.sockets.socket import Socket
from app.transport.sockets.socket_server import SocketServer
from app.transport.sockets.wire import EXTENSION, Wire

FEW: Final = 10
"""Up to this many sockets are closed at once when the server stops; more are closed one after the other."""

MUTATION_S: Final = 2.0
"""Seconds that a mutation may take to end when the server stops."""

SPREAD_S: Final = 3.0
"""The longest that closing them takes. It is spread out because all clients reconnect."""

_EACH_S: Final = 0.01
_SUBPROTOCOL: Final = "Subprotocol not acceptable"


def moments_s(sockets: int) -> list[float]:
    """The random moments at which this many sockets are closed."""
    span_s = 0.0 if sockets <= FEW else min(SPREAD_S, sockets * _EACH_S)
    return sorted(random.uniform(0, span_s) for _ in range(sockets))


class SocketEndpoint:
    """`/graphql` for WebSockets: an ASGI application."""

    def __init__(self, runtime: AppRuntime) -> None:
        self._admission = SocketAdmission(runtime.settings, runtime.metrics)
        self._server = SocketServer(runtime, Callers(runtime), self._admission, set())
        self._open: set[Socket] = set()
        runtime.metrics.watch_sockets(self.__len__)
        runtime.maintenance.follow(self._begin_maintenance)

    def __len__(self) -> int:
        return len(self._open)

    def __iter__(self) -> Iterator[Socket]:
        return iter(self._open)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One socket, from its handshake to its end."""
        socket = await self._accepted(scope, receive, send)
        if socket is None:
            return
        # Otherwise it would stay in memory for as long as the socket.
        scope.clear()
        self._open.add(socket)
        try:
            await socket.run()
        except Exception as error:
            socket.fail(error)
        finally:
            self._open.discard(socket)
            # Unless it has ended already for another reason.
            socket.leave(EndReason.DISCONNECTED)

    async def close(self) -> None:
        """Closes all sockets, retryable, and lets no new one in; for the server to stop."""
        self._admission.stop()
        sockets = list(self._open)
        random.shuffle(sockets)
        loop = asyncio.get_running_loop()
        began = loop.time()
        for socket, at_s in zip(sockets, moments_s(len(sockets)), strict=True):
            if (left_s := began + at_s - loop.time()) > 0:
                await asyncio.sleep(left_s)
            socket.close(CloseCode.RESTARTING, "The server is restarting. Connect again.", EndReason.SERVER_STOPPING)
        if self._server.tasks:
            # Mutations: the others ended with their sockets.
            await asyncio.wait(set(self._server.tasks), timeout=MUTATION_S)
        await end(*self._server.tasks)

    def _begin_maintenance(self) -> None:
        for socket in list(self._open):
            socket.begin_maintenance()

    async def _accepted(self, scope: Scope, receive: Receive, send: Send) -> Socket | None:
        websocket = WebSocket(scope, receive, send)
        request_id = request_log_of(websocket).request_id
        socket: Socket | None = None
        key: ConnectionKey | None = None
        try:
            key = self._admission.admit(client_of(websocket))
            caller = await self._server.callers.identify(websocket, request_id)
            wire = await self._shaken(scope, receive, send)
            if wire is not None and not wire.disconnected:
                socket = Socket(self._server, wire, caller, key)
        except Refused as refused:
            body = encode(refused.body(request_id))
            await websocket.send_denial_response(Response(body, refused.status, refused.headers, media_type=JSON))
        finally:
            if socket is None:
                self._admission.release_waiting(key)
        return socket

    async def _shaken(self, scope: Scope, receive: Receive, send: Send) -> Wire | None:
        await receive()
        if SUBPROTOCOL not in scope["subprotocols"]:
            await send({"type": "websocket.accept"})
            await send(
                {"type": "websocket.close", "code": CloseCode.SUBPROTOCOL_NOT_ACCEPTABLE, "reason": _SUBPROTOCOL}
            )
            return None
        await send({"type": "websocket.accept", "subprotocol": SUBPROTOCOL})
        wire: Wire = scope["extensions"][EXTENSION]
        return wire
