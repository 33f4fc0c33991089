"""Files that tenants send and fetch: `POST /uploads` and `GET /exports/<id>`.

They are no operations of the graph, whose requests are small and whole. Who calls, in which tenant and mode, with which
scopes and limits, is found out alike.
"""

import asyncio
import re
from collections.abc import AsyncGenerator
from contextlib import aclosing
from http import HTTPStatus
from typing import Final
from uuid import UUID

from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from app.domains.tenancy.tenants.model.tenants import Tenancy
from app.engine.execution.encoding import encode
from app.kit.errors import Code, Problem, Unavailable
from app.kit.work import Work, working
from app.transport.callers import Callers
from app.transport.calls import charged, rate_limit_headers
from app.transport.compression import NO_TRANSFORM
from app.transport.maintenance import is_exempt
from app.transport.messages import JSON
from app.transport.refusals import Refused
from app.transport.request_middleware import request_log_of
from app.transport.runtime import AppRuntime, Caller, FileStore

UPLOADS_PATH: Final = "/uploads"
EXPORTS_PATH: Final = "/exports/"
CSV: Final = "text/csv"
PIECE_PATIENCE_S: Final = 10.0
"""Seconds within which more of a file must arrive."""
UPLOAD_PATIENCE_S: Final = 300.0
"""Seconds within which all of it must."""
READ: Final = "participants:read"
WRITE: Final = "participants:write"
_CLOSE: Final = {"connection": "close"}
_NO_TENANT: Final = "This is about a tenant: name one, with the header X-Moneta-Tenant."
_CONTENT: Final = re.compile(
    r'text/csv(\s*;\s*(charset="?utf-?8"?|header="?(present|absent)"?))*', re.ASCII | re.IGNORECASE
)


class Files:
    """Answers both."""

    def __init__(self, runtime: AppRuntime, store: FileStore) -> None:
        self._runtime = runtime
        self._store = store
        self._callers = Callers(runtime)

    async def uploads(self, request: Request) -> Response:
        """Stores what is sent, part by part: neither memory nor a connection is held for all of it."""
        if request.method != "POST":
            return _other_method(request, "POST")
        caller, tenancy = await self._caller(request, WRITE)
        _check_content(request.headers)
        announced = request.headers.get("content-length", "")
        if announced.isdecimal() and int(announced) > self._store.limit_bytes:
            raise self._too_large()
        with working(Work(self._runtime.new_context(caller).party)):
            try:
                async with aclosing(self._body(request.receive)) as body:
                    stored = await self._store.upload(tenancy, body)
            except Problem as problem:
                raise Refused.because(problem) from problem
        described = {
            "uploadId": str(stored.id),
            "sizeBytes": stored.size_bytes,
            "expiresAt": stored.expires_at.isoformat().replace("+00:00", "Z"),
        }
        return Response(encode(described), HTTPStatus.CREATED, {"cache-control": "no-store"}, media_type=JSON)

    async def exports(self, request: Request) -> ASGIApp:
        """Sends the file of an export, part by part."""
        if request.method != "GET":
            return _other_method(request, "GET")
        try:
            id = UUID(request.path_params["id"])
        except ValueError:
            raise Refused("There is no such file.", status=HTTPStatus.NOT_FOUND, code=Code.NOT_FOUND) from None
        caller, tenancy = await self._caller(request, READ)
        work = Work(self._runtime.new_context(caller).party)
        with working(work):
            try:
                size, parts = await self._store.download(tenancy, id)
            except Problem as problem:
                raise Refused.because(problem) from problem
        return _Download(f"participants-{id}.csv", size, parts, work)

    async def _caller(self, request: Request, scope: str) -> tuple[Caller, Tenancy]:
        """Who calls, and acts in a tenant. Raises Refused."""
        request_log = request_log_of(request)
        caller = await self._callers.identify(request, request_log.request_id)
        if caller.viewer is not None:
            request_log.user_id = str(caller.viewer.user_id)
        if caller.tenancy is not None:
            request_log.tenant = caller.tenancy.slug
        caller = await charged(caller, self._runtime)
        if caller.usage is not None:
            request_log.headers = rate_limit_headers(caller.usage.windows)
        notice = self._runtime.maintenance.notice
        if notice is not None and not is_exempt(caller.viewer):
            raise Refused.because(notice)
        if not caller.is_known:
            reason = "Log in first." if caller.refusal is None else caller.refusal.reason
            raise Refused(reason, status=HTTPStatus.UNAUTHORIZED, code=Code.UNAUTHENTICATED)
        if caller.tenancy is None:
            if caller.tenant_refusal is not None:
                raise Refused(caller.tenant_refusal, status=HTTPStatus.NOT_FOUND, code=Code.NOT_FOUND)
            raise Refused(_NO_TENANT)
        if caller.key is not None and not caller.key.holds(scope):
            message = f"This API key lacks the scope {scope}."
            raise Refused(message, status=HTTPStatus.FORBIDDEN, code=Code.FORBIDDEN)
        if scope == WRITE and caller.usage is not None and not caller.usage.is_counted:
            raise Refused.because(Unavailable())
        return caller, caller.tenancy

    async def _body(self, receive: Receive) -> AsyncGenerator[bytes, None]:
        """What arrives. Raises Refused as soon as it is too long or comes too slowly, ClientDisconnect when cut off."""
        length, until = 0, asyncio.get_running_loop().time() + UPLOAD_PATIENCE_S
        while True:
            try:
                left_s = until - asyncio.get_running_loop().time()
                message = await asyncio.wait_for(receive(), min(PIECE_PATIENCE_S, left_s))
            except TimeoutError as error:
                message_text = "The file did not arrive in time."
                raise Refused(message_text, status=HTTPStatus.REQUEST_TIMEOUT, headers=_CLOSE) from error
            if message["type"] == "http.disconnect":
                raise ClientDisconnect
            piece = message.get("body", b"")
            length += len(piece)
            if length > self._store.limit_bytes:
                raise self._too_large()
            yield piece
            if not message.get("more_body", False):
                return

    def _too_large(self) -> Refused:
        limit = self._store.limit_bytes
        return Refused(
            f"The file is larger than {limit:,} bytes, which is the limit of the system.",
            status=HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
            headers=_CLOSE,
            extensions={"limitBytes": limit},
        )


