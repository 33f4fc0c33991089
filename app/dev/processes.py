"""Child processes that end with this process, and how those of a former one are found."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

POLL_S = 0.01
PROC = Path("/proc")
LOG_LIMIT_BYTES = 8 * 1024 * 1024
LOG_TAIL_LINES = 12

_PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None


class EmbeddedError(Exception):
    """The embedded servers cannot do what was asked; the message is one sentence, then the log's tail if any."""


class ServerUser(NamedTuple):
    """The account that the servers run as when we are root (Postgres refuses root)."""

    uid: int
    gid: int


class Log:
    """A server's log file; `tail` shows only what was written since this object was made."""

    def __init__(self, path: Path) -> None:
        self.path = path
        if path.exists() and path.stat().st_size > LOG_LIMIT_BYTES:
            path.replace(path.with_suffix(".old.log"))
        path.touch(mode=0o600)
        self._start = path.stat().st_size

    def written(self) -> str:
        """Everything written since the start."""
        with self.path.open("rb") as file:
            file.seek(self._start)
            return file.read().decode(errors="replace")

    def error(self, sentence: str) -> EmbeddedError:
        """The exception to raise: the sentence, the log's last lines, and where the rest is."""
        lines = [line for line in self.written().splitlines() if line.strip()][-LOG_TAIL_LINES:]
        return EmbeddedError("\n".join([sentence, *(f"  | {line}" for line in lines), f"  (log: {self.path})"]))


def spawn(
    command: Sequence[str | Path],
    *,
    cwd: Path,
    env: Mapping[str, str],
    user: ServerUser | None,
    log: Log,
    on_parent_death: signal.Signals,
    output: int | None = None,
) -> subprocess.Popen[bytes]:
    """Start a server in a session of its own, so that the terminal's Ctrl-C reaches only us.

    What it prints goes to the log, or to `output`.

    On Linux the kernel sends `on_parent_death` when we die, however we die. It does so when the *thread* that
    started the child ends, so that the protection is taken only by the main thread.
    """
    with log.path.open("ab") as file:
        try:
            return subprocess.Popen(  # noqa: S603 - the commands are ours
                [str(part) for part in command],
                cwd=cwd,
                env=dict(env),
                stdin=subprocess.DEVNULL,
                stdout=file if output is None else output,
                stderr=file if output is None else subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=_bind_to_parent(on_parent_death),  # noqa: PLW1509 - one system call, no Python locks
                user=user.uid if user else None,
                group=user.gid if user else None,
                extra_groups=[] if user else None,
            )
        except (OSError, subprocess.SubprocessError) as error:
            raise EmbeddedError(f"Cannot run {command[0]}: {error}") from error


def run(
    command: Sequence[str | Path],
    *,
    env: Mapping[str, str],
    user: ServerUser | None,
    log: Log | None = None,
    text: str = "",
) -> bool:
    """Run a short command to its end with `text` as its input; true when it succeeded."""
    with contextlib.ExitStack() as stack:
        output = stack.enter_context(log.path.open("ab")) if log else subprocess.DEVNULL
        try:
            done = subprocess.run(  # noqa: S603 - the commands are ours
                [str(part) for part in command],
                cwd="/",
                env=dict(env),
                input=text.encode(),
                stdout=output,
                stderr=output,
                check=False,
                start_new_session=True,
                preexec_fn=_bind_to_parent(signal.SIGTERM),
                user=user.uid if user else None,
                group=user.gid if user else None,
                extra_groups=[] if user else None,
            )
        except (OSError, subprocess.SubprocessError):
            return False
    return done.returncode == 0


def ask(command: Sequence[str | Path], *, env: Mapping[str, str], user: ServerUser | None, text: str = "") -> str:
    """Run a command to its end with `text` as its input; returns what it printed, raises EmbeddedError if it fails."""
    try:
        done = subprocess.run(  # noqa: S603 - the commands are ours
            [str(part) for part in command],
            cwd="/",
            env=dict(env),
            input=text,
            capture_output=True,
            text=True,
            check=False,
            start_new_session=True,
            preexec_fn=_bind_to_parent(signal.SIGTERM),
            user=user.uid if user else None,
            group=user.gid if user else None,
            extra_groups=[] if user else None,
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise EmbeddedError(f"Cannot run {command[0]}: {error}") from error
    if done.returncode != 0:
        reason = done.stderr.strip().splitlines() or [f"status {done.returncode}"]
        raise EmbeddedError(f"{Path(command[0]).name} failed: {reason[0]}")
    return done.stdout


def follow(
    command: Sequence[str | Path],
    *,
    env: Mapping[str, str],
    user: ServerUser | None,
    log: Log,
    report: Callable[[str], None],
) -> None:
    """Run a command to its end and report each line that it prints; raises EmbeddedError, with the log, if it fails."""
    process = spawn(
        command, cwd=Path("/"), env=env, user=user, log=log, on_parent_death=signal.SIGTERM, output=subprocess.PIPE
    )
    assert process.stdout is not None
    try:
        with log.path.open("ab") as kept:
            for line in process.stdout:
                kept.write(line)
                report(line.decode(errors="replace"))
        status = process.wait()
    finally:
        stop(process, (signal.SIGTERM, 5.0))
        process.stdout.close()
    if status != 0:
        raise log.error(f"{Path(command[0]).name} failed.")


def stop(process: subprocess.Popen[bytes], *escalation: tuple[signal.Signals, float]) -> None:
    """Send each signal in turn and wait its seconds; SIGKILL when none was enough."""
    for number, patience_s in escalation:
        if process.poll() is not None:
            return
        process.send_signal(number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(patience_s)
    if process.poll() is None:
        process.kill()
        process.wait()


def stop_orphan(pid: int, folder: Path, *escalation: tuple[signal.Signals, float]) -> None:
    """As `stop`, for a server of an earlier parent: only while `pid` still serves `folder`."""
    for number, patience_s in (*escalation, (signal.SIGKILL, 5.0)):
        if not serves(pid, folder):
            return
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)
        if wait_until(lambda: not serves(pid, folder), patience_s):
            return
    raise EmbeddedError(f"Process {pid} still serves {folder} and does not stop; end it and start again.")


def serves(pid: int, folder: Path) -> bool:
    """Whether this process is alive and names the folder in its command line.

    A number alone proves nothing: it may have been given to another program since. A zombie has no command line.
    """
    if (PROC / "self").exists():
        try:
            arguments = (PROC / str(pid) / "cmdline").read_bytes().decode(errors="replace")
        except OSError:
            return False
    else:
        arguments = subprocess.run(  # noqa: S603 - a number is the only variable part
            # Wide twice: without a terminal a Mac's ps cuts lines off at 80 characters.
            ["/bin/ps", "-ww", "-o", "command=", "-p", str(pid)],
            capture_output=True,
            text=True,
            check=False,
        ).stdout
    return str(folder) in arguments


def wait_until(condition: Callable[[], bool], patience_s: float) -> bool:
    """Poll until the condition holds; false on a timeout."""
    deadline = time.monotonic() + patience_s
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(POLL_S)
    return True


def free_port() -> int:
    """A loopback port that was free a moment ago. It may be taken again: the caller must then request another."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _bind_to_parent(number: signal.Signals) -> Callable[[], None] | None:
    if _LIBC is None or threading.current_thread() is not threading.main_thread():
        return None
    libc, parent = _LIBC, os.getpid()

    def bind() -> None:
        # After the change of user, which clears the setting. The parent may have died before it was made.
        libc.prctl(_PR_SET_PDEATHSIG, int(number), 0, 0, 0)
        if os.getppid() != parent:
            os._exit(1)

    return bind
