from datetime import timedelta

import pytest

from app.domains.accounts.model import BadCredentials, ResetInvalid
from app.kit.errors import InvalidInput, RateLimited
from tests.domains.accounts.conftest import House
from tests.factories import CLIENT, PASSWORD, open_session, register, register_session

EMAIL = "alice@example.com"
NEW = "another-horse-battery"


async def _reset_token(house: House) -> str:
    await house.accounts.credentials.request_reset(EMAIL, CLIENT)
    assert await house.work() == 2, "the request, then the mail that it asked for"
    return house.mailbox.last(r"https://moneta\.test/reset-password\?token=(\S+)")


async def test_a_changed_password_ends_the_other_sessions(house: House) -> None:
    here = await register_session(house, EMAIL)
    there = await open_session(house, here.viewer.user_id)
    assert await house.accounts.credentials.change(here.viewer, PASSWORD, NEW) == 1
    assert await house.accounts.sessions.authenticate(here.tokens.access_token, CLIENT) is not None
    assert await house.accounts.sessions.authenticate(there.tokens.access_token, CLIENT) is None
    with pytest.raises(BadCredentials):
        await house.accounts.sessions.login(EMAIL, PASSWORD, CLIENT)
    await house.accounts.sessions.login(EMAIL, NEW, CLIENT)
    await house.work()
    assert [mail.subject for mail in house.mailbox.messages] == ["Your Moneta password was changed"]


@pytest.mark.parametrize(
    ("current", "new", "field"), [("wrong", NEW, "currentPassword"), (PASSWORD, EMAIL, "newPassword")]
)
async def test_a_password_is_not_changed(house: House, current: str, new: str, field: str) -> None:
    viewer = await register(house, EMAIL)
    with pytest.raises(InvalidInput) as refusal:
        await house.accounts.credentials.change(viewer, current, new)
    assert refusal.value.field == field
    await house.accounts.sessions.login(EMAIL, PASSWORD, CLIENT)


async def test_the_current_password_cannot_be_guessed_at_leisure(house: House) -> None:
    viewer = await register(house, EMAIL)
    for _ in range(5):
        with pytest.raises(InvalidInput):
            await house.accounts.credentials.change(viewer, "wrong-wrong-wrong", NEW)
    with pytest.raises(RateLimited):
        await house.accounts.credentials.change(viewer, PASSWORD, NEW)


async def test_a_reset_link_sets_a_password_once_and_ends_all_sessions(house: House) -> None:
    session = await register_session(house, EMAIL)
    token = await _reset_token(house)
    assert await house.owner.fetchval("SELECT count(*) FROM password_reset_tokens WHERE token_hash = $1", token) == 0
    await house.accounts.credentials.reset(token, NEW, CLIENT)
    assert await house.accounts.sessions.authenticate(session.tokens.access_token, CLIENT) is None
    await house.accounts.sessions.login(EMAIL, NEW, CLIENT)
    with pytest.raises(ResetInvalid):
        await house.accounts.credentials.reset(token, "yet-another-horse", CLIENT)
    await house.accounts.sessions.login(EMAIL, NEW, CLIENT)


async def test_a_reset_link_lasts_an_hour(house: House) -> None:
    await register(house, EMAIL)
    token = await _reset_token(house)
    house.clock.advance(timedelta(hours=1))
    with pytest.raises(ResetInvalid):
        await house.accounts.credentials.reset(token, NEW, CLIENT)


async def test_a_newer_reset_link_ends_the_older(house: House) -> None:
    await register(house, EMAIL)
    older, newer = await _reset_token(house), await _reset_token(house)
    with pytest.raises(ResetInvalid):
        await house.accounts.credentials.reset(older, NEW, CLIENT)
    await house.accounts.credentials.reset(newer, NEW, CLIENT)


async def test_a_reset_for_nobody_looks_the_same_and_mails_nobody(house: House) -> None:
    await house.accounts.credentials.request_reset("nobody@example.com", CLIENT)
    assert await house.work() == 1
    assert house.mailbox.messages == []


async def test_reset_requests_are_limited(house: House) -> None:
    for _ in range(5):
        await house.accounts.credentials.request_reset(EMAIL, CLIENT)
    with pytest.raises(RateLimited):
        await house.accounts.credentials.request_reset(EMAIL, CLIENT)
