"""Comparisons of the books with an exchange."""

from datetime import timedelta
from decimal import Decimal

import pytest

from app.domains.trading.exchanges.model import ExchangeAccountNotConnected
from app.domains.trading.venues.services.reconciling import ATTEMPTS
from app.kit.errors import InvalidInput, NotFound
from tests.domains.trading.orders.trader import limit, order
from tests.domains.trading.venues.stage import VenueStage


def placed_elsewhere(live: VenueStage, side: str = "BUY", quantity: str = "1", price: str = "99") -> None:
    """An order of the user's own, at the exchange."""
    given = {"newClientOrderId": "web_1", "symbol": "BTCUSDT", "side": side, "type": "LIMIT"}
    live.stub._place({**given, "quantity": quantity, "price": price})


async def test_what_agrees_is_equal(live: VenueStage) -> None:
    await live.place(order(quantity="1"))
    await live.place(limit(price="80"))
    await live.step()
    assert await live.reconcile() == ("equal", [])


async def test_what_changed_elsewhere_is_reported_and_corrected_only_where_asked(live: VenueStage) -> None:
    await live.place(order(quantity="1"))
    await live.step()
    held = (await live.stage.position(live.id) or ())[0]
    live.stub.balances["USDT"] += 5
    live.stub.balances["BTC"] += 2
    live.stub.balances["BNB"] -= 10
    cash = (await live.stage.cash(live.id))[0]
    left = (await live.stage.position(live.id, "BNB") or ())[0]
    expected = [
        ("balance", "BNB", left, left - 10),
        ("balance", "BTC", held, held + 2),
        ("balance", "USD", cash, cash + 5),
    ]
    assert await live.reconcile() == ("different", [(*each, False) for each in expected])
    assert (await live.stage.cash(live.id))[0] == cash
    assert await live.reconcile(adopts=True) == ("different", [(*each, True) for each in expected])
    # Coins cost what they were worth: they were paid in, and are no profit.
    assert (await live.stage.cash(live.id))[::2] == (cash + 5, 10_205)
    assert (await live.stage.position(live.id) or ())[0] == held + 2
    await live.check()


async def test_what_orders_have_reserved_is_not_taken_away(live: VenueStage) -> None:
    await live.place(limit(quantity="90", price="99"))
    await live.step()
    live.stub.balances["USDT"] -= 5000
    status, found = await live.reconcile(adopts=True)
    assert (status, found) == ("different", [("balance", "USD", 10_000, 5000, False)])
    balance, reserved, _ = await live.stage.cash(live.id)
    assert balance == reserved == Decimal("8918.91")
    assert await live.stage.findings() == []


async def test_orders_and_trades_of_others_are_reported(live: VenueStage) -> None:
    id = await live.place(limit(price="80"))
    await live.step()
    placed_elsewhere(live)
    mine, theirs = live.stub.orders.values()
    live.stub.fill(theirs, Decimal("0.5"), "BTC")
    live.stub.fill(mine, Decimal("0.5"), "BTC")
    await live.step()
    status, found = await live.reconcile()
    assert status == "different"
    assert [(kind, subject) for kind, subject, *_ in found] == [
        ("balance", "BTC"),
        ("balance", "USD"),
        ("unknown_order", f"BTC/USDT {theirs.id}"),
        ("unknown_trade", f"BTC/USDT {live.stub.trades[0]['id']}"),
    ]
    assert (await live.ended(id))[0] == "partial"
    # Nothing was given up, so that no order of theirs needs to be looked at.
    assert live.stub.calls["GET /api/v3/order"] == 0


async def test_an_order_and_a_trade_that_the_exchange_does_not_list_are_reported(live: VenueStage) -> None:
    await live.place(limit(price="80"))
    await live.step()
    [sent] = live.stub.orders.values()
    live.stub.fill(sent, Decimal("0.5"), "BTC")
    await live.step()
    [trade] = live.stub.trades
    live.stub.trades.clear()
    live.stub.vanish(sent)
    _, found = await live.reconcile()
    assert [(kind, subject) for kind, subject, *_ in found] == [
        ("missing_order", f"BTC/USDT {sent.id}"),
        ("missing_trade", f"BTC/USDT {trade['id']}"),
    ]


async def test_a_comparison_waits_until_nothing_is_on_its_way(live: VenueStage) -> None:
    live.stub.failing["POST /api/v3/order"] = ["cut before"]
    await live.place(limit())
    await live.step()
    assert await live.stage.owner.fetchval("SELECT state FROM venue_orders") == "sending"
    assert await live.reconcile() == ("equal", [])
    assert await live.stage.owner.fetchval("SELECT state FROM venue_orders") == "absent"
    assert await live.stage.owner.fetchval("SELECT max(attempts) FROM reconciliations") > 10


async def test_a_comparison_that_cannot_be_made_fails_in_the_end(live: VenueStage) -> None:
    live.stub.failing["GET /api/v3/account"] = ["500"] * ATTEMPTS
    assert await live.reconcile() == ("failed", [])
    assert await live.reconcile() == ("equal", [])


async def test_one_is_asked_for_at_a_time_and_all_each_hour(live: VenueStage) -> None:
    trading = live.stage.trading
    ids = {await trading.reconciling.ask(live.stage.alice, live.account_id, adopts=False) for _ in range(2)}
    assert len(ids) == 1
    assert await trading.reconciling.ask_all() == "0 accounts"
    await live.until_still()
    assert await trading.reconciling.ask_all() == "1 accounts"


async def test_only_the_owner_of_a_connected_account_with_a_portfolio_asks(live: VenueStage) -> None:
    reconciling = live.stage.trading.reconciling
    with pytest.raises(NotFound):
        await reconciling.ask(live.stage.bob, live.account_id, adopts=True)
    other = await live.connect(label="Other")
    with pytest.raises(InvalidInput):
        await reconciling.ask(live.stage.alice, other, adopts=False)
    await live.accounts.disconnect(live.stage.alice, other)
    with pytest.raises(ExchangeAccountNotConnected):
        await reconciling.ask(live.stage.alice, other, adopts=False)


async def test_reports_are_kept_for_a_year(live: VenueStage) -> None:
    assert await live.stage.trading.reconciling.delete_old() == "0 reports"
    live.stage.clock.advance(timedelta(days=366))
    assert await live.stage.trading.reconciling.delete_old() == "1 reports"
