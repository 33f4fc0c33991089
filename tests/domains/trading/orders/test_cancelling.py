"""Cancelling orders and halting trading."""

import asyncio
import json
from uuid import uuid4

import pytest

from app.domains.market.tokens.model import TokenNotFound
from app.domains.trading.exchange.model import Reason, Side
from app.domains.trading.orders.model import MarketClosed, OrderNotOpen, TradingHalted
from app.kit.errors import Forbidden, InvalidInput, NotFound
from tests.domains.trading.orders.desk import Desk, admin, limit, order


async def asked(desk: Desk) -> list[tuple[str, object, object]]:
    """What the exchange was asked: the kind, the order or symbol, and the reason."""
    return [
        (row["kind"], row["order_id"] or row["symbol"], json.loads(row["payload"]).get("reason"))
        for row in await desk.inbox()
    ]


async def test_an_order_is_cancelled_by_the_exchange(desk: Desk) -> None:
    id = await desk.place(limit())
    await desk.stage.trading.orders.cancel(desk.stage.alice, id)
    assert await asked(desk) == [("place", id, None), ("cancel", id, Reason.REQUESTED)]
    assert (await desk.row(id))["status"] == "pending"
    await desk.market.match()
    assert await desk.ended(id) == ("cancelled", 0, Reason.REQUESTED)
    assert await desk.reserved() == 0
    with pytest.raises(OrderNotOpen):
        await desk.stage.trading.orders.cancel(desk.stage.alice, id)
    assert await asked(desk) == []


async def test_orders_of_others_are_not_found(desk: Desk) -> None:
    id = await desk.place(limit())
    before = await desk.traces()
    for viewer, wanted in ((desk.stage.bob, id), (desk.stage.alice, uuid4())):
        with pytest.raises(NotFound):
            await desk.stage.trading.orders.cancel(viewer, wanted)
    for viewer, portfolio in ((desk.stage.bob, desk.id), (desk.stage.alice, uuid4())):
        with pytest.raises(NotFound):
            await desk.stage.trading.orders.cancel_all(viewer, portfolio, None)
    assert await desk.traces() == before


async def test_all_orders_of_a_portfolio_are_cancelled_or_those_in_a_token(desk: Desk) -> None:
    await desk.market.tick("10", "ETH")
    await desk.market.match()
    btc = [await desk.place(limit()), await desk.place(limit())]
    eth = await desk.place(limit(symbol="ETH", price="9"))
    other = await desk.place(limit(), await desk.stage.create())
    await desk.market.match()
    orders, alice = desk.stage.trading.orders, desk.stage.alice
    assert await orders.cancel_all(alice, desk.id, "eth") == 1
    assert await asked(desk) == [("cancel", eth, Reason.REQUESTED)]
    await desk.market.match()
    assert await orders.cancel_all(alice, desk.id, None) == 2
    assert await asked(desk) == [("cancel", id, Reason.REQUESTED) for id in btc]
    await desk.market.match()
    assert await orders.cancel_all(alice, desk.id, None) == 0
    assert (await desk.row(other))["status"] == "pending"


async def test_a_users_halt_cancels_everything_of_theirs(desk: Desk) -> None:
    second, theirs = await desk.stage.create(), await desk.stage.create(desk.stage.bob)
    mine = {await desk.place(limit()), await desk.place(limit(), second)}
    bobs = await desk.stage.trading.orders.place(desk.stage.bob, theirs, limit(), desk.stage.key)
    await desk.market.match()
    await desk.stage.trading.halts.halt_own(desk.stage.alice)
    assert {each[1:] for each in await asked(desk)} == {(id, Reason.TRADING_HALTED) for id in mine}
    await desk.stage.trading.halts.halt_own(desk.stage.alice)
    await desk.market.match()
    for id in mine:
        assert await desk.ended(id) == ("cancelled", 0, Reason.TRADING_HALTED)
    assert (await desk.row(bobs))["status"] == "pending"
    assert await desk.stage.owner.fetchval("SELECT count(*) FROM trading_halts") == 1
    await desk.stage.trading.halts.resume_own(desk.stage.alice)
    await desk.stage.trading.halts.resume_own(desk.stage.alice)
    await desk.place(limit())