class _Download:
    """A file as an answer. It is cut off if a part is gone meanwhile: what is not complete does not look so."""

    def __init__(self, name: str, size_bytes: int, parts: AsyncGenerator[bytes, None], work: Work) -> None:
        self._headers = {
            "content-type": f"{CSV}; charset=utf-8; header=present",
            "content-length": str(size_bytes),
            "content-disposition": f'attachment; filename="{name}"',
            # Compressed together with text from an attacker, the length would reveal more of it.
            "cache-control": f"no-store, {NO_TRANSFORM}",
        }
        self._parts = parts
        self._work = work

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers."""
        headers = [(name.encode(), value.encode()) for name, value in self._headers.items()]
        async with aclosing(self._parts) as parts:
            with working(self._work):
                await send({"type": "http.response.start", "status": HTTPStatus.OK, "headers": headers})
                async for part in parts:
                    await send({"type": "http.response.body", "body": part, "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})


def _other_method(request: Request, method: str) -> Response:
    """The answer to a browser that asks first. Raises Refused for any other."""
    if request.method != "OPTIONS":
        raise Refused(f"Send a {method}.", status=HTTPStatus.METHOD_NOT_ALLOWED, headers={"allow": method})
    return Response(status_code=HTTPStatus.NO_CONTENT, headers={"allow": method})


def _check_content(headers: Headers) -> None:
    """Raises Refused for what is no CSV in UTF-8, and for what would be larger than it says."""
    if not _CONTENT.fullmatch(headers.get("content-type", "").strip()):
        raise Refused(
            f"Send the file as `content-type: {CSV}`, in UTF-8.",
            status=HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
            headers={**_CLOSE, "accept-post": CSV},
        )
    if headers.get("content-encoding", "identity").strip().lower() != "identity":
        raise Refused(
            "Compressed bodies are not accepted.",
            status=HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
            headers={**_CLOSE, "accept-encoding": "identity"},
        )
