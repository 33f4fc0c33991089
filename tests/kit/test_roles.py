"""Whom row-level security binds, and who else is on the server."""

from collections.abc import AsyncIterator

import asyncpg
import pytest
import pytest_asyncio

from app.kit.db import SYSTEM, Database
from app.kit.migrate import migrate
from app.kit.postgres import WrongRole
from tests.conftest import APP_ROLE
from tests.databases import Owner, next_number
from tests.statements import statement

ONE = statement("one", "Asks for nothing.", "SELECT 1")
TABLES = """
SELECT c.relname, c.relrowsecurity, EXISTS (SELECT FROM pg_inherits WHERE inhrelid = c.oid) AS is_partition
FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p')
"""


@pytest_asyncio.fixture
async def role(owner: Owner) -> AsyncIterator[str]:
    """A role of the server that may read what the application may."""
    name = f"role_{next_number()}"
    await owner.execute(f"CREATE ROLE {name} NOLOGIN; GRANT {APP_ROLE} TO {name}; GRANT {name} TO CURRENT_USER")
    yield name
    await owner.execute(f"DROP OWNED BY {name}; DROP ROLE {name}")


async def refusal(url: str, role: str) -> str:
    with pytest.raises(WrongRole) as caught:
        await Database.open(url, role=role, size=1, timeout_s=10.0)
    assert "\n" not in caught.value.message
    assert "MONETA_DATABASE" in caught.value.message
    return caught.value.message


async def test_a_dropped_role_is_noticed_before_anything_is_served(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # What a pooler in between does that does not pass the parameter on.
    monkeypatch.setattr("app.kit.db.server_settings", lambda role, name: {})
    assert "not as 'moneta_app'" in await refusal(database_url, APP_ROLE)


async def test_a_dropped_role_is_noticed_on_every_later_connection(
    database: Database, owner: Owner, monkeypatch: pytest.MonkeyPatch
) -> None:
    # As when a pooler is put in between, or reconfigured, while we run.
    database.pool._connect_kwargs["server_settings"] = {}  # type: ignore[attr-defined]
    await database.pool.expire_connections()
    for _ in range(3):
        with pytest.raises(WrongRole):
            async with database.snapshot(SYSTEM):
                pytest.fail("it serves as the owner")
        with pytest.raises(WrongRole):
            await database.fetch(ONE)
    assert (database.admission.waiting, database.admission._held) == (0, {})


@pytest.mark.parametrize("attribute", ["SUPERUSER", "BYPASSRLS"])
async def test_a_role_that_is_not_bound_is_refused(database_url: str, owner: Owner, role: str, attribute: str) -> None:
    await owner.execute(f"ALTER ROLE {role} {attribute}")
    assert "bypass row-level security" in await refusal(database_url, role)


async def test_a_role_that_migrations_grant_nothing_is_refused(database_url: str, owner: Owner, role: str) -> None:
    await owner.execute(f"REVOKE {APP_ROLE} FROM {role}")
    assert f"GRANT {APP_ROLE} TO {role}" in await refusal(database_url, role)
    await owner.execute(f"GRANT {APP_ROLE} TO {role}")
    opened = await Database.open(database_url, role=role, size=1, timeout_s=10.0)
    try:
        assert await opened.fetch(statement("members", "Counts users.", "SELECT count(*) FROM users"))
    finally:
        await opened.close()


@pytest.mark.parametrize(
    ("owned", "said"),
    [
        ("CREATE TABLE mine (); ALTER TABLE mine OWNER TO {}", "the table mine"),
        ("CREATE SCHEMA mine AUTHORIZATION {}", "the schema mine"),
        (
            "CREATE FUNCTION mine() RETURNS integer LANGUAGE sql RETURN 1; ALTER FUNCTION mine OWNER TO {}",
            "the function mine",
        ),
    ],
)
async def test_a_role_that_owns_something_is_refused(
    database_url: str, owner: Owner, role: str, owned: str, said: str
) -> None:
    opened = await Database.open(database_url, role=role, size=1, timeout_s=10.0)
    await opened.close()
    await owner.execute(f"GRANT CREATE ON SCHEMA public TO {role};" + owned.format(role))
    assert said in await refusal(database_url, role)


async def test_other_roles_of_the_server_see_nothing(empty_database_url: str) -> None:
    stranger = f"stranger_{next_number()}"
    owner = await asyncpg.connect(empty_database_url)
    try:
        await owner.execute(f"CREATE ROLE {stranger} NOLOGIN")
        # As Supabase sets its databases up.
        for kind in ("TABLES", "SEQUENCES", "FUNCTIONS"):
            await owner.execute(f"ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT ALL ON {kind} TO {stranger}")
        await migrate(empty_database_url, "0005")
        granted = f"SELECT count(*) FROM pg_class WHERE has_table_privilege('{stranger}', oid, 'SELECT')"
        granted += " AND relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p', 'v')"
        assert await owner.fetchval(granted) > 30
        callable_ = f"SELECT count(*) FROM pg_proc WHERE has_function_privilege('{stranger}', oid, 'EXECUTE')"
        callable_ += " AND prosecdef AND pronamespace = 'public'::regnamespace"
        assert await owner.fetchval(callable_) >= 5
        await migrate(empty_database_url)
        await owner.execute("SELECT maintain_partitions('2030-01-15')")
        await owner.execute("CREATE TABLE of_a_later_migration ()")
        assert (await owner.fetchval(granted), await owner.fetchval(callable_)) == (0, 0)
    finally:
        await owner.execute(f"DROP OWNED BY {stranger}; DROP ROLE {stranger}")
        await owner.close()


async def test_partitions_are_closed_by_themselves(owner: Owner) -> None:
    await owner.execute("SELECT maintain_partitions('2030-01-15')")
    await owner.execute("SELECT make_partitions('price_history', now() - interval '2 months', now())")
    partitions = [row for row in await owner.fetch(TABLES) if row["is_partition"]]
    assert len(partitions) > 30
    assert [row["relname"] for row in partitions if not row["relrowsecurity"]] == []
    for row in partitions:
        # Even to whom somebody grants it.
        await owner.execute(f"GRANT SELECT ON {row['relname']} TO {APP_ROLE}")
        await owner.execute(f"SET ROLE {APP_ROLE}")
        assert await owner.fetchval(f"SELECT count(*) FROM {row['relname']}") == 0
        await owner.execute("RESET ROLE")
