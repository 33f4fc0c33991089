"""uvicorn's HTTP/1.1 with limits that it leaves to a proxy: on the size of a request's head, and on its time.

Without them, idle connections and endless headers would be kept for ever, at no cost to an attacker.
"""

import asyncio
from functools import partial
from http import HTTPStatus
from typing import Final

from uvicorn._types import ASGI3Application
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

HEAD_BYTES: Final = 64 * 1024
"""The maximum size of a head; a longer one is refused."""

HEAD_S: Final = 10.0
"""Seconds within which a head must arrive, and the rest of a body that is not awaited."""

CUT: Final = "moneta.cut"
"""In the state of a request: closes its connection at once, in the middle of the answer. What is not sent is lost."""


class HttpProtocol(HttpToolsProtocol):
    """A connection, for as long as it speaks HTTP."""

    _in_head = True
    _head_bytes = 0
    _patience: asyncio.TimerHandle | None = None
    _answering: RequestResponseCycle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Waits for a first request."""
        super().connection_made(transport)
        self._patience = self.loop.call_later(HEAD_S, self._refuse, HTTPStatus.REQUEST_TIMEOUT)

    def connection_lost(self, exc: Exception | None) -> None:
        """Waits for nothing any more."""
        self._end_patience()
        super().connection_lost(exc)
        # uvicorn notifies the newest request only; the one that is being answered may be another, and last for ever.
        if self._answering is not None and not self._answering.response_complete:
            self._answering.disconnected = True
            self._answering.message_event.set()

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: ASGI3Application) -> None:
        self._answering = cycle
        cycle.scope.setdefault("state", {})[CUT] = partial(self._cut, cycle)
        super()._start_asgi_task(cycle, app)

    def data_received(self, data: bytes) -> None:
        """Parses what has come. A head that came whole, as almost all do, costs neither a count nor a timer."""
        was_in_head = self._in_head
        super().data_received(data)
        if not self._in_head or self.transport.is_closing():
            return
        if self._patience is None:
            self._patience = self.loop.call_later(HEAD_S, self._refuse, HTTPStatus.REQUEST_TIMEOUT)
        if was_in_head:
            self._head_bytes += len(data)
            if self._head_bytes > HEAD_BYTES:
                self._refuse(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)

    def on_message_begin(self) -> None:
        """A head begins."""
        super().on_message_begin()
        self._in_head, self._head_bytes = True, 0

    def on_headers_complete(self) -> None:
        """The head is over."""
        self._in_head = False
        self._end_patience()
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """The body is over."""
        self._end_patience()
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """Waits for the next request. The body of this one may not be over, and its bytes end the wait for good."""
        super().on_response_complete()
        if self.timeout_keep_alive_task is not None and self.cycle.more_body:
            self._end_patience()
            self._patience = self.loop.call_later(HEAD_S, self.transport.close)

    def _end_patience(self) -> None:
        if self._patience is not None:
            self._patience.cancel()
            self._patience = None

    def _cut(self, cycle: RequestResponseCycle) -> None:
        # Otherwise uvicorn would report an answer without an end as an error.
        cycle.disconnected = True
        self.transport.abort()

    def _refuse(self, status: HTTPStatus) -> None:
        self._end_patience()
        if self.transport.is_closing():
            return
        # A silent peer may be a browser that has connected ahead: there is no request to answer.
        if self.scope is not None:
            self.transport.write(
                b"HTTP/1.1 %d %s\r\ncontent-length: 0\r\nconnection: close\r\n\r\n" % (status, status.phrase.encode())
            )
        self.transport.close()
