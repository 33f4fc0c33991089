"""Posting: what an entry does to balances, positions and lots, and what the database refuses."""

from decimal import Decimal
from uuid import UUID, uuid4

import asyncpg
import pytest

from app.domains.trading.journal.model import Account, Currency, EntryKind, Line, NewEntry
from app.domains.trading.journal.services.batches import LOTS_AT_ONCE
from app.domains.trading.journal.services.posting import post
from app.domains.trading.quantities.model import Side
from app.kit.db import SYSTEM
from tests.domains.trading.coins import post_coins
from tests.domains.trading.stage import Stage, replaced
from tests.statements import statement


def correction(stage: Stage, id: UUID, *lines: Line) -> NewEntry:
    return NewEntry(
        kind=EntryKind.CORRECTION, portfolio_id=id, life=1, lines=lines, at=stage.clock.now(), memo="What was wrong."
    )


async def test_fills_make_lots_and_sales_take_the_oldest(stage: Stage) -> None:
    id = await stage.create()
    await stage.fill(id, Side.BUY, "1", "100", "0.1")
    await stage.fill(id, Side.BUY, "2", "110", "0.2")
    assert await stage.position(id) == (3, Decimal("320.3"), 0)
    await stage.fill(id, Side.SELL, "2", "120", "0.3")
    # 1 at 100.1, and 1 of 2 at 220.2; for 239.7.
    assert await stage.position(id) == (1, Decimal("110.1"), Decimal("29.5"))
    assert await stage.cash(id) == (Decimal(10_000) - Decimal("320.3") + Decimal("239.7"), 0, 10_000)
    disposals = await stage.owner.fetch("SELECT quantity, cost, proceeds, pnl FROM disposals ORDER BY id")
    assert [tuple(row) for row in disposals] == [
        (1, Decimal("100.1"), Decimal("119.85"), Decimal("19.75")),
        (1, Decimal("110.1"), Decimal("119.85"), Decimal("9.75")),
    ]
    assert await stage.findings() == []


async def test_a_sale_takes_lots_of_its_own_token_and_portfolio(stage: Stage) -> None:
    id, other = await stage.create(), await stage.create()
    await stage.fill(other, Side.BUY, "1", "100")
    await stage.fill(id, Side.BUY, "1", "10", symbol="ETH")
    await stage.fill(id, Side.BUY, "1", "200")
    await stage.fill(id, Side.SELL, "1", "210")
    assert await stage.position(id) == (0, 0, 10)
    assert await stage.position(id, "ETH") == (1, 10, 0)
    assert await stage.position(other) == (1, 100, 0)
    assert await stage.findings() == []


async def test_an_australian_portfolio_settles_at_the_rate_of_the_fill(stage: Stage) -> None:
    id = await stage.create(currency=Currency.AUD)
    entry = await stage.fill(id, Side.BUY, "2", "100", "1")
    assert await stage.cash(id) == (10_000 - Decimal("301.5"), 0, 10_000)
    assert await stage.position(id) == (2, Decimal("301.5"), 0)
    lines = await stage.owner.fetch(
        "SELECT account, asset, amount FROM journal_lines WHERE entry_id = $1 AND account = 'fx' ORDER BY line_no",
        entry,
    )
    assert [tuple(line) for line in lines] == [("fx", "USD", -201), ("fx", "AUD", Decimal("301.5"))]
    assert await stage.findings() == []


async def test_a_sale_goes_through_as_many_lots_as_it_takes(stage: Stage) -> None:
    id = await stage.create()
    await stage.owner.execute(
        """
        INSERT INTO lots (portfolio_id, life, symbol, quantity, remaining, cost, remaining_cost, acquired_at)
        SELECT $1, 1, 'BTC', 0.00000002, 0.00000002, 0.00000003, 0.00000003, now() - interval '1 year'
        FROM generate_series(1, $2)
        """,
        id,
        2 * LOTS_AT_ONCE + 7,
    )
    total = Decimal(2 * LOTS_AT_ONCE + 7) * Decimal("0.00000002")
    await stage.owner.execute(
        "INSERT INTO positions (portfolio_id, symbol, quantity, cost) VALUES ($1, 'BTC', $2, $3)",
        id,
        total,
        total * Decimal("1.5"),
    )
    await stage.fill(id, Side.SELL, f"{total:f}", "100")
    position = await stage.position(id)
    assert position is not None
    assert position[:2] == (0, 0)
    assert await stage.owner.fetchval("SELECT count(*) FROM disposals") == 2 * LOTS_AT_ONCE + 7


async def test_what_is_reserved_for_others_is_not_spent(stage: Stage) -> None:
    id = await stage.create(initial_balance=Decimal(100))
    await stage.owner.execute("UPDATE cash_balances SET reserved = 50")
    with pytest.raises(asyncpg.CheckViolationError, match="cash_balances_reserved"):
        await stage.fill(id, Side.BUY, "0.6", "100")
    await stage.owner.execute("UPDATE cash_balances SET reserved = 0")
    await stage.fill(id, Side.BUY, "1", "100")
    await stage.owner.execute("UPDATE positions SET reserved = 0.5")
    with pytest.raises(asyncpg.CheckViolationError, match="positions_reserved"):
        await stage.fill(id, Side.SELL, "0.6", "100")
    assert await stage.kinds(id) == ["opening", "fill"]
    assert await stage.cash(id) == (0, 0, 100)


async def test_no_more_is_sold_than_is_held(stage: Stage) -> None:
    id = await stage.create()
    await stage.fill(id, Side.BUY, "1", "100")
    with pytest.raises(ValueError, match="1 units are not in any lot"):
        await stage.fill(id, Side.SELL, "1.00000001", "100")
    assert await stage.kinds(id) == ["opening", "fill"]
    assert await stage.findings() == []


