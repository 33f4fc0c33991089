import asyncio
from datetime import timedelta

import pytest
from redis.asyncio import Redis

from app.domains.accounts.model import DEVICE_TTL, BadCredentials, Client
from app.domains.accounts.services.devices import ReturningClient
from app.kit.crypto.passwords import PasswordCheck
from app.kit.errors import RateLimited, Unavailable
from app.kit.ratelimit import RateLimiter
from tests.databases import Owner
from tests.domains.accounts.conftest import House
from tests.factories import CLIENT, PASSWORD, register, register_session

EMAIL, WRONG = "alice@example.com", "wrong-wrong-wrong"
NEW_PLACE = Client("192.0.2.77")


async def guess(house: House, client: Client, email: str = EMAIL, password: str = WRONG) -> type:
    """Returns the outcome of a guess."""
    try:
        await house.accounts.sessions.login(email, password, client)
    except (BadCredentials, RateLimited) as refusal:
        return type(refusal)
    raise AssertionError("a guess was right")


async def besiege(house: House) -> None:
    """Unknown clients guess from many networks until even a new network has to wait."""
    for n in range(1000):
        outcome = await guess(house, Client(f"198.51.{n // 200}.{n % 200}"))
        if outcome is RateLimited:
            return
    raise AssertionError("nobody slowed them down")


async def test_the_sixth_failure_is_not_even_tried(house: House) -> None:
    await register(house, EMAIL)
    for _ in range(5):
        assert await guess(house, CLIENT) is BadCredentials
        house.clock.advance(timedelta(minutes=1))
    with pytest.raises(RateLimited) as refusal:
        await house.accounts.sessions.login(EMAIL, PASSWORD, CLIENT)
    assert refusal.value.retry_after_s == 600
    house.clock.advance(timedelta(minutes=10))
    await house.accounts.sessions.login(EMAIL, PASSWORD, CLIENT)


async def test_five_failures_lock_out_nobody_else(house: House) -> None:
    await register(house, EMAIL)
    await register(house, "bob@example.com")
    for _ in range(6):
        await guess(house, CLIENT)
    await house.accounts.sessions.login(EMAIL, PASSWORD, NEW_PLACE)
    await house.accounts.sessions.login("bob@example.com", PASSWORD, CLIENT)


async def test_failures_within_one_ipv6_network_count_together(house: House) -> None:
    for n in range(5):
        assert await guess(house, Client(f"2001:db8::{n}")) is BadCredentials
    assert await guess(house, Client("2001:db8::ffff:1")) is RateLimited
    assert await guess(house, Client("2001:db8:0:1::1")) is BadCredentials


async def test_malformed_addresses_do_not_share_failures(house: House) -> None:
    for n in range(8):
        assert await guess(house, CLIENT, f"no address {n}") is BadCredentials
    for _ in range(5):
        assert await guess(house, CLIENT, "\ud800") is BadCredentials
    assert await guess(house, CLIENT, "\ud800") is RateLimited


@pytest.mark.parametrize("number", [10, 50])
async def test_right_log_ins_at_once_all_succeed(house: House, number: int) -> None:
    await register(house, EMAIL)
    logins = (house.accounts.sessions.login(EMAIL, PASSWORD, CLIENT) for _ in range(number))
    opened = await asyncio.gather(*logins)
    assert len({each.tokens.session_id for each in opened}) == number


