"""Large requests are parsed and checked in a thread. Callers take turns."""

import asyncio
from collections.abc import Callable, Hashable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeVar

from app.engine.execution.failures import TimedOut
from app.kit.admission import Admission
from app.kit.errors import Unavailable

T = TypeVar("T")

MAX_WAITING: Final = 200
"""The maximum number of large requests that wait for their check. Each takes at most tens of milliseconds."""


class TooManyChecks(Unavailable):
    """Too many large requests wait to be checked. Try again shortly."""


class Checks:
    """Checks in one thread, so that the event loop shares the interpreter with at most one large request.

    The interpreter runs one thread at a time and switches every few milliseconds. Each additional thread would make the
    event loop wait that much longer.
    """

    def __init__(self, timeout_s: float) -> None:
        self.turns = Admission(1, waiting_limit=MAX_WAITING, overloaded=TooManyChecks)
        self._timeout_s = timeout_s
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="checking")

    async def run(self, party: Hashable, check: Callable[[], T]) -> T:
        """Waits for the party's turn and returns the result of `check`. A cancelled caller leaves the queue.

        Raises TooManyChecks, and TimedOut if the turn does not come in time.
        """
        try:
            async with asyncio.timeout(self._timeout_s):
                await self.turns.enter(party)
        except TimeoutError:
            raise TimedOut from None
        # A thread cannot be stopped: the next turn begins when it has ended, even if its caller was cancelled.
        checking = asyncio.get_running_loop().run_in_executor(self._thread, check)

        def checked(done: "asyncio.Future[T]") -> None:
            self.turns.leave(party)
            # Marks the exception as retrieved, if the caller was cancelled.
            done.exception()

        checking.add_done_callback(checked)
        return await asyncio.shield(checking)
