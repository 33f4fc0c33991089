"""GraphQL over server-sent events, distinct connections mode.

https://github.com/enisdenjo/graphql-sse/blob/master/PROTOCOL.md
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from typing import Any, Final, TypeAlias

from starlette.requests import ClientDisconnect, Request
from starlette.types import ASGIApp, Receive, Scope, Send

from app.engine.execution.encoding import encode
from app.engine.execution.operations import Prepared, Response
from app.engine.streams.budgets import Payer
from app.engine.streams.iterator import Failed, iterate
from app.engine.streams.model import Delivery, Transport
from app.kit.errors import Code
from app.kit.tasks import end
from app.transport.callers import client_of
from app.transport.compression import NO_TRANSFORM
from app.transport.connection_limits import ConnectionLimits
from app.transport.messages import EVENT_STREAM
from app.transport.refusals import error_body
from app.transport.runtime import AppRuntime, Context
from app.transport.sessions import Ending, Lease

Events: TypeAlias = AsyncGenerator[Delivery | Failed, None]

KEEP_ALIVE_S: Final = 12.0
"""A comment is sent after this long without an event: proxies and clients close idle connections."""

_HEADERS: Final = (
    (b"content-type", f"{EVENT_STREAM}; charset=utf-8".encode()),
    # A proxy that compresses the stream would delay events until its buffer is full.
    (b"cache-control", f"no-store, {NO_TRANSFORM}".encode()),
    (b"x-accel-buffering", b"no"),
)
_COMPLETE: Final = b"event: complete\ndata:\n\n"
_COMMENT: Final = b":\n\n"


class EventStreams:
    """Answers with server-sent events, and knows which answers are under way."""

    def __init__(self, runtime: AppRuntime) -> None:
        self._runtime = runtime
        self._connections = ConnectionLimits(runtime.settings, "streams of events")
        self._open: set[asyncio.Task[Any]] = set()

    def __call__(self, request: Request, prepared: Prepared, context: Context) -> ASGIApp:
        """Answers a subscription; a `Last-Event-ID` counts instead of its `after`.

        Raises Refused when the caller has too many streams already.
        """
        key = self._connections.acquire(context.viewer, client_of(request))
        after = request.headers.get("last-event-id") or None
        payer = Payer(object(), key, context.viewer is not None)
        events = iterate(self._runtime.subscriptions, prepared, context, Transport.SSE, payer, after=after)
        stream = self._stream(events, context)

        async def answer(scope: Scope, receive: Receive, send: Send) -> None:
            try:
                await stream(scope, receive, send)
            finally:
                self._connections.release(key)

        return answer

    def single(self, response: Response) -> ASGIApp:
        """Answers an operation with one result, or an error, for a client that accepts only events."""
        return self._stream(_once(response), None)

    async def close(self) -> None:
        """Ends every stream, for the server to stop; clients connect again by themselves."""
        await end(*self._open)

    def _stream(self, events: Events, context: Context | None) -> ASGIApp:
        async def answer(_: Scope, receive: Receive, send: Send) -> None:
            await send({"type": "http.response.start", "status": 200, "headers": list(_HEADERS)})
            over: asyncio.Future[Ending] = asyncio.get_running_loop().create_future()
            lease = self._lease(context, over)
            writing = asyncio.create_task(_write(events, send, self._runtime.settings.socket_drain_s))
            gone = asyncio.create_task(_gone(receive))
            self._open.add(writing)
            try:
                waited: list[asyncio.Future[Any]] = [writing, gone, over]
                await asyncio.wait(waited, return_when=asyncio.FIRST_COMPLETED)
            finally:
                self._open.discard(writing)
                lease.close()
                await end(writing, gone)
                await events.aclose()
            error = None if writing.cancelled() else writing.exception()
            self._runtime.subscriptions.counters.evictions += isinstance(error, TimeoutError)
            if isinstance(error, TimeoutError) or not gone.cancelled():
                raise ClientDisconnect
            if error is not None:
                raise error
            last = _last(over.result(), context) if over.done() and context is not None else b""
            await send({"type": "http.response.body", "body": last, "more_body": False})

        return answer

    def _lease(self, context: Context | None, over: "asyncio.Future[Ending]") -> Lease:
        """Ends the stream with the session; without a session it never does."""

        def end_stream(ending: Ending) -> None:
            if not over.done():
                over.set_result(ending)

        lease = Lease(self._runtime.sessions, end_stream)
        viewer = None if context is None else context.viewer
        if viewer is not None and not lease.take(viewer):
            # It ended while it was authenticated.
            end_stream(Ending.ENDED)
        return lease


async def _write(events: Events, send: Send, drain_s: float) -> None:
    async for chunk in _chunks(events):
        async with asyncio.timeout(drain_s):
            await send({"type": "http.response.body", "body": chunk, "more_body": True})


async def _chunks(events: Events) -> AsyncIterator[bytes]:
    upcoming = asyncio.ensure_future(anext(events, None))
    try:
        while True:
            done, _ = await asyncio.wait([upcoming], timeout=KEEP_ALIVE_S)
            if not done:
                yield _COMMENT
                continue
            match upcoming.result():
                case Delivery() as event:
                    yield _next(event.body, event.cursor)
                case Failed() as failure:
                    yield _next(encode({"errors": failure.errors}))
                case None:
                    yield _COMPLETE
                    return
            upcoming = asyncio.ensure_future(anext(events, None))
    finally:
        upcoming.cancel()
        await asyncio.wait([upcoming])


def _next(body: bytes, cursor: str | None = None) -> bytes:
    id_line = f"id: {cursor}\n".encode() if cursor else b""
    # JSON has no bare line break, so that one line holds all of it.
    return b"%sevent: next\ndata: %s\n\n" % (id_line, body)


def _last(ending: Ending, context: Context) -> bytes:
    code = Code.MAINTENANCE if ending is Ending.UNSURE else Code.UNAUTHENTICATED
    return _next(encode(error_body(ending.value, code, context.request_id))) + _COMPLETE


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _once(response: Response) -> Events:
    yield Delivery(encode(response.body()), None)
