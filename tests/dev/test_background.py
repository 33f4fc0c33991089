"""Work in a thread ends with what it runs beside."""

import asyncio
import threading

from app.dev.background import in_background
from tests.waiting import HANG_S


def test_it_is_cancelled_and_cleans_up_before_the_end() -> None:
    begun, steps = threading.Event(), list[str]()

    async def work() -> None:
        try:
            begun.set()
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            steps.append("cleaned up")

    with in_background(work) as start:
        start()
        assert begun.wait(HANG_S)
        assert steps == []
    assert steps == ["cleaned up"]


def test_what_ends_by_itself_or_goes_wrong_is_nobodys_concern() -> None:
    ended = threading.Event()

    async def work() -> None:
        ended.set()
        raise ValueError

    with in_background(work) as start:
        start()
        assert ended.wait(HANG_S)


def test_what_was_not_started_does_not_run() -> None:
    async def work() -> None:
        raise AssertionError

    with in_background(work):
        pass


def test_it_is_cancelled_also_at_its_beginning() -> None:
    finished = list[str]()

    async def work() -> None:
        await asyncio.Event().wait()
        finished.append("never")

    for _ in range(20):
        with in_background(work) as start:
            start()
    assert finished == []
    assert not [thread for thread in threading.enumerate() if thread.name.endswith("(run)")]
