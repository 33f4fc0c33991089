import asyncio
from datetime import timedelta
from uuid import UUID

import pytest

from app.domains.accounts.model import SESSIONS_STREAM, BadCredentials, Client, Role, SessionEnded
from app.kit.crypto.tokens import digest
from app.kit.errors import NotFound
from tests.domains.accounts.conftest import House
from tests.factories import CLIENT, PASSWORD, open_session, register, register_session

EMAIL = "alice@example.com"


async def _events(house: House, session_id: UUID) -> list[str]:
    rows = await house.owner.fetch(
        "SELECT kind FROM events WHERE stream = $1 AND payload ->> 'session_id' = $2", SESSIONS_STREAM, str(session_id)
    )
    return [row[0] for row in rows]


async def test_log_in_opens_a_session_that_its_token_proves(house: House) -> None:
    user = await register(house, EMAIL)
    opened = await house.accounts.sessions.login(" ALICE@example.com ", PASSWORD, CLIENT)
    viewer = await house.accounts.sessions.authenticate(opened.tokens.access_token, Client("198.51.100.1", "browser"))
    assert viewer is not None
    assert (viewer.user_id, viewer.session_id) == (user.user_id, opened.tokens.session_id)
    assert (viewer.role, viewer.is_verified) == (Role.USER, True)
    assert viewer.expires_at == house.clock.now() + timedelta(hours=1)
    assert viewer.client.user_agent == "browser"
    row = await house.owner.fetchrow(
        "SELECT token_hash, host(ip_address), user_agent FROM sessions WHERE id = $1", viewer.session_id
    )
    assert row is not None
    assert tuple(row) == (digest(opened.tokens.access_token), "203.0.113.7", "tests")


async def test_an_unknown_address_and_a_wrong_password_are_alike(house: House) -> None:
    await register(house, EMAIL)
    messages = []
    for email, password in ((EMAIL, "wrong-wrong-wrong"), ("nobody@example.com", PASSWORD), ("no address", PASSWORD)):
        with pytest.raises(BadCredentials) as refusal:
            await house.accounts.sessions.login(email, password, CLIENT)
        messages.append(refusal.value.message)
    assert len(set(messages)) == 1
    assert (await house.auth_log())[-3:] == [("failed_login", False)] * 3
    assert await house.owner.fetchval("SELECT count(user_id) FROM auth_logs WHERE event_type = 'failed_login'") == 1


async def test_a_token_ends_after_an_hour(house: House) -> None:
    session = await register_session(house, EMAIL)
    house.clock.advance(timedelta(minutes=59, seconds=59))
    assert await house.accounts.sessions.authenticate(session.tokens.access_token, CLIENT) is not None
    house.clock.advance(timedelta(seconds=1))
    assert await house.accounts.sessions.authenticate(session.tokens.access_token, CLIENT) is None


@pytest.mark.parametrize("token", ["", "x", "a.b.c", "\x00", "\ud800", "ey" * 5000])
async def test_what_is_no_token_is_nobody(house: House, token: str) -> None:
    assert await house.accounts.sessions.authenticate(token, CLIENT) is None


async def test_an_invalid_token_is_refused_with_its_reason(house: House) -> None:
    fault_of = house.accounts.sessions.fault_of
    session = await register_session(house, EMAIL)
    replaced = session.tokens.access_token
    await house.accounts.sessions.refresh(session.tokens.refresh_token, CLIENT)
    ended = "The token is not valid any more: its session was ended, or has a newer one."
    assert fault_of(replaced) == ended
    house.clock.advance(timedelta(hours=1))
    assert fault_of(replaced) == "The token has expired."
    for token in ("", "x", "a.b.c", f"{replaced}x", "\ud800"):
        assert fault_of(token) == "The token is not valid."


async def test_a_refresh_replaces_both_tokens(house: House) -> None:
    first = await register_session(house, EMAIL)
    house.clock.advance(timedelta(minutes=50))
    second = await house.accounts.sessions.refresh(first.tokens.refresh_token, CLIENT)
    assert second.tokens.session_id == first.tokens.session_id
    assert await house.accounts.sessions.authenticate(first.tokens.access_token, CLIENT) is None
    assert await house.accounts.sessions.authenticate(second.tokens.access_token, CLIENT) is not None
    assert await _events(house, first.tokens.session_id) == []


