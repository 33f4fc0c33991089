"""Every user has a portfolio: from registration, or from the migration that made portfolios."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

import asyncpg
import pytest

from app.domains.accounts.model import AccessCodeInvalid
from app.domains.accounts.services import AccountsServices
from app.domains.trading.portfolios.model import NewPortfolio
from app.domains.trading.portfolios.services.books import Books
from app.domains.trading.services import TradingServices
from app.kit.db import Database
from app.kit.house import Services
from app.kit.migrate import migrate
from tests.conftest import APP_ROLE
from tests.databases import Owner
from tests.factories import CLIENT, person, register
from tests.waiting import HANG_S

SHOWN = """
SELECT p.user_id, p.name, p.mode, p.currency, p.is_default, p.status, p.life, p.initial_balance, b.balance,
    b.contributed, b.reserved, p.created_at = b.updated_at
FROM portfolios p JOIN cash_balances b ON b.portfolio_id = p.id ORDER BY p.initial_balance
"""
FIRST = ("Default Portfolio", "paper", "USD", True, "open", 1, 10_000, 10_000, 10_000, 0, True)


async def test_a_user_begins_with_a_portfolio(services: Services, owner: Owner) -> None:
    alice = await register(services)
    assert [tuple(row) for row in await owner.fetch(SHOWN)] == [(alice.user_id, *FIRST)]
    lines = await owner.fetch("SELECT account, asset, amount FROM journal_lines ORDER BY line_no")
    assert [tuple(line) for line in lines] == [("cash", "USD", 10_000), ("external", "USD", -10_000)]
    audited = await owner.fetch("SELECT action FROM audit_logs WHERE resource_type = 'portfolios'")
    assert [row[0] for row in audited] == ["insert"]
    assert list((await services[TradingServices].books.check()).findings) == []
    # The next one is no default.
    await services[TradingServices].portfolios.create(alice, NewPortfolio(), "next")
    assert await owner.fetchval("SELECT count(*) FROM portfolios WHERE is_default") == 1


async def test_who_is_registered_twice_or_not_at_all_has_no_second_one(services: Services, owner: Owner) -> None:
    accounts = services[AccountsServices]
    with pytest.raises(AccessCodeInvalid):
        await accounts.registration.register(person("alice@example.com"), "UNKNOWN", CLIENT)
    assert await owner.fetchval("SELECT count(*) FROM portfolios") == 0
    await accounts.administration.add_access_codes(["BITCOIN2025"])
    for _ in range(2):
        await accounts.registration.register(
            person("alice@example.com"), "BITCOIN2025", CLIENT, idempotency_key="registered once"
        )
    assert await owner.fetchval("SELECT count(*) FROM portfolios") == 1


async def test_a_user_who_cannot_have_a_portfolio_is_not_registered(services: Services, owner: Owner) -> None:
    await owner.execute("ALTER TABLE portfolios ADD CONSTRAINT none CHECK (false)")
    with pytest.raises(asyncpg.CheckViolationError):
        await register(services)
    for table in ("users", "wallets", "portfolios"):
        assert await owner.fetchval(f"SELECT count(*) FROM {table}") == 0


@asynccontextmanager
async def connected(url: str) -> AsyncIterator[Owner]:
    connection = await asyncpg.connect(url)
    try:
        yield connection
    finally:
        await connection.close()


async def test_who_was_a_user_before_portfolios_gets_one(empty_database_url: str) -> None:
    await migrate(empty_database_url, "0011")
    async with connected(empty_database_url) as owner:
        await owner.execute(
            "INSERT INTO users (email, password_hash, full_name)"
            " SELECT format('u%s@example.com', n), 'x', 'Somebody' FROM generate_series(0, 40) n"
        )
        users: list[UUID] = [row[0] for row in await owner.fetch("SELECT id FROM users ORDER BY email")]
        # One has no profile, one has nothing, and one has something else.
        await owner.execute("INSERT INTO profiles (user_id) SELECT unnest($1::uuid[])", users[1:])
        await owner.execute("UPDATE profiles SET paper_balance = 0 WHERE user_id = $1", users[1])
        await owner.execute("UPDATE profiles SET paper_balance = 12.00000001 WHERE user_id = $1", users[2])
        audited = await owner.fetchval("SELECT count(*) FROM audit_logs")
        await migrate(empty_database_url)
        found = {row[0]: tuple(row)[1:] for row in await owner.fetch(SHOWN)}
        assert found.keys() == set(users)
        for user in (users[0], *users[3:]):
            assert found[user] == FIRST
        for user, balance in ((users[1], "0"), (users[2], "12.00000001")):
            assert [str(each.normalize()) for each in found[user][6:9]] == [balance] * 3
        assert await owner.fetchval("SELECT count(*) FROM audit_logs") == audited
        entries = await owner.fetch("SELECT portfolio_id, life, kind FROM journal_entries")
        assert len(entries) == len({row[0] for row in entries}) == len(users) - 1
        assert {tuple(row)[1:] for row in entries} == {(1, "opening")}
        assert await owner.fetchval("SELECT count(*) FROM journal_lines") == 2 * len(entries)
        # What is changed from now on is audited.
        await owner.execute("UPDATE portfolios SET name = 'x' WHERE user_id = $1", users[0])
        assert await owner.fetchval("SELECT count(*) FROM audit_logs") == audited + 1
    database = await Database.open(empty_database_url, role=APP_ROLE, size=2, timeout_s=HANG_S, name="moneta-test")
    try:
        assert list((await Books(database).check()).findings) == []
    finally:
        await database.close()
