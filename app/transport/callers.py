"""Who calls: a bearer token, a browser's cookie, or nobody."""

import asyncio
import ipaddress
from http import HTTPStatus
from typing import Final

from starlette.requests import HTTPConnection, cookie_parser

from app.domains.accounts.model import Client, Viewer
from app.kit.errors import Code, Problem, Unavailable
from app.transport import cookies
from app.transport.origins import Origins
from app.transport.refusals import Refused
from app.transport.runtime import AppRuntime, Caller

AUTHENTICATION_S: Final = 5.0
"""Seconds within which it must be known who calls: no operation has begun yet whose own limit would count."""

_REALM: Final = 'Bearer realm="moneta"'


class Callers:
    """Authenticates the callers of HTTP requests."""

    def __init__(self, runtime: AppRuntime) -> None:
        self._authenticate = runtime.authenticate
        self._origins = Origins(runtime.settings)

    async def identify(self, connection: HTTPConnection, request_id: str) -> Caller:
        """The caller. Raises Refused: 401 for a bearer token that is not good, 403 for a foreign page with our cookies.

        A cookie that is not good any more makes an anonymous caller: the page renews its session by itself.
        """
        client = client_of(connection)
        headers = connection.headers
        from_browser = self._origins.is_ours(headers)
        authorization = headers.get("authorization")
        if authorization is not None:
            return Caller(await self._bearer(authorization, client), client, request_id, from_browser)
        held = cookie_parser(headers.get("cookie", ""))
        session, refresh = held.get(cookies.SESSION), held.get(cookies.REFRESH)
        if (session or refresh) and connection.scope.get("method") != "GET" and not from_browser:
            raise Refused(
                "Cookies count only from our own pages. Other callers send a bearer token.",
                status=HTTPStatus.FORBIDDEN,
                code=Code.FORBIDDEN,
            )
        viewer = await self.authenticated(session, client) if session else None
        device = held.get(cookies.DEVICE) if from_browser else None
        return Caller(viewer, client, request_id, from_browser, refresh, device)

    async def _bearer(self, authorization: str, client: Client) -> Viewer:
        scheme, _, token = authorization.partition(" ")
        viewer = await self.authenticated(token.strip(), client) if scheme.lower() == "bearer" else None
        if viewer is None:
            raise Refused(
                "The bearer token is not valid, or not any more.",
                status=HTTPStatus.UNAUTHORIZED,
                code=Code.UNAUTHENTICATED,
                headers={"www-authenticate": f'{_REALM}, error="invalid_token"'},
            )
        return viewer

    async def authenticated(self, token: str, client: Client) -> Viewer | None:
        """The viewer of an access token; None for one that is not good. Raises Refused when that cannot be told."""
        try:
            async with asyncio.timeout(AUTHENTICATION_S):
                return await self._authenticate(token, client)
        except TimeoutError as error:
            raise Refused.because(Unavailable()) from error
        except Problem as problem:
            raise Refused.because(problem) from problem


def client_of(connection: HTTPConnection) -> Client:
    """Where the request came from; proxies that we trust have been believed before."""
    return Client(ip=_address(connection), user_agent=connection.headers.get("user-agent"))


def _address(connection: HTTPConnection) -> str | None:
    if connection.client is None:
        return None
    try:
        return str(ipaddress.ip_address(connection.client.host))
    except ValueError:
        return None
