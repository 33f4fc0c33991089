"""Row-level security, asked directly: who sees orders, their changes, fills and halts, and that nobody writes them."""

import asyncpg
import pytest

from app.kit.db import PUBLIC, SYSTEM, Scope
from tests.domains.trading.orders.trader import Trader, order
from tests.statements import statement

OWNED = ("orders", "order_changes", "fills", "trade_history")
HIDDEN = ("exchange_inbox", "exchange_state", "exchange_books")
REFUSED = (asyncpg.InsufficientPrivilegeError, asyncpg.ObjectNotInPrerequisiteStateError)


async def rows(trader: Trader, scope: Scope, sql: str) -> int:
    """How many rows a statement touches or finds."""
    return await trader.stage.database.write(scope, lambda tx: tx.execute(statement("tried", "", sql)))


@pytest.mark.parametrize("table", [*OWNED, *HIDDEN, "trading_halts"])
async def test_a_user_sees_their_own_and_changes_nothing(trader: Trader, table: str) -> None:
    await trader.place(order())
    await trader.market.match()
    await trader.stage.trading.halts.halt_own(trader.stage.alice)
    stored = await trader.stage.owner.fetch(f"SELECT * FROM {table}")
    assert stored
    seen = 0 if table in HIDDEN else len(stored)
    assert await rows(trader, SYSTEM, f"SELECT FROM {table}") == len(stored)
    assert await rows(trader, trader.stage.alice.scope, f"SELECT FROM {table}") == seen
    column = "symbol" if table in ("exchange_books", "trading_halts", *OWNED) and table != "order_changes" else None
    for scope in (trader.stage.bob.scope, PUBLIC):
        assert await rows(trader, scope, f"SELECT FROM {table}") == 0
    for scope in (trader.stage.alice.scope, trader.stage.bob.scope, PUBLIC):
        for sql in (f"DELETE FROM {table}", f"UPDATE {table} SET {column} = {column}"):
            if "None" in sql:
                continue
            try:
                assert await rows(trader, scope, sql) == 0
            except REFUSED:
                assert table not in {"orders", "exchange_books", "trading_halts", "exchange_inbox"}
    assert await trader.stage.owner.fetch(f"SELECT * FROM {table}") == stored


async def test_a_halt_of_the_market_is_everybodys(trader: Trader) -> None:
    await trader.stage.owner.execute("INSERT INTO trading_halts (symbol) VALUES ('BTC')")
    for scope in (trader.stage.bob.scope, PUBLIC):
        assert await rows(trader, scope, "SELECT FROM trading_halts") == 1


@pytest.mark.parametrize(
    "sql",
    [
        "INSERT INTO orders (portfolio_id, life, symbol, side, type, quantity, price, maker_fee_fraction,"
        " taker_fee_fraction, mode) SELECT id, 1, 'BTC', 'buy', 'limit', 1, 1, 0, 0, 'paper' FROM portfolios",
        "INSERT INTO exchange_inbox (kind, symbol) VALUES ('halt', 'BTC')",
        "INSERT INTO trading_halts (symbol) VALUES ('BTC')",
        "INSERT INTO exchange_books (symbol, state, number) VALUES ('X', '{}', 1)",
    ],
)
async def test_nobody_writes_but_moneta(trader: Trader, sql: str) -> None:
    await trader.place(order())
    with pytest.raises(asyncpg.InsufficientPrivilegeError, match="row-level security"):
        await rows(trader, trader.stage.alice.scope, sql)
