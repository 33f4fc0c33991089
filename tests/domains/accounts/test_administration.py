import re
from uuid import uuid4

import pytest

from app.domains.accounts.jobs import accounts_schedules
from app.domains.accounts.model import OwnRole, Role
from app.domains.accounts.services.registration import national_id_aad
from app.kit.crypto.envelope import Keyring, Sealed, new_kek
from app.kit.errors import Forbidden, IdempotencyKeyReused, InvalidInput, NotFound
from tests.domains.accounts.conftest import House
from tests.factories import CLIENT, PASSWORD, person, register, register_session


async def test_codes_are_made_once_for_a_key(house: House) -> None:
    admin = await register(house, role=Role.ADMIN)
    create = house.accounts.administration.create_access_codes
    ids = await create(admin, count=3, codes=None, idempotency_key="k")
    assert await create(admin, count=3, codes=None, idempotency_key="k") == ids
    with pytest.raises(IdempotencyKeyReused):
        await create(admin, count=4, codes=None, idempotency_key="k")
    codes = [row[0] for row in await house.owner.fetch("SELECT code FROM access_codes")]
    assert len(codes) == 3
    assert all(re.fullmatch(r"[A-Z2-9]{4}-[A-Z2-9]{4}-[A-Z2-9]{4}", code) for code in codes)


async def test_codes_by_name_are_made_all_or_none(house: House) -> None:
    admin = await register(house, role=Role.ADMIN)
    create = house.accounts.administration.create_access_codes
    first, second = await create(admin, count=None, codes=[" gold-1 ", "GOLD-2"], idempotency_key="a")
    row = await house.owner.fetch("SELECT id FROM access_codes ORDER BY code")
    assert [record[0] for record in row] == [first, second]
    with pytest.raises(InvalidInput):
        await create(admin, count=None, codes=["GOLD-3", "gold-2"], idempotency_key="b")
    assert await house.owner.fetchval("SELECT count(*) FROM access_codes") == 2


@pytest.mark.parametrize(
    ("count", "codes"), [(None, None), (1, ["CODE"]), (0, None), (101, None), (None, []), (None, ["SAME", "same"])]
)
async def test_codes_are_not_made(house: House, count: int | None, codes: list[str] | None) -> None:
    admin = await register(house, role=Role.ADMIN)
    with pytest.raises(InvalidInput):
        await house.accounts.administration.create_access_codes(admin, count=count, codes=codes, idempotency_key="k")


async def test_only_admins_administer(house: House) -> None:
    viewer = await register(house)
    administration = house.accounts.administration
    for attempt in (
        administration.create_access_codes(viewer, count=1, codes=None, idempotency_key="k"),
        administration.update_role(viewer, viewer.user_id, Role.ADMIN),
        administration.scheduled_jobs(house.database, viewer),
    ):
        with pytest.raises(Forbidden):
            await attempt
    assert await house.owner.fetchval("SELECT role FROM users") == "user"


async def test_a_new_role_ends_the_users_sessions(house: House) -> None:
    admin, bob = await register(house, role=Role.ADMIN), await register_session(house, "bob@example.com")
    await house.accounts.administration.update_role(admin, bob.viewer.user_id, Role.ADMIN)
    assert await house.accounts.sessions.authenticate(bob.tokens.access_token, CLIENT) is None
    again = await house.accounts.sessions.login("bob@example.com", PASSWORD, CLIENT)
    assert again.viewer.role is Role.ADMIN
    await house.accounts.administration.update_role(admin, bob.viewer.user_id, Role.ADMIN)
    assert await house.accounts.sessions.authenticate(again.tokens.access_token, CLIENT) is not None


async def test_there_is_always_an_admin(house: House) -> None:
    admin = await register(house, role=Role.ADMIN)
    with pytest.raises(OwnRole):
        await house.accounts.administration.update_role(admin, admin.user_id, Role.USER)
    with pytest.raises(NotFound):
        await house.accounts.administration.update_role(admin, uuid4(), Role.USER)


async def test_create_admin_makes_a_user_or_promotes_one(house: House) -> None:
    create = house.accounts.administration.create_admin
    assert "is registered" in await create("root@example.com", "Root", PASSWORD)
    await house.accounts.registration.create(person("bob@example.com"), Role.USER, CLIENT)
    assert "their password is the one they had" in await create("bob@example.com", "Bob", "not-the-password")
    assert await house.owner.fetchval("SELECT count(*) FROM users WHERE role = 'admin' AND is_verified") == 2
    await house.accounts.sessions.login("bob@example.com", PASSWORD, CLIENT)


async def test_national_ids_move_to_the_active_key(house: House) -> None:
    new = person("alice@example.com")
    user_id = await house.accounts.registration.create(
        type(new)(email=new.email, password=PASSWORD, full_name="A", national_id="12345-6789012-3"), Role.USER, CLIENT
    )
    row = await house.owner.fetchrow("SELECT national_id_kek_id FROM users")
    assert row is not None
    both = Keyring.parse(new_kek("k2"))
    both._ciphers.update(house.keyring._ciphers)
    administration = house.accounts.administration
    object.__setattr__(administration, "keyring", both)
    assert await administration.rewrap_national_ids() == 1
    assert await administration.rewrap_national_ids() == 0
    sealed = await house.owner.fetchrow(
        "SELECT national_id_kek_id, national_id_wrapped_key, national_id_ciphertext FROM users"
    )
    assert sealed is not None
    assert sealed["national_id_kek_id"] == "k2"
    assert both.open(Sealed(*sealed), national_id_aad(user_id)) == b"12345-6789012-3"


def test_the_schedules_are_those_of_the_seeds(house: House) -> None:
    assert {(schedule.name, schedule.cron) for schedule in accounts_schedules(house.accounts)} == {
        ("sessions", "0 2 * * *"),
        ("otp-codes", "15 * * * *"),
        ("auth-logs", "40 2 * * *"),
    }
