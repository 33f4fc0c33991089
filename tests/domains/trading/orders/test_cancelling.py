"""Cancelling orders and halting trading."""

import asyncio
import json
from uuid import UUID, uuid4

import pytest

from app.domains.market.tokens.model import TokenNotFound
from app.domains.trading.exchange.model import Reason
from app.domains.trading.orders.model import MarketClosed, OrderNotOpen, TradingHalted
from app.domains.trading.quantities.model import Side
from app.kit.errors import Forbidden, InvalidInput, NotFound
from tests.domains.trading.orders.trader import Trader, admin, limit, order
from tests.waiting import until


async def asked(trader: Trader) -> list[tuple[str, object, object]]:
    """What the exchange was asked: the kind, the order or symbol, and the reason."""
    return [
        (row["kind"], row["order_id"] or row["symbol"], json.loads(row["payload"]).get("reason"))
        for row in await trader.inbox()
    ]


async def test_an_order_is_cancelled_by_the_exchange(trader: Trader) -> None:
    id = await trader.place(limit())
    await trader.stage.trading.orders.cancel(trader.stage.alice, id)
    assert await asked(trader) == [("place", id, None), ("cancel", id, Reason.REQUESTED)]
    assert (await trader.row(id))["status"] == "pending"
    await trader.market.match()
    assert await trader.ended(id) == ("cancelled", 0, Reason.REQUESTED)
    assert await trader.reserved() == 0
    with pytest.raises(OrderNotOpen):
        await trader.stage.trading.orders.cancel(trader.stage.alice, id)
    assert await asked(trader) == []


async def test_orders_of_others_are_not_found(trader: Trader) -> None:
    id = await trader.place(limit())
    before = await trader.traces()
    for viewer, wanted in ((trader.stage.bob, id), (trader.stage.alice, uuid4())):
        with pytest.raises(NotFound):
            await trader.stage.trading.orders.cancel(viewer, wanted)
    for viewer, portfolio in ((trader.stage.bob, trader.id), (trader.stage.alice, uuid4())):
        with pytest.raises(NotFound):
            await trader.stage.trading.orders.cancel_all(viewer, portfolio, None)
    assert await trader.traces() == before


async def test_all_orders_of_a_portfolio_are_cancelled_or_those_in_a_token(trader: Trader) -> None:
    await trader.market.tick("10", "ETH")
    await trader.market.match()
    btc = [await trader.place(limit()), await trader.place(limit())]
    eth = await trader.place(limit(symbol="ETH", price="9"))
    other = await trader.place(limit(), await trader.stage.create())
    await trader.market.match()
    orders, alice = trader.stage.trading.orders, trader.stage.alice
    assert await orders.cancel_all(alice, trader.id, "eth") == 1
    assert await asked(trader) == [("cancel", eth, Reason.REQUESTED)]
    await trader.market.match()
    assert await orders.cancel_all(alice, trader.id, None) == 2
    assert await asked(trader) == [("cancel", id, Reason.REQUESTED) for id in sorted(btc)]
    await trader.market.match()
    assert await orders.cancel_all(alice, trader.id, None) == 0
    assert (await trader.row(other))["status"] == "pending"


async def test_a_users_halt_cancels_everything_of_theirs(trader: Trader) -> None:
    second, theirs = await trader.stage.create(), await trader.stage.create(trader.stage.bob)
    mine = {await trader.place(limit()), await trader.place(limit(), second)}
    bobs = await trader.stage.trading.orders.place(trader.stage.bob, theirs, limit(), trader.stage.key)
    await trader.market.match()
    await trader.stage.trading.halts.halt_own(trader.stage.alice)
    assert {each[1:] for each in await asked(trader)} == {(id, Reason.TRADING_HALTED) for id in mine}
    await trader.stage.trading.halts.halt_own(trader.stage.alice)
    await trader.market.match()
    for id in mine:
        assert await trader.ended(id) == ("cancelled", 0, Reason.TRADING_HALTED)
    assert (await trader.row(bobs))["status"] == "pending"
    assert await trader.stage.owner.fetchval("SELECT count(*) FROM trading_halts") == 1
    await trader.stage.trading.halts.resume_own(trader.stage.alice)
    await trader.stage.trading.halts.resume_own(trader.stage.alice)
    await trader.place(limit())


