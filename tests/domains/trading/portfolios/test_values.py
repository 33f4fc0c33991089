"""What portfolios are worth: at which quote, over time, and all together."""

from datetime import timedelta
from decimal import Decimal
from uuid import UUID

from app.domains.trading.journal.model import Account, Currency, EntryKind, Line, NewEntry
from app.domains.trading.portfolios.model import PortfolioValue
from app.domains.trading.quantities.model import Side
from app.domains.trading.quantities.rules import COIN
from tests.domains.trading.stage import Stage

VALUES = "SELECT cash, positions_value, total_value, total_pnl, unquoted FROM portfolio_values WHERE portfolio_id = $1"


async def value(stage: Stage, id: UUID) -> PortfolioValue:
    return stage.trading.values.stored(await stage.holdings(id))


async def both(stage: Stage, id: UUID) -> tuple[object, ...]:
    """What the view and the rule say alike."""
    row, rule = await stage.owner.fetchrow(VALUES, id), await value(stage, id)
    assert row is not None
    assert tuple(row) == (rule.cash, rule.positions_value, rule.total, rule.pnl, rule.unquoted_symbols)
    return tuple(row)


async def test_tokens_count_at_their_newest_quote_of_whatever_exchange(stage: Stage) -> None:
    id = await stage.create()
    await stage.fill(id, Side.BUY, "2", "90", "1")
    assert await both(stage, id) == (9819, 200, 10_019, 19, [])
    await stage.quote({"BTC": ("120", "180")}, "coingecko")
    # One quote, not the sum of those of two exchanges.
    assert await both(stage, id) == (9819, 240, 10_059, 59, [])


async def test_what_has_no_quote_is_named_and_not_counted(stage: Stage) -> None:
    id = await stage.create()
    for symbol in ("BTC", "ETH", "DOGE"):
        await stage.fill(id, Side.BUY, "1", "10", symbol=symbol)
    await stage.owner.execute("DELETE FROM market_data WHERE symbol = 'ETH'")
    assert await both(stage, id) == (9970, 100, 10_070, 70, ["DOGE", "ETH"])
    found = await value(stage, id)
    assert [(each.symbol, each.market_value, each.unrealized_pnl) for each in found.held] == [
        ("BTC", 100, 90),
        ("DOGE", None, None),
        ("ETH", None, None),
    ]
    # What was sold is not missed.
    await stage.fill(id, Side.SELL, "1", "10", symbol="DOGE")
    assert (await value(stage, id)).unquoted_symbols == ["ETH"]


async def test_an_australian_portfolio_is_worth_australian_dollars(stage: Stage) -> None:
    id = await stage.create(currency=Currency.AUD)
    await stage.fill(id, Side.BUY, "2", "100", "1")
    assert await both(stage, id) == (Decimal("9698.5"), 300, Decimal("9998.5"), Decimal("-1.5"), [])
    assert (await value(stage, id)).return_fraction == Decimal("-0.00015")


async def test_what_is_paid_in_is_no_profit(stage: Stage) -> None:
    id = await stage.create()
    await stage.trading.portfolios.deposit(stage.alice, id, Decimal(90_000), Currency.USD, stage.key)
    await stage.fill(id, Side.BUY, "100", "90")
    found = await value(stage, id)
    assert [found.total, found.contributed, found.pnl] == [101_000, 100_000, 1000]
    assert found.return_fraction == Decimal("0.01")
    await both(stage, id)
    empty = await stage.create(initial_balance=Decimal(0))
    assert (await value(stage, empty)).return_fraction is None


async def test_amounts_are_rounded_alike_in_view_and_rule(stage: Stage) -> None:
    id = await stage.create()
    await stage.quote({"BTC": ("0.333333333333", "0.5"), "ETH": ("0.000000005", "0.1")})
    await stage.fill(id, Side.BUY, "1.00000001", "1")
    await stage.fill(id, Side.BUY, "1", "1", symbol="ETH")
    assert (await both(stage, id))[1] == Decimal("0.33333335")


async def test_the_history_has_the_first_value_of_each_minute_hour_and_day(stage: Stage) -> None:
    id = await stage.create()
    values = stage.trading.values
    began = stage.clock.now().replace(minute=59, second=10)
    stage.clock.advance(began - stage.clock.now())
    assert await values.record() == "3 values"
    await stage.trading.portfolios.deposit(stage.alice, id, Decimal(5), Currency.USD, stage.key)
    assert await values.record() == "0 values"
    stage.clock.advance(timedelta(minutes=1))
    assert await values.record() == "2 values"
    rows = await stage.owner.fetch("SELECT resolution, at, value FROM portfolio_value_history ORDER BY at, resolution")
    hour = began.replace(minute=0, second=0)
    assert [tuple(row) for row in rows] == [
        ("1d", hour.replace(hour=0), 10_000),
        ("1h", hour, 10_000),
        ("1m", hour + timedelta(minutes=59), 10_000),
        # Before the deposit.
        ("flow", began, 10_000),
        ("1h", hour + timedelta(hours=1), 10_005),
        ("1m", hour + timedelta(hours=1), 10_005),
    ]


