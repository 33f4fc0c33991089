"""Orders that are matched end to end: rows, journal, reservations, facts."""

from decimal import Decimal
from uuid import UUID

import pytest

from app.domains.trading.quantities.model import Side
from tests.domains.trading.matching.market import Market
from tests.domains.trading.stage import Stage

pytestmark = pytest.mark.asyncio


async def test_a_market_buy_fills_against_the_house(stage: Stage, market: Market) -> None:
    portfolio = await stage.create()
    order = await market.place(portfolio, Side.BUY, "1")
    assert await market.match() >= 1
    assert (await market.status(order))[:2] == ("filled", Decimal(1))
    row = await market.order(order)
    fills = await market.fills(order)
    assert sum(fill["quantity"] for fill in fills) == 1
    paid = sum(fill["quote_quantity"] + fill["fee"] for fill in fills)
    cash, reserved, _ = await stage.cash(portfolio)
    assert (cash, reserved) == (10_000 - paid, 0)
    assert await stage.position(portfolio) == (1, paid, 0)
    assert row["fees"] == sum(fill["fee"] for fill in fills)
    assert all(fill["quote_bid"] < 100 < fill["quote_ask"] for fill in fills)
    await market.check()


async def test_a_limit_rests_until_the_price_passes_it(stage: Stage, market: Market) -> None:
    portfolio = await stage.create()
    order = await market.place(portfolio, Side.BUY, "1", type="limit", price="95")
    await market.match()
    assert (await market.status(order))[0] == "pending"
    assert (await stage.cash(portfolio))[1] == Decimal("95.19")
    await market.tick("94")
    await market.match()
    [fill] = await market.fills(order)
    assert (fill["price"], fill["liquidity"], fill["fee"]) == (95, "maker", Decimal("0.095"))
    assert (await stage.cash(portfolio))[:2] == (Decimal("9904.905"), 0)
    await market.check()


async def test_users_meet_each_other_and_the_books_agree(stage: Stage, market: Market) -> None:
    alice, bob = await stage.create(), await stage.create(stage.bob, currency="AUD")
    bought = await market.place(bob, Side.BUY, "2")
    await market.match()
    await market.check()
    sale = await market.place(bob, Side.SELL, "2", type="limit", price="99.99")
    await market.match()
    purchase = await market.place(alice, Side.BUY, "1.5")
    await market.match()
    [fill] = await market.fills(purchase)
    assert (fill["price"], fill["counter_order_id"], fill["liquidity"]) == (Decimal("99.99"), sale, "taker")
    assert await market.status(sale) == ("partial", Decimal("1.5"), None)
    assert (await market.fills(bought))[0]["fx_source"] == "simulated"
    await market.check()
    await market.cancel(sale)
    await market.match()
    assert await market.status(sale) == ("cancelled", Decimal("1.5"), "requested")
    await market.check()


async def test_a_fill_names_its_entry_and_an_entry_has_its_lines(stage: Stage, market: Market) -> None:
    portfolio = await stage.create()
    [fill] = await market.fills(await filled(market, portfolio))
    entry = await stage.owner.fetchrow("SELECT * FROM journal_entries WHERE id = $1", fill["entry_id"])
    assert entry is not None
    assert (entry["kind"], entry["fill_id"], entry["order_id"]) == ("fill", fill["id"], fill["order_id"])
    lines = "SELECT sum(amount) FROM journal_lines WHERE entry_id = $1 AND account = 'position'"
    assert await stage.owner.fetchval(lines, fill["entry_id"]) == fill["quantity"]


async def filled(market: Market, portfolio: UUID) -> UUID:
    """A purchase, after it was filled."""
    id = await market.place(portfolio, Side.BUY, "0.1")
    await market.match()
    return id


async def test_a_bracket_protects_what_its_entry_fills(stage: Stage, market: Market) -> None:
    portfolio = await stage.create()
    entry, take_profit, stop_loss = await market.bracket(portfolio, "1", "110", "90", type="limit", price="98")
    await market.match()
    assert [(await market.order(each))["priority"] is None for each in (take_profit, stop_loss)] == [True, True]
    await market.tick("97")
    await market.match()
    assert (await market.status(entry))[0] == "filled"
    await market.check()
    assert (await market.order(take_profit))["reserved"] == 1
    await market.tick("89")
    await market.match()
    assert (await market.status(stop_loss))[0] == "filled"
    assert await market.status(take_profit) == ("cancelled", Decimal(0), "linked")
    # Through the gap: at what is bid there, not at the stop.
    assert all(fill["price"] < 89 for fill in await market.fills(stop_loss))
    await market.check()


async def test_a_portfolio_is_reset_once_its_orders_are_cancelled(stage: Stage, market: Market) -> None:
    portfolio = await stage.create()
    order = await market.place(portfolio, Side.BUY, "1", type="limit", price="95")
    await market.match()
    posted = await stage.trading.portfolios.reset(stage.alice, portfolio, stage.key)
    assert posted.entries == []
    found = await stage.portfolio(portfolio)
    assert found is not None
    assert (found.status, found.life) == ("resetting", 1)
    asked = await stage.owner.fetch("SELECT kind, created_at FROM exchange_inbox WHERE number IS NULL ORDER BY id")
    # By the clock of all other commands, which is not that of the database.
    assert [tuple(row) for row in asked] == [("cancel", stage.clock.now()), ("close", stage.clock.now())]
    await market.match()
    assert await market.status(order) == ("cancelled", Decimal(0), "portfolio_closed")
    found = await stage.portfolio(portfolio)
    assert found is not None
    assert (found.status, found.life) == ("open", 2)
    assert await stage.cash(portfolio) == (10_000, 0, 10_000)
    await market.check()


async def test_the_portfolios_that_a_batch_posted_to_are_announced(
    stage: Stage, market: Market, monkeypatch: pytest.MonkeyPatch
) -> None:
    buying, waiting, resetting = [await stage.create() for _ in range(3)]
    announced = list[UUID]()
    monkeypatch.setattr(stage.trading.matcher, "_publish", lambda _, __, posted, ___: announced.extend(posted))
    await market.place(buying, Side.BUY, "1")
    await market.place(waiting, Side.BUY, "1", type="limit", price="50")
    await market.place(resetting, Side.BUY, "1", type="limit", price="50")
    await stage.trading.portfolios.reset(stage.alice, resetting, stage.key)
    await market.match()
    assert set(announced) == {buying, resetting}
