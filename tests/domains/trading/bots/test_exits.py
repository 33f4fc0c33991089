"""What sells of what a bot holds: one set of exits, though its user cancels them, or sells as well."""

from decimal import Decimal

import pytest

from app.domains.trading.orders.model import OrderChanges, OrderRefused
from app.domains.trading.quantities.model import Side
from app.domains.trading.strategies.model import Dca, RiskLevel, SignalType
from tests.domains.trading.bots.robots import Robots


async def test_a_decision_to_sell_sells_everything_and_cancels_the_other_exit(
    robots: Robots, decides: list[SignalType]
) -> None:
    id = await robots.create()
    decides += [SignalType.BUY, SignalType.BUY, SignalType.SELL]
    for price in ("100", "101", "102"):
        await robots.next(id, price)
    assert [each[:2] for each in await robots.signals(id)] == [("BUY", "EXECUTED")] * 2 + [("SELL", "EXECUTED")]
    assert [each[2] for each in await robots.orders(id)] == ["filled", "filled", "cancelled"] * 2
    entries = await robots.entries(id)
    assert all(entry["closed_at"] and entry["bought_quantity"] == entry["sold_quantity"] for entry in entries)
    performance = await robots.performance(id)
    assert (performance.total_trades, performance.open_pnl) == (2, Decimal(0))
    assert performance.realized_pnl == sum(entry["proceeds"] - entry["cost"] for entry in entries)
    cash, reserved, given = await robots.stage.cash(robots.portfolio_id)
    assert (cash, reserved) == (given + performance.realized_pnl, 0)
    await robots.market.check()


async def test_exits_close_an_entry_whatever_the_bot_does(robots: Robots, decides: list[SignalType]) -> None:
    id = await robots.create()
    decides += [SignalType.BUY]
    await robots.next(id)
    await robots.stage.trading.bots.pause(robots.stage.alice, id)
    await robots.candle("111")
    [entry] = await robots.entries(id)
    assert entry["closed_at"] is not None
    performance = await robots.performance(id)
    assert (performance.winning_trades, performance.win_rate_fraction) == (1, Decimal(1))
    assert performance.realized_pnl > 0
    assert performance.holding_return_fraction == Decimal("0.11")
    await robots.market.check()


async def test_a_sale_that_was_refused_is_not_executed_by_a_later_stop(
    robots: Robots, decides: list[SignalType]
) -> None:
    id = await robots.create()
    halts, alice = robots.stage.trading.halts, robots.stage.alice
    decides += [SignalType.BUY, SignalType.SELL]
    await robots.next(id)
    await halts.halt_own(alice)
    await robots.market.match()
    await robots.next(id)
    await halts.resume_own(alice)
    await robots.market.match()
    await robots.next(id)
    await robots.candle("80")
    [entry] = await robots.entries(id)
    assert entry["closed_at"] is not None
    assert [each[:2] for each in await robots.signals(id)][1] == ("SELL", "FAILED")
    await robots.market.check()


async def test_a_stop_that_was_cancelled_is_placed_anew_once(robots: Robots, decides: list[SignalType]) -> None:
    id = await robots.create()
    decides += [SignalType.BUY]
    await robots.next(id)
    await robots.stage.trading.orders.cancel_all(robots.stage.alice, robots.portfolio_id, None)
    await robots.market.match()
    for _ in range(3):
        await robots.next(id)
    assert (await robots.orders(id))[3:] == [(None, "stop", "pending")]
    stop = await robots.stage.owner.fetch("SELECT stop_price FROM orders WHERE bot_id = $1 AND type = 'stop'", id)
    assert len({row[0] for row in stop}) == 1, "where it was"
    await robots.market.check()


@pytest.mark.parametrize("way", ["by a decision", "at its end"])
async def test_what_has_only_a_stop_that_was_placed_anew_is_sold_at_once(
    robots: Robots, decides: list[SignalType], way: str
) -> None:
    id = await robots.create()
    decides += [SignalType.BUY]
    await robots.next(id)
    await robots.stage.trading.orders.cancel_all(robots.stage.alice, robots.portfolio_id, None)
    await robots.market.match()
    await robots.next(id)
    await robots.candle()
    if way == "by a decision":
        decides += [SignalType.SELL]
        await robots.run(id)
    else:
        assert await robots.stage.trading.bots.stop(robots.stage.alice, id, sell=True) == 0
        await robots.market.match()
    await robots.market.tick("100")
    await robots.market.match()
    assert [each[1:] for each in (await robots.orders(id))[3:]] == [("stop", "filled")]
    [entry] = await robots.entries(id)
    assert entry["closed_at"] is not None
    assert (await robots.performance(id)).total_trades == 1
    await robots.market.check()


