"""From a request to an operation that can be executed, the same for every transport."""

from collections.abc import Awaitable, Callable
from typing import Any

from app.engine.execution.failures import refuse
from app.engine.execution.operations import Prepared, Response
from app.transport.calls import refusal_of
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

    Anonymous callers can introspect only where the settings allow it. An API key needs the scopes of all that is
    selected. Raises Refused during maintenance.
    """
    prepared = await runtime.engine.prepare_fairly(
        params.query,
        params.operation_name,
        params.variables,
        introspection_allowed=caller.is_known or runtime.settings.introspection_for_anonymous,
        size_bytes=params.size_bytes,
        party=lambda: runtime.new_context(caller).party,
        wait=wait,
    )
    if isinstance(prepared, list):
        return Response.refused(prepared, caller.request_id)
    check_maintenance(runtime.maintenance, caller, prepared)
    if (refusal := refusal_of(caller, prepared)) is not None:
        return Response.refused([refuse(refusal)], caller.request_id)
    return prepared
