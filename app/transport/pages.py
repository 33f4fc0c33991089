"""What people see: the IDE with its configuration, and the schema."""

import asyncio
from collections.abc import Mapping
from functools import cached_property
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final

import msgspec
from graphql import build_schema
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from app.engine.execution.encoding import encode
from app.kit.errors import Unauthenticated
from app.transport.callers import Callers
from app.transport.compression import coding_for
from app.transport.html import page
from app.transport.messages import JSON, TEXT
from app.transport.reference import reference
from app.transport.refusals import Refused
from app.transport.request_middleware import request_log_of
from app.transport.runtime import AppRuntime

# What Monaco needs and no more; see web/README.md.
_POLICY: Final = (
    "default-src 'none'; script-src 'self'; worker-src 'self' blob:; style-src 'self' 'unsafe-inline'; "
    "font-src 'self' data:; img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'"
)
_MISSING: Final = (
    "<h1>GraphiQL</h1>\n<p>The GraphiQL page is not built: run <code>make serve</code> where Node 20 or newer is "
    'installed. The API itself is at /graphql; <a href="/">the other addresses</a>.</p>'
)


_WHO: Final = "Cookie, Authorization"
_SUFFIXES: Final = {"br": ".br", "gzip": ".gz"}


class Assets(StaticFiles):
    """Files whose names contain their hash, so that they never change; most of them also in compressed form."""

    def __init__(self, directory: Path) -> None:
        super().__init__(directory=directory, check_dir=False)
        self._folder = directory

    async def check_config(self) -> None:
        """Finds nothing as long as there is no folder, which can be built while the server runs."""
        if not self._folder.is_dir():
            raise HTTPException(HTTPStatus.NOT_FOUND)

    async def get_response(self, path: str, scope: Scope) -> Response:
        """The file, compressed where that was done when it was built and the client can read it."""
        if path.endswith(tuple(_SUFFIXES.values())):
            raise HTTPException(HTTPStatus.NOT_FOUND)
        coding = coding_for(Headers(scope=scope).getlist("accept-encoding"), tuple(_SUFFIXES))
        if coding is not None and (self._folder / f"{path}{_SUFFIXES[coding]}").is_file():
            response = await super().get_response(f"{path}{_SUFFIXES[coding]}", scope)
            response.headers["content-encoding"] = coding
            return response
        return await super().get_response(path, scope)

    def file_response(self, *args: Any, **kwargs: Any) -> Response:
        """A file, kept by browsers for ever."""
        response = super().file_response(*args, **kwargs)
        response.headers["cache-control"] = "public, max-age=31536000, immutable"
        response.headers["vary"] = "Accept-Encoding"
        return response


class Ide:
    """`/ide`, `/ide/config.json`, and `/graphql` for a browser."""

    def __init__(self, runtime: AppRuntime) -> None:
        self._index = runtime.web / "index.html"
        self._config = _config(runtime)

    async def page(self, _: Request) -> Response:
        """The page."""
        return self.render()

    def render(self) -> Response:
        """The page; where it is not built, one line on how to get it."""
        try:
            html = self._index.read_text("utf-8")
        except OSError:
            return page("GraphiQL · Moneta", _MISSING, status=HTTPStatus.SERVICE_UNAVAILABLE)
        return HTMLResponse(html, headers={"content-security-policy": _POLICY, "cache-control": "no-cache"})

    async def config(self, _: Request) -> Response:
        """The configuration of the page."""
        return Response(encode(self._config), headers={"cache-control": "no-store"}, media_type=JSON)


def _config(runtime: AppRuntime) -> Mapping[str, object]:
    """Nothing of a demo in production."""
    production = runtime.settings.production
    logins = () if production else runtime.demo_logins
    return {
        "endpoint": "/graphql",
        "demoLogins": [msgspec.to_builtins(login) for login in logins],
        "accessCodes": () if production else runtime.demo_access_codes,
        "mailbox": None if production or runtime.dev_mailbox is None else "/dev/mail",
    }


class SchemaPages:
    """`/schema.graphql` and `/docs`, for those who may introspect."""

    def __init__(self, runtime: AppRuntime) -> None:
        self._runtime = runtime
        self._callers = Callers(runtime)

    async def sdl(self, request: Request) -> Response:
        """The schema in its own language. Raises Refused."""
        await self._check(request)
        sdl = await asyncio.to_thread(lambda: self._runtime.engine.sdl)
        return Response(sdl, headers={"cache-control": "no-cache", "vary": _WHO}, media_type=TEXT)

    async def docs(self, request: Request) -> Response:
        """The schema as a page. Raises Refused."""
        await self._check(request)
        shown = page("Reference · Moneta", await asyncio.to_thread(lambda: self._reference))
        shown.headers["vary"] = _WHO
        return shown

    @cached_property
    def _reference(self) -> str:
        # As clients know it: Strawberry's own types do not say that an input takes exactly one field.
        return reference(build_schema(self._runtime.engine.sdl))

    async def _check(self, request: Request) -> None:
        if not self._runtime.settings.introspection_for_anonymous:
            caller = await self._callers.identify(request, request_log_of(request).request_id)
            if caller.viewer is None:
                raise Refused.because(Unauthenticated())