async def test_what_is_placed_at_the_time_of_a_halt_is_cancelled_or_refused(desk: Desk) -> None:
    second = await desk.stage.create()
    await desk.stage.warm_up()
    placing = [asyncio.create_task(desk.place(limit(quantity="0.1"), (desk.id, second)[n % 2])) for n in range(40)]
    await asyncio.sleep(0)
    halting = asyncio.create_task(desk.stage.trading.halts.halt_own(desk.stage.alice))
    placed = await asyncio.gather(*placing, return_exceptions=True)
    await halting
    ids = [each for each in placed if not isinstance(each, BaseException)]
    refused = [each for each in placed if isinstance(each, TradingHalted)]
    assert len(ids) + len(refused) == 40
    await desk.market.match()
    assert {(await desk.ended(id))[::2] for id in ids} <= {("cancelled", Reason.TRADING_HALTED)}
    assert await desk.reserved() == await desk.reserved(second) == 0


async def test_a_portfolio_that_is_made_during_a_halt_is_halted_as_well(desk: Desk) -> None:
    """The halt holds the set of portfolios: one that is made after it sees it."""
    await desk.stage.trading.halts.halt_own(desk.stage.alice)
    assert isinstance(await desk.refused(limit(), await desk.stage.create()), TradingHalted)


async def test_only_admins_halt_the_market(desk: Desk) -> None:
    halts = desk.stage.trading.halts
    before = await desk.traces()
    for symbol in ("BTC", None):
        with pytest.raises(Forbidden):
            await halts.halt(desk.stage.alice, symbol, "no")
        with pytest.raises(Forbidden):
            await halts.resume(desk.stage.alice, symbol)
    assert await desk.traces() == before


@pytest.mark.parametrize("symbol", ["btc", None])
async def test_a_halted_market_keeps_orders_and_takes_none(desk: Desk, symbol: str | None) -> None:
    halts, boss = desk.stage.trading.halts, admin(desk.stage.bob)
    id = await desk.place(limit())
    await desk.market.match()
    await halts.halt(boss, symbol, " maintenance ")
    await halts.halt(boss, symbol, "again")
    wanted = None if symbol is None else "BTC"
    assert await asked(desk) == [("halt", wanted, None)]
    row = await desk.stage.owner.fetchrow("SELECT symbol, reason, halted_by FROM trading_halts")
    assert row is not None
    assert tuple(row) == (wanted, "maintenance", boss.user_id)
    for _ in range(2):
        # At once, and when the exchange has done it.
        problem = await desk.refused(order())
        assert isinstance(problem, MarketClosed)
        assert problem.reason is Reason.HALTED
        await desk.market.match()
    assert (await desk.row(id))["status"] == "pending"
    # A token that has no book is halted with all others.
    await halts.resume(boss, symbol)
    await halts.resume(boss, symbol)
    assert await asked(desk) == [("resume", wanted, None)]
    await desk.market.match()
    await desk.market.tick()
    await desk.market.match()
    await desk.place(order())


async def test_halts_of_nothing_known_are_refused(desk: Desk) -> None:
    halts, boss = desk.stage.trading.halts, admin(desk.stage.bob)
    before = await desk.traces()
    for symbol in ("NOPE", ""):
        with pytest.raises(TokenNotFound):
            await halts.halt(boss, symbol, "")
        with pytest.raises(TokenNotFound):
            await halts.resume(boss, symbol)
    for reason in ("x" * 501, "\x00"):
        with pytest.raises(InvalidInput):
            await halts.halt(boss, "BTC", reason)
    await halts.resume(boss, None)
    assert await desk.traces() == before


async def test_a_portfolio_that_is_reset_asks_for_the_end_of_its_orders(desk: Desk) -> None:
    id = await desk.place(limit())
    await desk.market.match()
    await desk.stage.trading.portfolios.reset(desk.stage.alice, desk.id, desk.stage.key)
    assert [each[0] for each in await asked(desk)] == ["cancel", "close"]
    await desk.market.match()
    assert await desk.ended(id) == ("cancelled", 0, Reason.PORTFOLIO_CLOSED)
    assert (await desk.stage.cash(desk.id))[:2] == (10_000, 0)


async def test_a_sale_is_cancelled_and_its_coins_are_free(desk: Desk) -> None:
    await desk.hold("2")
    id = await desk.place(limit(Side.SELL, "2", "110"))
    await desk.stage.trading.orders.cancel(desk.stage.alice, id)
    await desk.market.match()
    assert await desk.coins() == 0
