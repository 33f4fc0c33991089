"""Postgres and Valkey below a home folder, for `make serve` on a bare machine and for the tests.

A home holds `servers/` (data and passwords; for root possibly elsewhere, see server_layout.py), the logs of both,
and `servers.json`: its lock says whether the home is in use, and its content says where the servers are.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self

from app.dev.postgres import start_postgres, stop_orphaned_postgres
from app.dev.processes import EmbeddedError, Log, wait_until
from app.dev.server import Server
from app.dev.server_layout import forget, give_to_owner_of, layout_of, outside_folder
from app.dev.upgrade import ReportProgress, bring_up
from app.dev.valkey import start_valkey, stop_orphaned_valkey

__all__ = ["Addresses", "Embedded", "EmbeddedError", "discard", "find"]

LOCK_FILE = "servers.json"
# Another process holds the lock for an instant while it reads the note (`find`).
LOCK_PATIENCE_S = 0.3


class Addresses(NamedTuple):
    """`database_url` connects as the owner of the database (a superuser); both URLs hold passwords."""

    database_url: str
    redis_url: str


class Embedded:
    """The two running servers of one home; leaving the `with` block stops them."""

    def __init__(
        self, addresses: Addresses, servers: list[Server], stack: contextlib.ExitStack, kept: Path | None
    ) -> None:
        self.database_url, self.redis_url = addresses
        self.kept = kept
        """Where the old data lies, if this start has brought it to a newer Postgres."""
        self._servers = servers
        self._stack = stack

    @classmethod
    def start(cls, home: Path, *, durable: bool = True, report: ReportProgress = lambda *_: None) -> Self:
        """Start the servers of this home, making or upgrading them first if need be; raises EmbeddedError.

        Call it from the main thread: only then does Linux stop the servers when this process is killed (the next
        start finds and stops them in any case). `durable=False` trades safety at power failure for speed, for tests.
        """
        try:
            home = _make_home(home)
            with contextlib.ExitStack() as stack:
                note = stack.enter_context(_locked(home))
                layout = layout_of(home)
                log = _log(home, "postgres")
                kept = bring_up(layout, log, report)
                postgres, database_url = start_postgres(layout, log, durable=durable)
                stack.callback(postgres.stop)
                valkey, redis_url = start_valkey(layout, _log(home, "valkey"), durable=durable)
                stack.callback(valkey.stop)
                addresses = Addresses(database_url, redis_url)
                _write(note, {"pid": os.getpid(), **addresses._asdict()})
                return cls(addresses, [postgres, valkey], stack.pop_all(), kept)
        except OSError as error:
            raise EmbeddedError(f"Cannot use {home} for the embedded servers: {error}") from error

    def failure(self) -> EmbeddedError | None:
        """Why a server ended by itself, with its log's tail; None while both run."""
        return next((failure for server in self._servers if (failure := server.failure())), None)

    def stop(self) -> None:
        """Stop Valkey, then Postgres, and release the home. A second call does nothing."""
        self._stack.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def find(home: Path) -> Addresses | None:
    """The addresses of this home's servers while another process runs them; None when none does."""
    try:
        descriptor = os.open(home / LOCK_FILE, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        # A folder that cannot be read has no servers of ours.
        return None
    with os.fdopen(descriptor) as note:
        if _try_lock(descriptor, fcntl.LOCK_SH):
            return None
        content = note.read()
    if not content:
        return None
    known = json.loads(content)
    return Addresses(known["database_url"], known["redis_url"]) if "database_url" in known else None


def discard(home: Path) -> None:
    """Remove a home and all its data, here and outside; raises EmbeddedError when it is in use."""
    home = home.resolve()
    if not home.exists():
        return
    try:
        with _locked(home):
            for folder in (home / "servers", outside_folder(home)):
                if folder is not None:
                    stop_orphaned_valkey(folder)
                    stop_orphaned_postgres(folder)
            forget(home)
            shutil.rmtree(home)
    except OSError as error:
        raise EmbeddedError(f"Cannot remove {home}: {error}") from error


def _make_home(home: Path) -> Path:
    home = home.resolve()
    if not home.exists():
        home.mkdir(parents=True)
        # As root, the servers' account must pass through to its own folder; all else in here has modes of its own.
        home.chmod(0o711 if os.geteuid() == 0 else 0o700)
        give_to_owner_of(home.parent, home)
    return home


def _log(home: Path, name: str) -> Log:
    log = Log(home / f"{name}.log")
    give_to_owner_of(home, log.path)
    return log


@contextlib.contextmanager
def _locked(home: Path) -> Iterator[int]:
    """Hold the home; yields the descriptor of its note, which is emptied again at the end."""
    descriptor = os.open(home / LOCK_FILE, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        give_to_owner_of(home, home / LOCK_FILE)
        if not wait_until(lambda: _try_lock(descriptor, fcntl.LOCK_EX), LOCK_PATIENCE_S):
            raise EmbeddedError(f"The embedded servers of {home} are already running ({_holder(descriptor)}).")
        try:
            _write(descriptor, {"pid": os.getpid()})
            yield descriptor
        finally:
            os.ftruncate(descriptor, 0)
    finally:
        os.close(descriptor)


def _try_lock(descriptor: int, kind: int) -> bool:
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _holder(descriptor: int) -> str:
    try:
        return f"process {json.loads(os.pread(descriptor, 4096, 0))['pid']}"
    except (ValueError, KeyError):
        return "another process"


def _write(descriptor: int, content: dict[str, object]) -> None:
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, json.dumps(content).encode(), 0)
