"""The verbs of the application as processes of their own."""

import os
import signal
import subprocess
import sys
from collections.abc import Awaitable, Callable, Mapping
from itertools import count
from pathlib import Path

import httpx

from app.dev.processes import Log, spawn
from tests.waiting import HANG_S, until

ROOT = Path(__file__).resolve().parents[2]
_numbers = count(1)


class Process:
    """`python -m app <verb>`, or another module that runs it."""

    def __init__(self, verb: str, home: Path, environment: Mapping[str, str], *, module: str = "app") -> None:
        self.log = Log(home / f"{verb}-{next(_numbers)}.log")
        self._process: subprocess.Popen[bytes] = spawn(
            [sys.executable, "-m", module, verb],
            cwd=ROOT,
            env={**os.environ, **environment},
            user=None,
            log=self.log,
            on_parent_death=signal.SIGKILL,
        )

    @property
    def lives(self) -> bool:
        return self._process.poll() is None

    def kill(self) -> None:
        """SIGKILL."""
        self._process.kill()
        self._process.wait(HANG_S)

    async def stop(self) -> None:
        """SIGTERM, and its end in order."""
        self._process.send_signal(signal.SIGTERM)
        await until(lambda: not self.lives)
        assert self._process.returncode == 0, self.log.written()[-2000:]

    async def says(self, word: str) -> None:
        """Returns once it has logged this."""
        await self._until(lambda: word in self.log.written())

    async def answers(self, url: str) -> None:
        """Returns once it serves."""
        async with httpx.AsyncClient(trust_env=False, timeout=HANG_S) as client:

            async def ready() -> bool:
                try:
                    return (await client.get(f"{url}/health/ready")).status_code == 200
                except httpx.TransportError:
                    return False

            await self._until(ready)

    async def _until(self, condition: Callable[[], bool | Awaitable[bool]]) -> None:
        try:
            await until(condition)
        except AssertionError as error:
            raise self.log.error("It did not come up.") from error
