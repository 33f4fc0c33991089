"""The first thing that runs on a machine, on machines that are not here."""

import ast
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from app.dev import install
from app.dev.install import Machine, this_machine, unsupported

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = Path(install.__file__)
LINUX = Machine("Linux", "6.1.0", "x86_64", "glibc 2.28", (3, 11), True, True)
MAC = Machine("Darwin", "22.6.0", "arm64", "", (3, 14), True, True)
WINDOWS = "Moneta does not run on Windows itself: run it inside WSL 2."


def test_this_machine_is_supported() -> None:
    assert unsupported(this_machine()) == ""
    assert subprocess.run([sys.executable, SCRIPT], capture_output=True, check=True).stderr == b""


@pytest.mark.parametrize(
    "machine",
    [
        LINUX,
        LINUX._replace(processor="aarch64", libc="glibc 2.31", python=(3, 14)),
        MAC,
        MAC._replace(processor="x86_64", release="25.1.0"),
    ],
)
def test_a_supported_machine_is_let_through(machine: Machine) -> None:
    assert unsupported(machine) == ""


@pytest.mark.parametrize(
    ("machine", "reason"),
    [
        (MAC._replace(system="Windows", processor="AMD64"), WINDOWS),
        (MAC._replace(system="MINGW64_NT-10.0-19045", processor="x86_64"), WINDOWS),
        (LINUX._replace(libc=""), "Moneta needs glibc: it does not run on musl (Alpine)."),
        (LINUX._replace(libc="glibc 2.17"), "Moneta needs glibc 2.28 or newer; this system has glibc 2.17."),
        (MAC._replace(release="21.6.0"), "Moneta needs macOS 13 or newer."),
        (LINUX._replace(system="FreeBSD"), "Moneta runs on Linux and macOS"),
        (LINUX._replace(processor="riscv64"), "Moneta runs on Linux and macOS"),
        (LINUX._replace(python=(3, 6)), f"Moneta needs Python 3.11 to 3.14; {sys.executable} is 3.6."),
        (LINUX._replace(python=(3, 15)), f"Moneta needs Python 3.11 to 3.14; {sys.executable} is 3.15."),
        (LINUX._replace(is_usual=False), "Moneta needs the usual CPython"),
        (LINUX._replace(has_venv=False), f"{sys.executable} lacks the venv module"),
    ],
)
def test_any_other_machine_is_told_why_in_one_line(machine: Machine, reason: str) -> None:
    message = unsupported(machine)
    assert message.startswith(reason)
    assert "\n" not in message


def test_an_old_python_gets_as_far_as_the_check() -> None:
    # The Python of RHEL 8. Of what comes after 3.6, only syntax could keep it from running.
    ast.parse(SCRIPT.read_text(), feature_version=(3, 6))
    assert "from __future__" not in SCRIPT.read_text()


def make(*arguments: str, path: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        ["make", "-C", str(ROOT), *arguments],
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
        check=False,
    )


def test_make_says_what_is_missing_before_it_installs_anything(tmp_path: Path) -> None:
    tools = tmp_path / "tools"
    tools.mkdir()
    for name in ("make", "sh", "find", "touch"):
        found = next(Path(folder, name) for folder in os.defpath.split(":") if Path(folder, name).exists())
        (tools / name).symlink_to(found)
    wanted = (f"SERVE={tmp_path}/stamp", f"{tmp_path}/stamp")

    none = make(*wanted, path=str(tools))
    assert none.returncode != 0
    assert "moneta: Moneta needs Python 3.11 to 3.14 with the venv module, and there is none." in none.stderr

    # One that lacks ensurepip, as Debian's does without python3-venv.
    (tools / "lacking").mkdir()
    (tools / "lacking" / "ensurepip.py").write_text("raise ImportError")
    python = tools / "python3"
    python.write_text(f'#!/bin/sh\nPYTHONPATH="{tools}/lacking" exec "{sys.executable}" "$@"\n')
    python.chmod(0o755)
    lacking = make(*wanted, path=str(tools))
    assert lacking.returncode != 0
    assert "lacks the venv module" in lacking.stderr
    assert not (tmp_path / "stamp").exists()


def test_the_makefile_is_one_for_make_3_81_and_a_plain_shell() -> None:
    text = (ROOT / "Makefile").read_text()
    newer = (r"&:", r"^\s*\.ONESHELL", r"\$\(file ", r"^\S+\s*!=", r"::?:=", r"\[\[", r"\bpipefail\b", r"\bsed -i\b")
    assert [pattern for pattern in newer if re.search(pattern, text, re.MULTILINE)] == []


def test_a_failing_installation_shows_the_end_of_pips_words(tmp_path: Path) -> None:
    lock = tmp_path / "bad.lock"
    lock.write_text("--no-such-option\n")
    reason = install.install(lock, tmp_path / "environment")
    first, *tail = reason.splitlines()
    assert first == "The packages cannot be installed:"
    assert any("no such option: --no-such-option" in line for line in tail)
    assert tail[-1] == f"  (log: {tmp_path}/environment/install.log)"
