"""Row-level security on its own: what a viewer's scope can read and change with any statement."""

import asyncpg
import pytest

from app.domains.accounts.model import ProfileChanges, Role, Viewer
from app.kit.db import PUBLIC, Scope
from tests.domains.accounts.conftest import House
from tests.factories import CLIENT, register
from tests.statements import statement, value_of

OWNED = ("users", "profiles", "user_settings", "sessions", "auth_logs", "audit_logs")
HIDDEN = ("otp_codes", "password_reset_tokens", "refresh_tokens", "access_codes")


async def _two(house: House) -> tuple[Viewer, Viewer]:
    """Alice, of whom every table has rows, and Bob."""
    alice = await register(house, "alice@example.com", verified=False)
    await house.accounts.profiles.update(alice, ProfileChanges(username="alice"))
    await house.accounts.profiles.put_setting(alice, "theme", "dark")
    await house.accounts.credentials.send_reset("alice@example.com", CLIENT)
    bob = await register(house, "bob@example.com")
    return alice, bob


async def _count(house: House, scope: Scope, table: str, where: str = "true") -> int:
    query = statement("count", "", f"SELECT count(*) FROM {table} WHERE {where}")
    async with house.database.snapshot(scope) as tx:
        return int(await value_of(tx, query))


@pytest.mark.parametrize("table", OWNED)
async def test_a_user_sees_their_own_rows_and_no_others(house: House, table: str) -> None:
    alice, bob = await _two(house)
    column = "id" if table == "users" else "user_id"
    of_alice = f"{column} = '{alice.user_id}'"
    assert await _count(house, alice.scope, table, of_alice) > 0
    assert await _count(house, alice.scope, table, f"{column} IS DISTINCT FROM '{alice.user_id}'") == 0
    assert await _count(house, bob.scope, table, of_alice) == 0
    assert await _count(house, PUBLIC, table) == 0


@pytest.mark.parametrize("table", HIDDEN)
async def test_what_only_moneta_needs_nobody_sees(house: House, table: str) -> None:
    alice, bob = await _two(house)
    assert await _count(house, Scope(system=True), table) > 0
    for scope in (alice.scope, bob.scope, PUBLIC):
        assert await _count(house, scope, table) == 0


async def test_display_names_are_public(house: House) -> None:
    await _two(house)
    assert await _count(house, PUBLIC, "display_names") == 2


async def test_an_admin_sees_users_and_codes_but_no_private_rows(house: House) -> None:
    alice, _ = await _two(house)
    admin = await register(house, "admin@example.com", role=Role.ADMIN)
    assert await _count(house, admin.scope, "users") == 3
    assert await _count(house, admin.scope, "access_codes") == 1
    of_alice = f"user_id = '{alice.user_id}'"
    for table in ("profiles", "user_settings", "sessions", "auth_logs", "audit_logs"):
        assert await _count(house, admin.scope, table, of_alice) == 0


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE users SET role = 'admin', is_verified = true",
        "UPDATE profiles SET subscription_tier = 'enterprise', live_balance = 1000000",
        "UPDATE sessions SET expires_at = 'infinity'",
        "UPDATE display_names SET display_name = 'Mallory'",
        "UPDATE access_codes SET code = 'MINE'",
        "DELETE FROM auth_logs",
        "DELETE FROM users",
        "DELETE FROM sessions",
    ],
)
async def test_a_users_scope_changes_nothing_that_moneta_decides(house: House, sql: str) -> None:
    alice, _ = await _two(house)
    assert await house.database.write(alice.scope, lambda tx: tx.execute(statement("attack", "", sql))) == 0


async def test_a_user_cannot_write_the_settings_of_another(house: House) -> None:
    alice, bob = await _two(house)
    insert = statement("attack", "", "INSERT INTO user_settings (user_id, setting_name) VALUES ($1, 'x')")
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await house.database.write(bob.scope, lambda tx: tx.execute(insert, alice.user_id))
    steal = statement("attack", "", "UPDATE user_settings SET setting_value = '1'")
    assert await house.database.write(bob.scope, lambda tx: tx.execute(steal)) == 0


async def test_every_table_with_an_owner_is_forced_under_row_level_security(house: House) -> None:
    loose = await house.owner.fetch(
        """
        SELECT DISTINCT c.relname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
        WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
          AND a.attname IN ('user_id', 'tenant_id', 'redeemed_by') AND NOT (c.relrowsecurity AND c.relforcerowsecurity)
        """
    )
    assert loose == []
