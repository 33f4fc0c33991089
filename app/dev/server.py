"""How any server starts here: on a port that was free a moment ago, and again on another if it was taken since."""

from __future__ import annotations

import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from app.dev.processes import EmbeddedError, Log, ServerUser, free_port, spawn, stop, wait_until

ATTEMPTS = 10
PAUSE_S = 0.2
# Long enough for the recovery of a large log after a kill -9.
START_PATIENCE_S = 120.0
PORT_TAKEN = "Address already in use"


@dataclass(frozen=True)
class Recipe:
    """What differs between servers.

    `command` and `is_ready` get the port, and the latter the pid; `passing_trouble` are parts of log lines that
    call for another attempt; `shutdown` is the signals to try in turn, with the seconds to wait after each.
    """

    name: str
    command: Callable[[int], Sequence[str | Path]]
    is_ready: Callable[[int, int], bool]
    cwd: Path
    env: Mapping[str, str]
    user: ServerUser | None
    log: Log
    shutdown: Sequence[tuple[signal.Signals, float]]
    passing_trouble: Sequence[str] = (PORT_TAKEN,)


class Server:
    """A running server on 127.0.0.1:`port`."""

    def __init__(self, recipe: Recipe, process: subprocess.Popen[bytes], port: int) -> None:
        self.port = port
        self.pid = process.pid
        self._recipe = recipe
        self._process = process

    @classmethod
    def start(cls, recipe: Recipe) -> Server:
        """Start and wait until ready; raises EmbeddedError with the log's tail."""
        for attempt in range(ATTEMPTS):
            time.sleep(PAUSE_S if attempt else 0.0)
            server = cls._launch(recipe)
            if server.failure() is None:
                return server
            if not any(trouble in recipe.log.written() for trouble in recipe.passing_trouble):
                break
        status = server._process.returncode
        raise recipe.log.error(f"{recipe.name} ended with status {status} instead of starting.")

    def failure(self) -> EmbeddedError | None:
        """Why the server no longer runs; None while it runs."""
        status = self._process.poll()
        if status is None:
            return None
        return self._recipe.log.error(f"{self._recipe.name} has ended with status {status}.")

    def stop(self) -> None:
        """End it in order, and by force when that takes too long."""
        stop(self._process, *self._recipe.shutdown)

    @classmethod
    def _launch(cls, recipe: Recipe) -> Server:
        port = free_port()
        process = spawn(
            recipe.command(port),
            cwd=recipe.cwd,
            env=recipe.env,
            user=recipe.user,
            log=recipe.log,
            on_parent_death=recipe.shutdown[0][0],
        )
        server = cls(recipe, process, port)
        try:
            if not wait_until(
                lambda: process.poll() is not None or recipe.is_ready(process.pid, port), START_PATIENCE_S
            ):
                raise recipe.log.error(f"{recipe.name} was not ready within {START_PATIENCE_S:.0f} s.")
        except BaseException:
            server.stop()
            raise
        return server
