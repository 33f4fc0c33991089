"""GraphQL over server-sent events, distinct connections mode.

https://github.com/enisdenjo/graphql-sse/blob/master/PROTOCOL.md
"""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, AsyncIterator
from typing import Any, Final

from starlette.requests import ClientDisconnect, Request
from starlette.types import ASGIApp, Receive, Scope, Send

from app.engine.encoding import encode
from app.engine.execution import Prepared, Response
from app.engine.resuming import resume_after
from app.kit.errors import Code, Problem
from app.kit.tasks import end
from app.transport.messages import EVENT_STREAM
from app.transport.origins import Origins
from app.transport.refusals import error_body
from app.transport.runtime import AppRuntime, Context
from app.transport.sessions import wait_for_end

KEEP_ALIVE_S: Final = 12.0
"""A comment is sent when nothing else was for so long: proxies and clients take silence for death."""

DRAIN_S: Final = 10.0
"""A reader that takes nothing for so many seconds is let go; it comes back with its last event's id."""

_HEADERS: Final = {
    "content-type": f"{EVENT_STREAM}; charset=utf-8",
    "cache-control": "no-store",
    "x-accel-buffering": "no",
}
_COMPLETE: Final = b"event: complete\ndata:\n\n"
_COMMENT: Final = b":\n\n"


class EventStreams:
    """Answers with server-sent events, and knows which answers are under way."""

    def __init__(self, runtime: AppRuntime) -> None:
        self._runtime = runtime
        self._origins = Origins(runtime.settings)
        self._open: set[asyncio.Task[Any]] = set()

    def __call__(self, request: Request, prepared: Prepared, context: Context) -> ASGIApp:
        """Answers a subscription; a `Last-Event-ID` counts as `after` where the field has that argument."""
        last = request.headers.get("last-event-id")
        if last:
            prepared = resume_after(self._runtime.engine.schema, prepared, last)
        return self._stream(request, self._responses(prepared, context), context)

    def single(self, request: Request, response: Response) -> ASGIApp:
        """Answers what has one result, or is refused: a client that accepts only events gets no other answer."""
        return self._stream(request, _once(response), None)

    async def close(self) -> None:
        """Ends every stream, for the server to stop; clients connect again by themselves."""
        await end(*self._open)

    async def _responses(self, prepared: Prepared, context: Context) -> AsyncGenerator[Response, None]:
        with self._runtime.metrics.streams.track_inprogress():
            async with contextlib.aclosing(self._runtime.engine.subscribe(prepared, context)) as responses:
                async for response in responses:
                    yield response

    def _stream(self, request: Request, responses: AsyncGenerator[Response, None], context: Context | None) -> ASGIApp:
        headers = _HEADERS | self._origins.cors(request.headers)

        async def answer(_: Scope, receive: Receive, send: Send) -> None:
            raw = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
            await send({"type": "http.response.start", "status": 200, "headers": raw})
            writing = asyncio.create_task(_write(responses, send))
            gone = asyncio.create_task(_gone(receive))
            ending = asyncio.create_task(self._session_end(context))
            self._open.add(writing)
            try:
                await asyncio.wait([writing, gone, ending], return_when=asyncio.FIRST_COMPLETED)
            finally:
                self._open.discard(writing)
                await end(writing, gone, ending)
                await responses.aclose()
            slow = not writing.cancelled() and isinstance(writing.exception(), TimeoutError)
            if slow or not gone.cancelled():
                raise ClientDisconnect
            last = b"" if ending.cancelled() else ending.result()
            await send({"type": "http.response.body", "body": last, "more_body": False})

        return answer

    async def _session_end(self, context: Context | None) -> bytes:
        """The last events of a stream whose session is over; without a session it waits for ever."""
        if context is None or context.viewer is None:
            await asyncio.Event().wait()
            return b""
        try:
            reason, code = await wait_for_end(self._runtime.hub, context.viewer), Code.UNAUTHENTICATED
        except Problem as problem:
            reason, code = problem.message, problem.code
        return _next(error_body(reason, code, context.request_id)) + _COMPLETE


async def _write(responses: AsyncGenerator[Response, None], send: Send) -> None:
    async for chunk in _chunks(responses):
        async with asyncio.timeout(DRAIN_S):
            await send({"type": "http.response.body", "body": chunk, "more_body": True})


async def _chunks(responses: AsyncGenerator[Response, None]) -> AsyncIterator[bytes]:
    upcoming = asyncio.ensure_future(anext(responses, None))
    try:
        while True:
            done, _ = await asyncio.wait([upcoming], timeout=KEEP_ALIVE_S)
            if not done:
                yield _COMMENT
                continue
            response = upcoming.result()
            if response is None:
                yield _COMPLETE
                return
            yield _next(response.body(), cursor_of(response))
            upcoming = asyncio.ensure_future(anext(responses, None))
    finally:
        upcoming.cancel()
        await asyncio.wait([upcoming])


def cursor_of(response: Response) -> str | None:
    """The cursor of an event: what its single root field has under the name `cursor`; None where it has none."""
    fields = list((response.data or {}).values())
    cursor = fields[0].get("cursor") if len(fields) == 1 and isinstance(fields[0], dict) else None
    return cursor if isinstance(cursor, str) and cursor.isprintable() else None


def _next(body: dict[str, Any], cursor: str | None = None) -> bytes:
    id_line = f"id: {cursor}\n".encode() if cursor else b""
    # JSON has no bare line break, so that one line holds all of it.
    return b"%sevent: next\ndata: %s\n\n" % (id_line, encode(body))


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _once(response: Response) -> AsyncGenerator[Response, None]:
    yield response
