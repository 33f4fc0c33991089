"""GraphQL over HTTP, as specified: https://graphql.github.io/graphql-over-http/draft/."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from functools import partial
from http import HTTPStatus
from typing import Final, Protocol, TypeVar

import msgspec
from graphql import OperationType
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response as HttpResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from app.engine.execution.encoding import encode
from app.engine.execution.operations import Prepared, Response
from app.kit.addresses import source_of
from app.kit.errors import Code, Problem
from app.transport import cookies
from app.transport.callers import Callers, client_of
from app.transport.calls import charged, rate_limit_headers
from app.transport.compression import NO_TRANSFORM
from app.transport.framings import Framing, choose_framing
from app.transport.messages import (
    EVENT_STREAM,
    GRAPHQL_JSON,
    HTML,
    JSON,
    LARGE_BYTES,
    MULTIPART,
    Params,
    accepted,
    check_content,
    choose_json,
    params_of_body,
    params_of_query,
    read_body,
)
from app.transport.preparation import prepare_for
from app.transport.refusals import RETRY_AFTER_S, STATUS, Refused
from app.transport.request_middleware import RequestLog, request_log_of
from app.transport.runtime import AppRuntime, Caller, Context

METHODS: Final = "GET, POST"

GRACE_S: Final = 0.25
"""Seconds that a request may take to end when its client has gone: a cancelled statement costs a connection."""
T = TypeVar("T")


class EventStream(Protocol):
    """Answers with streams of events."""

    def __call__(self, request: Request, prepared: Prepared, context: Context, framing: Framing) -> ASGIApp:
        """A subscription."""
        ...

    def single(self, response: Response, framing: Framing) -> ASGIApp:
        """One result, for a client that reads nothing but events."""
        ...


class GraphQLEndpoint:
    """`/graphql` for HTTP."""

    def __init__(self, runtime: AppRuntime, page: Callable[[], HttpResponse], stream: EventStream | None) -> None:
        """`page` is what a browser sees that comes without a request; `stream` answers subscriptions."""
        self._runtime = runtime
        self._callers = Callers(runtime)
        self._page = page
        self._stream = stream

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request."""
        request = Request(scope, receive)
        try:
            response = await self._respond(request)
        except Refused:
            self._runtime.metrics.refused()
            raise
        await response(scope, receive, send)

    async def _respond(self, request: Request) -> ASGIApp:
        if request.method == "OPTIONS":
            return HttpResponse(status_code=HTTPStatus.NO_CONTENT, headers={"allow": METHODS})
        if request.method not in {"GET", "POST"}:
            raise _not_allowed("Send a GET or a POST.", METHODS)
        ranges = accepted(request.headers.get("accept"))
        media_type = choose_json(ranges)
        if request.method == "GET" and HTML in ranges and not {JSON, GRAPHQL_JSON} & ranges.keys():
            return self._page()
        framing = choose_framing(ranges) if self._stream is not None else None
        if media_type is None and framing is None:
            raise Refused(
                f"We can answer with {GRAPHQL_JSON} or {JSON}, and subscriptions with {EVENT_STREAM} or {MULTIPART}.",
                status=HTTPStatus.NOT_ACCEPTABLE,
            )
        params = await self._params(request)
        request_log = request_log_of(request)
        caller = await self._callers.identify(request, request_log.request_id)
        if caller.viewer is not None:
            request_log.user_id = str(caller.viewer.user_id)
        if caller.tenancy is not None:
            request_log.tenant = caller.tenancy.slug
        caller = await charged(caller, self._runtime)
        if caller.usage is not None:
            request_log.headers = rate_limit_headers(caller.usage.windows)
        # A client that disconnects leaves the queue.
        wait = partial(unless_disconnected, request.receive)
        prepared = await prepare_for(caller, params, self._runtime, wait=wait)
        if isinstance(prepared, Response):
            self._runtime.metrics.refused()
            return self._answer(prepared, media_type, framing, caller)
        request_log.operation, request_log.operation_type = prepared.name, prepared.kind.value
        if prepared.kind is OperationType.MUTATION and request.method == "GET":
            raise _not_allowed("A mutation is sent by POST.", "POST")
        # An event sets no cookies.
        caller = msgspec.structs.replace(caller, from_browser=caller.from_browser and media_type is not None)
        context = self._runtime.new_context(caller)
        if prepared.kind is OperationType.SUBSCRIPTION:
            if self._stream is None or framing is None:
                raise Refused(f"Subscribe over graphql-transport-ws, or accept {EVENT_STREAM} or {MULTIPART}.")
            return self._stream(request, prepared, context, framing)
        response = await self._execute(request, prepared, context, request_log)
        answer = self._answer(response, media_type, framing, caller)
        return self._with_session(answer, caller, context) if isinstance(answer, HttpResponse) else answer

    async def _params(self, request: Request) -> Params:
        if request.method == "GET":
            return params_of_query(request.scope["query_string"])
        check_content(request.headers)
        body = await read_body(request.headers, request.receive, self._runtime.settings.body_limit_bytes)
        if len(body) <= LARGE_BYTES:
            return params_of_body(body)
        # It takes as long as a hundred small requests. The caller is not authenticated yet, so the address counts.
        reading = self._runtime.engine.checks.run(source_of(client_of(request).ip), partial(params_of_body, body))
        try:
            return await unless_disconnected(request.receive, reading)
        except Problem as problem:
            raise Refused.because(problem) from problem

    async def _execute(
        self, request: Request, prepared: Prepared, context: Context, request_log: RequestLog
    ) -> Response:
        began = time.perf_counter()
        work = self._runtime.engine.execute(prepared, context)
        if prepared.kind is OperationType.MUTATION:
            response = await work
        else:
            response = await unless_disconnected(request.receive, work)
        request_log.statements = response.statements
        self._runtime.metrics.executed(prepared, response, time.perf_counter() - began)
        return response

    def _answer(self, response: Response, media_type: str | None, framing: Framing | None, caller: Caller) -> ASGIApp:
        if media_type is None and framing is not None and self._stream is not None:
            return self._stream.single(response, framing)
        answer = _json(response, media_type or JSON)
        if caller.refusal is not None and caller.refusal.is_deliberate:
            # A public answer does not show it, so the header lets a client see that its token is no longer valid.
            answer.headers["www-authenticate"] = _challenge(caller.refusal.reason)
        return answer

    def _with_session(self, answer: HttpResponse, caller: Caller, context: Context) -> HttpResponse:
        """Adds the cookies of a session that was opened, renewed or ended; other callers read their payload."""
        if context.reveals_secret:
            # Compressed together with text from an attacker, the length of the answer would reveal the token (BREACH).
            # Proxies keep to this as well.
            answer.headers["cache-control"] = f"no-store, {NO_TRANSFORM}"
        values = cookies.clear_session() if context.session_ended else []
        if context.new_session is not None:
            values = cookies.set_session(context.new_session, self._runtime.settings)
        for value in values if caller.from_browser else ():
            answer.headers.append("set-cookie", value)
        return answer


