import asyncio
import threading
from collections.abc import AsyncIterator
from typing import Any

import bcrypt
import pytest
from passlib.context import CryptContext

from app.kit.crypto.passwords import PasswordCheck, Passwords
from app.kit.errors import Unavailable
from tests.waiting import HANG_S

CHEAP = {"memory_kib": 64, "passes": 1}
CHEAP_PREFIX = "$argon2id$v=19$m=64,t=1,p=1$"
REFUSED = ["a\0b", "\ud800", "x" * 1025, "é" * 513]


@pytest.fixture
async def passwords() -> AsyncIterator[Passwords]:
    passwords = Passwords(**CHEAP)
    yield passwords
    passwords.close()


def bcrypt_hash(password: bytes) -> str:
    return bcrypt.hashpw(password, bcrypt.gensalt(4)).decode()


async def test_the_default_is_argon2id_at_19_mib_two_passes_one_lane() -> None:
    passwords = Passwords()
    stored = await passwords.hash("correct-horse-battery")
    assert stored.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert await passwords.verify("correct-horse-battery", stored) == PasswordCheck(ok=True)
    passwords.close()


async def test_a_password_fits_its_hash_and_no_other_does(passwords: Passwords) -> None:
    stored = await passwords.hash("pässwörd ✓")
    assert stored.startswith(CHEAP_PREFIX)
    assert await passwords.verify("pässwörd ✓", stored) == PasswordCheck(ok=True)
    assert await passwords.verify("pässwörd", stored) == PasswordCheck(ok=False)
    assert await passwords.hash("pässwörd ✓") != stored


async def test_every_byte_counts_up_to_the_limit(passwords: Passwords) -> None:
    stored = await passwords.hash("x" * 1024)
    assert (await passwords.verify("x" * 1024, stored)).ok
    assert not (await passwords.verify("x" * 1023, stored)).ok


@pytest.mark.parametrize("prefix", ["$2a$", "$2b$", "$2y$"])
async def test_a_bcrypt_hash_is_accepted_and_upgraded(passwords: Passwords, prefix: str) -> None:
    stored = bcrypt_hash(b"old secret").replace("$2b$", prefix)
    verdict = await passwords.verify("old secret", stored)
    assert verdict.ok
    assert verdict.upgraded_hash is not None
    assert verdict.upgraded_hash.startswith(CHEAP_PREFIX)
    assert await passwords.verify("old secret", verdict.upgraded_hash) == PasswordCheck(ok=True)
    assert await passwords.verify("wrong", stored) == PasswordCheck(ok=False)


async def test_bcrypt_over_72_bytes_is_checked_as_it_was_made_and_upgraded_whole(
    passwords: Passwords,
) -> None:
    stored = bcrypt_hash(b"x" * 72)
    verdict = await passwords.verify("x" * 80, stored)
    assert verdict.ok
    assert await passwords.verify("x" * 80, verdict.upgraded_hash) == PasswordCheck(ok=True)
    assert await passwords.verify("x" * 72, verdict.upgraded_hash) == PasswordCheck(ok=False)
    assert await passwords.verify("y" * 80, stored) == PasswordCheck(ok=False)


async def test_weaker_argon2_parameters_are_upgraded(passwords: Passwords) -> None:
    weaker = Passwords(memory_kib=32, passes=1)
    verdict = await passwords.verify("secret", await weaker.hash("secret"))
    weaker.close()
    assert verdict.ok
    assert verdict.upgraded_hash is not None
    assert verdict.upgraded_hash.startswith(CHEAP_PREFIX)


@pytest.mark.parametrize("password", REFUSED)
async def test_what_cannot_be_a_password_is_refused_and_never_fits(passwords: Passwords, password: str) -> None:
    with pytest.raises(ValueError, match="a password"):
        await passwords.hash(password)
    assert await passwords.verify(password, await passwords.hash("secret")) == PasswordCheck(ok=False)
    assert await passwords.verify(password, bcrypt_hash(b"secret")) == PasswordCheck(ok=False)
    assert await passwords.verify(password, None) == PasswordCheck(ok=False)


@pytest.mark.parametrize(
    "stored",
    [None, "", "!", "plain", "\ud800", "$2x$04$" + "a" * 53, "$2b$04$short", "$argon2id$v=19$m=64,t=1,p=1$x"],
)
async def test_an_unknown_account_costs_one_check_like_any_other(
    passwords: Passwords, stored: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = CryptContext.verify
    finished: list[str] = []

    def recording(self: CryptContext, secret: bytes, against: str, **rest: Any) -> bool:
        ok = real(self, secret, against, **rest)
        finished.append(against)
        return bool(ok)

    monkeypatch.setattr(CryptContext, "verify", recording)
    assert await passwords.verify("secret", stored) == PasswordCheck(ok=False)
    [checked] = finished
    assert checked.startswith(CHEAP_PREFIX)


async def test_no_more_work_runs_at_once_than_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    passwords = Passwords(**CHEAP, concurrency=2)

    def meeting_of(size: int, patience_seconds: float) -> threading.Barrier:
        barrier = threading.Barrier(size, timeout=patience_seconds)

        def meet(self: CryptContext, secret: bytes) -> str:
            try:
                barrier.wait()
            except threading.BrokenBarrierError:
                return "alone"
            return "met"

        monkeypatch.setattr(CryptContext, "hash", meet)
        return barrier

    meeting_of(2, HANG_S)
    assert await asyncio.gather(*(passwords.hash("s") for _ in range(4))) == ["met"] * 4
    meeting_of(3, 0.2)
    assert await asyncio.gather(*(passwords.hash("s") for _ in range(6))) == ["alone"] * 6
    passwords.close()


async def test_what_cannot_be_checked_in_time_is_refused_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.kit.crypto.passwords.MAX_QUEUED", 3)
    passwords = Passwords(memory_kib=8, passes=1, lanes=1, concurrency=1)
    outcomes = await asyncio.gather(*(passwords.verify("p", None) for _ in range(8)), return_exceptions=True)
    assert [type(outcome) for outcome in outcomes].count(Unavailable) == 5
    assert not (await passwords.verify("p", None)).ok, "the queue is free again"
    passwords.close()
