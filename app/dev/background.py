"""Work in a thread of its own, beside what blocks the main one."""

import asyncio
import contextlib
import threading
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, Final

END_PATIENCE_S: Final = 5.0


@contextmanager
def in_background(work: Callable[[], Coroutine[Any, Any, None]]) -> Iterator[Callable[[], None]]:
    """Gives what starts the work. At the end it is cancelled and awaited, so that what it uses can be stopped after it.
    What goes wrong with it is nobody's concern.
    """
    ending = threading.Event()
    running: list[tuple[asyncio.AbstractEventLoop, asyncio.Task[None]]] = []

    async def until_the_end() -> None:
        task = asyncio.create_task(work())
        running.append((asyncio.get_running_loop(), task))
        if ending.is_set():
            task.cancel()
        await task

    def run() -> None:
        with contextlib.suppress(Exception, asyncio.CancelledError):
            asyncio.run(until_the_end())

    thread = threading.Thread(target=run, daemon=True)
    try:
        yield thread.start
    finally:
        ending.set()
        for loop, task in running:
            # The loop is closed where the work has ended by itself.
            with contextlib.suppress(RuntimeError):
                loop.call_soon_threadsafe(task.cancel)
        if thread.ident is not None:
            thread.join(END_PATIENCE_S)