async def unless_disconnected(receive: Receive, work: Awaitable[T]) -> T:
    """The result of `work`, which is cancelled soon after the client goes: then ClientDisconnect is raised."""
    task = asyncio.current_task()
    assert task is not None
    gone = cut_off = False

    async def watch() -> None:
        nonlocal gone, cut_off
        while (await receive())["type"] != "http.disconnect":
            pass
        gone = True
        await asyncio.sleep(GRACE_S)
        cut_off = True
        task.cancel()

    watcher = asyncio.create_task(watch())
    try:
        result = await work
    except asyncio.CancelledError:
        # Another task may have cancelled us as well.
        if not cut_off or task.uncancel() > 0:
            raise
        raise ClientDisconnect from None
    finally:
        watcher.cancel()
    if gone:
        raise ClientDisconnect
    return result


def _not_allowed(message: str, methods: str) -> Refused:
    return Refused(message, status=HTTPStatus.METHOD_NOT_ALLOWED, headers={"allow": methods})


def _challenge(reason: str) -> str:
    return f'Bearer realm="moneta", error="invalid_token", error_description="{reason}"'


def _json(response: Response, media_type: str) -> HttpResponse:
    headers = {"content-type": f"{media_type}; charset=utf-8", "cache-control": "no-store"}
    if Code.MAINTENANCE in response.codes:
        headers["retry-after"] = str(RETRY_AFTER_S)
    return HttpResponse(encode(response.body()), _status(response, media_type), headers)


def _status(response: Response, media_type: str) -> int:
    # A client that asked for plain JSON can only distinguish our errors from a proxy's by a 200.
    if media_type == JSON or response.data is not None:
        return HTTPStatus.OK
    code = Code(response.codes[0]) if response.codes else Code.INTERNAL
    if response.executed:
        ours = {Code.MAINTENANCE, Code.INTERNAL}
        return STATUS[code] if code in ours else HTTPStatus.OK
    return STATUS[code]
