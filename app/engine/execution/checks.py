"""Large requests are read and checked in a thread, in turns among those who send them."""

import asyncio
from collections.abc import Callable, Hashable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeVar

from app.engine.execution.failures import TimedOut
from app.kit.admission import Admission
from app.kit.errors import Unavailable

T = TypeVar("T")

MAX_WAITING: Final = 200
"""Large requests that may wait for their check; each takes tens of milliseconds at most."""


class TooManyChecks(Unavailable):
    """Too many large requests wait to be checked. Try again shortly."""


class Checks:
    """One thread: however many large requests come, the event loop shares its time with one of them.

    The interpreter runs one thread at a time, and hands over every few milliseconds: each further one would make the
    event loop wait for as long again.
    """

    def __init__(self, timeout_s: float) -> None:
        self.turns = Admission(1, waiting_limit=MAX_WAITING, overloaded=TooManyChecks)
        self._timeout_s = timeout_s
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="checking")

    async def run(self, party: Hashable, check: Callable[[], T]) -> T:
        """The result of `check`, when it is the party's turn. Who is cancelled while they wait leaves the line.

        Raises TooManyChecks, and TimedOut when their turn does not come in time.
        """
        try:
            async with asyncio.timeout(self._timeout_s):
                await self.turns.enter(party)
        except TimeoutError:
            raise TimedOut from None
        # What runs in a thread cannot be stopped: the next turn comes when it has ended, whether or not anybody waits.
        checking = asyncio.get_running_loop().run_in_executor(self._thread, check)

        def checked(done: "asyncio.Future[T]") -> None:
            self.turns.leave(party)
            # Marks it as seen, for who has gone.
            done.exception()

        checking.add_done_callback(checked)
        return await asyncio.shield(checking)
