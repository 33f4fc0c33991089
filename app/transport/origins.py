"""Which pages may call: a browser sends cookies with the requests of any page, so the page's origin is checked."""

import contextlib
import ipaddress
import re
from collections.abc import Awaitable, Mapping, Set
from typing import Final

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.settings import Settings

_MAX_ASKED: Final = 50
_PORT: Final = re.compile(r":[0-9]+$")
_NAME: Final = re.compile(r"[a-z0-9_-]{1,64}")
_HEADERS: Final = (
    "accept",
    "apollo-require-preflight",
    "apollographql-client-name",
    "apollographql-client-version",
    "authorization",
    "baggage",
    "cache-control",
    "content-type",
    "graphql-require-preflight",
    "last-event-id",
    "sentry-trace",
    "traceparent",
    "tracestate",
    "x-apollo-operation-id",
    "x-apollo-operation-name",
    "x-apollo-operation-type",
    "x-graphql-client-name",
    "x-graphql-client-version",
    "x-graphql-event-stream-token",
    "x-moneta-mode",
    "x-moneta-tenant",
    "x-request-id",
    "x-requested-with",
)
_EXPOSED: Final = "ratelimit, ratelimit-policy, retry-after, www-authenticate, x-request-id"
"""What known clients send. Any other header is allowed as well: no request header grants a right."""


class Origins:
    """The origins whose pages may use a visitor's cookies, and those that may call without.

    Both are settings. The name under which a request reached us proves nothing: anyone can point a name at us.
    """

    def __init__(self, settings: Settings) -> None:
        self._ours = frozenset((*settings.own_origins, *settings.allowed_origins))
        self._hosts = frozenset(origin.partition("://")[2] for origin in settings.own_origins)
        self._anonymous = frozenset(settings.anonymous_origins)

    def is_ours(self, headers: Mapping[str, str]) -> bool:
        """Whether the browser reports that one of our pages, or an allowed one, calls. False if it reports nothing."""
        origin = headers.get("origin")
        if origin is not None:
            return origin in self._ours
        # A browser sends no origin for a page that reads from its own server.
        return headers.get("sec-fetch-site") == "same-origin" and headers.get("host", "").lower() in self._hosts

    def is_under_our_name(self, headers: Mapping[str, str]) -> bool:
        """Whether the request was sent to one of our names, to loopback, or to a bare address.

        The owner of any other name can point it at us, and then a page served under that name is of the same origin.
        """
        host = headers.get("host", "").lower()
        name = _PORT.sub("", host)
        return host in self._hosts or name == "localhost" or name.endswith(".localhost") or _is_address(name)

    def cors(self, headers: Mapping[str, str], *, preflight: bool = False) -> dict[str, str]:
        """The CORS headers for the page that calls."""
        answer = {"vary": "Origin"}
        origin = headers.get("origin")
        if origin is None:
            return answer
        if origin in self._ours:
            answer["access-control-allow-origin"] = origin
            answer["access-control-allow-credentials"] = "true"
        elif "*" in self._anonymous or origin in self._anonymous:
            answer["access-control-allow-origin"] = "*" if "*" in self._anonymous else origin
        else:
            return answer
        answer["access-control-expose-headers"] = _EXPOSED
        return answer | _preflight(headers) if preflight else answer


def _is_address(name: str) -> bool:
    with contextlib.suppress(ValueError):
        ipaddress.ip_address(name.removeprefix("[").removesuffix("]"))
        return True
    return False


def _preflight(headers: Mapping[str, str]) -> dict[str, str]:
    asked = headers.get("access-control-request-headers", "").lower().split(",")[:_MAX_ASKED]
    others = {name.strip() for name in asked if _NAME.fullmatch(name.strip())} - set(_HEADERS)
    answer = {
        "access-control-allow-methods": "GET, POST",
        "access-control-allow-headers": ", ".join((*_HEADERS, *sorted(others))),
        "access-control-max-age": "86400",
    }
    if headers.get("access-control-request-private-network") == "true":
        # A page of the public internet calls a server on a private address.
        answer["access-control-allow-private-network"] = "true"
    return answer


class CrossOrigin:
    """Adds CORS headers to every answer of these paths, refusals and failures included, and of those below others."""

    def __init__(self, app: ASGIApp, settings: Settings, paths: Set[str], below: tuple[str, ...] = ()) -> None:
        self._app = app
        self._origins = Origins(settings)
        self._paths = frozenset(paths)
        self._below = below

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        """Answers."""
        if scope["type"] != "http" or not (scope["path"] in self._paths or scope["path"].startswith(self._below)):
            return self._app(scope, receive, send)
        cors = self._origins.cors(Headers(scope=scope), preflight=scope["method"] == "OPTIONS")
        added = [(name.encode(), value.encode("latin-1")) for name, value in cors.items()]

        async def send_with_cors(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], *added]
            await send(message)

        return self._app(scope, receive, send_with_cors)
