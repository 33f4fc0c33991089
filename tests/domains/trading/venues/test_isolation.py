"""Row-level security, asked directly: what a viewer's scope sees and can change, whatever the statement."""

from decimal import Decimal

import asyncpg
import pytest
import pytest_asyncio

from app.kit.db import PUBLIC, SYSTEM, Scope
from tests.domains.trading.orders.trader import order
from tests.domains.trading.venues.stage import VenueStage
from tests.statements import statement

OWNED = {
    "exchange_accounts": "user_id = '{user}'",
    "venue_orders": "account_id IN (SELECT id FROM exchange_accounts WHERE user_id = '{user}')",
    "venue_trades": "account_id IN (SELECT id FROM exchange_accounts WHERE user_id = '{user}')",
    "reconciliations": "account_id IN (SELECT id FROM exchange_accounts WHERE user_id = '{user}')",
    "reconciliation_differences": "account_id IN (SELECT id FROM exchange_accounts WHERE user_id = '{user}')",
}
MONETAS = ("exchange_credentials", "venue_cursors", "venue_state")
"""What nobody reads, not even of their own."""


@pytest_asyncio.fixture(autouse=True)
async def traded(live: VenueStage) -> None:
    """Alice has rows in every table."""
    await live.place(order(quantity="1"))
    await live.step(2)
    live.stub.balances["ETH"] = Decimal(1)
    await live.reconcile()


async def rows(live: VenueStage, scope: Scope, sql: str) -> int:
    """How many rows a statement touches or finds."""
    return await live.stage.database.write(scope, lambda tx: tx.execute(statement("tried", "", sql)))


@pytest.mark.parametrize("table", OWNED)
async def test_a_user_sees_their_own_and_no_others(live: VenueStage, table: str) -> None:
    count = await live.stage.owner.fetchval(f"SELECT count(*) FROM {table}")
    assert count > 0
    alice, bob = live.stage.alice, live.stage.bob
    assert await rows(live, SYSTEM, f"SELECT FROM {table}") == count
    assert await rows(live, alice.scope, f"SELECT FROM {table}") == count
    assert (
        await rows(live, alice.scope, f"SELECT FROM {table} WHERE {OWNED[table].format(user=alice.user_id)}") == count
    )
    for scope in (bob.scope, PUBLIC):
        assert await rows(live, scope, f"SELECT FROM {table}") == 0


@pytest.mark.parametrize("table", MONETAS)
async def test_what_is_monetas_is_seen_by_nobody(live: VenueStage, table: str) -> None:
    assert await live.stage.owner.fetchval(f"SELECT count(*) FROM {table}") > 0
    for scope in (live.stage.alice.scope, live.stage.bob.scope, PUBLIC):
        assert await rows(live, scope, f"SELECT FROM {table}") == 0


@pytest.mark.parametrize("table", [*OWNED, *MONETAS])
async def test_a_user_changes_nothing_not_even_their_own(live: VenueStage, table: str) -> None:
    before = await live.stage.owner.fetch(f"SELECT * FROM {table}")
    column = next(iter(before[0].keys()))
    for scope in (live.stage.alice.scope, live.stage.bob.scope, PUBLIC):
        assert await rows(live, scope, f"UPDATE {table} SET {column} = {column}") == 0
        assert await rows(live, scope, f"DELETE FROM {table}") == 0
    assert await live.stage.owner.fetch(f"SELECT * FROM {table}") == before


@pytest.mark.parametrize(
    "sql",
    [
        "INSERT INTO exchange_accounts (user_id, exchange, label) VALUES ('{user}', 'kraken', 'x')",
        "INSERT INTO exchange_credentials (account_id, kek_id, wrapped_key, ciphertext)"
        " SELECT gen_random_uuid(), 'x', '', '' FROM exchange_accounts",
        "INSERT INTO venue_orders (id, order_id, number, account_id, portfolio_id, symbol, market, quantity)"
        " SELECT gen_random_uuid(), order_id, 2, account_id, portfolio_id, symbol, market, 1 FROM venue_orders",
        "INSERT INTO venue_trades (account_id, market, trade_id, venue_order_id, fill_id, quantity, price, traded_at)"
        " SELECT account_id, market, 'x', id, id, 1, 1, now() FROM venue_orders",
        "INSERT INTO venue_cursors SELECT id, 'x', now() FROM exchange_accounts",
        "INSERT INTO venue_state VALUES (true, 9) ON CONFLICT DO NOTHING",
        "INSERT INTO reconciliations (account_id) SELECT id FROM exchange_accounts",
        "INSERT INTO reconciliation_differences (reconciliation_id, account_id, number, kind, subject)"
        " SELECT id, account_id, 99, 'balance', 'x' FROM reconciliations",
    ],
)
async def test_nobody_makes_anything_but_moneta(live: VenueStage, sql: str) -> None:
    with pytest.raises(asyncpg.InsufficientPrivilegeError, match="row-level security"):
        await rows(live, live.stage.alice.scope, sql.format(user=live.stage.alice.user_id))


async def test_a_strangers_account_is_not_found_by_any_statement(live: VenueStage) -> None:
    """The policies of portfolios hide what belongs to an account as well."""
    assert await rows(live, live.stage.bob.scope, "SELECT FROM portfolios WHERE exchange_account_id IS NOT NULL") == 0
    assert await rows(live, live.stage.bob.scope, "SELECT FROM orders WHERE mode = 'live'") == 0
