"""What all sockets of a server process share."""

import asyncio
from collections.abc import Mapping
from typing import Any

import msgspec

from app.kit.errors import Unauthenticated
from app.transport.callers import Callers
from app.transport.credentials import token_in
from app.transport.runtime import AppRuntime, Caller
from app.transport.sockets.admission import SocketAdmission
from app.transport.sockets.protocol import CloseCode, Closing


class SocketServer(msgspec.Struct, frozen=True, eq=False):
    """Shared by all sockets: the callers' authentication, the admission, and the tasks under way."""

    runtime: AppRuntime
    callers: Callers
    admission: SocketAdmission
    tasks: set["asyncio.Task[None]"]
    """The tasks of all sockets."""

    async def introduced(self, payload: Mapping[str, Any], caller: Caller) -> Caller:
        """The caller, by the token of a `connection_init` if there is one: it takes precedence over the handshake. So
        do the `tenant` and the `mode` that it names.

        Raises Closing for an invalid token: as an anonymous caller, the client would wait for events that it never
        gets. After this code it reconnects, and can send a new token. Raises Refused if it cannot be checked.
        """
        try:
            token = token_in(payload)
        except Unauthenticated as error:
            raise Closing(CloseCode.FORBIDDEN, error.message) from error
        if token:
            caller = await self.callers.bearing(token, caller)
        slug, mode = payload.get("tenant"), payload.get("mode")
        if isinstance(slug, str) or mode is not None:
            named = slug if isinstance(slug, str) else None if caller.tenancy is None else caller.tenancy.slug
            caller = await self.callers.in_tenant(named, mode, caller)
        if caller.refusal is not None and caller.refusal.is_deliberate:
            raise Closing(CloseCode.FORBIDDEN, caller.refusal.reason)
        return caller
