import asyncio
from datetime import timedelta

import pytest

from app.domains.accounts.model import Client, VerificationInvalid
from app.kit.errors import InvalidInput, RateLimited
from tests.domains.accounts.conftest import House
from tests.factories import CLIENT, register

EMAIL = "alice@example.com"


async def _registered(house: House) -> tuple[str, str]:
    """An unverified user; the code and the token that were mailed."""
    await register(house, EMAIL, verified=False)
    await house.work()
    return house.mailbox.last(r"code is (\d{6})\."), house.mailbox.last(r"token=(\S+)")


async def _is_verified(house: House) -> bool:
    return bool(await house.owner.fetchval("SELECT is_verified FROM users WHERE email = $1", EMAIL))


def _wrong(code: str) -> str:
    return f"{(int(code) + 1) % 1_000_000:06d}"


async def test_the_code_verifies_once(house: House) -> None:
    code, token = await _registered(house)
    await house.accounts.verification.verify_by_code(" ALICE@example.com", code, CLIENT)
    assert await _is_verified(house)
    for again in (
        house.accounts.verification.verify_by_code(EMAIL, code, CLIENT),
        house.accounts.verification.verify_by_link(token, CLIENT),
    ):
        with pytest.raises(VerificationInvalid):
            await again


async def test_the_link_verifies_once_and_ends_the_code(house: House) -> None:
    code, token = await _registered(house)
    await house.accounts.verification.verify_by_link(token, CLIENT)
    assert await _is_verified(house)
    for again in (
        house.accounts.verification.verify_by_link(token, CLIENT),
        house.accounts.verification.verify_by_code(EMAIL, code, CLIENT),
    ):
        with pytest.raises(VerificationInvalid):
            await again


async def test_a_slip_of_the_keyboard_costs_no_guess(house: House) -> None:
    code, _ = await _registered(house)
    for slip in ("", code[:5], f"{code}0", "١٢٣٤٥٦", "abcdef", f"{code[:3]} {code[3:]}"):
        with pytest.raises(InvalidInput):
            await house.accounts.verification.verify_by_code(EMAIL, slip, CLIENT)
    assert await house.owner.fetchval("SELECT guesses FROM otp_codes") == 0
    await house.accounts.verification.verify_by_code(EMAIL, f" {code}\n", CLIENT)
    assert await _is_verified(house)


async def test_the_fifth_guess_may_be_right_the_sixth_may_not(house: House) -> None:
    code, _ = await _registered(house)
    for _ in range(5):
        with pytest.raises(VerificationInvalid):
            await house.accounts.verification.verify_by_code(EMAIL, _wrong(code), CLIENT)
    with pytest.raises(VerificationInvalid):
        await house.accounts.verification.verify_by_code(EMAIL, code, CLIENT)
    assert not await _is_verified(house)
    assert await house.owner.fetchval("SELECT guesses FROM otp_codes") == 5


@pytest.mark.usefixtures("warm")
async def test_guesses_at_once_are_counted_like_guesses_in_turn(house: House) -> None:
    code, _ = await _registered(house)
    guesses = [house.accounts.verification.verify_by_code(EMAIL, _wrong(code), CLIENT) for _ in range(40)]
    outcomes = await asyncio.gather(*guesses, return_exceptions=True)
    assert {type(outcome) for outcome in outcomes} == {VerificationInvalid}
    assert await house.owner.fetchval("SELECT guesses FROM otp_codes") == 5
    assert (await house.auth_log()).count(("email_verified", False)) == 5


async def test_the_code_lasts_ten_minutes_the_link_a_day(house: House) -> None:
    code, token = await _registered(house)
    house.clock.advance(timedelta(minutes=10))
    with pytest.raises(VerificationInvalid):
        await house.accounts.verification.verify_by_code(EMAIL, code, CLIENT)
    house.clock.advance(timedelta(hours=23, minutes=50))
    with pytest.raises(VerificationInvalid):
        await house.accounts.verification.verify_by_link(token, CLIENT)
    assert not await _is_verified(house)


async def test_resending_ends_what_was_sent_before(house: House) -> None:
    code, token = await _registered(house)
    house.clock.advance(timedelta(minutes=2))
    await house.accounts.verification.request_resend(EMAIL, CLIENT)
    assert await house.work() == 2, "the request, then the mail that it asked for"
    new_code = house.mailbox.last(r"code is (\d{6})\.")
    with pytest.raises(VerificationInvalid):
        await house.accounts.verification.verify_by_link(token, CLIENT)
    if new_code != code:
        with pytest.raises(VerificationInvalid):
            await house.accounts.verification.verify_by_code(EMAIL, code, CLIENT)
    await house.accounts.verification.verify_by_code(EMAIL, new_code, CLIENT)
    assert await _is_verified(house)


async def test_a_stranger_who_resends_ends_no_code_that_is_just_being_typed(house: House) -> None:
    code, _ = await _registered(house)
    for n in range(10):
        await house.accounts.verification.request_resend(EMAIL, Client(f"198.51.100.{n}"))
    assert await house.work() == 10
    await house.accounts.verification.verify_by_code(EMAIL, code, CLIENT)
    assert await _is_verified(house)


async def test_strangers_who_ask_for_codes_leave_the_owner_time_for_each(house: House) -> None:
    await _registered(house)
    for n in range(60):
        house.clock.advance(timedelta(minutes=2))
        await house.accounts.verification.request_resend(EMAIL, Client(f"198.51.100.{n}"))
        await house.work()
    assert len(house.mailbox.messages) == 1 + 2
    token = house.mailbox.last(r"token=(\S+)")
    house.clock.advance(timedelta(minutes=2))
    await house.accounts.verification.request_resend(EMAIL, CLIENT)
    await house.work()
    assert len(house.mailbox.messages) == 4, "the owner's own request is granted nevertheless"
    assert house.mailbox.last(r"token=(\S+)") != token
    await house.accounts.verification.verify_by_code(EMAIL, house.mailbox.last(r"code is (\d{6})\."), CLIENT)
    assert await _is_verified(house)


async def test_strangers_cannot_use_up_the_guesses_of_the_owner(house: House) -> None:
    code, _ = await _registered(house)
    for n in range(20):
        with pytest.raises(VerificationInvalid):
            await house.accounts.verification.verify_by_code(EMAIL, _wrong(code), Client(f"198.51.100.{n}"))
    assert await house.owner.fetchval("SELECT guesses FROM otp_codes") == 3
    with pytest.raises(VerificationInvalid):
        await house.accounts.verification.verify_by_code(EMAIL, code, Client("198.51.100.99"))
    with pytest.raises(VerificationInvalid):
        await house.accounts.verification.verify_by_code(EMAIL, _wrong(code), CLIENT)
    await house.accounts.verification.verify_by_code(EMAIL, code, CLIENT)
    assert await _is_verified(house)


async def test_resending_reveals_nothing_and_mails_no_other_user(house: House) -> None:
    await register(house, "verified@example.com")
    await house.accounts.verification.request_resend("nobody@example.com", CLIENT)
    await house.accounts.verification.request_resend("verified@example.com", CLIENT)
    assert await house.work() == 2
    assert house.mailbox.messages == []


async def test_resending_is_limited(house: House) -> None:
    for _ in range(5):
        await house.accounts.verification.request_resend(EMAIL, CLIENT)
    with pytest.raises(RateLimited):
        await house.accounts.verification.request_resend(EMAIL, CLIENT)
    assert await house.owner.fetchval("SELECT count(*) FROM pgqueuer") == 5
