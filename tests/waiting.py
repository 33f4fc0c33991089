"""Waiting for what happens elsewhere. How long it took is printed at the end of a run and decides nothing.

Outcome, order and loss decide. A test waits for them as long as it takes: `HANG_S` is there so that what never happens
fails as well, and no test comes near it, however busy the machine is. `test_repository.py` keeps other deadlines,
clocks and pauses out of the tests.
"""

import asyncio
import contextlib
import functools
import inspect
import os
import signal
import time
from collections.abc import Awaitable, Callable, Iterator
from typing import Any, Final

HANG_S: Final = float(os.environ.get("MONETA_TESTS_HANG_S", "600"))
"""Whatever lasts longer hangs. Shorter while somebody breaks the code on purpose."""

_seen: list[tuple[str, float]] = []


async def until(condition: Callable[[], bool | Awaitable[bool]]) -> None:
    """Returns as soon as `condition` holds. Raises AssertionError when it never does."""
    give_up = now() + HANG_S
    while True:
        outcome = condition()
        if await outcome if inspect.isawaitable(outcome) else outcome:
            return
        if now() > give_up:
            raise AssertionError(f"it never happened: {inspect.getsource(condition).strip()}")
        await asyncio.sleep(0.005)


def until_true(condition: Callable[[], bool], what: str) -> None:
    """The same where there is no event loop; an AssertionError names what never became true."""
    give_up = now() + HANG_S
    while not condition():
        assert now() < give_up, f"it never happened: {what}"
        time.sleep(0.05)


async def elapse(seconds: float) -> None:
    """Lets time pass that is part of what a test does to the product: an outage, or a random moment.

    More may pass than was asked for: nothing may depend on it.
    """
    await asyncio.sleep(seconds)


def now() -> float:
    """A moment to measure from: what is measured is handed to `seen`, and never compared."""
    return time.monotonic()


def seen(what: str, seconds: float) -> None:
    """Notes a duration for the end of the run."""
    _seen.append((what, seconds))


@contextlib.contextmanager
def timed(what: str) -> Iterator[None]:
    """Notes how long the block takes."""
    began = now()
    yield
    seen(what, now() - began)


def take_seen() -> list[tuple[str, float]]:
    """What was noted since the last call."""
    taken = _seen.copy()
    _seen.clear()
    return taken


def guarded(test: Callable[..., Awaitable[None]]) -> Callable[..., Awaitable[None]]:
    """The same test; TimeoutError shows where it hangs."""

    @functools.wraps(test)
    async def run(*args: Any, **kwargs: Any) -> None:
        async with asyncio.timeout(HANG_S):
            await test(*args, **kwargs)

    return run


@contextlib.contextmanager
def alarmed() -> Iterator[None]:
    """The same for a test without an event loop; it is interrupted in the main thread."""

    def give_up(*_: object) -> None:
        raise TimeoutError(f"nothing happened in {HANG_S:g} s")

    before = signal.signal(signal.SIGALRM, give_up)
    signal.setitimer(signal.ITIMER_REAL, HANG_S)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
