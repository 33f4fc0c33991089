import asyncio

import asyncpg
import pytest

from app.domains.accounts.model import AccessCodeInvalid, Client, EmailTaken, NewUser, Role
from app.domains.accounts.services.registration import PREPARATIONS, REGISTRATION_LIMIT, national_id_aad
from app.kit.crypto.envelope import Sealed
from app.kit.errors import IdempotencyKeyReused, InvalidInput, RateLimited
from tests.domains.accounts.conftest import House
from tests.factories import CLIENT, PASSWORD, person

ALICE = NewUser(email="  Alice@Example.COM ", password=PASSWORD, full_name=" Alice A ", national_id="12345-6789012-3")


async def test_a_user_is_stored_in_normal_form_and_mailed(house: House) -> None:
    await house.add_code()
    user_id = await house.accounts.registration.register(ALICE, " bitcoin2025 ", CLIENT)

    user = await house.owner.fetchrow("SELECT * FROM users")
    assert user is not None
    assert (user["id"], user["email"], user["full_name"]) == (user_id, "alice@example.com", "Alice A")
    assert (user["role"], user["is_verified"], user["created_at"]) == ("user", False, house.clock.now())
    assert user["password_hash"].startswith("$argon2id$")
    code = await house.owner.fetchrow("SELECT redeemed, redeemed_by, redeemed_at FROM access_codes")
    assert code is not None
    assert tuple(code) == (True, user_id, house.clock.now())
    assert house.wallets == [(user_id, None)]
    name = await house.owner.fetchval("SELECT display_name FROM display_names WHERE user_id = $1", user_id)
    assert name == f"user-{str(user_id)[:8]}", "without a chosen name, the name reveals nothing about the user"
    assert await house.auth_log() == [("register", True), ("verification_sent", True)]

    assert await house.work() == 1
    [mail] = house.mailbox.messages
    assert mail.to == "alice@example.com"
    assert house.mailbox.last(r"code is (\d{6})\.")
    assert house.mailbox.last(r"(https://moneta\.test/verify\?token=\S{43})\n")


async def test_a_national_id_is_sealed_for_its_row(house: House) -> None:
    await house.add_code()
    user_id = await house.accounts.registration.register(ALICE, "BITCOIN2025", CLIENT)
    row = await house.owner.fetchrow(
        "SELECT national_id_kek_id, national_id_wrapped_key, national_id_ciphertext FROM users"
    )
    assert row is not None
    assert b"12345" not in row["national_id_ciphertext"]
    assert house.keyring.open(Sealed(*row), national_id_aad(user_id)) == b"12345-6789012-3"


async def test_the_queue_holds_no_secret_in_the_clear(house: House) -> None:
    await house.add_code()
    await house.accounts.registration.register(ALICE, "BITCOIN2025", CLIENT)
    payload = await house.owner.fetchval("SELECT payload FROM pgqueuer")
    await house.work()
    code = house.mailbox.last(r"code is (\d{6})\.").encode()
    token = house.mailbox.last(r"token=(\S+)").encode()
    assert code not in payload
    assert token not in payload
    assert b"alice" not in payload


@pytest.mark.usefixtures("warm")
async def test_a_hundred_races_for_one_code_have_one_winner(house: House) -> None:
    await house.add_code()
    outcomes = await asyncio.gather(
        *(house.accounts.registration.register(person(f"u{n}@example.com"), "BITCOIN2025", CLIENT) for n in range(100)),
        return_exceptions=True,
    )
    winners = [outcome for outcome in outcomes if not isinstance(outcome, BaseException)]
    assert len(winners) == 1
    assert [type(outcome) for outcome in outcomes].count(AccessCodeInvalid) == 99
    assert await house.owner.fetchval("SELECT count(*) FROM users") == 1
    assert await house.owner.fetchval("SELECT redeemed_by FROM access_codes") == winners[0]
    assert len(house.wallets) == 1
    assert house.prepared <= PREPARATIONS, "the losers cost no key and no hash"

    # All of them had the code, so none counts as a guess.
    await house.add_code("SECOND-CODE")
    assert await house.accounts.registration.register(ALICE, "SECOND-CODE", CLIENT)


async def test_guesses_at_codes_are_bounded_for_an_address(house: House) -> None:
    await house.add_code()
    register = house.accounts.registration.register
    outcomes = await asyncio.gather(
        *(register(ALICE, f"GUESS-{n}", CLIENT) for n in range(REGISTRATION_LIMIT.attempts)), return_exceptions=True
    )
    assert {type(outcome) for outcome in outcomes} == {AccessCodeInvalid}
    with pytest.raises(RateLimited):
        await register(ALICE, "BITCOIN2025", CLIENT)
    assert house.prepared == 0
    assert await register(ALICE, "BITCOIN2025", Client(ip="192.0.2.99"))


