"""Brackets: an entry that buys, and two exits that reserve once."""

from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from app.domains.trading.exchange.model import OrderType, Reason
from app.domains.trading.orders.model import NewBracket, OrderRefused, PlacedBracket, TradingHalted
from app.domains.trading.quantities.model import Side
from app.kit.errors import InvalidInput
from tests.domains.trading.orders.trader import Trader, limit, order

BRACKET = NewBracket(entry=order(quantity="2"), take_profit_price=Decimal(120), stop_loss_stop_price=Decimal(80))


def bracket(**terms: Any) -> NewBracket:
    prices = {name: Decimal(value) if isinstance(value, str) else value for name, value in terms.items()}
    return replace(BRACKET, **prices)


async def place(trader: Trader, new: NewBracket, key: str | None = None) -> PlacedBracket:
    return await trader.stage.trading.orders.place_bracket(trader.stage.alice, trader.id, new, key or trader.stage.key)


async def test_a_bracket_reserves_for_its_entry_alone(trader: Trader) -> None:
    placed = await place(trader, bracket(stop_loss_price="79"))
    entry, profit, loss = [await trader.row(id) for id in (placed.entry_id, placed.take_profit_id, placed.stop_loss_id)]
    assert [row["bracket_role"] for row in (entry, profit, loss)] == ["entry", "take_profit", "stop_loss"]
    assert len({row["bracket_id"] for row in (entry, profit, loss)}) == 1
    assert (entry["reserved"], profit["reserved"], loss["reserved"]) == (Decimal("210.42"), 0, 0)
    assert (profit["side"], profit["type"], profit["price"], profit["quantity"]) == ("sell", "limit", 120, 2)
    assert (loss["side"], loss["type"], loss["stop_price"], loss["price"]) == ("sell", "stop_limit", 80, 79)
    assert [(each["kind"], each["order_id"]) for each in await trader.inbox()] == [("place", placed.entry_id)]
    await trader.market.match()
    assert await trader.ended(placed.entry_id) == ("filled", 2, None)
    assert await trader.coins() == 2
    await trader.market.tick("121")
    await trader.market.match()
    assert await trader.ended(placed.take_profit_id) == ("filled", 2, None)
    assert await trader.ended(placed.stop_loss_id) == ("cancelled", 0, Reason.LINKED)
    await trader.market.check()


async def test_the_stop_of_a_bracket_sells(trader: Trader) -> None:
    placed = await place(trader, BRACKET)
    await trader.market.match()
    await trader.market.tick("70")
    await trader.market.match()
    assert await trader.ended(placed.stop_loss_id) == ("filled", 2, None)
    assert await trader.ended(placed.take_profit_id) == ("cancelled", 0, Reason.LINKED)


async def test_a_bracket_that_is_cancelled_ends_whole(trader: Trader) -> None:
    placed = await place(trader, bracket(entry=limit(quantity="2", price="90")))
    await trader.market.match()
    await trader.stage.trading.orders.cancel(trader.stage.alice, placed.entry_id)
    await trader.market.match()
    assert {(await trader.row(id))["status"] for id in (placed.take_profit_id, placed.stop_loss_id)} == {"cancelled"}
    assert await trader.reserved() == 0


@pytest.mark.parametrize(
    ("new", "fields"),
    [
        (bracket(entry=order(Side.SELL, "0")), ["entry.quantity", "entry.side"]),
        (bracket(entry=order(quantity=None, quote_amount="5")), ["entry.quote_amount"]),
        (bracket(take_profit_price="NaN", stop_loss_price="1.00001"), ["take_profit_price", "stop_loss_price"]),
        (bracket(take_profit_price="79"), ["take_profit_price", "stop_loss_stop_price"]),
        (bracket(entry=limit(price="121")), ["take_profit_price"]),
        (bracket(entry=limit(price="80")), ["stop_loss_stop_price"]),
        (bracket(entry=order(type=OrderType.STOP, stop_price="120")), ["take_profit_price"]),
        # At the price in force.
        (bracket(take_profit_price="100"), ["take_profit_price"]),
        (bracket(stop_loss_stop_price="100"), ["stop_loss_stop_price"]),
    ],
)
async def test_a_bracket_that_does_not_fit_is_refused(trader: Trader, new: NewBracket, fields: list[str]) -> None:
    before = await trader.traces()
    with pytest.raises(InvalidInput) as raised:
        await place(trader, new)
    assert [".".join(each.path) for each in raised.value.fields] == fields
    assert await trader.traces() == before


async def test_a_bracket_is_refused_as_an_order_is(trader: Trader) -> None:
    await trader.stage.trading.halts.halt_own(trader.stage.alice)
    before = await trader.traces()
    with pytest.raises(TradingHalted):
        await place(trader, BRACKET)
    assert await trader.traces() == before
    await trader.stage.trading.halts.resume_own(trader.stage.alice)
    # Its exits would be worth more than any order.
    before = await trader.traces()
    with pytest.raises(OrderRefused):
        await place(trader, bracket(take_profit_price="900000000000"))
    assert await trader.traces() == before


async def test_one_key_is_one_bracket(trader: Trader) -> None:
    assert await place(trader, BRACKET, "same") == await place(trader, BRACKET, "same")
    assert await trader.stage.owner.fetchval("SELECT count(*) FROM orders") == 3
