"""Cancels tasks reliably: redis-py and asyncpg can swallow a cancellation while a connection opens or closes."""

import asyncio
import os
from collections.abc import Awaitable, Callable
from typing import Any, Final

import structlog

from app.kit.errors import Unavailable

SPARE_CORES: Final = max(1, (os.cpu_count() or 2) - 1)
"""How many threads may burn CPU at once in a process: the event loop keeps a core."""

_PATIENCE_S: Final = 0.1

log = structlog.get_logger(__name__)


async def end(*tasks: "asyncio.Task[Any]") -> None:
    """Cancels tasks, again if need be, and returns when they have ended, however they did."""
    pending = {task for task in tasks if not task.done()}
    while pending:
        for task in pending:
            task.cancel()
        _, pending = await asyncio.wait(pending, timeout=_PATIENCE_S)


def heed_cancellation() -> None:
    """Raises CancelledError where the current task was cancelled and a library has swallowed the exception."""
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError


async def repeat(work: Callable[[], Awaitable[object]], *, every_s: float, name: str) -> None:
    """Does the work until cancelled, with a pause after each time. What goes wrong is logged under the name, and delays
    the work only.
    """
    while True:
        try:
            await work()
        except Unavailable as problem:
            log.warning(f"{name}.waiting", reason=problem.message)
        except Exception:
            log.exception(f"{name}.failed")
        heed_cancellation()
        await asyncio.sleep(every_s)
