"""From a request to an operation that can be executed, the same for every transport."""

from collections.abc import Awaitable, Callable
from typing import Any

from app.engine.operations import Prepared, Response
from app.transport.messages import Params
from app.transport.runtime import AppRuntime, Caller


async def prepare_for(
    caller: Caller,
    params: Params,
    runtime: AppRuntime,
    *,
    wait: Callable[[Awaitable[Any]], Awaitable[Any]] | None = None,
) -> Prepared | Response:
    """The caller's operation; a response where it is refused. `wait` is how a turn in the line is waited for.

    Who is nobody may introspect only where the settings allow it.
    """
    prepared = await runtime.engine.prepare_fairly(
        params.query,
        params.operation_name,
        params.variables,
        introspection_allowed=caller.viewer is not None or runtime.settings.introspection_for_anonymous,
        size_bytes=params.size_bytes,
        party=lambda: runtime.new_context(caller).party,
        wait=wait,
    )
    return Response.refused(prepared, caller.request_id) if isinstance(prepared, list) else prepared
