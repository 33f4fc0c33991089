"""Row-level security, asked directly: what a viewer's scope sees and can change, whatever the statement."""

from decimal import Decimal

import asyncpg
import pytest
import pytest_asyncio

from app.domains.accounts.model import Role
from app.domains.trading.quantities.model import Side
from app.kit.db import PUBLIC, SYSTEM, Scope
from tests.domains.trading.stage import Stage
from tests.factories import register
from tests.statements import statement

TABLES = (
    "portfolios",
    "cash_balances",
    "positions",
    "lots",
    "disposals",
    "journal_entries",
    "journal_lines",
    "portfolio_value_history",
    "portfolio_summaries",
    "performance_metrics",
    "portfolio_values",
    "user_analytics",
)
BY_USER = {"portfolios", "portfolio_summaries", "portfolio_values", "user_analytics"}
FIXED = {"journal_entries", "journal_lines", "disposals", "portfolio_values", "user_analytics"}
"""What the application's role may not change at all."""
REFUSED = (asyncpg.InsufficientPrivilegeError, asyncpg.ObjectNotInPrerequisiteStateError)
"""A view over several tables is not even one that privileges could be missing for."""


@pytest_asyncio.fixture(autouse=True)
async def traded(stage: Stage) -> None:
    """Alice has rows in every table, and Bob a portfolio of his own."""
    id = await stage.create()
    await stage.fill(id, Side.BUY, "2", "100", "1")
    await stage.fill(id, Side.SELL, "1", "110")
    await stage.trading.values.record()
    await stage.trading.values.summarize()
    await stage.create(stage.bob)
    await stage.trading.performance.measure()


async def rows(stage: Stage, scope: Scope, sql: str) -> int:
    """How many rows a statement touches or finds."""
    return await stage.database.write(scope, lambda tx: tx.execute(statement("tried", "", sql)))


def of(table: str, stage: Stage) -> str:
    """Which rows are Alice's."""
    whose = f"SELECT id FROM portfolios WHERE user_id = '{stage.alice.user_id}'"
    return f"user_id = '{stage.alice.user_id}'" if table in BY_USER else f"portfolio_id IN ({whose})"


@pytest.mark.parametrize("table", TABLES)
async def test_a_user_sees_their_own_and_no_others(stage: Stage, table: str) -> None:
    ids = await stage.owner.fetch(f"SELECT * FROM {table} WHERE {of(table, stage)}")
    assert ids
    assert await rows(stage, SYSTEM, f"SELECT FROM {table} WHERE {of(table, stage)}") == len(ids)
    assert await rows(stage, stage.alice.scope, f"SELECT FROM {table}") == len(ids)
    assert await rows(stage, PUBLIC, f"SELECT FROM {table}") == 0
    key = "user_id" if table in BY_USER else "portfolio_id"
    theirs = " OR ".join(f"{key} = '{row[key]}'" for row in ids)
    assert await rows(stage, stage.bob.scope, f"SELECT FROM {table} WHERE {theirs}") == 0


@pytest.mark.parametrize("table", TABLES)
async def test_a_user_changes_nothing_not_even_their_own(stage: Stage, table: str) -> None:
    before = await stage.owner.fetch(f"SELECT * FROM {table}")
    key = "user_id" if table in BY_USER else "portfolio_id"
    for scope in (stage.alice.scope, stage.bob.scope, PUBLIC):
        for sql in (f"UPDATE {table} SET {key} = {key}", f"DELETE FROM {table}"):
            try:
                assert await rows(stage, scope, sql) == 0
            except REFUSED:
                assert table in FIXED | {"portfolios", "cash_balances", "lots"}
    assert await stage.owner.fetch(f"SELECT * FROM {table}") == before