async def test_a_refresh_token_presented_twice_ends_the_session(house: House) -> None:
    first = await register_session(house, EMAIL)
    second = await house.accounts.sessions.refresh(first.tokens.refresh_token, CLIENT)
    with pytest.raises(SessionEnded):
        await house.accounts.sessions.refresh(first.tokens.refresh_token, CLIENT)
    assert await house.accounts.sessions.authenticate(second.tokens.access_token, CLIENT) is None
    with pytest.raises(SessionEnded):
        await house.accounts.sessions.refresh(second.tokens.refresh_token, CLIENT)
    assert await _events(house, first.tokens.session_id) == ["session.revoked"]
    assert ("security_alert", False) in await house.auth_log()


@pytest.mark.usefixtures("warm")
async def test_two_who_refresh_at_once_are_not_both_served(house: House) -> None:
    first = await register_session(house, EMAIL)
    refresh = house.accounts.sessions.refresh
    outcomes = await asyncio.gather(
        *(refresh(first.tokens.refresh_token, CLIENT) for _ in range(8)), return_exceptions=True
    )
    assert sum(not isinstance(outcome, BaseException) for outcome in outcomes) == 1
    assert {type(outcome) for outcome in outcomes if isinstance(outcome, BaseException)} == {SessionEnded}
    assert await house.owner.fetchval("SELECT count(*) FROM sessions") == 0


async def test_a_refresh_token_ends_after_thirty_days(house: House) -> None:
    session = await register_session(house, EMAIL)
    house.clock.advance(timedelta(days=30))
    with pytest.raises(SessionEnded):
        await house.accounts.sessions.refresh(session.tokens.refresh_token, CLIENT)


async def test_log_out_ends_this_session_only(house: House) -> None:
    here = await register_session(house, EMAIL)
    there = await open_session(house, here.viewer.user_id)
    await house.accounts.sessions.logout(here.viewer)
    await house.accounts.sessions.logout(here.viewer)
    assert await house.accounts.sessions.authenticate(here.tokens.access_token, CLIENT) is None
    assert await house.accounts.sessions.authenticate(there.tokens.access_token, CLIENT) is not None
    assert await _events(house, here.tokens.session_id) == ["session.revoked"]
    assert await _events(house, there.tokens.session_id) == []
    assert (await house.auth_log()).count(("logout", True)) == 1


async def test_log_out_everywhere_ends_all_of_this_user(house: House) -> None:
    here = await register_session(house, EMAIL)
    there = await open_session(house, here.viewer.user_id)
    bob = await register_session(house, "bob@example.com")
    assert await house.accounts.sessions.logout_everywhere(here.viewer) == 2
    for session in (here, there):
        assert await house.accounts.sessions.authenticate(session.tokens.access_token, CLIENT) is None
        assert await _events(house, session.tokens.session_id) == ["session.revoked"]
    assert await house.accounts.sessions.authenticate(bob.tokens.access_token, CLIENT) is not None


async def test_nobody_revokes_the_session_of_another(house: House) -> None:
    alice, bob = await register_session(house, EMAIL), await register_session(house, "bob@example.com")
    with pytest.raises(NotFound):
        await house.accounts.sessions.revoke(alice.viewer, bob.tokens.session_id)
    assert await house.accounts.sessions.authenticate(bob.tokens.access_token, CLIENT) is not None
    await house.accounts.sessions.revoke(bob.viewer, bob.tokens.session_id)
    assert await house.accounts.sessions.authenticate(bob.tokens.access_token, CLIENT) is None


async def test_an_address_that_a_proxy_made_up_is_logged_as_unknown(house: House) -> None:
    await register(house, EMAIL)
    await house.accounts.sessions.login(EMAIL, PASSWORD, Client("not an address", "agent\x00\ud800" * 200))
    row = await house.owner.fetchrow(
        "SELECT ip_address, length(user_agent) AS size FROM auth_logs WHERE ip_address IS NULL"
    )
    assert row is not None
    assert row["size"] == 512
