"""Halts and plans that lapse: nothing is sent any more, what is open is cancelled, and what cannot be is said."""

import asyncio
from decimal import Decimal

import pytest

from app.domains.trading.exchanges.model import PlanRequired
from app.domains.trading.orders.model import OrderChanges, TradingHalted
from app.domains.trading.quantities.model import Side
from app.domains.trading.venues.services.client import ExchangeClient
from tests.domains.trading.orders.trader import admin, limit
from tests.domains.trading.venues.stage import VenueStage
from tests.waiting import until

POST = "POST /api/v3/order"
DELETE = "DELETE /api/v3/order"
TRADES = "GET /api/v3/myTrades"


async def test_a_halt_sends_nothing_more_and_cancels_what_is_open(live: VenueStage) -> None:
    opened = await live.place(limit())
    await live.step()
    waiting = await live.place(limit(price="80"))
    assert set(await live.stage.trading.halts.halt_own(live.stage.alice)) == {opened, waiting}
    await live.step(2)
    assert set(live.stub.received) == {opened.hex}
    for id in (opened, waiting):
        assert await live.ended(id) == ("cancelled", 0, "trading_halted")
    with pytest.raises(TradingHalted):
        await live.place(limit())
    await live.check()


@pytest.mark.parametrize("by", ["owner", "market", "token", "cancellation", "disconnecting"])
async def test_what_is_read_before_a_halt_is_not_sent_after_it(live: VenueStage, by: str) -> None:
    """The worker has read what is due, and the halt is committed before it sends."""
    first, second = await live.place(limit()), await live.place(limit(price="80"))
    [worker] = live.venues._workers.values()
    due = await worker._due()
    stage = live.stage
    match by:
        case "owner":
            await stage.trading.halts.halt_own(stage.alice)
        case "market" | "token":
            await stage.trading.halts.halt(admin(stage.alice), None if by == "market" else "BTC", "")
        case "disconnecting":
            await live.accounts.disconnect(stage.alice, live.account_id)
        case "cancellation":
            for id in (first, second):
                await stage.trading.orders.cancel(stage.alice, id)
    if by != "cancellation":
        # Nothing else keeps them.
        await stage.owner.execute("UPDATE venue_orders SET cancel_asked_at = NULL, cancel_reason = NULL")
    await worker._send(due)
    assert live.stub.received == {}


async def test_what_is_halted_while_an_order_waits_for_its_turn_is_not_sent(
    live: VenueStage, monkeypatch: pytest.MonkeyPatch
) -> None:
    id, turn = await live.place(limit(quantity="1", price="99.5")), ExchangeClient.turn

    async def halted(self: ExchangeClient) -> None:
        limits = self._client.throttler.config
        limits["tokens"] = -50.0
        await turn(self)
        assert limits["tokens"] >= 0, "the next request goes out at once"
        await live.stage.trading.halts.halt_own(live.stage.alice)

    monkeypatch.setattr(ExchangeClient, "turn", halted)
    await live.step(3)
    assert live.stub.calls[POST] == 0
    assert await live.ended(id) == ("cancelled", 0, "trading_halted")


async def test_a_halt_cancels_while_the_exchange_lets_everything_else_wait(live: VenueStage) -> None:
    """The trades that are being read do not come, and no request has its turn."""
    id = await live.place(limit())
    await live.step()
    [worker] = live.venues._workers.values()
    live.stub.failing[TRADES] = ["late after"]
    await live.venues._begin()
    await until(lambda: not live.stub.failing[TRADES])
    limits = worker.client._client.throttler.config
    limits |= {"tokens": -1.0, "refillRate": 0.0}
    await live.stage.trading.halts.halt_own(live.stage.alice)
    await live.venues._begin()
    await asyncio.gather(*live.venues._cancelling.values())
    [sent] = live.stub.orders.values()
    assert (sent.status, live.stub.answers.is_set()) == ("CANCELED", False)
    limits |= {"tokens": 1.0, "refillRate": 1.0}
    live.stub.answers.set()
    await live.step(2)
    assert live.stub.calls[DELETE] == 1
    assert await live.ended(id) == ("cancelled", 0, "trading_halted")


