"""What the callers with an API key may call, and how often."""

import asyncio
from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import Final

import msgspec
from graphql import OperationType

from app.domains.tenancy.tenants.model.tenants import Tenancy
from app.engine.declarations.key_scopes import NEVER
from app.engine.execution.operations import Prepared
from app.kit.errors import Code, Forbidden, Problem, RateLimited, Unavailable
from app.kit.quotas import QuotaExceeded, Usage
from app.transport.refusals import Refused
from app.transport.runtime import AppRuntime, Caller

MINUTE_S: Final = 60.0
"""A subscription counts as another call with each minute that it is open."""


async def charged(caller: Caller, runtime: AppRuntime) -> Caller:
    """Counts a call of an API key, whatever becomes of it; returns the caller with what is left of the limits. Raises
    Refused, 429, where a limit is reached. Other callers are not counted.
    """
    if caller.tenancy is None or caller.key is None:
        return caller
    try:
        usage = await runtime.charge(caller.tenancy, caller.key)
    except RateLimited as limited:
        headers = {"retry-after": str(limited.retry_after_s)}
        if isinstance(limited, QuotaExceeded):
            headers |= rate_limit_headers(limited.windows)
        raise Refused(
            limited.message, status=HTTPStatus.TOO_MANY_REQUESTS, code=Code.RATE_LIMITED, headers=headers
        ) from limited
    return msgspec.structs.replace(caller, usage=usage)


def rate_limit_headers(windows: Iterable[Usage]) -> dict[str, str]:
    """As the draft of the IETF has them: draft-ietf-httpapi-ratelimit-headers."""
    known = list(windows)
    if not known:
        return {}
    return {
        "ratelimit-policy": ", ".join(f'"{each.name}";q={each.limit};w={each.span_s}' for each in known),
        "ratelimit": ", ".join(f'"{each.name}";r={each.remaining};t={each.resets_in_s}' for each in known),
    }


def refusal_of(caller: Caller, prepared: Prepared) -> Problem | None:
    """Why a caller with an API key may not have an operation executed; None: they may, or have none."""
    if (key := caller.key) is None:
        return None
    for scope, what in prepared.reach.key_scopes.items():
        if scope == NEVER:
            return Forbidden(f"API keys cannot use {what}: it is for users, who log in.")
        if not key.holds(scope):
            return Forbidden(f"This API key lacks the scope {scope}, which {what} needs.")
    is_mutation = prepared.kind is OperationType.MUTATION
    if is_mutation and caller.usage is not None and not caller.usage.is_counted:
        return Unavailable()
    return None


async def count_minutes(runtime: AppRuntime, tenancy: Tenancy, over: Callable[[RateLimited], None]) -> None:
    """Counts the minutes of a subscription of an API key, and calls `over` when a limit is reached."""
    assert tenancy.key is not None
    while True:
        await asyncio.sleep(MINUTE_S)
        try:
            await runtime.charge(tenancy, tenancy.key)
        except RateLimited as limited:
            over(limited)
            return
