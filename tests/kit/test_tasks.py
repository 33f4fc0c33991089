"""Work that is repeated goes on whatever goes wrong, and ends when it is cancelled."""

import asyncio
import contextlib

import pytest

from app.kit.errors import Unavailable
from app.kit.tasks import end, repeat
from tests.engine.support import listening


async def test_what_goes_wrong_is_logged_and_only_delays() -> None:
    done, faults = asyncio.Event(), iter([Unavailable("Postgres is gone."), ValueError("a bug")])

    async def work() -> None:
        if fault := next(faults, None):
            raise fault
        done.set()

    with listening() as logs:
        task = asyncio.create_task(repeat(work, every_s=0, name="sums"))
        await done.wait()
        await end(task)
    assert [(each["event"], each["log_level"]) for each in logs] == [
        ("sums.waiting", "warning"),
        ("sums.failed", "error"),
    ]
    assert logs[0]["reason"] == "Postgres is gone."


async def test_it_ends_where_a_library_swallows_the_cancellation() -> None:
    begun, times = asyncio.Event(), list[int]()

    async def work() -> None:
        times.append(1)
        begun.set()
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.Event().wait()

    task = asyncio.create_task(repeat(work, every_s=0, name="sums"))
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert times == [1]
