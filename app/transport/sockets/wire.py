"""The server's end of one WebSocket: uvicorn's protocol, with a faster path for messages that go to many sockets.

What belongs to the connection alone goes through ASGI. An event that was encoded once for all its subscribers does not:
its frame is spliced around the shared bytes and handed to the transport at once.
"""

import asyncio
from asyncio.transports import BaseTransport
from collections.abc import Sequence
from typing import Any, Final, Protocol, cast

from uvicorn._types import ASGIReceiveEvent, ASGISendEvent
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import Frame
from websockets.http11 import Request

from app.engine.streams.model import Delivery, EndReason

EXTENSION: Final = "moneta.wire"
"""Where the application finds the wire: in `scope["extensions"]`."""

HIGH_WATER_BYTES: Final = 64 * 1024
"""A connection that buffers more than this for its peer is paused until most of it was sent."""

CLOSE_S: Final = 1.0
"""Seconds that a peer has to answer our close frame."""

_INVALID_DATA: Final = 1007
_TRY_AGAIN_LATER: Final = 1013
_TEXT: Final = 0x81
"""The first byte of a whole text frame."""


class Flow(Protocol):
    """Receives how fast the peer reads, and that the wire ends by itself."""

    def pause(self) -> None:
        """The peer is behind: only urgent messages are written."""
        ...

    def resume(self) -> None:
        """The peer has caught up."""
        ...

    def leave(self, reason: EndReason) -> None:
        """The wire closes the connection for this reason."""
        ...


class Wire(WebSocketsSansIOProtocol):
    """A connection. Its methods return at once, and do nothing more once it is being closed."""

    flow: Flow | None = None
    paused = False
    """Whether the peer is behind."""

    def __init__(self, *args: Any, **named: Any) -> None:
        super().__init__(*args, **named)
        # asyncio's own would hold 2 KB for each of many thousand idle sockets.
        self.queue = Inbox()  # type: ignore[assignment]
        self.writable = Gate()  # type: ignore[assignment]

    def send_text(self, payload: bytes) -> None:
        """Writes one message."""
        if not self.close_sent and not self.disconnected:
            self.transport.write(b"%s%s" % (_header(len(payload)), payload))

    def send_events(self, opening: bytes, deliveries: Sequence[Delivery]) -> None:
        """Writes a message for each: `opening`, the body, and a brace."""
        if self.close_sent or self.disconnected:
            return
        frames = _last_frames
        if frames.deliveries is not deliveries or frames.opening_length != len(opening):
            frames.splice(len(opening), deliveries)
        self.transport.write(opening.join(frames.pieces))

    def end(self, code: int, reason: str) -> None:
        """Closes with this code; the connection is gone after CLOSE_S even if the peer says nothing."""
        if self.close_sent or self.disconnected or self.transport.is_closing():
            return
        self.stop_keepalive()
        self.conn.send_close(code, reason)
        self.transport.write(b"".join(self.conn.data_to_send()))
        self.close_sent = True
        self.queue.put_nowait({"type": "websocket.disconnect", "code": code, "reason": reason})
        if self.read_paused:
            self.read_paused = False
            self.transport.resume_reading()
        self.close_timer = self.loop.call_later(CLOSE_S, self.transport.abort)
        # Writers need not wait any more.
        self.writable.set()

    # What uvicorn and the event loop call

    def connection_made(self, transport: BaseTransport) -> None:
        """Sets how much may wait for the peer."""
        super().connection_made(transport)
        cast(asyncio.WriteTransport, transport).set_write_buffer_limits(high=HIGH_WATER_BYTES)

    def handle_connect(self, event: Request) -> None:
        """Passes this connection to the application, next to ASGI."""
        super().handle_connect(event)
        if not self.handshake_complete:
            cast(dict[str, Any], self.scope["extensions"])[EXTENSION] = self

    async def send(self, message: ASGISendEvent) -> None:
        """Releases the handshake once it is over."""
        await super().send(message)
        if message["type"] == "websocket.accept":
            # The parser holds on to the request as well.
            self.request.headers.clear()
            del self.request, self.response
        elif message["type"] == "websocket.http.response.body" and self.close_sent:
            # A refusal ends the handshake. uvicorn would take it for one that we forgot, and log an error.
            self.handshake_complete = True

    def pause_writing(self) -> None:
        """The transport buffers more than its limit."""
        super().pause_writing()
        self.paused = True
        if self.flow is not None:
            self.flow.pause()

    def resume_writing(self) -> None:
        """The transport holds little again."""
        super().resume_writing()
        self.paused = False
        if self.flow is not None:
            self.flow.resume()

    def handle_cont(self, event: Frame) -> None:
        """Assembles a message from its frames. The frames are not kept, so empty ones cannot evade the limit."""
        frames = cast(list[bytes | bytearray], self.frames)
        whole = frames[0]
        if not isinstance(whole, bytearray):
            frames[0] = whole = bytearray(whole)
        whole += event.data
        if event.fin:
            self.send_receive_event_to_app()

    def send_receive_event_to_app(self) -> None:
        """Passes on a complete message. Text that is not UTF-8 is an error of the peer, and is not logged."""
        if self.curr_msg_data_type == "text" and not self.close_sent:
            try:
                self.frames[0].decode()
            except UnicodeDecodeError:
                self.frames = []
                self._end(_INVALID_DATA, "Send UTF-8.", EndReason.CLIENT_ERROR)
                return
        super().send_receive_event_to_app()

    def handle_ping(self) -> None:
        """Answers a ping, unless the peer does not even read the answers that it has."""
        answer = b"".join(self.conn.data_to_send())
        if not self.paused:
            self.transport.write(answer)

    def handle_parser_exception(self) -> None:
        """The peer broke the protocol of WebSockets, or sent a message that is too large."""
        super().handle_parser_exception()
        if self.flow is not None:
            self.flow.leave(EndReason.CLIENT_ERROR)

    def keepalive_timeout(self) -> None:
        """The peer has not answered our ping. Clients come back after 1013, not after uvicorn's own 1011."""
        self.pong_timer = None
        self.pending_ping_payload = None
        self._end(_TRY_AGAIN_LATER, "You did not answer a ping.", EndReason.UNRESPONSIVE)

    def _end(self, code: int, text: str, reason: EndReason) -> None:
        self.end(code, text)
        if self.flow is not None:
            self.flow.leave(reason)

    def shutdown(self) -> None:
        """Closes with 1012 when the server stops, unless the connection is closing already: that has its own end."""
        if not self.close_sent and not self.transport.is_closing():
            super().shutdown()


