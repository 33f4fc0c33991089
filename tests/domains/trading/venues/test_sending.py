"""Orders at an exchange: sent once, whatever happens on the way, and settled as the exchange says."""

from datetime import timedelta
from decimal import Decimal

import pytest

from app.domains.trading.exchange.model import OrderType
from app.domains.trading.orders.model import NewOrder, OrderChanges
from app.domains.trading.quantities.model import Side
from tests.domains.trading.orders.trader import limit, order
from tests.domains.trading.venues.stage import STILL, VenueStage
from tests.domains.trading.venues.stub import FAULTS

POST = "POST /api/v3/order"
GET = "GET /api/v3/order"


async def test_a_portfolio_begins_with_what_the_account_holds(live: VenueStage) -> None:
    stage = live.stage
    assert await stage.cash(live.id) == (10_000, 0, 10_000)
    # Nobody quotes BNB, so that it is worth nothing that is known.
    assert await stage.position(live.id, "BNB") == (50, 0, 0)
    assert await stage.kinds(live.id) == ["deposit", "transfer"]
    await live.check()


async def test_an_order_is_sent_filled_and_settled_as_the_exchange_says(live: VenueStage) -> None:
    id = await live.place(limit(quantity="2", price="99.5"))
    assert (await live.stage.cash(live.id))[1] == Decimal("199.199")
    await live.step()
    [sent] = live.stub.orders.values()
    assert (sent.client_id, sent.type, sent.time_in_force) == (id.hex, "LIMIT", "GTC")
    assert (await live.row(id))["exchange_order_id"] == str(sent.id)
    live.stub.fill(sent, Decimal("0.5"), "BTC")
    await live.step()
    assert await live.ended(id) == ("partial", Decimal("0.5"), None)
    # A fee in the coins that were bought.
    assert await live.stage.position(live.id) == (Decimal("0.4995"), Decimal("49.75"), 0)
    live.stub.fill(sent, Decimal("1.5"), "BNB")
    await live.step()
    assert await live.ended(id) == ("filled", 2, None)
    assert (await live.stage.cash(live.id))[:2] == (Decimal(10_000) - 199, 0)
    row = await live.row(id)
    assert (row["average_fill_price"], row["exchange"], row["mode"]) == (Decimal("99.5"), "binance", "live")
    await live.check()


async def test_a_fee_in_another_asset_is_taken_from_what_the_portfolio_has_of_it(live: VenueStage) -> None:
    id = await live.place(limit(quantity="2", price="99.5"))
    await live.step()
    [sent] = live.stub.orders.values()
    live.stub.fill(sent, Decimal(2), "BNB")
    await live.step()
    lines = await live.stage.owner.fetch(
        "SELECT e.kind, l.account, l.asset, l.amount FROM journal_entries e JOIN journal_lines l ON l.entry_id = e.id"
        " WHERE e.order_id = $1 ORDER BY e.id, l.line_no",
        id,
    )
    assert [tuple(line) for line in lines] == [
        ("fill", "position", "BTC", 2),
        ("fill", "external", "BTC", -2),
        ("fill", "cash", "USD", -199),
        ("fill", "external", "USD", 199),
        ("transfer", "position", "BNB", Decimal("-0.0398")),
        ("transfer", "fees", "BNB", Decimal("0.0398")),
    ]
    assert await live.stage.position(live.id, "BNB") == (Decimal("49.9602"), 0, 0)
    await live.check()


async def test_a_fee_in_an_asset_that_the_books_do_not_have_comes_from_outside(live: VenueStage) -> None:
    await live.stage.owner.execute("UPDATE positions SET reserved = quantity WHERE symbol = 'BNB'")
    await live.place(limit(quantity="2", price="99.5"))
    await live.step()
    [sent] = live.stub.orders.values()
    live.stub.fill(sent, Decimal(2), "BNB")
    await live.step()
    lines = await live.stage.owner.fetch(
        "SELECT account, amount FROM journal_lines WHERE asset = 'BNB' ORDER BY entry_id DESC, line_no LIMIT 2"
    )
    assert [tuple(line) for line in lines] == [("external", Decimal("-0.0398")), ("fees", Decimal("0.0398"))]
    await live.stage.owner.execute("UPDATE positions SET reserved = 0 WHERE symbol = 'BNB'")
    found = ("balance", "BNB", Decimal(50), Decimal("49.9602"), False)
    assert await live.reconcile() == ("different", [found])


