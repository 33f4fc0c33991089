"""`python3 app/dev/install.py serve`: makes .venv and installs requirements/serve.lock into it, showing how far it is.

It is the first thing that runs on a machine, by any Python that is there. So it needs nothing but the standard library,
is written for Python 3.6 and newer, and says in one line why Moneta cannot run here.
"""

import contextlib
import os
import platform
import re
import subprocess
import sys
import sysconfig
import threading
from pathlib import Path
from typing import List, NamedTuple, Tuple

OLDEST, NEWEST = (3, 11), (3, 14)
OLDEST_GLIBC = (2, 28)
# The kernel of macOS 13.
OLDEST_DARWIN = 22
PROCESSORS = ("x86_64", "aarch64", "arm64")
WIDTH = 30
POLL_S = 0.2
SIGNS_OF_PROGRESS = ("Collecting ", "Requirement already satisfied: ", "Ignoring ")
TAIL_LINES = 6


class Machine(NamedTuple):
    """What decides whether there are packages for a machine."""

    system: str
    release: str
    processor: str
    libc: str
    """As confstr returns it, "glibc 2.36"; empty for any other."""
    python: Tuple[int, int]
    is_usual: bool
    """CPython of 64 bits with its global lock."""
    has_venv: bool


def this_machine() -> Machine:
    """What we run on."""
    libc = ""
    with contextlib.suppress(AttributeError, ValueError, OSError):
        libc = os.confstr("CS_GNU_LIBC_VERSION") or ""
    try:
        import ensurepip
        import venv

        has_venv = bool(ensurepip and venv)
    except ImportError:
        has_venv = False
    return Machine(
        system=platform.system(),
        release=platform.release(),
        processor=platform.machine(),
        libc=libc,
        python=(sys.version_info[0], sys.version_info[1]),
        is_usual=platform.python_implementation() == "CPython"
        and sys.maxsize > 2**32
        and not sysconfig.get_config_var("Py_GIL_DISABLED"),
        has_venv=has_venv,
    )


def unsupported(machine: Machine) -> str:
    """Why Moneta cannot run on this machine; empty when it can."""
    system, python = machine.system, "{}.{}".format(*machine.python)
    if system == "Windows" or system.startswith(("CYGWIN", "MSYS", "MINGW")):
        return "Moneta does not run on Windows itself: run it inside WSL 2."
    if system not in ("Linux", "Darwin") or machine.processor not in PROCESSORS:
        return f"Moneta runs on Linux and macOS on x86_64 and arm64, not on {system} on {machine.processor}."
    if system == "Linux" and not machine.libc.startswith("glibc "):
        return "Moneta needs glibc: it does not run on musl (Alpine). Debian, Ubuntu and Fedora have it."
    if system == "Linux" and _numbers(machine.libc) < OLDEST_GLIBC:
        return f"Moneta needs glibc {_dotted(OLDEST_GLIBC)} or newer; this system has {machine.libc}."
    if system == "Darwin" and _numbers(machine.release) < (OLDEST_DARWIN,):
        return "Moneta needs macOS 13 or newer."
    if not OLDEST <= machine.python <= NEWEST:
        return f"Moneta needs Python {_dotted(OLDEST)} to {_dotted(NEWEST)}; {sys.executable} is {python}."
    if not machine.is_usual:
        return f"Moneta needs the usual CPython, of 64 bits and not free-threaded; {sys.executable} is another."
    if not machine.has_venv:
        return f"{sys.executable} lacks the venv module (on Debian and Ubuntu: apt install python{python}-venv)."
    return ""


def install(lock: Path, environment: Path) -> str:
    """Install what the lock names, of wheels alone; returns why that failed, empty when it did not."""
    total = len(re.findall(r"^\S+==", lock.read_text(), re.MULTILINE))
    made = subprocess.run([sys.executable, "-m", "venv", str(environment)], check=False)  # noqa: S603
    if made.returncode != 0:
        return f"The virtual environment {environment} cannot be made."
    pip = [str(environment / "bin" / "python"), "-m", "pip", "install", "--disable-pip-version-check", "--no-input"]
    # A lock is complete, and newer than what some packages pin.
    only = ["--progress-bar=off", "--no-deps", "--require-hashes", "--only-binary=:all:", "--requirement", str(lock)]
    log = environment / "install.log"
    with subprocess.Popen(  # noqa: S603
        pip + only, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, universal_newlines=True
    ) as running:
        lines = _watch(running, environment, total)
    log.write_text("".join(lines))
    if running.returncode == 0:
        return ""
    tail = [line.rstrip() for line in lines if not line.startswith("WARNING:")][-TAIL_LINES:]
    return "\n".join(["The packages cannot be installed:", *(f"  | {line}" for line in tail), f"  (log: {log})"])


def _watch(running: "subprocess.Popen[str]", environment: Path, total: int) -> List[str]:
    lines = []  # type: List[str]
    output = running.stdout
    assert output is not None
    reader = threading.Thread(target=lambda: lines.extend(output))
    reader.start()
    before, progress = _installed(environment), Progress(total)
    while reader.is_alive():
        reader.join(POLL_S)
        progress.show(sum(line.startswith(SIGNS_OF_PROGRESS) for line in lines), _installed(environment) - before)
    if running.wait() == 0:
        progress.show(total, total)
    progress.end()
    return lines


def _installed(environment: Path) -> int:
    return sum(1 for _ in environment.glob("lib/python*/site-packages/*.dist-info"))


class Progress:
    """A bar on a terminal, otherwise a line each quarter. To fetch a package and to install it are a step each."""

    def __init__(self, total: int) -> None:
        self._total = max(total, 1)
        self._is_terminal = sys.stderr.isatty()
        self._quarters = 0

    def show(self, fetched: int, installed: int) -> None:
        """Reports the progress if it has changed."""
        part = min(1.0, (min(fetched, self._total) + installed) / (2 * self._total))
        what = "fetched" if installed <= 0 else "installed"
        count = f"{min(max(fetched, 0), self._total) if installed <= 0 else installed} of {self._total} {what}"
        if self._is_terminal:
            bar = ("#" * round(part * WIDTH)).ljust(WIDTH, "-")
            sys.stderr.write(f"\r  [{bar}] {count}   ")
        elif int(part * 4) > self._quarters:
            self._quarters = int(part * 4)
            sys.stderr.write(f"  {count}\n")
        sys.stderr.flush()

    def end(self) -> None:
        """Leaves the terminal's line."""
        if self._is_terminal:
            sys.stderr.write("\n")


def _numbers(text: str) -> Tuple[int, ...]:
    """The leading version number in "glibc 2.36" or "22.6.0"."""
    found = re.search(r"\d+(\.\d+)*", text)
    return tuple(int(part) for part in found.group().split(".")) if found else ()


def _dotted(version: Tuple[int, int]) -> str:
    return "{}.{}".format(*version)


def main(arguments: List[str]) -> int:
    """Without an argument: only the check."""
    reason = unsupported(this_machine())
    for name in arguments if not reason else []:
        sys.stderr.write(f"Installing the Python packages of {name}.lock into .venv\n")
        reason = reason or install(Path("requirements", f"{name}.lock"), Path(".venv"))
    if reason:
        sys.stderr.write(f"moneta: {reason}\n")
    return 1 if reason else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
