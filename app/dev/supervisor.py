"""Runs Moneta's own processes below one terminal: all start, all stop, and none outlives the other."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from pathlib import Path

from app.dev.processes import EmbeddedError, Log, spawn, stop, wait_until

READY_PATIENCE_S = 60.0
POLL_S = 0.3
SHUTDOWN = ((signal.SIGTERM, 10.0),)
ROOT = Path(__file__).resolve().parents[2]


class Child:
    """One `python -m app <verb>`, its output in `<home>/<verb>.log`."""

    def __init__(self, verb: str, home: Path, env: Mapping[str, str]) -> None:
        self.verb = verb
        self.log = Log(home.resolve() / f"{verb}.log")
        self.process: subprocess.Popen[bytes] = spawn(
            [sys.executable, "-m", "app", verb],
            cwd=ROOT,
            env={**os.environ, **env},
            user=None,
            log=self.log,
            # At once, so that the port is free for the next start; no acknowledged write depends on an orderly end.
            on_parent_death=signal.SIGKILL,
        )

    def failure(self) -> EmbeddedError | None:
        """Why it no longer runs; None while it runs."""
        status = self.process.poll()
        return None if status is None else self.log.error(f"`{self.verb}` has ended with status {status}.")


class Terminated(Exception):
    """SIGTERM: end as Ctrl-C does."""


def supervise(
    home: Path,
    env: Mapping[str, str],
    ready_url: str,
    *,
    on_ready: Callable[[], None],
    servers_failure: Callable[[], EmbeddedError | None],
) -> None:
    """Starts the API and the worker, calls `on_ready` once the API serves, and waits for Ctrl-C or SIGTERM.

    Raises EmbeddedError when one of them, or a server below them, ends by itself. All are stopped on the way out.
    """
    signal.signal(signal.SIGTERM, _terminate)
    # A shell starts background jobs with the interrupt ignored, and Python does not change that.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    children: list[Child] = []
    try:
        children += [Child(verb, home, env) for verb in ("serve", "work")]

        def failure() -> EmbeddedError | None:
            return next(filter(None, (child.failure() for child in children)), None) or servers_failure()

        if not wait_until(lambda: failure() is not None or _answers(ready_url), READY_PATIENCE_S):
            raise children[0].log.error(f"The API was not ready within {READY_PATIENCE_S:.0f} s.")
        while (ended := failure()) is None:
            on_ready()
            on_ready = _nothing
            time.sleep(POLL_S)
        raise ended
    except (KeyboardInterrupt, Terminated):
        return
    finally:
        # A second Ctrl-C must not interrupt the orderly stop.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        for child in children:
            child.process.send_signal(signal.SIGTERM) if child.process.poll() is None else None
        for child in children:
            stop(child.process, *SHUTDOWN)


def _terminate(number: int, frame: object) -> None:
    raise Terminated


def _nothing() -> None:
    """`on_ready` was called already."""


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=1.0) as response:  # noqa: S310  # a loopback address of ours
            return bool(response.status == 200)
    except (urllib.error.URLError, OSError):
        return False
