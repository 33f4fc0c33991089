"""Two concurrent requests pass every check before the first one writes: only one may succeed."""

import asyncio
from contextlib import suppress

import pytest

from app.domains.accounts.model import BadCredentials, ResetInvalid
from app.kit.crypto.passwords import Passwords
from tests.domains.accounts.conftest import House
from tests.factories import CLIENT, register

EMAIL = "alice@example.com"
NEW = ("another-horse-battery", "a-third-horse-battery")


@pytest.mark.usefixtures("warm")
async def test_of_two_who_use_a_reset_link_at_once_one_sets_the_password(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    await register(house, EMAIL)
    await house.accounts.credentials.request_reset(EMAIL, CLIENT)
    await house.work()
    token = house.mailbox.last(r"https://moneta\.test/reset-password\?token=(\S+)")
    both, compute = asyncio.Barrier(2), Passwords.hash

    async def together(self: Passwords, password: str) -> str:
        # The link was checked before this.
        await both.wait()
        return await compute(self, password)

    with monkeypatch.context() as meeting:
        meeting.setattr(Passwords, "hash", together)
        outcomes = await asyncio.gather(
            *(house.accounts.credentials.reset(token, new, CLIENT) for new in NEW), return_exceptions=True
        )
    won = [new for new, outcome in zip(NEW, outcomes, strict=True) if not isinstance(outcome, BaseException)]
    assert [type(outcome) for outcome in outcomes if isinstance(outcome, BaseException)] == [ResetInvalid]
    opened = []
    for new in NEW:
        with suppress(BadCredentials):
            await house.accounts.sessions.login(EMAIL, new, CLIENT)
            opened.append(new)
    assert opened == won