@pytest.mark.usefixtures("warm")
async def test_what_is_placed_at_the_time_of_a_halt_is_cancelled_or_refused(trader: Trader) -> None:
    second = await trader.stage.create()
    placing = [asyncio.create_task(trader.place(limit(quantity="0.1"), (trader.id, second)[n % 2])) for n in range(40)]
    await asyncio.sleep(0)
    halting = asyncio.create_task(trader.stage.trading.halts.halt_own(trader.stage.alice))
    placed = await asyncio.gather(*placing, return_exceptions=True)
    await halting
    ids = [each for each in placed if not isinstance(each, BaseException)]
    refused = [each for each in placed if isinstance(each, TradingHalted)]
    assert len(ids) + len(refused) == 40
    await trader.market.match()
    assert {(await trader.ended(id))[::2] for id in ids} <= {("cancelled", Reason.TRADING_HALTED)}
    assert await trader.reserved() == await trader.reserved(second) == 0


async def test_a_portfolio_that_is_made_during_a_halt_is_halted_as_well(trader: Trader) -> None:
    """The halt holds the set of portfolios: one that is made after it sees it."""
    await trader.stage.trading.halts.halt_own(trader.stage.alice)
    assert isinstance(await trader.refused(limit(), await trader.stage.create()), TradingHalted)


async def test_a_portfolio_that_is_made_before_a_halt_is_committed_is_halted_as_well(trader: Trader) -> None:
    """The halt does not see it, and cancels none of its orders."""

    async def placed() -> UUID:
        return await trader.place(limit(), await trader.stage.create())

    async with trader.stage.owner.transaction():
        # A halt waits for this when it has found the portfolios.
        await trader.stage.owner.execute("LOCK TABLE trading_halts IN SHARE MODE")
        halting = asyncio.create_task(trader.stage.trading.halts.halt_own(trader.stage.alice))
        await until(lambda: waits(trader, "relation"))
        placing = asyncio.create_task(placed())
        await until(lambda: placing.done() or waits(trader, "advisory"))
    await halting
    with pytest.raises(TradingHalted):
        await placing


async def waits(trader: Trader, kind: str) -> bool:
    """Whether somebody waits for such a lock."""
    waiting = (
        "SELECT count(*) FROM pg_locks WHERE NOT granted AND locktype = $1"
        " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
    )
    return bool(await trader.stage.owner.fetchval(waiting, kind))


async def test_only_admins_halt_the_market(trader: Trader) -> None:
    halts = trader.stage.trading.halts
    before = await trader.traces()
    for symbol in ("BTC", None):
        with pytest.raises(Forbidden):
            await halts.halt(trader.stage.alice, symbol, "no")
        with pytest.raises(Forbidden):
            await halts.resume(trader.stage.alice, symbol)
    assert await trader.traces() == before


@pytest.mark.parametrize("symbol", ["btc", None])
async def test_a_halted_market_keeps_orders_and_takes_none(trader: Trader, symbol: str | None) -> None:
    halts, boss = trader.stage.trading.halts, admin(trader.stage.bob)
    id = await trader.place(limit())
    await trader.market.match()
    await halts.halt(boss, symbol, " maintenance ")
    await halts.halt(boss, symbol, "again")
    wanted = None if symbol is None else "BTC"
    assert await asked(trader) == [("halt", wanted, None)]
    row = await trader.stage.owner.fetchrow("SELECT symbol, reason, halted_by FROM trading_halts")
    assert row is not None
    assert tuple(row) == (wanted, "maintenance", boss.user_id)
    for _ in range(2):
        # At once, and when the exchange has done it.
        problem = await trader.refused(order())
        assert isinstance(problem, MarketClosed)
        assert problem.reason is Reason.HALTED
        await trader.market.match()
    await trader.market.tick()
    await trader.market.match()
    assert (await trader.row(id))["status"] == "pending"
    # One that was passed over is asked for again; one that was done is not.
    await halts.halt(boss, symbol, "once more")
    assert await asked(trader) == []
    if symbol is None:
        await trader.stage.owner.execute("UPDATE exchange_state SET is_halted = false")
    else:
        await trader.stage.owner.execute("UPDATE exchange_books SET is_halted_alone = false")
    await halts.halt(boss, symbol, "once more")
    assert await asked(trader) == [("halt", wanted, None)]
    await trader.stage.trading.matcher.lead()
    await trader.market.match()
    # A token that has no book is halted with all others.
    await halts.resume(boss, symbol)
    await halts.resume(boss, symbol)
    assert await asked(trader) == [("resume", wanted, None)]
    await trader.market.match()
    # The market opens with a price, and none from during the halt.
    problem = await trader.refused(order())
    assert isinstance(problem, MarketClosed)
    assert problem.reason is Reason.MARKET_CLOSED
    await trader.market.tick()
    await trader.market.match()
    await trader.place(order())