@pytest.mark.parametrize("fault", FAULTS)
async def test_an_order_is_never_sent_twice_whatever_fails(venue: VenueStage, fault: str) -> None:
    venue.timeout_ms = 300
    venue.__post_init__()
    await venue.open()
    venue.stub.failing[POST] = [fault]
    id = await venue.place(limit(quantity="1", price="99.5"))
    await venue.step(3)
    await venue.step(seconds=60)
    await venue.step(3)
    was_taken = fault.endswith("after")
    if was_taken or fault == "429":
        # A busy exchange has not done it, and says so: then it is sent.
        assert await venue.ended(id) == ("pending", 0, None)
        assert venue.stub.taken == {id.hex: 1}
        [sent] = venue.stub.orders.values()
        venue.stub.fill(sent, Decimal(1))
        await venue.step()
        assert await venue.ended(id) == ("filled", 1, None)
    else:
        assert await venue.ended(id) == ("rejected", 0, "not_sent")
        assert venue.stub.taken == {}
    await venue.check()


async def test_what_the_exchange_does_not_answer_is_not_given_up(live: VenueStage) -> None:
    live.stub.failing[POST] = ["cut before"]
    live.stub.failing[GET] = ["500"] * 5
    id = await live.place(limit(quantity="1", price="99.5"))
    await live.step(5, seconds=60)
    assert await live.ended(id) == ("pending", 0, None)
    await live.step(2)
    assert await live.ended(id) == ("rejected", 0, "not_sent")


async def test_an_order_that_is_given_up_and_appears_is_cancelled_and_settled(live: VenueStage) -> None:
    live.stub.failing[POST] = ["cut before"]
    id = await live.place(limit(quantity="1", price="99.5"))
    await live.step()
    live.stage.clock.advance(STILL)
    await live.step(2)
    assert await live.ended(id) == ("rejected", 0, "not_sent")
    # It was on its way all the time, longer than any exchange takes one.
    live.stub._place(
        {
            "newClientOrderId": id.hex,
            "symbol": "BTCUSDT",
            "side": "BUY",
            "type": "LIMIT",
            "quantity": "1",
            "price": "99",
        }
    )
    [sent] = live.stub.orders.values()
    live.stub.fill(sent, Decimal("0.5"), "BTC")
    assert await live.reconcile() == ("equal", [])
    await live.until_ended()
    assert await live.ended(id) == ("cancelled", Decimal("0.5"), "not_sent")
    await live.check()


async def test_fills_before_the_reply_and_late_trades_are_settled_once(live: VenueStage) -> None:
    live.stub.late_trades = True
    live.stub.fills = 1.0
    live.stub.failing[POST] = ["cut after"]
    id = await live.place(limit(quantity="1", price="99.5"))
    await live.until_ended()
    assert (await live.ended(id))[:2] == ("filled", 1)
    live.stub.fills = 0.0
    for _ in range(3):
        await live.step()
    trades = await live.stage.owner.fetchval("SELECT count(*) FROM venue_trades")
    assert trades == len(live.stub.trades) == await live.stage.owner.fetchval("SELECT count(*) FROM fills")
    await live.check()


async def test_an_order_that_vanishes_ends_with_what_was_filled(live: VenueStage) -> None:
    id = await live.place(limit(quantity="1", price="99.5"))
    await live.step()
    [sent] = live.stub.orders.values()
    live.stub.fill(sent, Decimal("0.25"), "BTC")
    live.stub.vanish(sent)
    await live.step(2)
    assert (await live.ended(id))[0] == "partial"
    live.stage.clock.advance(STILL)
    await live.step()
    assert await live.ended(id) == ("cancelled", Decimal("0.25"), "vanished")
    assert (await live.stage.cash(live.id))[1] == 0
    await live.check()


