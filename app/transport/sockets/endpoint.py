"""From the handshake to the socket."""

import asyncio
import contextlib
from typing import Final

import structlog
from starlette.responses import Response
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket, WebSocketDisconnect

from app.engine.encoding import encode
from app.kit.errors import Problem
from app.transport.callers import Callers
from app.transport.envelope import exchange_of
from app.transport.messages import JSON
from app.transport.refusals import Refused
from app.transport.runtime import AppRuntime
from app.transport.sockets.protocol import SUBPROTOCOL, CloseCode, Closing
from app.transport.sockets.socket import Socket

CLOSE_S: Final = 1.0
"""Seconds that the closing frame gets to leave; a reader that is stuck does not see it anyway."""

log = structlog.get_logger(__name__)


class Sockets:
    """`/graphql` for WebSockets: an ASGI application."""

    def __init__(self, runtime: AppRuntime) -> None:
        self._runtime = runtime
        self._callers = Callers(runtime)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One socket, from its handshake to its end."""
        websocket = WebSocket(scope, receive, send)
        request_id = exchange_of(websocket).request_id
        try:
            # Before the socket is accepted: a foreign page with our visitor's cookies gets no socket at all.
            caller = await self._callers.identify(websocket, request_id)
        except Refused as refused:
            body = encode(refused.body(request_id))
            await websocket.send_denial_response(Response(body, refused.status, refused.headers, media_type=JSON))
            return
        with contextlib.suppress(WebSocketDisconnect):
            if SUBPROTOCOL not in scope["subprotocols"]:
                await websocket.accept()
                await websocket.close(CloseCode.SUBPROTOCOL_NOT_ACCEPTABLE, "Subprotocol not acceptable")
                return
            await websocket.accept(SUBPROTOCOL)
            with self._runtime.metrics.sockets.track_inprogress():
                closing = await _ending(Socket(websocket, self._runtime, self._callers, caller))
            if closing is not None:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(CLOSE_S):
                        await websocket.close(closing.code, closing.reason)


async def _ending(socket: Socket) -> Closing | None:
    """Runs a socket; how it is to be closed, or None when the client has gone."""
    try:
        await socket.run()
    except BaseExceptionGroup as group:
        # Whatever else fails while a socket ends, fails because it ends.
        error = group.exceptions[0]
        if isinstance(error, Closing):
            return error
        if isinstance(error, WebSocketDisconnect):
            return None
        if isinstance(error, Problem):
            return Closing(CloseCode.TRY_AGAIN_LATER, error.message)
        log.exception("socket.failed")
        return Closing(CloseCode.INTERNAL, "Internal error.")
    return None
