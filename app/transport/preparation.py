"""From a request to an operation that can be executed, the same for every transport."""

from collections.abc import Awaitable, Callable
from typing import Any

from app.engine.execution.operations import Prepared, Response
from app.transport.maintenance import check_maintenance
from app.transport.messages import Params
from app.transport.runtime import AppRuntime, Caller


async def prepare_for(
    caller: Caller,
    params: Params,
    runtime: AppRuntime,
    *,
    wait: Callable[[Awaitable[Any]], Awaitable[Any]] | None = None,
) -> Prepared | Response:
    """Returns the caller's operation, or the response that refuses it. `wait` waits for a turn in the queue.

    Anonymous callers can introspect only where the settings allow it. Raises Refused during maintenance.
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
    if isinstance(prepared, list):
        return Response.refused(prepared, caller.request_id)
    check_maintenance(runtime.maintenance, caller, prepared)
    return prepared
