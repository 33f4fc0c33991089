"""Around every request: its id, its line in the log, its security headers, and an end without a traceback."""

import re
import secrets
import time
from http import HTTPStatus
from typing import Final

import msgspec
import structlog
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, HTTPConnection
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.engine.execution.encoding import encode
from app.kit.errors import Code
from app.transport.messages import JSON
from app.transport.refusals import Refused, error_body
from app.transport.runtime import AppRuntime

log = structlog.get_logger(__name__)

_KEY: Final = "moneta.request_log"
_REQUEST_ID: Final = re.compile(r"[A-Za-z0-9._-]{8,64}")
_SECURITY: Final = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-frame-options", b"DENY"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
)
_HSTS: Final = (b"strict-transport-security", b"max-age=31536000; includeSubDomains")
# Requested every few seconds by machines: logged at debug level only.
_QUIET: Final = ("/health/", "/metrics", "/ide/assets/")


class RequestLog(msgspec.Struct):
    """What the log line of a request contains."""

    request_id: str
    status: int = 0
    operation: str | None = None
    operation_type: str | None = None
    statements: int | None = None
    user_id: str | None = None
    tenant: str | None = None
    headers: dict[str, str] = {}
    """What else every answer to it has."""


def request_log_of(connection: HTTPConnection) -> RequestLog:
    """The log of the request that this connection belongs to."""
    request_log: RequestLog = connection.scope[_KEY]
    return request_log


class RequestMiddleware:
    """The outermost application. Sockets get an id only; they log and close by themselves."""

    def __init__(self, app: ASGIApp, runtime: AppRuntime) -> None:
        self._app = app
        self._in_flight = runtime.metrics.in_flight
        self._headers = (*_SECURITY, _HSTS) if runtime.settings.production else _SECURITY

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers every request, also if the application fails."""
        if scope["type"] not in {"http", "websocket"}:
            await self._app(scope, receive, send)
            return
        offered = Headers(scope=scope).get("x-request-id", "")
        request_log = RequestLog(offered if _REQUEST_ID.fullmatch(offered) else secrets.token_hex(8))
        scope[_KEY] = request_log
        # Starlette's routes then raise their errors instead of answering in plain text.
        scope["app"] = self
        structlog.contextvars.bind_contextvars(request_id=request_log.request_id)
        if scope["type"] == "websocket":
            await self._app(scope, receive, send)
            return
        began = time.perf_counter()
        with self._in_flight.track_inprogress():
            await self._answer(scope, receive, send, request_log)
        self._log(scope, request_log, time.perf_counter() - began)

    async def _answer(self, scope: Scope, receive: Receive, send: Send, request_log: RequestLog) -> None:
        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                request_log.status = int(message["status"])
                headers = message["headers"]
                named = {name for name, _ in headers}
                headers.append((b"x-request-id", request_log.request_id.encode()))
                headers.extend((name.encode(), value.encode()) for name, value in request_log.headers.items())
                headers.extend(header for header in self._headers if header[0] not in named)
            await send(message)

        try:
            await self._app(scope, receive, send_with_headers)
            return
        except ClientDisconnect:
            return
        except Refused as refused:
            response = _refusal(refused, request_log)
        except HTTPException as error:
            code = Code.NOT_FOUND if error.status_code == HTTPStatus.NOT_FOUND else Code.BAD_USER_INPUT
            outcome = Refused(error.detail, status=error.status_code, code=code, headers=error.headers)
            response = _refusal(outcome, request_log)
        except Exception:
            log.exception("request_failed", path=scope["path"])
            body = error_body("Internal error.", Code.INTERNAL, request_log.request_id)
            response = Response(encode(body), HTTPStatus.INTERNAL_SERVER_ERROR, media_type=JSON)
        if not request_log.status:
            await response(scope, receive, send_with_headers)

    def _log(self, scope: Scope, request_log: RequestLog, seconds: float) -> None:
        report = log.debug if scope["path"].startswith(_QUIET) else log.info
        fields = {
            "operation": request_log.operation,
            "type": request_log.operation_type,
            "statements": request_log.statements,
            "user_id": request_log.user_id,
            "tenant": request_log.tenant,
        }
        report(
            "request",
            method=scope["method"],
            path=scope["path"],
            # Without an answer, the client has disconnected.
            status=request_log.status or None,
            ms=round(seconds * 1000, 2),
            **{name: value for name, value in fields.items() if value is not None},
        )


def _refusal(refused: Refused, request_log: RequestLog) -> Response:
    return Response(encode(refused.body(request_log.request_id)), refused.status, refused.headers, media_type=JSON)
