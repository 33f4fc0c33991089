"""Where the embedded servers' programs and data are, and which user they run as.

An ordinary user's servers run as that user, on programs from the virtual environment and data in the home. Postgres
refuses to run as root, so that root's servers run as an account without rights, which may be unable to enter the
virtual environment or the home (both are often below a 0700 folder such as /root). Then:

- the programs are copied, once per version, below a state folder that only root can write to (see programs.py);
- the data is kept below that state folder too, and the home notes where, so that the data still belongs to the home.
"""

from __future__ import annotations

import contextlib
import os
import pwd
import secrets
import shutil
from pathlib import Path
from typing import NamedTuple

from app.dev.folders import STATE_FOLDERS, can_enter, make, nobody, state_folder
from app.dev.processes import EmbeddedError, ServerUser
from app.dev.programs import Programs, runnable_programs

LOCATION_NOTE = "servers.location"


class ServerLayout(NamedTuple):
    """`folder` holds each server's data; `user` is None when the servers run as the caller."""

    folder: Path
    user: ServerUser | None
    programs: Programs


def layout_of(home: Path) -> ServerLayout:
    """Find or make the layout of a home's servers. The home is a resolved path and exists."""
    if os.geteuid() != 0:
        folder = home / "servers"
        make(folder, None)
        return ServerLayout(folder, None, runnable_programs(None))
    folder, user = _folder_as_root(home)
    return ServerLayout(folder, user, runnable_programs(user))


def give_to_owner_of(home: Path, path: Path) -> None:
    """Files that root makes in a user's home belong to that user."""
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
    if can_enter(folder.parent, user):
        make(folder, user)
        if folder.stat().st_uid != user.uid:  # root's `cp -r` of a home
            for path in (folder, *folder.rglob("*")):
                os.chown(path, user.uid, user.gid, follow_symlinks=False)
        return folder, user
    if folder.exists():
        raise EmbeddedError(f"User {user.uid}, who owns {folder}, may not enter it: give its parents o+x.")
    return _new_outside_folder(home, user), user


def _server_user(folder: Path, home: Path) -> ServerUser:
    """The owner of the data, or of the home: `sudo make serve` in a user's checkout must leave all files theirs.

    Not root, and not an owner that this machine does not know (a mounted checkout): initdb looks the name up.
    """
    for path in (folder, home):
        if path.exists():
            facts = path.stat()
            with contextlib.suppress(KeyError):
                if pwd.getpwuid(facts.st_uid).pw_uid != 0:
                    return ServerUser(facts.st_uid, facts.st_gid)
    return nobody()


def _new_outside_folder(home: Path, user: ServerUser) -> Path:
    homes = state_folder(user) / "homes"
    make(homes, None, mode=0o755)
    folder = homes / secrets.token_hex(8)
    _marker(folder).write_text(str(home))
    make(folder, user)
    (home / LOCATION_NOTE).write_text(f"{folder}\n")
    return folder


def _marker(folder: Path) -> Path:
    return folder.with_suffix(".home")