async def test_no_balance_goes_below_zero(stage: Stage) -> None:
    id = await stage.create(initial_balance=Decimal(100))
    with pytest.raises(asyncpg.CheckViolationError, match="cash_balances_reserved"):
        await stage.fill(id, Side.BUY, "1", "100", "0.00000001")
    assert await stage.cash(id) == (100, 0, 100)


async def test_a_correction_moves_cash(stage: Stage) -> None:
    id = await stage.create()
    await stage.post(
        correction(stage, id, Line(Account.CASH, "USD", 7 * 10**8), Line(Account.HOUSE, "USD", -7 * 10**8))
    )
    assert await stage.cash(id) == (10_007, 0, 10_000)
    assert await stage.findings() == []


async def test_a_correction_of_coins_makes_and_takes_lots(stage: Stage) -> None:
    id = await stage.create()
    await stage.fill(id, Side.BUY, "1", "100")
    added = correction(stage, id, *(Line(Account.POSITION, "BTC", 2 * 10**8), Line(Account.HOUSE, "BTC", -2 * 10**8)))
    await stage.post(added)
    assert await stage.position(id) == (3, 100, 0)
    taken = (Line(Account.POSITION, "BTC", -15 * 10**7), Line(Account.HOUSE, "BTC", 15 * 10**7))
    await stage.post(correction(stage, id, *taken))
    assert await stage.position(id) == (Decimal("1.5"), 0, -100)
    assert await stage.cash(id) == (9900, 0, 10_000)
    entries = await stage.owner.fetch("SELECT kind, memo FROM journal_entries WHERE portfolio_id = $1 ORDER BY id", id)
    wrong = ("correction", "What was wrong.")
    assert [tuple(row) for row in entries] == [("opening", None), ("fill", None), wrong, wrong]
    assert await stage.findings() == []


async def test_a_correction_of_coins_is_of_one_token_and_pays_nothing_in(stage: Stage) -> None:
    id = await stage.create()
    coin = Line(Account.POSITION, "BTC", 1), Line(Account.HOUSE, "BTC", -1)
    other = Line(Account.POSITION, "ETH", 1), Line(Account.HOUSE, "ETH", -1)
    paid = Line(Account.CASH, "USD", 1), Line(Account.EXTERNAL, "USD", -1)
    good = correction(stage, id, *coin)
    for bad in (
        replaced(good, lines=coin[:1]),
        replaced(good, lines=(*coin, *other)),
        replaced(good, lines=(*coin, *paid)),
        replaced(good, kind=EntryKind.DEPOSIT),
    ):
        with pytest.raises(ValueError, match=r"this moves no coins of one token"):
            await stage.database.write(SYSTEM, lambda tx, bad=bad: post_coins(tx, bad))  # type: ignore[misc]
    assert await stage.kinds(id) == ["opening"]


async def test_what_can_be_no_entry_is_refused(stage: Stage) -> None:
    id = await stage.create()
    cash = Line(Account.CASH, "USD", 1), Line(Account.HOUSE, "USD", -1)
    coin = Line(Account.POSITION, "BTC", 1), Line(Account.HOUSE, "BTC", -1)
    good = correction(stage, id, *cash)
    for bad in (
        replaced(good, lines=()),
        replaced(good, lines=cash[:1]),
        replaced(good, lines=(Line(Account.CASH, "USD", 1), Line(Account.EXTERNAL, "AUD", -1))),
        replaced(good, lines=coin),
        replaced(good, lines=(*cash, *coin)),
        replaced(good, portfolio_id=uuid4()),
    ):
        with pytest.raises(ValueError, match=r"balance|coins move with their lots|no such portfolio"):
            await stage.database.write(SYSTEM, lambda tx, bad=bad: post(tx, bad))  # type: ignore[misc]
    assert await stage.kinds(id) == ["opening"]


INSERT = """
WITH entry AS (
    INSERT INTO journal_entries (kind, portfolio_id, life) VALUES ('correction', $1, 1) RETURNING id
)
INSERT INTO journal_lines (entry_id, line_no, account, portfolio_id, asset, amount)
SELECT entry.id, l.line_no, 'house', $1, l.asset, l.amount
FROM entry, unnest($2::text[], $3::numeric[]) WITH ORDINALITY AS l (asset, amount, line_no)
"""


@pytest.mark.parametrize(
    ("assets", "amounts"),
    [(["USD"], [1]), (["USD", "USD"], [1, -2]), (["USD", "AUD"], [1, -1]), (["USD"] * 3, [1, -1, 1])],
)
async def test_the_database_refuses_an_entry_that_does_not_balance(
    stage: Stage, assets: list[str], amounts: list[int]
) -> None:
    id = await stage.create()
    with pytest.raises(asyncpg.CheckViolationError, match="does not balance"):
        await stage.database.write(SYSTEM, lambda tx: tx.execute(statement("insert", "", INSERT), id, assets, amounts))
    assert await stage.kinds(id) == ["opening"]
    balanced = statement("insert", "", INSERT)
    await stage.database.write(SYSTEM, lambda tx: tx.execute(balanced, id, ["USD", "USD"], [1, -1]))
    assert await stage.kinds(id) == ["opening", "correction"]


@pytest.mark.parametrize("table", ["journal_entries", "journal_lines", "disposals"])
@pytest.mark.parametrize("sql", ["UPDATE {} SET portfolio_id = portfolio_id", "DELETE FROM {}", "TRUNCATE {}"])
async def test_moneta_itself_changes_nothing_that_happened(stage: Stage, table: str, sql: str) -> None:
    await stage.create()
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await stage.database.write(SYSTEM, lambda tx: tx.execute(statement("change", "", sql.format(table))))