async def test_only_portfolios_that_trade_or_whose_cash_changes_are_recorded(stage: Stage) -> None:
    idle, trading = await stage.create(), await stage.create()
    await stage.fill(trading, Side.BUY, "1", "90")
    await stage.fill(trading, Side.SELL, "1", "90")
    values = stage.trading.values
    # What was posted in the first second of an hour is recorded in the next, however late that is done.
    hour = stage.clock.now().replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
    stage.clock.advance(hour - stage.clock.now())
    await stage.trading.portfolios.deposit(stage.alice, idle, Decimal(5), Currency.USD, stage.key)
    recorded = "SELECT count(*) FROM portfolio_value_history WHERE portfolio_id = $1 AND resolution = '1m'"
    for elapsed, of_idle, of_trading in (
        (timedelta(hours=1, minutes=59), 1, 1),
        (timedelta(minutes=1), 1, 2),
        (timedelta(days=3), 1, 3),
    ):
        stage.clock.advance(elapsed)
        await values.record()
        found = [await stage.owner.fetchval(recorded, id) for id in (idle, trading)]
        assert found == [of_idle, of_trading]
    await stage.trading.portfolios.reset(stage.alice, trading, stage.key)
    stage.clock.advance(timedelta(hours=2))
    assert await values.record() == "0 values"


async def test_values_are_kept_as_long_as_is_said(stage: Stage) -> None:
    await stage.create()
    values = stage.trading.values
    await values.record()
    for later, left in (
        (timedelta(hours=23), 3),
        (timedelta(hours=2), 2),
        (timedelta(days=31), 1),
        (timedelta(days=9999), 1),
    ):
        stage.clock.advance(later)
        await values.delete_old()
        rows = await stage.owner.fetch("SELECT resolution FROM portfolio_value_history ORDER BY 1")
        assert [row[0] for row in rows] == ["1d", "1h", "1m"][:left]


async def test_a_summary_weighs_portfolios_by_what_they_were_given(stage: Stage) -> None:
    small = await stage.create(initial_balance=Decimal(100))
    await stage.create(initial_balance=Decimal(9900))
    await stage.fill(small, Side.BUY, "1", "50")
    await stage.create(stage.bob, currency=Currency.AUD, initial_balance=Decimal(3000))
    values = stage.trading.values
    assert await values.summarize() == "2 users"
    rows = await stage.owner.fetch(
        "SELECT user_id, portfolio_count, total_value_usd, average_return_fraction FROM portfolio_summaries"
    )
    assert {row["user_id"]: tuple(row)[1:] for row in rows} == {
        stage.alice.user_id: (2, 10_050, Decimal("0.005")),
        stage.bob.user_id: (1, 2000, 0),
    }
    began = stage.clock.now()
    stage.clock.advance(timedelta(minutes=5))
    assert await values.summarize() == "0 users"
    await stage.quote({"BTC": ("110", "165"), "ETH": ("10", "15")})
    assert await values.summarize() == "1 users"
    rows = await stage.owner.fetch("SELECT user_id, updated_at FROM portfolio_summaries")
    assert {row["user_id"]: row["updated_at"] for row in rows} == {
        stage.alice.user_id: stage.clock.now(),
        stage.bob.user_id: began,
    }
    await stage.trading.portfolios.delete(stage.alice, small)
    await stage.owner.execute("DELETE FROM users WHERE id = $1", stage.alice.user_id)
    assert await values.summarize() == "0 users"
    assert await stage.owner.fetchval("SELECT count(*) FROM portfolio_summaries") == 1


async def test_a_portfolio_can_hold_more_than_an_order_can_be_worth(stage: Stage) -> None:
    """Its sums are not limited by the columns of orders: nobody's exchange or history would go on otherwise."""
    id, trillion = await stage.create(), 10**12 * COIN
    cash = (Line(Account.CASH, "USD", trillion), Line(Account.HOUSE, "USD", -trillion))
    coins = (Line(Account.POSITION, "BTC", trillion), Line(Account.HOUSE, "BTC", -trillion))
    for lines in (cash, coins):
        await stage.post(
            NewEntry(kind=EntryKind.CORRECTION, portfolio_id=id, life=1, lines=lines, at=stage.clock.now(), memo="All.")
        )
    given = (Line(Account.CASH, "USD", trillion), Line(Account.EXTERNAL, "USD", -trillion))
    await stage.post(NewEntry(kind=EntryKind.DEPOSIT, portfolio_id=id, life=1, lines=given, at=stage.clock.now()))
    await stage.fill(id, Side.BUY, "1", "100")
    await stage.fill(id, Side.SELL, "2", "100")
    await stage.trading.portfolios.withdraw(stage.alice, id, Decimal(1), Currency.USD, stage.key)
    assert await stage.cash(id) == (2 * 10**12 + 10_099, 0, 10**12 + 9999)
    assert (await stage.position(id) or ())[0] == 10**12 - 1
    await stage.trading.values.record()
    await stage.trading.values.summarize()
    recorded = await stage.owner.fetchval("SELECT max(value) FROM portfolio_value_history WHERE portfolio_id = $1", id)
    assert recorded == 2 * 10**12 + 10_100 + 100 * (10**12 - 1), "before the withdrawal"
    assert await stage.findings() == []
