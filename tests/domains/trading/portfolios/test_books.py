"""The doctor of the books finds each kind of tampering, and nothing in books that are right."""

import asyncio
import os
import sys
from asyncio.subprocess import PIPE, STDOUT
from decimal import Decimal
from pathlib import Path

import pytest
import pytest_asyncio

from app.dev.embedded import Embedded
from app.domains.trading.exchange.model import OrderType
from app.domains.trading.journal.model import Currency
from app.domains.trading.orders.model import NewOrder, OrderChanges
from app.domains.trading.quantities.model import Side
from tests.domains.trading.matching.market import begin
from tests.domains.trading.stage import Stage


@pytest_asyncio.fixture(autouse=True)
async def traded(stage: Stage) -> None:
    """Two portfolios with history: one of two lives, one in Australian dollars."""
    id = await stage.create()
    await stage.fill(id, Side.BUY, "2", "100", "1")
    await stage.trading.portfolios.reset(stage.alice, id, stage.key)
    await stage.fill(id, Side.BUY, "2", "100", "1")
    await stage.fill(id, Side.BUY, "1", "90", "1")
    await stage.fill(id, Side.SELL, "1", "110", "1")
    other = await stage.create(stage.bob, currency=Currency.AUD)
    await stage.fill(other, Side.BUY, "3", "10", symbol="ETH")
    await stage.create(stage.bob)
    await stage.trading.portfolios.delete(stage.bob, other)


async def test_right_books_agree(stage: Stage) -> None:
    seen: list[tuple[str, int, int]] = []
    report = await stage.trading.books.check(lambda *progress: seen.append(progress))
    assert list(report.findings) == []
    assert (report.portfolios, report.entries) == (3, 11)
    assert report.lines == await stage.owner.fetchval("SELECT count(*) FROM journal_lines")
    assert [done for _, done, _ in seen] == list(range(len(seen)))
    assert seen[-1][1] == seen[-1][2]


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        ("UPDATE journal_lines SET amount = amount + 1 WHERE account = 'fees'", "add up to 1.00000000 USD"),
        ("UPDATE journal_lines SET asset = 'AUD' WHERE account = 'fees'", "AUD"),
        ("DELETE FROM journal_lines WHERE account = 'fees'", "a line is missing"),
        (
            "DELETE FROM journal_lines WHERE entry_id = (SELECT min(entry_id) FROM journal_lines)",
            "it has no lines",
        ),
        ("DELETE FROM journal_entries WHERE id = (SELECT max(id) FROM journal_entries)", "or no entry"),
        ("DELETE FROM journal_entries WHERE id = (SELECT min(id) FROM journal_entries)", "or no entry"),
        ("UPDATE journal_lines SET portfolio_id = gen_random_uuid() WHERE account = 'fees'", "another portfolio"),
        ("UPDATE journal_lines SET account = 'house' WHERE account = 'cash'", "cash is"),
        ("UPDATE cash_balances SET balance = balance + 0.00000001", "cash is"),
        ("DELETE FROM cash_balances WHERE balance = 10000", "cash is"),
        ("UPDATE cash_balances SET contributed = contributed + 1", "contributed is"),
        ("UPDATE journal_entries SET life = 1 WHERE life = 2 AND kind = 'opening'", "contributed is"),
        ("UPDATE positions SET quantity = quantity + 0.00000001", "quantity is"),
        ("DELETE FROM positions", "quantity is 0"),
        ("INSERT INTO positions (portfolio_id, symbol, quantity) SELECT id, 'DOGE', 1 FROM portfolios", "add up to 0"),
        ("UPDATE journal_lines SET asset = 'ETH' WHERE asset = 'BTC'", "its lines add up to"),
        ("UPDATE positions SET cost = cost + 0.00000001", "at a cost of"),
        ("UPDATE positions SET realized_pnl = realized_pnl + 1", "realized is"),
        ("UPDATE lots SET remaining = remaining - 0.00000001 WHERE remaining > 0", "its lots"),
        ("UPDATE lots SET remaining_cost = remaining_cost - 1 WHERE remaining > 0", "its lots"),
        ("UPDATE lots SET cost = cost + 1 WHERE remaining > 0", "its disposals leave"),
        ("DELETE FROM disposals", "its disposals leave"),
        ("UPDATE disposals SET proceeds = proceeds + 1", "its disposals"),
        ("UPDATE disposals SET pnl = pnl + 1", "its disposals leave"),
        ("UPDATE disposals SET quantity = quantity + 5", "its disposals leave"),
        ("UPDATE disposals SET symbol = 'ETH'", "its disposals leave"),
        ("UPDATE disposals SET acquired_at = acquired_at - interval '1 day'", "its disposals leave"),
        ("UPDATE lots SET remaining = 1 WHERE life = 1 AND remaining = 0", "of life 1 remain"),
        ("UPDATE portfolios SET life = 1 WHERE life = 2", "is of life 2"),
    ],
)
async def test_tampering_is_found(stage: Stage, sql: str, said: str) -> None:
    await stage.owner.execute("SET session_replication_role = replica")
    assert await stage.owner.execute(sql) not in {"UPDATE 0", "DELETE 0"}
    found = await stage.findings()
    assert any(said in f"{finding.subject}: {finding.message}" for finding in found), found