class Inbox:
    """Received messages for one reader: the same as `asyncio.Queue`, in a fraction of its memory."""

    __slots__ = ("_messages", "_reader")

    def __init__(self) -> None:
        self._messages: list[ASGIReceiveEvent] | None = None
        self._reader: asyncio.Future[None] | None = None

    def put_nowait(self, message: ASGIReceiveEvent) -> None:
        """Adds a message. The transport is not read while one waits, so that there are never many."""
        if self._messages is None:
            self._messages = []
        self._messages.append(message)
        if self._reader is not None and not self._reader.done():
            self._reader.set_result(None)

    def empty(self) -> bool:
        """Whether nothing waits."""
        return self._messages is None

    async def get(self) -> ASGIReceiveEvent:
        """The next message."""
        while self._messages is None:
            self._reader = asyncio.get_running_loop().create_future()
            try:
                await self._reader
            finally:
                self._reader = None
        message = self._messages.pop(0)
        if not self._messages:
            self._messages = None
        return message


class Gate:
    """The same as `asyncio.Event`, in a fraction of its memory."""

    __slots__ = ("_is_open", "_waiting")

    def __init__(self) -> None:
        self._is_open = True
        self._waiting: list[asyncio.Future[None]] | None = None

    def is_set(self) -> bool:
        """Whether `wait` returns at once."""
        return self._is_open

    def set(self) -> None:
        """Opens the gate."""
        self._is_open = True
        waiting, self._waiting = self._waiting or (), None
        for each in waiting:
            if not each.done():
                each.set_result(None)

    def clear(self) -> None:
        """Shuts the gate."""
        self._is_open = False

    async def wait(self) -> None:
        """Returns when it is open."""
        while not self._is_open:
            if self._waiting is None:
                self._waiting = []
            passing: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._waiting.append(passing)
            await passing


class _Frames:
    """The last deliveries as frames without their openings. Ids mostly have the same length, so everything after the
    opening is the same for all subscribers of an event."""

    __slots__ = ("deliveries", "opening_length", "pieces")

    def __init__(self) -> None:
        self.opening_length = 0
        self.deliveries: Sequence[Delivery] = ()
        self.pieces: list[bytes] = []

    def splice(self, opening_length: int, deliveries: Sequence[Delivery]) -> None:
        """Pieces between which the openings go."""
        self.opening_length, self.deliveries = opening_length, deliveries
        self.pieces, rest = [], b""
        for delivery in deliveries:
            self.pieces.append(rest + _header(opening_length + len(delivery.body) + 1))
            rest = delivery.body + b"}"
        self.pieces.append(rest)


_last_frames: Final = _Frames()


def _header(length: int) -> bytes:
    """The header of a complete text frame. Frames of a server are not masked."""
    if length < 126:
        return bytes((_TEXT, length))
    if length < 65_536:
        return b"\x81\x7e" + length.to_bytes(2)
    return b"\x81\x7f" + length.to_bytes(8)
