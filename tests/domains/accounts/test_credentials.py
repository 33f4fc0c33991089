from datetime import timedelta

import pytest

from app.domains.accounts.model import BadCredentials, Client, ResetInvalid, Role
from app.kit.errors import InvalidInput, RateLimited
from tests.domains.accounts.conftest import House
from tests.factories import CLIENT, PASSWORD, open_session, person, register, register_session

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
    ("current", "new", "field"), [("wrong", NEW, "current_password"), (PASSWORD, EMAIL, "new_password")]
)
async def test_a_password_is_not_changed(house: House, current: str, new: str, field: str) -> None:
    viewer = await register(house, EMAIL)
    with pytest.raises(InvalidInput) as refusal:
        await house.accounts.credentials.change(viewer, current, new)
    assert refusal.value.path == (field,)
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


async def test_a_newer_reset_link_leaves_the_older_good_until_one_is_used(house: House) -> None:
    await register(house, EMAIL)
    older = await _reset_token(house)
    house.clock.advance(timedelta(minutes=2))
    newer = await _reset_token(house)
    await house.accounts.credentials.reset(older, NEW, CLIENT)
    with pytest.raises(ResetInvalid):
        await house.accounts.credentials.reset(newer, NEW, CLIENT)


async def test_strangers_who_ask_for_resets_deny_the_owner_none(house: House) -> None:
    await house.accounts.registration.create(person(EMAIL), Role.USER, CLIENT)
    await house.accounts.sessions.login(EMAIL, PASSWORD, CLIENT)
    for minute in range(60):
        await house.accounts.credentials.request_reset(EMAIL, Client(f"198.51.100.{minute}"))
        house.clock.advance(timedelta(minutes=1))
    await house.work()
    assert len(house.mailbox.messages) == 1, "mailed a moment ago is mailed"
    for minute in range(20):
        await house.accounts.credentials.request_reset(EMAIL, Client(f"198.51.100.{minute}"))
        await house.work()
        house.clock.advance(timedelta(minutes=1, seconds=1))
    assert len(house.mailbox.messages) == 5, "strangers cause so much mail and no more"
    await house.accounts.credentials.reset(await _reset_token(house), NEW, CLIENT)
    await house.accounts.sessions.login(EMAIL, NEW, CLIENT)


async def test_a_stolen_session_uses_up_the_guesses_of_no_other(house: House) -> None:
    own = await register_session(house, EMAIL)
    stolen = await open_session(house, own.viewer.user_id)
    for _ in range(5):
        with pytest.raises(InvalidInput):
            await house.accounts.credentials.change(stolen.viewer, "wrong-wrong-wrong", NEW)
    await house.accounts.credentials.change(own.viewer, PASSWORD, NEW)


async def test_a_reset_for_nobody_looks_the_same_and_mails_nobody(house: House) -> None:
    await house.accounts.credentials.request_reset("nobody@example.com", CLIENT)
    assert await house.work() == 1
    assert house.mailbox.messages == []


async def test_reset_requests_are_limited(house: House) -> None:
    for _ in range(5):
        await house.accounts.credentials.request_reset(EMAIL, CLIENT)
    with pytest.raises(RateLimited):
        await house.accounts.credentials.request_reset(EMAIL, CLIENT)