async def test_halts_of_nothing_known_are_refused(trader: Trader) -> None:
    halts, boss = trader.stage.trading.halts, admin(trader.stage.bob)
    before = await trader.traces()
    for symbol in ("NOPE", ""):
        with pytest.raises(TokenNotFound):
            await halts.halt(boss, symbol, "")
        with pytest.raises(TokenNotFound):
            await halts.resume(boss, symbol)
    for reason in ("x" * 501, "\x00"):
        with pytest.raises(InvalidInput):
            await halts.halt(boss, "BTC", reason)
    await halts.resume(boss, None)
    assert await trader.traces() == before


async def test_a_portfolio_that_is_reset_asks_for_the_end_of_its_orders(trader: Trader) -> None:
    id = await trader.place(limit())
    await trader.market.match()
    await trader.stage.trading.portfolios.reset(trader.stage.alice, trader.id, trader.stage.key)
    assert [each[0] for each in await asked(trader)] == ["cancel", "close"]
    await trader.market.match()
    assert await trader.ended(id) == ("cancelled", 0, Reason.PORTFOLIO_CLOSED)
    assert (await trader.stage.cash(trader.id))[:2] == (10_000, 0)


async def test_a_sale_is_cancelled_and_its_coins_are_free(trader: Trader) -> None:
    await trader.hold("2")
    id = await trader.place(limit(Side.SELL, "2", "110"))
    await trader.stage.trading.orders.cancel(trader.stage.alice, id)
    await trader.market.match()
    assert await trader.coins() == 0


@pytest.mark.parametrize(
    ("first", "ended"), [("cancel", ("cancelled", 0, Reason.REQUESTED)), ("fill", ("filled", 1, None))]
)
async def test_of_a_cancellation_and_a_fill_the_first_counts(
    trader: Trader, first: str, ended: tuple[str, int, Reason | None]
) -> None:
    id = await trader.place(limit(quantity="1", price="90"))
    await trader.market.match()
    steps = [trader.stage.trading.orders.cancel(trader.stage.alice, id), trader.market.tick("80")]
    for step in steps if first == "cancel" else reversed(steps):
        await step
    await trader.market.match()
    assert await trader.ended(id) == ended
    assert await trader.reserved() == 0
    await trader.market.check()
    with pytest.raises(OrderNotOpen):
        await trader.stage.trading.orders.cancel(trader.stage.alice, id)


@pytest.mark.usefixtures("warm")
async def test_cancellations_and_fills_at_once_have_one_outcome_each(trader: Trader) -> None:
    ids = [await trader.place(limit(quantity="1", price="90")) for _ in range(20)]
    await trader.market.match()
    orders, alice = trader.stage.trading.orders, trader.stage.alice

    async def matched() -> None:
        for _ in range(10):
            await trader.stage.trading.matcher.match()

    await asyncio.gather(
        *(orders.cancel(alice, id) for id in ids[:10]),
        trader.market.tick("80"),
        *(orders.cancel(alice, id) for id in ids[10:]),
        matched(),
        return_exceptions=True,
    )
    await trader.market.match()
    ended = [await trader.ended(id) for id in ids]
    assert set(ended) <= {("cancelled", 0, Reason.REQUESTED), ("filled", 1, None)}
    filled = sum(status == "filled" for status, *_ in ended)
    assert await trader.stage.owner.fetchval("SELECT count(*) FROM fills") == filled
    assert await trader.reserved() == 0
    await trader.market.check()
