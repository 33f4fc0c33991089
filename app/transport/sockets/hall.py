"""What all sockets of a server share."""

import asyncio

import msgspec

from app.engine.execution import Prepared, Response
from app.transport.callers import Callers
from app.transport.messages import Params
from app.transport.runtime import AppRuntime, Caller
from app.transport.sockets.admission import Admission


class Hall(msgspec.Struct, frozen=True, eq=False):
    """One for all."""

    runtime: AppRuntime
    callers: Callers
    admission: Admission
    tasks: set["asyncio.Task[None]"]
    """What any socket has under way."""

    async def prepare(self, params: Params, caller: Caller) -> Prepared | Response:
        """The operation; a response where it is refused."""
        prepared = await self.runtime.engine.prepare_fairly(
            params.query,
            params.operation_name,
            params.variables,
            introspection_allowed=caller.viewer is not None or self.runtime.settings.introspection_for_anonymous,
            size_bytes=params.size_bytes,
        )
        return Response.refused(prepared, caller.request_id) if isinstance(prepared, list) else prepared
