"""The servers under measurement: embedded Postgres and Valkey, Moneta's own process, the stock application."""

import json
import os
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import msgspec

from app.dev.embedded import Embedded
from app.dev.processes import Log, free_port, spawn, stop, wait_until
from bench.load import Outcome, Plan
from bench.machine import CLIENT_CORE, QUIET_PATIENCE_S, ROOT, SERVER_CORE, cpu_seconds, wait_for_quiet

WORK: Final = Path(__file__).parent / ".work"
HOME: Final = WORK / "home"
_READY_S = 60.0
_SHUTDOWN = ((signal.SIGTERM, 10.0),)


@contextmanager
def embedded_servers() -> Iterator[Embedded]:
    """Postgres and Valkey as `make serve` has them, every write on disk before it is acknowledged."""
    WORK.mkdir(exist_ok=True)
    with Embedded.start(HOME, durable=True) as servers:
        yield servers


class Target(msgspec.Struct, frozen=True):
    """A server that listens on this loopback port."""

    name: str
    port: int
    pid: int

    def ask(self, query: str, variables: Mapping[str, object] | None = None) -> dict[str, object]:
        """One response, for looking at it."""
        body = json.dumps({"query": query, "variables": variables or {}}).encode()
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}/graphql", body, {"Content-Type": "application/json"}
        )
        try:
            with urllib.request.urlopen(request, timeout=30) as response:
                answer: dict[str, object] = json.load(response)
        except urllib.error.HTTPError as error:
            raise RuntimeError(f"{self.name}: {error.code} {error.read().decode(errors='replace')[:2000]}") from error
        if answer.get("errors"):
            raise RuntimeError(f"{self.name}: {answer['errors']}")
        return answer


class Server:
    """A server's process on a port of its own, where it can be killed and started again."""

    def __init__(self, name: str, command: Sequence[str | Path], environment: Mapping[str, str], ready: str) -> None:
        """`ready` is the path that answers 200 once the server can be measured."""
        port = free_port()
        self._name = name
        self._command = command
        self._environment = {**os.environ, **environment, "PORT": str(port), "HOST": "127.0.0.1"}
        self._ready = f"http://127.0.0.1:{port}{ready}"
        self._log = Log(WORK / f"{name.lower().replace(' ', '-')}.log")
        self._port = port
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> Target:
        """Returns when it is ready. Raises EmbeddedError with the log's tail when it does not become so."""
        process = self._process = spawn(
            self._command,
            cwd=ROOT,
            env=self._environment,
            user=None,
            log=self._log,
            on_parent_death=signal.SIGTERM,
        )
        if SERVER_CORE is not None:
            # Before it has any thread but the first: those that follow inherit it.
            os.sched_setaffinity(process.pid, {SERVER_CORE})
        wait_until(lambda: process.poll() is not None or _answers(self._ready), _READY_S)
        if process.poll() is not None or not _answers(self._ready):
            raise self._log.error(f"{self._name} is not ready.")
        return Target(self._name, self._port, process.pid)

    def kill(self) -> None:
        """SIGKILL: it cleans nothing up."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def stop(self) -> None:
        """SIGTERM first."""
        if self._process is not None:
            stop(self._process, *_SHUTDOWN)


@contextmanager
def serving(server: Server) -> Iterator[Target]:
    """The server, ready, until the end of the block."""
    try:
        yield server.start()
    finally:
        server.stop()


def moneta_server(database_url: str, redis_url: str, settings: Mapping[str, str]) -> Server:
    """The API as `python -m app serve` runs it. `settings` are further `MONETA_*` variables."""
    environment = {
        "MONETA_HOME": str(HOME),
        "MONETA_DATABASE_URL": database_url,
        "MONETA_REDIS_URL": redis_url,
        **settings,
    }
    return Server("Moneta", [sys.executable, "-m", "app", "serve"], environment, "/health/ready")


@contextmanager
def moneta(database_url: str, redis_url: str, settings: Mapping[str, str]) -> Iterator[Target]:
    """`moneta_server`, ready."""
    with serving(moneta_server(database_url, redis_url, settings)) as target:
        yield target


@contextmanager
def stock(database_url: str, *, caches: bool) -> Iterator[Target]:
    """The stock application (bench/stock.py)."""
    environment = {"BENCH_DATABASE_URL": database_url, "BENCH_STOCK_CACHES": "1" if caches else ""}
    name = "stock with caches" if caches else "stock"
    command = [sys.executable, "-m", "bench.stock"]
    with serving(Server(name, command, environment, "/graphql?query=%7B__typename%7D")) as target:
        yield target


class Run(msgspec.Struct, frozen=True):
    """A run of load on a server."""

    outcome: Outcome
    server_cpu_ms: float
    """Of the server process, for each request: unlike a rate, little disturbed by other work on the machine."""
    other_load: float
    """Share of all cores that other work kept busy just before."""


def put_load(target: Target, plan: Plan, patience_s: float = QUIET_PATIENCE_S) -> Run:
    """Runs the client in its own process, on its own core where there are two, once others are quiet, or after a while.
    Raises RuntimeError at a failure.
    """
    other_load = wait_for_quiet(patience_s)
    before = cpu_seconds(target.pid)
    done = subprocess.run(
        [sys.executable, "-m", "bench.load"],
        input=msgspec.json.encode(msgspec.structs.replace(plan, core=CLIENT_CORE)),
        stdout=subprocess.PIPE,
        cwd=ROOT,
        check=True,
    )
    used_s = cpu_seconds(target.pid) - before
    outcome = msgspec.json.decode(done.stdout, type=Outcome)
    if outcome.failed:
        failed = f"{outcome.failed} of {outcome.completed} requests"
        raise RuntimeError(f"{target.name} failed at {failed}: {outcome.first_failure}")
    return Run(outcome, 1000 * used_s / (outcome.completed + outcome.warmed_up), other_load)


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2.0) as response:
            return bool(response.status == 200)
    except (urllib.error.URLError, OSError):
        return False
