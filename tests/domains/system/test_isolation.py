"""Row-level security: everybody reads the settings, admins their history, and nobody but Moneta writes."""

import asyncpg
import pytest

from app.kit.db import PUBLIC, SYSTEM, Scope
from tests.domains.system.conftest import Stage
from tests.statements import statement

TABLES = ("system_settings", "system_setting_changes")


async def rows(stage: Stage, scope: Scope, sql: str) -> int:
    """How many rows a statement touches or finds."""
    return await stage.database.write(scope, lambda tx: tx.execute(statement("tried", "", sql)))


async def test_everybody_reads_settings_and_admins_their_history(stage: Stage) -> None:
    await stage.system.update(stage.admin, 4096)
    for scope, seen in ((PUBLIC, 0), (stage.alice.scope, 0), (stage.admin.scope, 1), (SYSTEM, 1)):
        assert await rows(stage, scope, "SELECT FROM system_settings") == 4
        assert await rows(stage, scope, "SELECT FROM system_setting_changes") == seen


async def test_nobody_but_moneta_changes_a_setting(stage: Stage) -> None:
    before = await stage.owner.fetch("SELECT * FROM system_settings ORDER BY key")
    for scope in (PUBLIC, stage.alice.scope, stage.admin.scope):
        assert await rows(stage, scope, "UPDATE system_settings SET value = value, updated_at = now()") == 0
    assert await stage.owner.fetch("SELECT * FROM system_settings ORDER BY key") == before


async def test_nobody_writes_history(stage: Stage) -> None:
    sql = (
        "INSERT INTO system_setting_changes (key, value_before, value_after, changed_at)"
        " VALUES ('max_file_upload_size', '2048', '4096', now())"
    )
    for scope in (PUBLIC, stage.alice.scope, stage.admin.scope):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await rows(stage, scope, sql)


@pytest.mark.parametrize(
    "sql",
    [
        "INSERT INTO system_settings (key, value, description) VALUES ('other', '1', 'x')",
        "DELETE FROM system_settings",
        "UPDATE system_settings SET description = 'x'",
        "UPDATE system_settings SET key = key",
        "UPDATE system_setting_changes SET changed_by = NULL",
        "DELETE FROM system_setting_changes",
    ],
)
async def test_moneta_itself_neither_adds_settings_nor_changes_history(stage: Stage, sql: str) -> None:
    await stage.system.update(stage.admin, 4096)
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await rows(stage, SYSTEM, sql)


async def test_both_tables_are_forced_under_row_level_security(stage: Stage) -> None:
    forced = await stage.owner.fetch(
        "SELECT FROM pg_class WHERE relname = ANY ($1) AND relrowsecurity AND relforcerowsecurity", list(TABLES)
    )
    assert len(forced) == len(TABLES)
