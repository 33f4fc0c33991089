"""What all sockets of a server share."""

import asyncio
from collections.abc import Mapping
from typing import Any

import msgspec

from app.kit.errors import Unauthenticated
from app.transport.callers import Callers
from app.transport.credentials import token_in
from app.transport.runtime import AppRuntime, Caller
from app.transport.sockets.admission import Admission
from app.transport.sockets.protocol import CloseCode, Closing


class Hall(msgspec.Struct, frozen=True, eq=False):
    """One for all."""

    runtime: AppRuntime
    callers: Callers
    admission: Admission
    tasks: set["asyncio.Task[None]"]
    """What any socket has under way."""

    async def introduced(self, payload: Mapping[str, Any], caller: Caller) -> Caller:
        """The caller, by the token of a `connection_init` if there is one: it goes before what the handshake has shown.

        Raises Closing for a token that is not good: a client that took itself for known would wait for events that
        never come. After this code it comes back, and can bring a new token. Raises Refused when nothing can be told.
        """
        try:
            token = token_in(payload)
        except Unauthenticated as error:
            raise Closing(CloseCode.FORBIDDEN, error.message) from error
        if token:
            caller = await self.callers.bearing(token, caller)
        if caller.refusal is not None and caller.refusal.is_deliberate:
            raise Closing(CloseCode.FORBIDDEN, caller.refusal.reason)
        return caller
