"""Password hashes: Argon2id for what is written, bcrypt still read and replaced at the next log-in."""

import asyncio
import secrets
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import msgspec
from passlib.context import CryptContext

from app.kit.errors import Unavailable
from app.kit.tasks import SPARE_CORES
from app.kit.work import free_to_wait

MAX_PASSWORD_BYTES = 1024
# bcrypt itself reads no further, and bcrypt 5 raises instead of truncating as its predecessors did.
BCRYPT_BYTES = 72
MAX_QUEUED = 256
"""Passwords that may wait for a thread: about ten seconds of work, after which callers have given up."""

T = TypeVar("T")


class PasswordCheck(msgspec.Struct, frozen=True):
    """What a password check found.

    `upgraded_hash` is set only when the password is right and its stored hash is of an older kind or
    weaker parameters: store it in place of the old one.
    """

    ok: bool
    upgraded_hash: str | None = None


class Passwords:
    """Hashes and checks passwords in threads of its own, so the event loop never waits for one."""

    def __init__(
        self, *, memory_kib: int = 19 * 1024, passes: int = 2, lanes: int = 1, concurrency: int = SPARE_CORES
    ) -> None:
        """`concurrency` bounds the work at any moment: each costs a core and `memory_kib` while it runs."""
        self._context = CryptContext(
            schemes=["argon2", "bcrypt"],
            deprecated="auto",
            argon2__type="ID",
            argon2__memory_cost=memory_kib,
            argon2__time_cost=passes,
            argon2__parallelism=lanes,
        )
        # A pool rather than a semaphore around to_thread: a cancelled request releases a semaphore while its
        # thread still runs, so clients that disconnect early could exceed the bound.
        self._pool = ThreadPoolExecutor(concurrency, thread_name_prefix="passwords")
        self._queued = 0
        self._dummy: str = self._context.hash(secrets.token_urlsafe())

    async def hash(self, password: str) -> str:
        """Raises ValueError for a password that cannot be one: see `encode_password`."""
        secret = encode_password(password)
        return await self._run(lambda: self._hash(secret))

    async def verify(self, password: str, stored: str | None) -> PasswordCheck:
        """Checks `password` against `stored`; None, an unknown account, takes the time of a wrong password.

        A stored value that is no hash (a disabled account, a damaged row) fails in the same way. A bcrypt
        hash was made from the first 72 bytes of its password and is checked against those.
        """
        try:
            secret = encode_password(password)
        except ValueError:
            return PasswordCheck(ok=False)
        return await self._run(lambda: self._verify(secret, stored))

    def close(self) -> None:
        """Drops the work that has not begun; what runs is finished."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    async def _run(self, work: Callable[[], T]) -> T:
        free_to_wait("a password")
        if self._queued >= MAX_QUEUED:
            raise Unavailable("Too many passwords are being checked at this moment. Try again shortly.")
        self._queued += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._pool, work)
        finally:
            self._queued -= 1

    def _hash(self, secret: bytes) -> str:
        hashed: str = self._context.hash(secret)
        return hashed

    def _verify(self, secret: bytes, stored: str | None) -> PasswordCheck:
        if stored is None:
            return self._refuse_slowly(secret)
        try:
            readable = secret[:BCRYPT_BYTES] if self._context.identify(stored) == "bcrypt" else secret
            ok = self._context.verify(readable, stored)
        except ValueError:
            return self._refuse_slowly(secret)
        if not ok:
            return PasswordCheck(ok=False)
        return PasswordCheck(ok=True, upgraded_hash=self._hash(secret) if self._context.needs_update(stored) else None)

    def _refuse_slowly(self, secret: bytes) -> PasswordCheck:
        self._context.verify(secret, self._dummy)
        return PasswordCheck(ok=False)


def encode_password(password: str) -> bytes:
    """UTF-8 of `password`; ValueError if it holds a NUL or a lone surrogate, or is over 1,024 bytes."""
    # A character is a byte or more: no need to encode megabytes to learn that they are too many.
    if len(password) > MAX_PASSWORD_BYTES:
        raise ValueError(f"a password has at most {MAX_PASSWORD_BYTES} bytes")
    if "\0" in password:
        raise ValueError("a password has no NUL character")
    try:
        secret = password.encode()
    except UnicodeEncodeError:
        raise ValueError("a password is valid Unicode text") from None
    if len(secret) > MAX_PASSWORD_BYTES:
        raise ValueError(f"a password has at most {MAX_PASSWORD_BYTES} bytes")
    return secret