async def test_guesses_at_once_get_no_more_than_guesses_in_turn(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    await register(house, EMAIL)
    tested, verify = 0, house.accounts.sessions.passwords.verify

    async def count(password: str, stored: str | None) -> PasswordCheck:
        nonlocal tested
        tested += 1
        return await verify(password, stored)

    monkeypatch.setattr(house.accounts.sessions.passwords, "verify", count)
    outcomes = await asyncio.gather(*(guess(house, CLIENT) for _ in range(200)))
    assert tested == outcomes.count(BadCredentials) == 5
    assert outcomes.count(RateLimited) == 195


async def test_what_came_to_no_answer_does_not_count(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    await register(house, EMAIL)
    verify = house.accounts.sessions.passwords.verify

    async def be_lost(password: str, stored: str | None) -> PasswordCheck:
        raise Unavailable

    async def be_cancelled(password: str, stored: str | None) -> PasswordCheck:
        raise asyncio.CancelledError

    for failing, error in ((be_lost, Unavailable), (be_cancelled, asyncio.CancelledError)):
        monkeypatch.setattr(house.accounts.sessions.passwords, "verify", failing)
        for _ in range(8):
            with pytest.raises(error):
                await house.accounts.sessions.login(EMAIL, PASSWORD, CLIENT)
    monkeypatch.setattr(house.accounts.sessions.passwords, "verify", verify)
    for _ in range(5):
        assert await guess(house, CLIENT) is BadCredentials


@pytest.mark.parametrize("moment", ["looking up", "opening"])
async def test_a_database_that_stops_during_a_log_in_uses_up_no_place(
    house: House, administrator: Owner, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    """Its connections are cut, as by a server that stops, and it takes no other until it is back."""
    await register(house, EMAIL)
    verify = house.accounts.sessions.passwords.verify
    name = await house.owner.fetchval("SELECT current_database()")

    async def stop() -> None:
        await administrator.execute(f"ALTER DATABASE {name} WITH ALLOW_CONNECTIONS false")
        others = "SELECT pg_terminate_backend(pid, 60000) FROM pg_stat_activity WHERE datname = $1 AND pid <> $2"
        await administrator.fetch(others, name, house.owner.get_server_pid())

    async def verify_and_stop(password: str, stored: str | None) -> PasswordCheck:
        verdict = await verify(password, stored)
        await stop()
        return verdict

    for _ in range(6):
        with monkeypatch.context() as outage:
            if moment == "looking up":
                await stop()
            else:
                outage.setattr(house.accounts.sessions.passwords, "verify", verify_and_stop)
            with pytest.raises(Unavailable):
                await house.accounts.sessions.login(EMAIL, PASSWORD, CLIENT)
        await administrator.execute(f"ALTER DATABASE {name} WITH ALLOW_CONNECTIONS true")
    for key in [key async for key in house.redis.scan_iter("moneta:limit:*")]:
        assert not await house.redis.zcard(key), "a slot or a failure is left"
    assert [await guess(house, CLIENT) for _ in range(6)] == [BadCredentials] * 5 + [RateLimited]


async def test_a_right_password_is_right_though_its_hash_was_replaced_meanwhile(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    await register(house, EMAIL)
    passwords, verify = house.accounts.sessions.passwords, house.accounts.sessions.passwords.verify
    better = await passwords.hash(PASSWORD)

    async def be_overtaken(password: str, stored: str | None) -> PasswordCheck:
        verdict = await verify(password, stored)
        await house.owner.execute("UPDATE users SET password_hash = $1", better)
        return verdict

    monkeypatch.setattr(passwords, "verify", be_overtaken)
    await house.accounts.sessions.login(EMAIL, PASSWORD, CLIENT)


async def test_strangers_are_slowed_and_shut_nobody_out_who_is_known(house: House) -> None:
    session = await register_session(house, EMAIL)
    at_home = (await house.accounts.sessions.login(EMAIL, PASSWORD, CLIENT)).tokens
    await besiege(house)
    assert await guess(house, NEW_PLACE) is RateLimited
    for known in (
        CLIENT,
        ReturningClient(NEW_PLACE.ip, device_token=at_home.device_token),
        ReturningClient(NEW_PLACE.ip, refresh_token=session.tokens.refresh_token),
    ):
        await house.accounts.sessions.login(EMAIL, PASSWORD, known)


@pytest.mark.parametrize("forged", ["", "x", "a.b.c", "..", "\ud800.1.\ud800", "a.99999999999999.b"])
async def test_what_is_no_token_of_ours_makes_nobody_known(house: House, forged: str) -> None:
    await register(house, EMAIL)
    await besiege(house)
    assert await guess(house, ReturningClient(NEW_PLACE.ip, device_token=forged, refresh_token=forged)) is RateLimited


async def test_a_device_is_known_for_its_user_and_its_time_and_its_password_only(house: House) -> None:
    alice, bob = await register(house, EMAIL), await register(house, "bob@example.com")
    devices = house.accounts.sessions.devices
    token = (await house.accounts.sessions.login(EMAIL, PASSWORD, CLIENT)).tokens.device_token
    assert token is not None
    stored = await house.owner.fetchval("SELECT password_hash FROM users WHERE id = $1", alice.user_id)
    assert devices.knows(token, alice.user_id, stored)
    assert not devices.knows(token, bob.user_id, stored)
    assert not devices.knows(token, alice.user_id, f"{stored}x")
    again = await house.accounts.sessions.login(EMAIL, PASSWORD, ReturningClient(CLIENT.ip, device_token=token))
    assert again.tokens.device_token == token
    house.clock.advance(DEVICE_TTL)
    assert not devices.knows(token, alice.user_id, stored)


async def test_a_known_device_has_five_guesses_too(house: House) -> None:
    await register(house, EMAIL)
    token = (await house.accounts.sessions.login(EMAIL, PASSWORD, CLIENT)).tokens.device_token
    outcomes = [await guess(house, ReturningClient(f"192.0.2.{n}", device_token=token)) for n in range(6)]
    assert outcomes == [BadCredentials] * 5 + [RateLimited]


async def test_a_reset_opens(house: House) -> None:
    await register(house, EMAIL)
    await besiege(house)
    for _ in range(5):
        await guess(house, CLIENT)
    await house.accounts.credentials.request_reset(EMAIL, NEW_PLACE)
    await house.work()
    token = house.mailbox.last(r"token=(\S+)")
    await house.accounts.credentials.reset(token, "another-horse-battery", NEW_PLACE)
    await besiege(house)
    await house.accounts.sessions.login(EMAIL, "another-horse-battery", NEW_PLACE)


async def test_the_addresses_of_a_user_are_the_newest_few_and_nobodys_to_see(house: House) -> None:
    await register(house, EMAIL)
    for n in range(60):
        house.clock.advance(timedelta(seconds=1))
        await house.accounts.sessions.login(EMAIL, PASSWORD, Client(f"192.0.2.{n}"))
    assert await house.owner.fetchval("SELECT count(*) FROM login_sources") == 50
    assert await house.owner.fetchval("SELECT min(host(source)) = '192.0.2.10' FROM login_sources")
    house.clock.advance(timedelta(days=181))
    await house.accounts.maintenance.delete_old_sessions()
    assert await house.owner.fetchval("SELECT count(*) FROM login_sources") == 0


async def test_without_redis_nobody_logs_in(house: House) -> None:
    await register(house, EMAIL)
    dead = Redis.from_url("redis://127.0.0.1:1/0")
    object.__setattr__(house.accounts.sessions, "limiter", RateLimiter(dead, house.clock))
    with pytest.raises(Unavailable):
        await house.accounts.sessions.login(EMAIL, PASSWORD, CLIENT)
    await dead.aclose()
    assert ("login", True) not in (await house.auth_log())[2:]
