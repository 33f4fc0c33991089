"""Simulations in processes of their own: the event loop and the other cores' work go on."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import msgspec

import app
from app.domains.trading.backtests.model.tasks import Message, Task
from app.domains.trading.backtests.services import child
from app.kit.work import free_to_wait

PROCESSES: Final = 2
"""How many simulate at once, in each worker."""
_ROOT: Final = Path(app.__file__).parent.parent
_decode = msgspec.msgpack.Decoder(Message).decode


class ProcessDied(RuntimeError):
    """A process ended before its task was done. The task is tried again."""


class Simulating:
    """A process that does a task."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def messages(self) -> AsyncIterator[Message]:
        """What it says, until it has ended. Raises ProcessDied if that is in the middle of a message."""
        output = self._process.stdout
        assert output is not None
        while prefix := await _read(output, child.LENGTH_BYTES, or_end=True):
            yield _decode(await _read(output, int.from_bytes(prefix, "big")))

    def kill(self) -> None:
        """Ends it at once: its messages end."""
        if self._process.returncode is None:
            self._process.kill()


class Processes:
    """Starts processes, so many at once; others wait for their turn."""

    def __init__(self, most: int = PROCESSES) -> None:
        self.most: Final = most
        self._slots = asyncio.Semaphore(most)

    @asynccontextmanager
    async def simulate(self, task: Task) -> AsyncIterator[Simulating]:
        """A process that does this task, and has ended when the block has."""
        free_to_wait("a simulation")
        async with self._slots:
            frame = await asyncio.to_thread(child.frame_of, task)
            # Secrets are none of its business, and an interrupt from the terminal is the worker's.
            environment = {name: value for name, value in os.environ.items() if not name.startswith("MONETA_")}
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", child.__name__),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                cwd=_ROOT,
                env=environment,
                start_new_session=True,
            )
            simulating = Simulating(process)
            try:
                await _give(process, frame)
                yield simulating
            finally:
                simulating.kill()
                await process.wait()


async def _give(process: asyncio.subprocess.Process, frame: bytes) -> None:
    assert process.stdin is not None
    try:
        process.stdin.write(frame)
        await process.stdin.drain()
        process.stdin.close()
    except ConnectionError as error:
        raise ProcessDied from error


async def _read(output: asyncio.StreamReader, length: int, *, or_end: bool = False) -> bytes:
    try:
        return await output.readexactly(length)
    except asyncio.IncompleteReadError as error:
        if or_end and not error.partial:
            return b""
        raise ProcessDied from error
