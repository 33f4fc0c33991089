"""Streams of events as HTTP responses: server-sent events and multipart, which differ in their framing only."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any, Final

from starlette.requests import ClientDisconnect, Request
from starlette.types import ASGIApp, Receive, Scope, Send

from app.engine.execution.encoding import encode
from app.engine.execution.operations import Prepared, Response
from app.engine.streams.budgets import Payer
from app.engine.streams.iterator import Failed, PulledSubscription
from app.engine.streams.model import Delivery, EndReason, Transport
from app.kit.errors import Code, RateLimited
from app.kit.tasks import end
from app.transport.callers import client_of
from app.transport.calls import count_minutes
from app.transport.compression import NO_TRANSFORM
from app.transport.connection_limits import ConnectionLimits
from app.transport.framings import End, Framing
from app.transport.http_protocol import CUT
from app.transport.maintenance import is_exempt
from app.transport.runtime import AppRuntime, Context
from app.transport.sessions import Ending, Lease

KEEP_ALIVE_S: Final = 12.0
"""A heartbeat is sent after this long without an event: proxies and clients close idle connections."""

STOPPING: Final = End(EndReason.SERVER_STOPPING, Code.MAINTENANCE, "The server is restarting. Connect again.")
_RETRYABLE: Final = {EndReason.SERVER_STOPPING, EndReason.SESSION_UNVERIFIED, EndReason.MAINTENANCE}


class EventStreams:
    """Answers with streams of events, and knows which are open."""

    def __init__(self, runtime: AppRuntime) -> None:
        self._runtime = runtime
        self._connections = ConnectionLimits(runtime.settings, "streams of events")
        self._open: set[asyncio.Future[End]] = set()
        self._interruptible: set[asyncio.Future[End]] = set()
        """The open ones of all but admins."""
        runtime.maintenance.follow(self._begin_maintenance)

    def __call__(self, request: Request, prepared: Prepared, context: Context, framing: Framing) -> ASGIApp:
        """Answers a subscription; over SSE a `Last-Event-ID` counts instead of its `after`.

        Raises Refused when the caller has too many streams already.
        """
        key = self._connections.acquire(context.viewer, client_of(request))
        after = request.headers.get("last-event-id") if framing.transport is Transport.SSE else None
        payer = Payer(object(), key, context.viewer is not None)
        events = PulledSubscription(
            self._runtime.subscriptions, prepared, context, framing.transport, payer, after or None
        )

        async def answer(scope: Scope, receive: Receive, send: Send) -> None:
            try:
                await self._stream(events, context, framing, scope, receive, send)
            finally:
                self._connections.release(key)

        return answer

    def single(self, response: Response, framing: Framing) -> ASGIApp:
        """Answers an operation with one result, or an error, for a client that accepts only events."""

        async def answer(scope: Scope, receive: Receive, send: Send) -> None:
            await send(_start(framing))
            event = framing.event(Delivery(encode(response.body()), None))
            body = framing.opening + event + framing.complete()
            await send({"type": "http.response.body", "body": body, "more_body": False})

        return answer

    async def close(self) -> None:
        """Ends every stream, for the server to stop. Clients connect again."""
        for over in self._open:
            if not over.done():
                over.set_result(STOPPING)

    def _begin_maintenance(self) -> None:
        """Ends the streams of all but admins."""
        notice = self._runtime.maintenance.notice
        assert notice is not None, "it is called when it has been turned on"
        for over in self._interruptible:
            if not over.done():
                over.set_result(End(EndReason.MAINTENANCE, notice.code, notice.message))

    async def _stream(  # noqa: PLR0917  # six different types: no two can be confused
        self, events: PulledSubscription, context: Context, framing: Framing, scope: Scope, receive: Receive, send: Send
    ) -> None:
        await send(_start(framing))
        over: asyncio.Future[End] = asyncio.get_running_loop().create_future()
        lease = self._lease(context, over)
        minutes = self._minutes(context, over)
        drain_s = self._runtime.settings.socket_drain_s
        writing = asyncio.create_task(_write(events, framing, send, drain_s))
        gone = asyncio.create_task(_gone(receive))
        self._open.add(over)
        if not is_exempt(context.viewer):
            self._interruptible.add(over)
            if self._runtime.maintenance.is_on:
                # It was turned on since the request was let in.
                self._begin_maintenance()
        reason = EndReason.SERVER_STOPPING
        try:
            waited: list[asyncio.Future[Any]] = [writing, gone, over]
            await asyncio.wait(waited, return_when=asyncio.FIRST_COMPLETED)
            reason = _reason(writing, gone, over)
        finally:
            self._open.discard(over)
            self._interruptible.discard(over)
            lease.close()
            await end(writing, gone, *minutes)
            events.close(reason)
        error = None if writing.cancelled() else writing.exception()
        if error is not None and not isinstance(error, TimeoutError):
            raise error
        if error is None and reason is not EndReason.DISCONNECTED:
            # A writer that was not cancelled has written the end.
            last = _last(over.result(), framing, context.request_id) if writing.cancelled() else b""
            with contextlib.suppress(TimeoutError):
                await _send(send, last, drain_s, more=False)
                return
        self._runtime.subscriptions.counters.evictions += reason is EndReason.SLOW_READER
        cut = scope.get("state", {}).get(CUT)
        if cut is not None:
            cut()
        raise ClientDisconnect

    def _lease(self, context: Context, over: "asyncio.Future[End]") -> Lease:
        """Ends the stream with the session or the API key; without either it never does."""

        def end_stream(ending: Ending) -> None:
            if not over.done():
                over.set_result(End(ending.reason, ending.code, ending.value))

        lease = Lease(self._runtime.sessions, end_stream)
        if not lease.take(context.viewer, context.tenancy):
            # It ended while it was authenticated.
            end_stream(Ending.ENDED)
        return lease

    def _minutes(self, context: Context, over: "asyncio.Future[End]") -> "list[asyncio.Task[None]]":
        """Counts the minutes of a stream of an API key, which ends where a limit is reached."""
        if (tenancy := context.tenancy) is None or tenancy.key is None:
            return []

        def end_stream(limited: RateLimited) -> None:
            if not over.done():
                over.set_result(End(EndReason.FORBIDDEN, Code.RATE_LIMITED, limited.message))

        return [asyncio.create_task(count_minutes(self._runtime, tenancy, end_stream))]


def _reason(writing: "asyncio.Task[None]", gone: "asyncio.Task[None]", over: "asyncio.Future[End]") -> EndReason:
    """Why the stream is over."""
    if writing.done() and isinstance(writing.exception(), TimeoutError):
        return EndReason.SLOW_READER
    if gone.done():
        return EndReason.DISCONNECTED
    if writing.done():
        return EndReason.FAILED
    return over.result().reason


async def _write(events: PulledSubscription, framing: Framing, send: Send, drain_s: float) -> None:
    async for chunk in _chunks(events, framing):
        await _send(send, chunk, drain_s, more=True)


async def _send(send: Send, chunk: bytes, drain_s: float, *, more: bool) -> None:
    """Sends a part of the body. Raises TimeoutError for a client that does not read."""
    async with asyncio.timeout(drain_s):
        await send({"type": "http.response.body", "body": chunk, "more_body": more})


async def _chunks(events: PulledSubscription, framing: Framing) -> AsyncIterator[bytes]:
    if framing.opening:
        yield framing.opening
    upcoming = asyncio.ensure_future(events.next())
    try:
        while True:
            done, _ = await asyncio.wait([upcoming], timeout=KEEP_ALIVE_S)
            if not done:
                yield framing.heartbeat
                continue
            match upcoming.result():
                case Delivery() as event:
                    yield framing.event(event)
                case Failed() as failure:
                    yield framing.failed(failure.errors)
                    return
            upcoming = asyncio.ensure_future(events.next())
    finally:
        upcoming.cancel()
        await asyncio.wait([upcoming])


def _start(framing: Framing) -> dict[str, Any]:
    headers = {
        "content-type": framing.content_type,
        # A proxy that compresses the stream would delay events until its buffer is full.
        "cache-control": f"no-store, {NO_TRANSFORM}",
        "x-accel-buffering": "no",
    }
    encoded = [(name.encode(), value.encode()) for name, value in headers.items()]
    return {"type": "http.response.start", "status": 200, "headers": encoded}


def _last(end: End, framing: Framing, request_id: str) -> bytes:
    if end.reason in _RETRYABLE:
        return framing.interrupted(end, request_id)
    return framing.failed(end.errors(request_id))


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
