"""A preview says what placing the same order then does: the same state, the same book, the same money."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from app.domains.trading.exchange.model import OrderType, Reason, TimeInForce
from app.domains.trading.journal.model import Currency
from app.domains.trading.orders.model import NewOrder, OrderPreview
from app.domains.trading.quantities.model import Side
from app.kit.errors import InvalidInput, NotFound
from tests.domains.trading.orders.trader import Trader, limit, order

CASES: dict[str, NewOrder] = {
    "buy at market": order(quantity="3"),
    "buy more than the house has within the protection": order(quantity="90"),
    "buy by amount": order(quantity=None, quote_amount="500"),
    "buy an amount that leaves a rest": order(quantity=None, quote_amount="333.33333333"),
    "sell at market": order(Side.SELL, "3"),
    "sell by amount": order(Side.SELL, None, quote_amount="77.7"),
    "buy at a limit that rests": limit(quantity="3", price="90"),
    "buy at a limit that is met": limit(quantity="3", price="101"),
    "buy at a limit that is met in part": limit(quantity="60", price="100.3"),
    "sell at a limit that is met": limit(Side.SELL, "3", "99"),
    "sell all of it": order(Side.SELL, "5"),
    "reduce only": order(Side.SELL, "9", reduce_only=True),
    "immediate or cancel": limit(quantity="60", price="100.3", time_in_force=TimeInForce.IMMEDIATE_OR_CANCEL),
    "fill or kill": limit(quantity="60", price="100.3", time_in_force=TimeInForce.FILL_OR_KILL),
    "post-only that takes": limit(price="101", post_only=True),
    "post-only that rests": limit(price="90", post_only=True),
    "a stop": order(type=OrderType.STOP, stop_price="120"),
    "a stop limit": order(type=OrderType.STOP_LIMIT, stop_price="120", price="121"),
    "a trailing stop": order(Side.SELL, "1", type=OrderType.TRAILING_STOP, trail_fraction="0.1"),
}


@pytest.mark.parametrize("currency", Currency)
@pytest.mark.parametrize("name", CASES)
async def test_what_was_previewed_is_what_happens(trader: Trader, name: str, currency: Currency) -> None:
    new = CASES[name]
    trader.id = await trader.stage.create(currency=currency, initial_balance=Decimal(100_000))
    await trader.hold("5")
    # Another user waits on both sides.
    theirs = await trader.stage.create(trader.stage.bob)
    await trader.hold("5", id=theirs)
    for waiting in (
        limit(Side.SELL, "1.3", "100.1"),
        limit(Side.SELL, "0.7", "100.15"),
        limit(quantity="1", price="99.9"),
    ):
        await trader.stage.trading.orders.place(trader.stage.bob, theirs, waiting, trader.stage.key)
    await trader.market.tick()
    await trader.market.match()
    preview = await trader.preview(new)
    assert preview.refusal is None
    before = (await trader.stage.cash(trader.id))[0]
    id = await trader.place(new)
    assert preview.reserved == (await trader.row(id))["reserved"]
    await trader.market.match()
    row = await trader.row(id)
    assert (preview.quantity, preview.quote_quantity, preview.fee, preview.average_price) == (
        row["filled_quantity"],
        row["filled_quote"],
        row["fees"],
        row["average_fill_price"],
    )
    assert preview.reason == row["reason"]
    assert preview.rests == (row["status"] in ("pending", "partial"))
    moved = (await trader.stage.cash(trader.id))[0] - before
    assert (preview.currency, preview.total) == (currency, abs(moved))
    await trader.market.check()


async def test_slippage_is_what_the_average_is_worse_than_the_house(trader: Trader) -> None:
    await trader.hold("50")
    small, large = await trader.preview(order(quantity="0.1")), await trader.preview(order(quantity="80"))
    sale = await trader.preview(order(Side.SELL, "40"))
    # The middle of the house's bids and asks.
    assert small.price == Decimal("100.004")
    assert small.slippage_fraction is not None
    assert small.average_price is not None
    exact = small.average_price / small.price - 1
    assert 0 <= exact - small.slippage_fraction < Decimal("0.00000001")
    assert large.slippage_fraction is not None
    assert large.slippage_fraction > small.slippage_fraction
    assert sale.slippage_fraction is not None
    assert sale.slippage_fraction > 0
    assert (await trader.preview(limit())).slippage_fraction is None


async def test_a_preview_writes_nothing(trader: Trader) -> None:
    before = await trader.traces()
    for new in CASES.values():
        await trader.preview(new)
    assert await trader.traces() == before


async def test_ones_own_order_on_the_other_side_ends_it(trader: Trader) -> None:
    await trader.hold("5")
    await trader.place(limit(Side.SELL, "1", "100.05"), await _second(trader))
    await trader.market.match()
    preview = await trader.preview(order())
    assert (preview.reason, preview.quantity) == (Reason.SELF_TRADE, Decimal(0))


async def _second(trader: Trader) -> Any:
    id = await trader.stage.create()
    await trader.hold("5", id=id)
    return id


async def test_what_is_no_order_has_no_preview(trader: Trader) -> None:
    with pytest.raises(InvalidInput):
        await trader.preview(order(quantity="0"))
    with pytest.raises(NotFound):
        await trader.preview(order(), await trader.stage.create(trader.stage.bob))


async def test_a_refusal_has_its_reason(trader: Trader) -> None:
    trader.stage.clock.advance(timedelta(seconds=61))
    preview: OrderPreview = await trader.preview(order())
    assert (preview.reason, preview.quantity) == (Reason.MARKET_CLOSED, Decimal(0))