@pytest.mark.parametrize(
    "sql",
    [
        "INSERT INTO portfolios (user_id) VALUES ('{user}')",
        "INSERT INTO cash_balances (portfolio_id, balance) SELECT id, 1 FROM portfolios",
        "INSERT INTO positions (portfolio_id, symbol, quantity) SELECT id, 'X', 1 FROM portfolios",
        "INSERT INTO lots (portfolio_id, life, symbol, quantity, remaining, cost, remaining_cost, acquired_at)"
        " SELECT id, 1, 'X', 1, 1, 0, 0, now() FROM portfolios",
        "INSERT INTO disposals (lot_id, portfolio_id, life, symbol, quantity, cost, proceeds, acquired_at, disposed_at)"
        " SELECT id, portfolio_id, 1, 'X', 1, 0, 1, now(), now() FROM lots LIMIT 1",
        "INSERT INTO journal_entries (kind, portfolio_id, life) SELECT 'deposit', id, 1 FROM portfolios",
        "INSERT INTO journal_lines (entry_id, line_no, account, portfolio_id, asset, amount)"
        " SELECT 1, 99, 'cash', id, 'USD', 1 FROM portfolios",
        "INSERT INTO portfolio_value_history (portfolio_id, resolution, at, life, value, cash, contributed)"
        " SELECT id, '1d', now(), 1, 1, 1, 1 FROM portfolios",
        "INSERT INTO user_analytics (user_id, event_type, source) VALUES ('{user}', 'x', 'client')",
        "INSERT INTO analytics_counts (day, event_type, source, events, users)"
        " VALUES (date_trunc('day', now(), 'UTC'), 'x', 'client', 1, 1)",
        "INSERT INTO performance_metrics (portfolio_id, period, period_start, period_end, metric_type, life, is_final)"
        " SELECT id, 'day', now(), now() + interval '1 day', 'gain', 1, true FROM portfolios",
        "INSERT INTO portfolio_summaries VALUES ('{user}', 1, 1, 1, now()) ON CONFLICT (user_id) DO NOTHING",
    ],
)
async def test_nobody_makes_anything_but_moneta(stage: Stage, sql: str) -> None:
    with pytest.raises(asyncpg.InsufficientPrivilegeError, match="row-level security"):
        await rows(stage, stage.alice.scope, sql.format(user=stage.alice.user_id))


async def test_partitions_show_nothing_by_their_own_names(stage: Stage) -> None:
    for table in ("journal_entries", "journal_lines", "user_analytics"):
        partition = await stage.owner.fetchval(
            "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = $1::regclass LIMIT 1", table
        )
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await rows(stage, SYSTEM, f"SELECT FROM {partition}")


async def test_a_deleted_portfolio_shows_nobody_anything(stage: Stage) -> None:
    [id] = await stage.owned()
    other = await stage.create(initial_balance=Decimal(0))
    await stage.trading.portfolios.delete(stage.alice, id)
    await stage.trading.values.summarize()
    # Of the other there is no journal yet.
    left = {"portfolios", "cash_balances", "portfolio_summaries", "portfolio_values"}
    for table in set(TABLES) - {"user_analytics"}:
        assert await rows(stage, stage.alice.scope, f"SELECT FROM {table}") == (table in left), table
    assert await stage.portfolio(other) is not None


async def test_only_admins_see_counts_and_nobody_changes_an_event(stage: Stage) -> None:
    await stage.trading.analytics.count()
    admin = await register(stage.services, "admin@example.com", role=Role.ADMIN)
    assert await rows(stage, admin.scope, "SELECT FROM analytics_counts") > 0
    for scope in (stage.alice.scope, PUBLIC):
        assert await rows(stage, scope, "SELECT FROM analytics_counts") == 0
    assert await rows(stage, admin.scope, "SELECT FROM user_analytics WHERE user_id <> app_user_id()") == 0
    for sql in (
        "UPDATE user_analytics SET event_data = '{}'",
        "UPDATE user_analytics SET created_at = now()",
        "DELETE FROM user_analytics",
        "DELETE FROM analytics_counts",
    ):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await rows(stage, SYSTEM, sql)
    for sql in (
        "UPDATE user_analytics SET ip_address = NULL",
        "UPDATE analytics_counts SET events = events",
        "SELECT FROM record_analytics(app_user_id(), 'x', '{}', NULL, 'client', NULL, NULL) r WHERE r IS NOT NULL",
    ):
        assert await rows(stage, stage.alice.scope, sql) == 0
    for name in ("record_action", "forget_analytics"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await rows(stage, SYSTEM, f"SELECT {name}()")
