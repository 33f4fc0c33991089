"""Row-level security, asked directly: what a viewer's scope sees and can change, whatever the statement."""

import asyncpg
import pytest

from app.kit.db import PUBLIC, SYSTEM, Scope
from tests.domains.trading.backtests.shop import Shop
from tests.statements import statement

TABLES = ("backtests", "backtest_trades", "backtest_sweeps", "backtest_sweep_runs")


async def rows(shop: Shop, scope: Scope, sql: str) -> int:
    """How many rows a statement touches or finds."""
    return await shop.stage.database.write(scope, lambda tx: tx.execute(statement("tried", "", sql)))


async def stocked(shop: Shop) -> None:
    """Alice has rows in every table, and Bob a back-test of his own."""
    await shop.run()
    sweep = await shop.ask_sweep(shop.sweep("0.5", entry_period=["5", "8"]))
    await shop.work(id=sweep, is_sweep=True)
    await shop.ask(by=shop.stage.bob)


async def test_a_user_sees_their_own_and_changes_nothing(shop: Shop) -> None:
    await stocked(shop)
    alice, bob = shop.stage.alice.scope, shop.stage.bob.scope
    before = {table: await shop.stage.owner.fetch(f"SELECT * FROM {table}") for table in TABLES}
    for table in TABLES:
        theirs = 1 if table == "backtests" else 0
        assert len(before[table]) > theirs
        assert await rows(shop, SYSTEM, f"SELECT FROM {table}") == len(before[table])
        assert await rows(shop, alice, f"SELECT FROM {table}") == len(before[table]) - theirs
        assert await rows(shop, bob, f"SELECT FROM {table}") == theirs
        assert await rows(shop, PUBLIC, f"SELECT FROM {table}") == 0
        key = next(iter(before[table][0].keys()))
        for scope in (alice, bob, PUBLIC):
            assert await rows(shop, scope, f"UPDATE {table} SET {key} = {key}") == 0
            assert await rows(shop, scope, f"DELETE FROM {table}") == 0
        assert await shop.stage.owner.fetch(f"SELECT * FROM {table}") == before[table]


@pytest.mark.parametrize(
    "sql",
    [
        "INSERT INTO backtests SELECT gen_random_uuid(), b.user_id, 'X', '1h', 'x', now(), now() + interval '1 h',"
        " 'dca', '{{}}', 1, 'free', 'queued', NULL, 0, 0, 1 FROM backtests b LIMIT 1",
        "INSERT INTO backtest_trades SELECT id, user_id, 999, now(), now(), 1, 1, 1, 0, 1, 'signal'"
        " FROM backtests LIMIT 1",
        "INSERT INTO backtest_sweep_runs (sweep_id, user_id, number, settings, train)"
        " SELECT id, user_id, 999, '{{}}', '{{}}' FROM backtest_sweeps LIMIT 1",
        "INSERT INTO backtest_sweeps (id, user_id, symbol, interval, exchange, since, until, strategy, bot, axes,"
        " initial_cash_usd, tier, runs_total, candles) VALUES (gen_random_uuid(), '{user}', 'X', '1h', 'x', now(),"
        " now() + interval '1 h', 'dca', '{{}}', '[]', 1, 'free', 1, 1)",
    ],
)
async def test_nobody_makes_anything_but_moneta(shop: Shop, sql: str) -> None:
    await stocked(shop)
    with pytest.raises(asyncpg.InsufficientPrivilegeError, match="row-level security"):
        await rows(shop, shop.stage.alice.scope, sql.format(user=shop.stage.alice.user_id))


async def test_what_a_user_asked_for_is_deleted_with_them(shop: Shop) -> None:
    await stocked(shop)
    await shop.stage.owner.execute("DELETE FROM users WHERE id = $1", shop.stage.alice.user_id)
    counts = [await shop.stage.owner.fetchval(f"SELECT count(*) FROM {table}") for table in TABLES]
    assert counts == [1, 0, 0, 0]
