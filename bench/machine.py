"""The machine that the figures were measured on, and its other load."""

import os
import platform
import subprocess
import sys
import time
from collections.abc import Collection
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path

import msgspec

ROOT = Path(__file__).resolve().parents[1]
CORES: list[int] = sorted(os.sched_getaffinity(0))
# A server of one process on one core, the load on another. Postgres and Valkey go where the kernel puts them.
SERVER_CORE: int | None = CORES[0] if len(CORES) > 1 else None
CLIENT_CORE: int | None = CORES[1] if len(CORES) > 1 else None

# A run begins when the cores were less busy than this for so long, or when patience has run out.
QUIET = 0.10
SAMPLE_S = 1.0
QUIET_PATIENCE_S = 8.0


class Machine(msgspec.Struct, frozen=True):
    """Where and on what the figures were measured."""

    processor: str
    cores: int
    memory_gib: float
    kernel: str
    python: str
    strawberry: str
    graphql_core: str
    commit: str
    """Short hash; with `+` when the working tree had changes."""


def describe() -> Machine:
    """This machine and this checkout."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return Machine(
        processor=_processor(),
        cores=len(CORES),
        memory_gib=round(memory / 2**30, 1),
        kernel=platform.release(),
        python=sys.version.split()[0],
        strawberry=version("strawberry-graphql"),
        graphql_core=version("graphql-core"),
        commit=_git("rev-parse", "--short", "HEAD") + ("+" if _git("status", "--porcelain", "-uno") else ""),
    )


def wait_for_quiet(patience_s: float = QUIET_PATIENCE_S) -> float:
    """Waits until the cores are idle, for a limited time; returns how busy they were at the end."""
    deadline = time.monotonic() + patience_s
    while (busy := _busy_share()) > QUIET and time.monotonic() < deadline:
        pass
    return busy


def _busy_share() -> float:
    before = _ticks()
    time.sleep(SAMPLE_S)
    after = _ticks()
    total = sum(after) - sum(before)
    idle = after[3] + after[4] - before[3] - before[4]
    return 0.0 if total == 0 else 1 - idle / total


def cpu_seconds(pid: int) -> float:
    """What a process and its threads have used so far, of the user's and of the kernel's time."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def resident_kib(pid: int) -> int:
    """Memory that a process has in RAM."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1])
    raise ProcessLookupError(pid)


def pin(pid: int, cores: Collection[int]) -> None:
    """Keeps a process, its threads and its children of now on these cores; what they start later inherits it."""
    for other in [pid, *_children(pid)]:
        with suppress(FileNotFoundError, ProcessLookupError):
            for thread in Path(f"/proc/{other}/task").iterdir():
                os.sched_setaffinity(int(thread.name), cores)


def parent(pid: int) -> int:
    """Whose child a process is."""
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


def _children(pid: int) -> list[int]:
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(FileNotFoundError, ProcessLookupError):
            if parent(int(process.name)) == pid:
                found.append(int(process.name))
    return found


def _ticks() -> list[int]:
    with Path("/proc/stat").open() as file:
        return [int(field) for field in file.readline().split()[1:9]]


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def _git(*arguments: str) -> str:
    done = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=False)
    return done.stdout.strip()
