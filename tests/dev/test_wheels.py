"""The locks can be installed from wheels alone on every machine that README.md names. Nothing is installed."""

import os
import re
import subprocess
import sys
import time
from itertools import product
from pathlib import Path
from typing import NamedTuple

import pytest
from packaging.markers import Marker

ROOT = Path(__file__).resolve().parents[2]
PYTHONS = ("3.11", "3.12", "3.13", "3.14")
UNREACHABLE = ("Failed to fetch", "error sending request", "Could not connect", "timed out")


class Machine(NamedTuple):
    """What markers and wheels go by."""

    name: str
    platform: str
    """As uv calls it."""
    system: str
    processor: str
    kernel: str = ""
    macos: str = ""


MACHINES = (
    Machine("glibc 2.28, x86_64", "x86_64-manylinux_2_28", "linux", "x86_64"),
    Machine("glibc 2.28, aarch64", "aarch64-manylinux_2_28", "linux", "aarch64"),
    *(
        Machine(f"macOS {macos}, {processor}", f"{arch}-apple-darwin", "darwin", processor, kernel, macos)
        for (arch, processor), (macos, kernel) in product(
            (("x86_64", "x86_64"), ("aarch64", "arm64")),
            (("13.0", "Darwin Kernel Version 22.6.0"), ("14.0", "Darwin Kernel Version 23.6.0")),
        )
    ),
)


def pins(lock: str, machine: Machine, python: str) -> list[str]:
    """The lines of a lock that pip would install there, without their markers."""
    environment = {
        "sys_platform": machine.system,
        "platform_system": machine.system.capitalize(),
        "platform_machine": machine.processor,
        "platform_version": machine.kernel,
        "os_name": "posix",
        "python_version": python,
        "python_full_version": f"{python}.0",
        "implementation_name": "cpython",
        "platform_python_implementation": "CPython",
    }
    wanted = []
    for entry in re.split(r"\n(?=\S)", (ROOT / "requirements" / lock).read_text().strip()):
        line, *hashes = entry.split(" \\\n")
        pin, _, marker = line.partition(" ; ")
        if not marker or Marker(marker).evaluate(dict(environment)):
            wanted.append(" \\\n".join([pin, *hashes]))
    return wanted


def refused(lock: str, machine: Machine, python: str, folder: Path) -> str:
    """Why this lock cannot be installed there; empty when it can."""
    requirements = folder / "requirements.txt"
    requirements.write_text("\n".join(pins(lock, machine, python)))
    asked = subprocess.run(
        [
            *(sys.executable, "-m", "uv", "--no-config", "--color=never", "pip", "install", "--dry-run", "--no-deps"),
            *("--only-binary=:all:", "--require-hashes", "--target", folder / "target", "--requirements", requirements),
            *("--python-platform", machine.platform, "--python-version", python),
        ],
        env={**os.environ, "MACOSX_DEPLOYMENT_TARGET": machine.macos or "13.0"},
        capture_output=True,
        text=True,
        check=False,
    )
    if any(sign in asked.stderr for sign in UNREACHABLE):
        pytest.skip(f"NOT CHECKED, no package registry can be reached: {asked.stderr.strip().splitlines()[-1]}")
    return "" if asked.returncode == 0 else asked.stderr


@pytest.mark.parametrize("lock", ["serve.lock", "dev.lock"])
def test_the_lock_needs_no_compiler_on_any_supported_machine(
    lock: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    began = time.monotonic()
    failures = {
        f"{machine.name}, Python {python}": reason
        for machine, python in product(MACHINES, PYTHONS)
        if (reason := refused(lock, machine, python, tmp_path))
    }
    with capsys.disabled():
        print(f"\n{lock} on {len(MACHINES) * len(PYTHONS)} machines: {time.monotonic() - began:.1f} s")
    assert failures == {}


def test_the_check_sees_a_package_without_wheels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # 0.4.38 is source alone; its real hash does not matter, since no file is looked at.
    monkeypatch.setattr(f"{__name__}.pins", lambda *_: [f"ta-lib==0.4.38 \\\n    --hash=sha256:{'0' * 64}"])
    assert "no usable wheels" in refused("serve.lock", MACHINES[0], "3.11", tmp_path)
