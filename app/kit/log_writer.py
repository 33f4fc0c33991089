"""Writes log lines without ever failing or blocking the code that logs.

A disk is full, the reader of a pipe has died, or it has stopped reading: none of that may change what a client is
answered. So a thread of its own writes, what it cannot keep up with is given up beyond a bound, and what cannot be
written is counted, and reported once writing works again.
"""

import atexit
import contextlib
import os
import sys
import threading
from collections import deque
from collections.abc import Callable
from typing import Any, Final, TextIO, cast

LIMIT_BYTES: Final = 4 * 1024 * 1024
"""How much is buffered for a reader that has stopped; further lines are lost."""
GATHER_S: Final = 0.005
"""How long lines are collected before they are written together: each write is a system call of its own."""
DRAIN_S: Final = 1.0
"""Seconds for writing the last lines at the end of the process."""


class LogWriter:
    """A writer of text to a descriptor. It looks like a stream, and raises nothing."""

    def __init__(self, stream: TextIO | None, lost: Callable[[int], str], *, limit_bytes: int = LIMIT_BYTES) -> None:
        """`lost` formats the line about lost lines. Without a stream everything is discarded."""
        self._descriptor: int | None = None
        if stream is not None:
            # A duplicate: if the original is closed, its number is given to the next file that is opened.
            with contextlib.suppress(OSError, ValueError):
                self._descriptor = os.dup(stream.fileno())
        self._word_loss = lost
        self._limit_bytes = limit_bytes
        self._lines: deque[bytes] = deque()
        self._waiting_bytes = 0
        self._lost = 0
        self._cut_off = False
        self._idle = True
        self._thread: threading.Thread | None = None
        self._never = threading.Event()
        # Reentrant: a finaliser may log in the middle of a line.
        self._changed = threading.Condition(threading.RLock())

    def write(self, text: str) -> int:
        """Takes whole lines."""
        if self._descriptor is None:
            return len(text)
        data = text.encode("utf-8", "backslashreplace")
        with self._changed:
            if self._waiting_bytes + len(data) > self._limit_bytes:
                self._lost += 1
                return len(text)
            self._lines.append(data)
            self._waiting_bytes += len(data)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="log", daemon=True)
                self._thread.start()
                atexit.register(self.drain, DRAIN_S)
            self._changed.notify()
        return len(text)

    def flush(self) -> None:
        """Part of the interface of a stream. It does not wait for the thread."""

    def drain(self, within_s: float) -> bool:
        """Waits until everything is written; False when it was not."""
        with self._changed:
            return self._changed.wait_for(lambda: self._idle and not self._lines, within_s)

    def _run(self) -> None:
        unwritten = 0
        while True:
            with self._changed:
                self._idle = not self._lines
                self._changed.notify_all()
                self._changed.wait_for(lambda: bool(self._lines))
                self._idle = False
            self._never.wait(GATHER_S)
            with self._changed:
                lines, self._lines = self._lines, deque()
                lost, self._lost = self._lost, 0
            # What could not be written came before these lines, and what found no room after them.
            pieces = [b"\n"] if self._cut_off else []
            pieces += [self._word_loss(unwritten).encode()] if unwritten else []
            pieces += [*lines, self._word_loss(lost).encode()] if lost else lines
            unwritten = 0 if self._put(b"".join(pieces)) else unwritten + len(lines) + lost
            with self._changed:
                self._waiting_bytes -= sum(map(len, lines))

    def _put(self, data: bytes) -> bool:
        """Whether all of it was written."""
        assert self._descriptor is not None
        rest = memoryview(data)
        try:
            while rest:
                rest = rest[os.write(self._descriptor, rest) :]
        except OSError:
            if len(rest) < len(data):
                self._cut_off = data[len(data) - len(rest) - 1] != ord("\n")
            return False
        self._cut_off = False
        return True


class LenientStream:
    """A stream that ignores write errors: messages to people must not stop the work."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        """Writes it, or does not."""
        with contextlib.suppress(OSError, ValueError):
            self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        """Flushes it, or does not."""
        with contextlib.suppress(OSError, ValueError):
            self._stream.flush()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def protect_standard_streams() -> None:
    """Opens /dev/null for standard streams that are closed at the start, and ignores write errors of standard error.

    Otherwise the next file opened would get their numbers, and text for standard error could end up in a database.
    """
    if sys.stderr is not None:
        sys.stderr = cast(TextIO, LenientStream(sys.stderr))
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)