async def test_an_order_that_the_exchange_ends_is_ended(live: VenueStage) -> None:
    id = await live.place(limit(quantity="1", price="99.5"))
    await live.step()
    [sent] = live.stub.orders.values()
    live.stub._end(sent, "EXPIRED")
    await live.step()
    assert await live.ended(id) == ("cancelled", 0, "ended")
    await live.check()


async def test_an_order_that_the_exchange_refuses_is_rejected(live: VenueStage) -> None:
    live.stub.balances["USDT"] = Decimal(1)
    id = await live.place(limit(quantity="1", price="99.5"))
    await live.step()
    assert await live.ended(id) == ("rejected", 0, "refused")
    [sent] = await live.sent()
    assert (sent["state"], sent["failure"]) == ("refused", "InsufficientFunds")
    assert (await live.stage.cash(live.id))[1] == 0


async def test_a_quantity_finer_than_the_exchange_counts_is_not_sent(live: VenueStage) -> None:
    id = await live.place(limit(quantity="1.000001", price="99.5"))
    await live.step()
    assert await live.ended(id) == ("rejected", 0, "refused")
    assert live.stub.received == {}


async def test_a_purchase_at_the_market_is_sent_with_its_protection_price(live: VenueStage) -> None:
    id = await live.place(order(quantity="1"))
    await live.step()
    [sent] = live.stub.orders.values()
    assert (sent.type, sent.time_in_force, sent.price) == ("LIMIT", "IOC", Decimal(105))
    assert (await live.ended(id))[:2] == ("filled", 1)
    sale = await live.place(order(Side.SELL, "0.5"))
    await live.step()
    assert (await live.ended(sale))[:2] == ("filled", Decimal("0.5"))
    assert [each.type for each in live.stub.orders.values()] == ["LIMIT", "MARKET"]
    await live.check()


async def test_stops_are_sent_as_such(live: VenueStage) -> None:
    await live.place(order(quantity="1"))
    await live.step()
    live.stage.clock.advance(timedelta(seconds=1))
    stop = NewOrder(symbol="BTC", side=Side.SELL, type=OrderType.STOP, quantity=Decimal("0.5"), stop_price=Decimal(90))
    await live.place(stop)
    live.stage.clock.advance(timedelta(seconds=1))
    await live.place(order(Side.BUY, "0.5", type=OrderType.STOP_LIMIT, stop_price="110", price="111", symbol="BTC"))
    await live.step()
    sent = [(each.type, each.stop_price, each.price) for each in live.stub.orders.values()][1:]
    assert sent == [("STOP_LOSS", Decimal(90), Decimal(0)), ("STOP_LOSS_LIMIT", Decimal(110), Decimal(111))]
    for each in list(live.stub.orders.values())[1:]:
        live.stub.fill(each, each.left)
    await live.step()
    await live.check()


@pytest.mark.parametrize("cause", ["requested", "replaced"])
async def test_what_was_never_sent_is_dropped(live: VenueStage, cause: str) -> None:
    id = await live.place(limit(quantity="1", price="99.5"))
    orders = live.stage.trading.orders
    if cause == "requested":
        await orders.cancel(live.stage.alice, id)
    else:
        await orders.replace(live.stage.alice, id, OrderChanges(price=Decimal(99)), "replace")
    await live.step(2)
    if cause == "requested":
        assert live.stub.received == {}
        assert await live.ended(id) == ("cancelled", 0, "requested")
    else:
        [sent] = live.stub.orders.values()
        assert (sent.price, live.stub.received[id.hex]) == (Decimal(99), 0)
    assert await live.stage.findings() == []


