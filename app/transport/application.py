"""The ASGI application and its routes."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Final

import structlog
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route, Router
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from app.kit.errors import Code, Unavailable
from app.transport.compression import Compression
from app.transport.dev_mailbox import DevMailboxPage
from app.transport.files import EXPORTS_PATH, UPLOADS_PATH, Files
from app.transport.front_page import FrontPage
from app.transport.graphql import EventStream, GraphQLEndpoint
from app.transport.health import Health
from app.transport.mail_link_pages import reset_page, script, verify_page
from app.transport.metrics import CONTENT_TYPE
from app.transport.metrics_access import MetricsAccess
from app.transport.origins import CrossOrigin, Origins
from app.transport.pages import Assets, Ide, SchemaPages
from app.transport.refusals import Refused
from app.transport.request_middleware import RequestMiddleware
from app.transport.runtime import AppRuntime
from app.transport.scalar_pages import PATH, ScalarPage

log = structlog.get_logger(__name__)

GRAPHQL_PATHS: Final = frozenset({"/graphql", "/graphql/"})
"""Both are served, without a redirect: clients do not repeat a POST, and sockets do not follow redirects."""

FILE_METHODS: Final = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
"""All of them: those that are not allowed are refused like anywhere else."""

REFRESH_PATIENCE_S: Final = 1.0
"""Seconds that each refresh may take. Where one fails or takes longer, /metrics shows what was read last."""


def create_app(runtime: AppRuntime, *, sockets: ASGIApp | None = None, stream: EventStream | None = None) -> ASGIApp:
    """The application. `sockets` answers WebSockets at `/graphql`, `stream` subscriptions by server-sent events."""
    runtime.metrics.watch(runtime.database, runtime.hub, runtime.subscriptions)
    if runtime.settings.production and not runtime.settings.public_url:
        log.warning("no_public_url", effect=f"no page but one of {runtime.settings.origin} can use cookies")
    router = Router(_routes(runtime, stream), redirect_slashes=False, default=_nowhere)

    def routed(scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        # Neither through the router nor in a coroutine: those would stay in memory for as long as the socket is open.
        if scope["type"] == "websocket" and scope["path"] in GRAPHQL_PATHS and sockets is not None:
            return sockets(scope, receive, send)
        return router(scope, receive, send)

    # Innermost first: forwarded headers of trusted proxies are applied before anything is logged; failures that
    # the request middleware answers are readable by other origins too, and compressed like everything else.
    app = CrossOrigin(
        Compression(RequestMiddleware(routed, runtime)),
        runtime.settings,
        {*GRAPHQL_PATHS, UPLOADS_PATH},
        (EXPORTS_PATH,),
    )
    return ProxyHeadersMiddleware(  # type: ignore[return-value]  # uvicorn's ASGI types, which are the same in kind
        app,  # type: ignore[arg-type]
        trusted_hosts=runtime.settings.trusted_proxies,
    )


def _routes(runtime: AppRuntime, stream: EventStream | None) -> list[Route | Mount]:
    health, ide, schema_pages = Health(runtime), Ide(runtime), SchemaPages(runtime)
    metrics_access = MetricsAccess(runtime.settings)
    origins = Origins(runtime.settings)

    def local_only(answer: Callable[[Request], Awaitable[Response]]) -> Callable[[Request], Awaitable[Response]]:
        # Log-ins and mailed codes of a developer's machine, which only its own pages may read.
        async def answer_local(request: Request) -> Response:
            if not runtime.settings.production and not origins.is_under_our_name(request.headers):
                raise Refused(f"Open this page at {runtime.settings.origin}.", status=HTTPStatus.MISDIRECTED_REQUEST)
            return await answer(request)

        return answer_local

    for collector in runtime.collectors:
        runtime.metrics.registry.register(collector)

    async def metrics(request: Request) -> Response:
        metrics_access.check(request)
        await asyncio.gather(*map(_refreshed, runtime.metric_refreshes))
        return Response(runtime.metrics.render(), headers={"content-type": CONTENT_TYPE, "cache-control": "no-store"})

    endpoint = GraphQLEndpoint(runtime, ide.render, stream)
    routes: list[Route | Mount] = [
        *(Route(path, endpoint) for path in GRAPHQL_PATHS),
        Route("/", FrontPage(runtime, health).show),
        Route("/docs", schema_pages.docs),
        Route("/schema.graphql", schema_pages.sdl),
        Route("/health/live", health.live),
        Route("/health/ready", health.ready),
        Route("/metrics", metrics),
        Route(PATH, ScalarPage(runtime).show),
        Route("/ide", ide.page),
        Route("/ide/config.json", local_only(ide.config)),
        Route("/verify", verify_page),
        Route("/reset-password", reset_page),
        Route("/links.js", script),
        Mount("/ide/assets", Assets(runtime.web / "assets")),
    ]
    if runtime.files is not None:
        files = Files(runtime, runtime.files)
        routes += [
            Route(UPLOADS_PATH, files.uploads, methods=FILE_METHODS),
            Route(f"{EXPORTS_PATH}{{id}}", files.exports, methods=FILE_METHODS),
        ]
    if runtime.dev_mailbox is not None and not runtime.settings.production:
        routes.append(Route("/dev/mail", local_only(DevMailboxPage(runtime.dev_mailbox).show)))
    return routes


async def _refreshed(refresh: Callable[[], Awaitable[None]]) -> None:
    with contextlib.suppress(Unavailable, TimeoutError):
        async with asyncio.timeout(REFRESH_PATIENCE_S):
            await refresh()


async def _nowhere(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 1008, "reason": "There is nothing here."})
        return
    raise Refused("There is nothing here.", status=HTTPStatus.NOT_FOUND, code=Code.NOT_FOUND)
