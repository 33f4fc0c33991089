"""Waiting for what happens elsewhere, with a deadline instead of a guess."""

import asyncio
import inspect
from collections.abc import Awaitable, Callable


async def until(condition: Callable[[], bool | Awaitable[bool]], *, within_s: float = 10.0) -> None:
    """Returns as soon as `condition` holds. Raises AssertionError when it does not within the deadline."""
    deadline = asyncio.get_running_loop().time() + within_s
    while True:
        outcome = condition()
        if await outcome if inspect.isawaitable(outcome) else outcome:
            return
        if asyncio.get_running_loop().time() > deadline:
            raise AssertionError(f"did not happen within {within_s} s: {inspect.getsource(condition).strip()}")
        await asyncio.sleep(0.005)