async def test_what_cannot_be_cancelled_is_said_and_tried_again(live: VenueStage) -> None:
    id = await live.place(limit())
    await live.step()
    live.stub.cancels_refused = True
    await live.stage.trading.halts.halt_own(live.stage.alice)
    await live.step(3)
    assert (await live.ended(id))[0] == "pending"
    [sent] = await live.sent()
    assert sent["cancel_failed_at"] is not None
    reasons = await live.stage.owner.fetch("SELECT payload->>'reason' FROM events WHERE kind = 'order' ORDER BY seq")
    assert [row[0] for row in reasons][-1:] == ["cancel_failed"]
    assert [row[0] for row in reasons].count("cancel_failed") == 1
    live.stub.cancels_refused = False
    await live.step(2, seconds=60)
    assert await live.ended(id) == ("cancelled", 0, "trading_halted")


async def test_a_cancellation_without_an_answer_is_found_out(live: VenueStage) -> None:
    id = await live.place(limit())
    await live.step()
    live.stub.failing[DELETE] = ["cut after"]
    await live.stage.trading.orders.cancel(live.stage.alice, id)
    await live.step(2)
    assert await live.ended(id) == ("cancelled", 0, "requested")


async def test_cancellations_that_are_repeated_do_not_keep_it_from_being_followed(live: VenueStage) -> None:
    """It was cancelled without an answer, and the exchange is too busy for another."""
    id = await live.place(limit())
    await live.step()
    live.stub.failing[DELETE] = ["cut after", *["429"] * 10]
    live.stub.failing["GET /api/v3/openOrders"] = ["500"]
    await live.stage.trading.orders.cancel(live.stage.alice, id)
    await live.step(3, seconds=60)
    assert await live.ended(id) == ("cancelled", 0, "requested")


async def test_a_fill_comes_before_the_cancellation(live: VenueStage) -> None:
    id = await live.place(limit())
    await live.step()
    [sent] = live.stub.orders.values()
    await live.stage.trading.orders.cancel(live.stage.alice, id)
    live.stub.fill(sent, Decimal(1), "BTC")
    await live.step(2)
    assert await live.ended(id) == ("filled", 1, None)
    await live.check()


@pytest.mark.parametrize("symbol", ["BTC", None])
async def test_a_halt_of_the_market_cancels_what_is_at_exchanges(live: VenueStage, symbol: str | None) -> None:
    await live.stage.quote({"ETH": ("10", "15")})
    await live.market.tick("10", "ETH")
    await live.market.match()
    coin, ether = await live.place(limit()), await live.place(limit(price="9", symbol="ETH"))
    await live.step()
    await live.stage.trading.halts.halt(admin(live.stage.alice), symbol, "")
    await live.step(2)
    assert await live.ended(coin) == ("cancelled", 0, "trading_halted")
    assert (await live.ended(ether))[0] == ("pending" if symbol else "cancelled")


async def test_a_portfolio_is_deleted_once_its_orders_are_cancelled(live: VenueStage) -> None:
    await live.stage.create()
    id = await live.place(limit())
    await live.step()
    await live.stage.trading.portfolios.delete(live.stage.alice, live.id)
    await live.step(3)
    assert await live.ended(id) == ("cancelled", 0, "portfolio_closed")
    assert await live.stage.portfolio(live.id) is None
    assert await live.stage.kinds(live.id) == ["deposit", "transfer", "closing"]
    house = "SELECT count(*) FROM journal_lines WHERE account = 'house'"
    assert await live.stage.owner.fetchval(house) == 0
    assert await live.stage.findings() == []


@pytest.mark.parametrize(
    "lapse", ["subscription_tier = 'free'", "subscription_tier = 'pro', subscription_expires_at = '2020-01-01'"]
)
async def test_without_a_paid_plan_nothing_is_bought_and_what_is_held_is_sold(live: VenueStage, lapse: str) -> None:
    id = await live.place(limit(quantity="4", price="99.5"))
    await live.step()
    [bought] = live.stub.orders.values()
    live.stub.fill(bought, Decimal(2), "USDT")
    await live.step()
    stage = live.stage
    await stage.owner.execute(f"UPDATE profiles SET {lapse}")
    with pytest.raises(PlanRequired):
        await live.place(limit(quantity="1", price="99.5"))
    with pytest.raises(PlanRequired):
        await stage.trading.orders.replace(stage.alice, id, OrderChanges(quantity=Decimal(5)), stage.key)
    await live.place(limit(side=Side.SELL, quantity="1", price="101"))
    await live.step()
    assert [each.side.lower() for each in live.stub.orders.values()] == ["buy", "sell"]
    await live.check()
