"""The other processes of a run: they exchange lines of JSON, are pinned to the load's core, and end with this one."""

import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Final, TypeVar

import msgspec

from app.dev.processes import Log, spawn, stop
from bench.fanout.messages import Publish, Published, Script, Stop
from bench.machine import CLIENT_CORE, ROOT
from bench.servers import WORK

T = TypeVar("T")
PATIENCE_S: Final = 180.0


class Child:
    """Takes a line, answers a line."""

    def __init__(self, module: str, *, core: int | None, environment: Mapping[str, str]) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", module],
            cwd=ROOT,
            env={**os.environ, **environment},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        if core is not None:
            os.sched_setaffinity(self.process.pid, {core})
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self._input, self._output = self.process.stdin, self.process.stdout
        self._received = b""

    def send(self, order: object) -> None:
        """Does not wait for the answer."""
        self._input.write(msgspec.json.encode(order) + b"\n")
        self._input.flush()

    def hear(self, kind: type[T]) -> T:
        """The next answer. Raises RuntimeError when the process ended or says nothing for long."""
        deadline = time.monotonic() + PATIENCE_S
        while b"\n" not in self._received:
            ready, _, _ = select.select([self._output], [], [], max(0.0, deadline - time.monotonic()))
            received = os.read(self._output.fileno(), 1 << 20) if ready else b""
            if not received:
                raise RuntimeError(f"{self.process.args!r} does not answer")
            self._received += received
        line, _, self._received = self._received.partition(b"\n")
        return msgspec.json.decode(line, type=kind)

    def ask(self, order: object, kind: type[T]) -> T:
        """Sends a line, then waits for the answer."""
        self.send(order)
        return self.hear(kind)


@contextmanager
def child(module: str, *, core: int | None = CLIENT_CORE, **environment: str) -> Iterator[Child]:
    """One of the bench's own processes."""
    started = Child(module, core=core, environment=environment)
    try:
        yield started
    finally:
        stop(started.process, (signal.SIGTERM, 3.0))


class Publisher:
    """The publisher's process."""

    def __init__(self, process: Child) -> None:
        self._process = process
        self.next_number = 0

    def begin(self, rate: float, count: int) -> None:
        """Publishing goes on by itself."""
        self._process.send(Publish(rate, count))

    def end(self, *, early: bool = False) -> Published:
        """The log, once all is published; `early` publishes no more."""
        if early:
            self._process.send(Stop())
        log = self._process.hear(Published)
        self.next_number = log.first + len(log.committed)
        return log

    def publish(self, rate: float, count: int) -> Published:
        """All of it."""
        self.begin(rate, count)
        return self.end()


@contextmanager
def publisher(script: Script) -> Iterator[Publisher]:
    """Publishes this."""
    with child("bench.fanout.publisher") as process:
        process.send(script)
        yield Publisher(process)


@contextmanager
def worker(environment: Mapping[str, str]) -> Iterator[None]:
    """`python -m app work`, for its relay."""
    log = Log(WORK / "worker.log")
    process = spawn(
        [sys.executable, "-m", "app", "work"],
        cwd=ROOT,
        env={**os.environ, **environment},
        user=None,
        log=log,
        on_parent_death=signal.SIGTERM,
    )
    try:
        if CLIENT_CORE is not None:
            os.sched_setaffinity(process.pid, {CLIENT_CORE})
        yield
        if process.poll() is not None:
            raise log.error("The worker ended.")
    finally:
        stop(process, (signal.SIGTERM, 10.0))