async def test_what_somebody_else_sold_is_given_up(robots: Robots, decides: list[SignalType]) -> None:
    id = await robots.create()
    decides += [SignalType.BUY]
    await robots.next(id)
    orders, alice = robots.stage.trading.orders, robots.stage.alice
    await orders.cancel_all(alice, robots.portfolio_id, None)
    await robots.market.match()
    [entry] = await robots.entries(id)
    await robots.market.place(robots.portfolio_id, Side.SELL, f"{entry['bought_quantity']:f}")
    await robots.market.match()
    await robots.next(id)
    [entry] = await robots.entries(id)
    assert entry["is_abandoned"]
    assert (await robots.performance(id)).total_trades == 0
    await robots.market.check()


async def test_what_has_no_exits_is_protected_by_a_candle_on_which_more_is_bought(robots: Robots) -> None:
    id = await robots.create(Dca(amount_usd=Decimal(100), every_candles=1))
    await robots.next(id)
    await robots.stage.trading.orders.cancel_all(robots.stage.alice, robots.portfolio_id, None)
    await robots.market.match()
    await robots.next(id)
    assert [each[0] for each in await robots.signals(id)] == ["BUY", "BUY"]
    assert [each[1:] for each in await robots.orders(id) if each[0] is None] == [("stop", "pending")]
    await robots.market.check()


async def test_what_has_no_exits_is_protected_by_a_candle_on_which_nothing_more_may_be_bought(
    robots: Robots, decides: list[SignalType]
) -> None:
    id = await robots.create(max_position_usd=Decimal(100), risk_level=RiskLevel.HIGH)
    decides += [SignalType.BUY, SignalType.BUY]
    await robots.next(id)
    await robots.stage.trading.orders.cancel_all(robots.stage.alice, robots.portfolio_id, None)
    await robots.market.match()
    await robots.next(id)
    assert (await robots.signals(id))[-1] == ("BUY", "IGNORED", "There is no room for another entry.")
    assert [each[1:] for each in await robots.orders(id) if each[0] is None] == [("stop", "pending")]
    await robots.market.check()


async def test_to_hold_is_no_failure_where_no_stop_can_be_placed_anew(
    robots: Robots, decides: list[SignalType]
) -> None:
    id = await robots.create()
    decides += [SignalType.BUY]
    await robots.next(id)
    await robots.stage.trading.orders.cancel_all(robots.stage.alice, robots.portfolio_id, None)
    await robots.market.match()
    await robots.stage.owner.execute("UPDATE portfolios SET status = 'resetting' WHERE id = $1", robots.portfolio_id)
    await robots.next(id)
    assert (await robots.signals(id))[1:] == [("HOLD", "IGNORED", "The portfolio is being reset or deleted.")]


async def test_a_signal_that_sold_nothing_before_a_later_one_says_so(robots: Robots, decides: list[SignalType]) -> None:
    id, alice = await robots.create(), robots.stage.alice
    decides += [SignalType.BUY, SignalType.SELL]
    await robots.next(id)
    await robots.candle()
    # The exits are cancelled before the exchange gets to know that one of them is to sell.
    await robots.stage.trading.orders.cancel_all(alice, robots.portfolio_id, None)
    await robots.run(id)
    assert (await robots.signals(id))[-1] == ("SELL", "PENDING", None)
    decides += [SignalType.SELL]
    await robots.next(id)
    assert [each for each in await robots.signals(id) if each[0] == "SELL"] == [
        ("SELL", "FAILED", "It sold nothing before a later signal did."),
        ("SELL", "EXECUTED", None),
    ]
    await robots.market.check()


async def test_a_signal_says_that_what_it_was_to_sell_was_gone(robots: Robots, decides: list[SignalType]) -> None:
    id, alice = await robots.create(), robots.stage.alice
    decides += [SignalType.BUY, SignalType.SELL]
    await robots.next(id)
    [entry] = await robots.entries(id)
    orders = robots.stage.trading.orders
    await orders.cancel_all(alice, robots.portfolio_id, None)
    await robots.market.match()
    await robots.market.place(robots.portfolio_id, Side.SELL, f"{entry['bought_quantity']:f}")
    await robots.market.match()
    await robots.next(id)
    assert (await robots.signals(id))[1:] == [("SELL", "FAILED", "Somebody else has sold it.")]
    [entry] = await robots.entries(id)
    assert entry["is_abandoned"]
    await robots.market.check()