@pytest_asyncio.fixture
async def ordered(stage: Stage) -> None:
    """An order that is filled, one that buys, and one that sells, in a portfolio of Alice."""
    market = await begin(stage)
    portfolio_id = await stage.create()
    for order in (
        NewOrder(symbol="BTC", side=Side.BUY, type=OrderType.MARKET, quantity=Decimal(2)),
        NewOrder(symbol="BTC", side=Side.BUY, type=OrderType.LIMIT, quantity=Decimal(3), price=Decimal(90)),
        NewOrder(symbol="BTC", side=Side.SELL, type=OrderType.LIMIT, quantity=Decimal(1), price=Decimal(120)),
    ):
        id = await stage.trading.orders.place(stage.alice, portfolio_id, order, stage.key)
        await market.match()
    # What a change may need is reserved until it is decided.
    await stage.trading.orders.replace(stage.alice, id, OrderChanges(quantity=Decimal("1.5")), stage.key)


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        ("UPDATE cash_balances SET reserved = reserved - 0.00000001 WHERE reserved > 0", "USD are reserved"),
        ("UPDATE positions SET reserved = 0 WHERE reserved > 0", "BTC are reserved, its orders keep 1.50000000"),
        ("UPDATE orders SET reserved = reserved + 1 WHERE status = 'pending' AND side = 'buy'", "USD are reserved"),
        ("UPDATE orders SET reserved_for_changes = 0", "BTC are reserved, its orders keep 1.00000000"),
        ("UPDATE orders SET filled_quantity = 1 WHERE status = 'filled'", "its fills add up to 2.00000000"),
        ("UPDATE orders SET fees = fees + 0.00000001 WHERE status = 'filled'", "its fills add up to"),
        ("UPDATE fills SET quote_quantity = quote_quantity + 1", "its fills add up to"),
        ("DELETE FROM fills", "its fills add up to 0"),
    ],
)
@pytest.mark.usefixtures("ordered")
async def test_tampering_with_orders_is_found(stage: Stage, sql: str, said: str) -> None:
    assert await stage.findings() == []
    await stage.owner.execute("SET session_replication_role = replica")
    assert await stage.owner.execute(sql) not in {"UPDATE 0", "DELETE 0"}
    found = await stage.findings()
    assert any(said in f"{finding.subject}: {finding.message}" for finding in found), found


async def doctor(database_url: str, redis_url: str, home: Path) -> tuple[int | None, str]:
    """What the command says, and its exit code."""
    environment = {
        **os.environ,
        "MONETA_DATABASE_URL": database_url,
        "MONETA_REDIS_URL": redis_url,
        "MONETA_HOME": str(home),
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "app", "doctor", "books", env=environment, stdout=PIPE, stderr=STDOUT
    )
    said, _ = await process.communicate()
    return process.returncode, said.decode()


async def test_the_command_names_what_does_not_agree_and_fails(
    stage: Stage, database_url: str, servers: Embedded, tmp_path: Path
) -> None:
    code, said = await doctor(database_url, servers.redis_url, tmp_path)
    assert (code, "3 portfolios, 11 entries" in said) == (0, True), said
    await stage.owner.execute("UPDATE positions SET cost = cost + 1")
    code, said = await doctor(database_url, servers.redis_url, tmp_path)
    assert code == 1
    assert "at a cost of" in said
    assert "the books do not agree" in said
