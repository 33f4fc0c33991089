"""Secrets of one machine: made at the first start, kept in the home with mode 0600, derived by purpose."""

import os
from collections.abc import Callable
from pathlib import Path

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF


def local_secret(path: Path, make: Callable[[], str]) -> str:
    """The secret kept in `path`; made by `make` where there is none. Two processes at once agree on one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    if not path.exists():
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(make())
        try:
            # A link appears whole or not at all, and never replaces what another process put there first.
            os.link(draft, path)
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    return path.read_text()


def derive(secret: str, purpose: str) -> bytes:
    """A 32-byte key for one purpose; keys of different purposes reveal nothing about each other."""
    return HKDF(SHA256(), 32, salt=None, info=f"moneta:{purpose}".encode()).derive(secret.encode())