async def test_a_replacement_asks_for_what_is_left_of_the_new_quantity(live: VenueStage) -> None:
    id = await live.place(limit(quantity="1", price="99.5"))
    await live.step()
    [first] = live.stub.orders.values()
    live.stub.fill(first, Decimal("0.25"), "BTC")
    await live.stage.trading.orders.replace(
        live.stage.alice, id, OrderChanges(quantity=Decimal(2), price=Decimal(98)), "replace"
    )
    await live.step(3)
    second = list(live.stub.orders.values())[1]
    assert (first.status, second.quantity, second.price) == ("CANCELED", Decimal("1.75"), Decimal(98))
    row = await live.row(id)
    assert (row["status"], row["quantity"], row["price"], row["reserved_for_changes"]) == ("partial", 2, 98, 0)
    live.stub.fill(second, Decimal("1.75"), "BTC")
    await live.step()
    assert await live.ended(id) == ("filled", 2, None)
    await live.check()


async def test_a_replacement_that_comes_too_late_is_not_sent(live: VenueStage) -> None:
    id = await live.place(limit(quantity="1", price="99.5"))
    await live.step()
    [sent] = live.stub.orders.values()
    live.stub.fill(sent, Decimal(1), "BTC")
    await live.stage.trading.orders.replace(live.stage.alice, id, OrderChanges(quantity=Decimal(2)), "replace")
    await live.step(3)
    assert await live.ended(id) == ("filled", 1, None)
    assert len(live.stub.orders) == 1
    assert [row["state"] for row in await live.sent()] == ["closed", "dropped"]
    await live.check()


async def test_a_placing_that_is_repeated_is_one_order(live: VenueStage) -> None:
    ids = {await live.place(limit(quantity="1", price="99.5"), "same") for _ in range(2)}
    await live.step(2)
    assert len(ids) == len(live.stub.orders) == 1


async def test_an_exchange_that_is_away_delays(live: VenueStage) -> None:
    id = await live.place(limit(quantity="1", price="99.5"))
    live.stub.is_down = True
    await live.venues.close()
    await live.step(2)
    account = await live.stage.owner.fetchrow("SELECT failure, failing_since FROM exchange_accounts")
    assert account is not None
    assert account["failure"] == "unavailable"
    live.stub.is_down = False
    live.stage.clock.advance(timedelta(minutes=1))
    await live.step(2)
    assert live.stub.taken == {id.hex: 1}
    assert await live.stage.owner.fetchval("SELECT failure FROM exchange_accounts") is None


async def test_skew_is_adjusted_for(live: VenueStage) -> None:
    live.stub.skew_ms = 120_000
    id = await live.place(limit(quantity="1", price="99.5"))
    await live.step(4)
    assert live.stub.taken == {id.hex: 1}


@pytest.mark.parametrize("ends", ["EXPIRED", None])
async def test_an_exchange_that_is_busy_after_each_second_order_is_followed_to_the_end(
    live: VenueStage, ends: str | None
) -> None:
    ids = [await live.place(limit(quantity="1", price="99.5")) for _ in range(3)]
    await live.step()
    for sent in live.stub.orders.values():
        if ends is None:
            live.stub.fill(sent, sent.left, "BTC")
        else:
            live.stub._end(sent, ends)
    live.stub.failing[GET] = ["", "429"] * 10
    await live.step(3, seconds=60)
    expected = ("filled", 1, None) if ends is None else ("cancelled", 0, "ended")
    assert [await live.ended(id) for id in ids] == [expected] * 3
    await live.check()


@pytest.mark.parametrize("quantity", ["0.25", "1"])
async def test_a_trade_that_is_listed_after_its_order_has_ended_is_settled_and_opens_nothing(
    live: VenueStage, quantity: str
) -> None:
    id = await live.place(limit(quantity="1", price="99.5"))
    await live.step()
    [sent] = live.stub.orders.values()
    live.stub.fill(sent, Decimal(quantity), "BTC")
    live.stub.vanish(sent)
    late = live.stub.trades.pop()
    await live.step(2, seconds=61)
    assert await live.ended(id) == ("cancelled", 0, "vanished")
    live.stub.trades.append(late)
    assert await live.reconcile() == ("equal", [])
    filled = ("filled", 1, None) if quantity == "1" else ("cancelled", Decimal(quantity), "vanished")
    assert await live.ended(id) == filled
    assert (await live.stage.cash(live.id))[1] == 0
    await live.check()