async def test_an_address_that_is_taken_leaves_the_code_unspent(house: House) -> None:
    await house.accounts.registration.create(person("alice@example.com"), Role.USER, CLIENT)
    await house.add_code()
    with pytest.raises(EmailTaken):
        await house.accounts.registration.register(ALICE, "BITCOIN2025", CLIENT)
    assert await house.owner.fetchval("SELECT redeemed FROM access_codes") is False
    assert await house.owner.fetchval("SELECT count(*) FROM users") == 1
    assert await house.auth_log() == [("register", True), ("register", False)]


async def test_a_taken_address_is_not_revealed_without_a_code(house: House) -> None:
    await house.accounts.registration.create(person("alice@example.com"), Role.USER, CLIENT)
    with pytest.raises(AccessCodeInvalid):
        await house.accounts.registration.register(ALICE, "NO-SUCH-CODE", CLIENT)


@pytest.mark.parametrize(
    ("field", "change"),
    [
        ("email", {"email": "alice"}),
        ("email", {"email": "alice@example.com\r\nBcc: all@example.com"}),
        ("email", {"email": "alice\x00@example.com"}),
        ("email", {"email": f"{'a' * 65}@example.com"}),
        ("password", {"password": "short"}),
        ("password", {"password": "alice@example.com"}),
        ("password", {"password": "p" * 1025}),
        ("password", {"password": "\ud800" * 12}),
        ("full_name", {"full_name": "   "}),
        ("full_name", {"full_name": "Al\x00ice"}),
        ("full_name", {"full_name": "A" * 256}),
        ("national_id", {"national_id": "1"}),
        ("display_name", {"display_name": "D" * 81}),
    ],
)
async def test_what_cannot_be_stored_is_refused_before_anything_happens(
    house: House, field: str, change: dict[str, str]
) -> None:
    await house.add_code()
    given = {"email": "alice@example.com", "password": PASSWORD, "full_name": "Alice", **change}
    with pytest.raises(InvalidInput) as refusal:
        await house.accounts.registration.register(NewUser(**given), "BITCOIN2025", CLIENT)
    assert refusal.value.path == (field,)
    assert house.wallets == []
    assert await house.owner.fetchval("SELECT redeemed FROM access_codes") is False


async def test_a_replay_gives_the_same_user_and_spends_no_second_code(house: House) -> None:
    await house.add_code()
    await house.add_code("SECOND-CODE")
    register = house.accounts.registration.register
    first = await register(ALICE, "BITCOIN2025", CLIENT, idempotency_key="k")
    assert await register(ALICE, "BITCOIN2025", CLIENT, idempotency_key="k") == first
    with pytest.raises(IdempotencyKeyReused):
        await register(ALICE, "SECOND-CODE", CLIENT, idempotency_key="k")
    assert await house.owner.fetchval("SELECT count(*) FROM users") == 1
    assert await house.owner.fetchval("SELECT redeemed FROM access_codes WHERE code = 'SECOND-CODE'") is False


async def test_a_code_stays_spent_when_its_redeemer_is_deleted(house: House) -> None:
    await house.add_code()
    user_id = await house.accounts.registration.register(ALICE, "BITCOIN2025", CLIENT)
    await house.owner.execute("DELETE FROM users WHERE id = $1", user_id)
    row = await house.owner.fetchrow("SELECT redeemed, redeemed_by, redeemer_deleted FROM access_codes")
    assert row is not None
    assert tuple(row) == (True, None, True)
    with pytest.raises(AccessCodeInvalid):
        await house.accounts.registration.register(ALICE, "BITCOIN2025", CLIENT)
    assert await house.owner.fetchval("SELECT count(*) FROM profiles") == 0
    assert await house.owner.fetchval("SELECT count(*) FROM auth_logs WHERE event_type = 'register'") == 2


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE access_codes SET redeemed_at = now()",
        "UPDATE access_codes SET code = 'lower'",
        "INSERT INTO users (email, password_hash, full_name) VALUES ('Upper@example.com', 'h', 'n')",
        "INSERT INTO users (email, password_hash, full_name) VALUES (' a@example.com', 'h', 'n')",
        "INSERT INTO auth_logs (event_type) VALUES ('nonsense')",
        "INSERT INTO users (email, password_hash, full_name, role) VALUES ('a@example.com', 'h', 'n', 'root')",
    ],
)
async def test_the_database_itself_refuses_what_breaks_a_rule(house: House, statement: str) -> None:
    await house.add_code()
    with pytest.raises(asyncpg.CheckViolationError):
        await house.owner.execute(statement)
