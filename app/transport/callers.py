"""Authenticates callers: by a bearer token, by a browser's cookie, or as anonymous."""

import asyncio
import ipaddress
from collections.abc import Awaitable
from http import HTTPStatus
from typing import Final, TypeVar

import msgspec
from starlette.requests import HTTPConnection, cookie_parser

from app.domains.accounts.model import Client
from app.domains.tenancy.api_keys.model import PREFIX
from app.domains.tenancy.tenants.model.tenants import Tenancy
from app.kit.errors import Code, Problem, Unauthenticated, Unavailable
from app.transport import cookies
from app.transport.credentials import token_of
from app.transport.origins import Origins
from app.transport.refusals import Refused
from app.transport.runtime import AppRuntime, Caller, Refusal

T = TypeVar("T")

AUTHENTICATION_S: Final = 5.0
"""Seconds that authentication may take: no operation has begun yet whose own limit would apply."""

TENANT_HEADER: Final = "x-moneta-tenant"
MODE_HEADER: Final = "x-moneta-mode"
TEST: Final = "test"
MODES: Final = (None, "live", TEST)
NO_TENANT: Final = "There is no tenant with this slug, or you are not a member of it."

_NO_KEY: Final = "The API key is not valid, or not any more."
_OTHER_TENANT: Final = "An API key acts in its own tenant and mode, and in no other."
_FOREIGN: Final = "Cookies count only from our own pages. Other callers send a bearer token."


class Callers:
    """Authenticates callers.

    A caller with invalid credentials is anonymous, and gets the reason where a viewer is needed: a client that sends an
    expired token with every request must be able to log in again. With a bearer token, valid or not, cookies are
    ignored: the caller is never authenticated as another user than that of the token.
    """

    def __init__(self, runtime: AppRuntime) -> None:
        self._runtime = runtime
        self._authenticate = runtime.authenticate
        self._tenancy_of = runtime.tenancy_of
        self._fault_of = runtime.fault_of
        self._origins = Origins(runtime.settings)

    async def identify(self, connection: HTTPConnection, request_id: str) -> Caller:
        """Returns the caller. Raises Refused when they cannot be checked, and for a foreign page with our cookies."""
        headers = connection.headers
        caller = Caller(None, client_of(connection), request_id, self._origins.is_ours(headers))
        try:
            token = token_of(headers.get("authorization", ""))
        except Unauthenticated as foreign:
            # Perhaps a password for a proxy, which the browser sends to us as well: the cookie still counts.
            token, caller = "", msgspec.structs.replace(caller, refusal=Refusal(foreign.message, is_deliberate=False))
        known = await (self.bearing(token, caller) if token else self._with_cookies(caller, connection))
        return await self.in_tenant(headers.get(TENANT_HEADER), headers.get(MODE_HEADER), known)

    async def in_tenant(self, slug: str | None, mode: str | None, caller: Caller) -> Caller:
        """Returns the caller as one who acts in the tenant with this slug, on real data or that of tests. Raises
        Refused if that cannot be checked, for another mode, and for an API key of another tenant or mode.
        """
        if mode not in MODES:
            raise Refused(f"{MODE_HEADER}: live or test.")
        if (acting := caller.tenancy) is not None and acting.key is not None:
            if (slug or acting.slug) != acting.slug or (mode or _mode_of(acting)) != _mode_of(acting):
                raise Refused(_OTHER_TENANT, status=HTTPStatus.FORBIDDEN, code=Code.FORBIDDEN)
            return caller
        if not slug:
            return caller
        tenancy = None
        if caller.viewer is not None:
            tenancy = await self._answered(self._tenancy_of(caller.viewer, slug))
            if tenancy is not None:
                tenancy = msgspec.structs.replace(tenancy, livemode=mode != TEST)
        refusal = NO_TENANT if tenancy is None else None
        return msgspec.structs.replace(caller, tenancy=tenancy, tenant_refusal=refusal)

    async def bearing(self, token: str, caller: Caller) -> Caller:
        """Returns the caller as the bearer of this token. Raises Refused when that cannot be checked."""
        return await self._known_by(token, caller, is_deliberate=True)

    async def _with_cookies(self, caller: Caller, connection: HTTPConnection) -> Caller:
        held = cookie_parser(connection.headers.get("cookie", ""))
        session, refresh = held.get(cookies.SESSION), held.get(cookies.REFRESH)
        if caller.from_browser:
            caller = msgspec.structs.replace(caller, device_token=held.get(cookies.DEVICE))
        if not (session or refresh):
            return caller
        if not caller.from_browser:
            # A browser sends cookies with the handshake of a socket, whichever page opens it.
            if connection.scope["type"] == "websocket":
                return msgspec.structs.replace(caller, refusal=Refusal(_FOREIGN, is_deliberate=False))
            raise Refused(_FOREIGN, status=HTTPStatus.FORBIDDEN, code=Code.FORBIDDEN)
        caller = msgspec.structs.replace(caller, refresh_token=refresh)
        return caller if not session else await self._known_by(session, caller, is_deliberate=False)

    async def _known_by(self, token: str, caller: Caller, *, is_deliberate: bool) -> Caller:
        if token.startswith(PREFIX):
            acting = await self._answered(self._runtime.acting_by_key(token, caller.client))
            refused = None if acting is not None else Refusal(_NO_KEY, is_deliberate)
            return msgspec.structs.replace(caller, viewer=None, tenancy=acting, refusal=refused)
        viewer = await self._answered(self._authenticate(token, caller.client))
        refusal = None if viewer is not None else Refusal(self._fault_of(token), is_deliberate)
        # Nobody goes on in a tenant as the caller that the handshake of a socket named.
        acting = caller.tenancy
        if acting is not None and (viewer is None or acting.user_id != viewer.user_id):
            acting = None
        return msgspec.structs.replace(caller, viewer=viewer, tenancy=acting, refusal=refusal)

    async def _answered(self, asked: Awaitable[T]) -> T:
        try:
            async with asyncio.timeout(AUTHENTICATION_S):
                return await asked
        except TimeoutError as error:
            raise Refused.because(Unavailable()) from error
        except Problem as problem:
            raise Refused.because(problem) from problem


def _mode_of(tenancy: Tenancy) -> str:
    return "live" if tenancy.livemode else TEST


def client_of(connection: HTTPConnection) -> Client:
    """Where the request came from. Headers of trusted proxies have been applied before."""
    return Client(ip=_address(connection), user_agent=connection.headers.get("user-agent"))


def _address(connection: HTTPConnection) -> str | None:
    if connection.client is None:
        return None
    try:
        return str(ipaddress.ip_address(connection.client.host))
    except ValueError:
        return None