async def test_what_is_being_sold_is_not_sold_by_a_second_signal(robots: Robots, decides: list[SignalType]) -> None:
    id = await robots.create()
    decides += [SignalType.BUY, SignalType.SELL, SignalType.SELL]
    await robots.next(id)
    await robots.stage.trading.orders.cancel_all(robots.stage.alice, robots.portfolio_id, None)
    await robots.market.match()
    for _ in range(2):
        await robots.candle(matched=False)
        await robots.stage.trading.bot_runner.run(robots.job(id))
    await robots.market.match()
    sales = [each for each in await robots.signals(id) if each[0] == "SELL"]
    assert sales == [("SELL", "EXECUTED", None), ("SELL", "IGNORED", "It is being sold already.")]
    await robots.market.check()


async def test_the_quantity_of_what_a_bot_sells_is_not_changed_by_its_user(
    robots: Robots, decides: list[SignalType]
) -> None:
    id, orders, alice = await robots.create(), robots.stage.trading.orders, robots.stage.alice
    await robots.market.place(robots.portfolio_id, Side.BUY, "20")
    decides += [SignalType.BUY]
    await robots.next(id)
    await orders.cancel_all(alice, robots.portfolio_id, None)
    await robots.market.match()
    await robots.next(id)
    stop = await robots.stage.owner.fetchval("SELECT id FROM orders WHERE bot_id = $1 AND bracket_id IS NULL", id)
    with pytest.raises(OrderRefused, match="A bot sells what it has bought"):
        await orders.replace(alice, stop, OrderChanges(quantity=Decimal(19)), robots.stage.key)
    await orders.replace(alice, stop, OrderChanges(stop_price=Decimal(90)), robots.stage.key)
    await robots.market.match()
    await robots.candle("89")
    [entry] = await robots.entries(id)
    assert entry["sold_quantity"] == entry["bought_quantity"]
    await robots.market.check()


async def test_what_was_held_before_a_reset_is_not_sold_of_what_the_user_bought_since(
    robots: Robots, decides: list[SignalType]
) -> None:
    id = await robots.create()
    decides += [SignalType.BUY, SignalType.SELL]
    await robots.next(id)
    await robots.stage.trading.portfolios.reset(robots.stage.alice, robots.portfolio_id, robots.stage.key)
    await robots.market.match()
    await robots.market.place(robots.portfolio_id, Side.BUY, "20")
    await robots.market.match()
    await robots.next(id)
    assert (await robots.signals(id))[-1] == ("SELL", "IGNORED", "There is nothing to sell.")
    position = await robots.stage.position(robots.portfolio_id)
    assert position is not None
    assert position[0] == 20
    await robots.market.check()


async def test_what_an_exit_has_sold_in_part_is_protected_for_the_rest(
    robots: Robots, decides: list[SignalType]
) -> None:
    id, alice = await robots.create(max_position_usd=Decimal(9000), risk_level=RiskLevel.HIGH), robots.stage.alice
    await robots.market.place(robots.portfolio_id, Side.BUY, "5")
    decides += [SignalType.BUY]
    await robots.next(id)
    await robots.candle("110.3")
    [entry] = await robots.entries(id)
    assert 0 < entry["sold_quantity"] < entry["bought_quantity"], "the house takes little near its price"
    await robots.stage.trading.orders.cancel_all(alice, robots.portfolio_id, None)
    await robots.market.match()
    await robots.next(id)
    stop = await robots.stage.owner.fetchval("SELECT quantity FROM orders WHERE bot_id = $1 AND bracket_id IS NULL", id)
    assert stop == entry["bought_quantity"] - entry["sold_quantity"]
    await robots.market.check()


async def test_what_has_only_a_take_profit_is_sold_where_its_stop_was(
    robots: Robots, decides: list[SignalType]
) -> None:
    id = await robots.create()
    decides += [SignalType.BUY]
    await robots.next(id, "100")
    stop = await robots.stage.owner.fetchval("SELECT id FROM orders WHERE bot_id = $1 AND type = 'stop'", id)
    await robots.stage.trading.orders.cancel(robots.stage.alice, stop)
    await robots.market.match()
    await robots.next(id, "96")
    assert [each[2] for each in await robots.orders(id)] == ["filled", "pending", "cancelled"]
    await robots.next(id, "94")
    await robots.market.match()
    assert [each[2] for each in await robots.orders(id)] == ["filled", "filled", "cancelled"]
    [entry] = await robots.entries(id)
    assert entry["closed_at"] is not None
    assert Decimal(-80) < entry["pnl"] < 0
    await robots.market.check()
