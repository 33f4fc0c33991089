"""Folders that the servers' account may or may not enter, and root's own state folder."""

from __future__ import annotations

import contextlib
import os
import pwd
from pathlib import Path

from app.dev.processes import EmbeddedError, ServerUser, run

# The first one that is possible. A folder in which another user could have created files is checked.
STATE_FOLDERS = (Path("/var/lib/moneta"), Path("/var/tmp/moneta"))  # noqa: S108 - the check is `is_safe`


def nobody() -> ServerUser:
    """The account without rights: 65534 on most Linux, 99 on some, 4294967294 on a Mac."""
    with contextlib.suppress(KeyError):
        account = pwd.getpwnam("nobody")
        return ServerUser(account.pw_uid, account.pw_gid)
    return ServerUser(uid=65534, gid=65534)


def state_folder(user: ServerUser) -> Path:
    """The folder that only root writes to and this account may enter; raises EmbeddedError."""
    for folder in STATE_FOLDERS:
        try:
            make(folder, None, mode=0o755)
        except OSError:
            continue
        if is_safe(folder) and can_enter(folder, user):
            return folder
    names = " nor ".join(str(folder) for folder in STATE_FOLDERS)
    raise EmbeddedError(f"Neither {names} is a folder that root owns and user {user.uid} may enter.")


def is_safe(folder: Path) -> bool:
    """Whether only root can have put anything into it."""
    facts = folder.lstat()
    return folder.is_dir() and not folder.is_symlink() and facts.st_uid == 0 and not facts.st_mode & 0o022


def can_enter(folder: Path, user: ServerUser) -> bool:
    """Whether the account may enter the folder and all above it."""
    return run(["/bin/sh", "-c", 'cd -- "$1"', "sh", folder], env={}, user=user)


def make(folder: Path, user: ServerUser | None, mode: int = 0o700) -> None:
    """Make a folder with exactly this mode, whatever the umask, and this owner; leave an existing one as it is."""
    try:
        folder.mkdir(parents=True)
    except FileExistsError:
        return
    folder.chmod(mode)
    give(user, folder)


def give(user: ServerUser | None, *paths: Path) -> None:
    """The servers' account is the owner of these; nothing to do where they run as the caller."""
    if user:
        for path in paths:
            os.chown(path, user.uid, user.gid)
