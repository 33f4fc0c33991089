"""Changing open orders: what is asked, what is reserved until it is decided, and what is refused."""

import json
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from msgspec.structs import replace

from app.domains.trading.exchange.model import OrderType, Reason
from app.domains.trading.orders.model import (
    InsufficientPosition,
    NewBracket,
    OrderChanges,
    OrderNotOpen,
    OrderRefused,
    TradingHalted,
)
from app.domains.trading.orders.rules.changing import changed
from app.domains.trading.orders.rules.reservation import need
from app.domains.trading.orders.rules.terms import OrderToChange
from app.domains.trading.portfolios.model import InsufficientCash
from app.domains.trading.quantities.model import Side
from app.domains.trading.quantities.rules import COIN, PRICE_SCALE, decimal_of
from app.kit.errors import IdempotencyKeyReused, InvalidInput, NotFound, Problem
from tests.domains.trading.orders.trader import Trader, limit, order


def to(**changes: str) -> OrderChanges:
    given: dict[str, Any] = {name: Decimal(value) for name, value in changes.items()}
    return OrderChanges(**given)


async def change(trader: Trader, id: UUID, changes: OrderChanges, key: str | None = None) -> UUID:
    return await trader.stage.trading.orders.replace(trader.stage.alice, id, changes, key or trader.stage.key)


async def refused(trader: Trader, id: UUID, changes: OrderChanges) -> Problem:
    before = await trader.traces()
    try:
        await change(trader, id, changes)
    except Problem as problem:
        assert await trader.traces() == before
        return problem
    raise AssertionError("it was asked for")


async def test_more_is_reserved_until_the_exchange_has_decided(trader: Trader) -> None:
    id = await trader.place(limit(quantity="1", price="80"))
    await trader.market.match()
    assert await change(trader, id, to(quantity="2", price="90")) == id
    [asked] = await trader.inbox()
    payload = json.loads(asked["payload"])
    assert payload["changes"] == {"quantity": "2", "price": "90"}
    row = await trader.row(id)
    assert row["reserved_for_changes"] == Decimal(payload["extra"])
    assert (row["quantity"], row["price"], row["reserved"]) == (1, 80, Decimal("80.16"))
    assert await trader.reserved() == row["reserved"] + row["reserved_for_changes"] >= Decimal("180.36")
    await trader.market.match()
    row = await trader.row(id)
    assert (row["quantity"], row["price"], row["reserved"], row["reserved_for_changes"]) == (
        2,
        90,
        Decimal("180.36"),
        0,
    )
    assert await trader.reserved() == Decimal("180.36")
    await trader.market.check()


async def test_less_needs_nothing(trader: Trader) -> None:
    id = await trader.place(limit(quantity="2", price="90"))
    await trader.market.match()
    await change(trader, id, to(quantity="1", price="85"))
    assert (await trader.row(id))["reserved_for_changes"] == 0
    await trader.market.match()
    assert await trader.reserved() == Decimal("85.17")


async def test_a_sale_reserves_more_coins(trader: Trader) -> None:
    await trader.hold("2")
    id = await trader.place(limit(Side.SELL, "1", "110"))
    await trader.market.match()
    await change(trader, id, to(quantity="2"))
    assert await trader.coins() == 2
    await trader.market.match()
    assert await trader.coins() == 2
    assert (await trader.row(id))["reserved"] == 2
    await change(trader, id, to(quantity="1"))
    await trader.market.match()
    assert await trader.coins() == 1


async def test_a_sale_that_was_filled_in_part_reserves_all_that_is_added(trader: Trader) -> None:
    await trader.hold("3")
    id = await trader.place(limit(Side.SELL, "2", "100.1"))
    theirs = await trader.stage.create(trader.stage.bob)
    await trader.stage.trading.orders.place(trader.stage.bob, theirs, order(quantity="1"), trader.stage.key)
    await trader.market.match()
    assert (await trader.row(id))["filled_quantity"] == await trader.coins() == 1
    problem = await refused(trader, id, to(quantity="4"))
    assert isinstance(problem, InsufficientPosition)
    assert problem.available == 1
    await change(trader, id, to(quantity="3"))
    assert await trader.coins() == 2
    await trader.market.match()
    assert (await trader.row(id))["reserved"] == await trader.coins() == 2
    await trader.market.check()


async def test_a_protection_price_follows_its_stop(trader: Trader) -> None:
    id = await trader.place(order(type=OrderType.STOP, stop_price="120"))
    await trader.market.match()
    await change(trader, id, to(stop_price="140"))
    assert json.loads((await trader.inbox())[0]["payload"])["changes"] == {
        "stop_price": "140",
        "protection_price": "147.000000000000",
    }
    await trader.market.match()
    row = await trader.row(id)
    assert (row["stop_price"], row["protection_price"], row["reserved"]) == (140, 147, Decimal("147.294"))


async def test_nothing_to_change_asks_for_nothing(trader: Trader) -> None:
    id = await trader.place(limit())
    await trader.market.match()
    assert await change(trader, id, OrderChanges()) == id
    assert await trader.inbox() == []


async def test_one_key_is_one_change(trader: Trader) -> None:
    id = await trader.place(limit())
    await trader.market.match()
    for _ in range(2):
        await change(trader, id, to(price="91"), key="same")
    assert len(await trader.inbox()) == 1
    with pytest.raises(IdempotencyKeyReused):
        await change(trader, id, to(price="92"), key="same")


async def test_a_second_change_waits_for_the_first(trader: Trader) -> None:
    id = await trader.place(limit())
    await trader.market.match()
    await change(trader, id, to(price="80"))
    assert isinstance(await refused(trader, id, to(price="90")), OrderRefused)
    await trader.market.match()
    await change(trader, id, to(price="90"))


@pytest.mark.parametrize(
    ("changes", "fields"),
    [
        (to(quantity="0", price="NaN"), ["quantity", "price"]),
        (to(price="100.001"), ["price"]),
        (to(quantity="1e30"), ["quantity"]),
        (to(stop_price="80", trail_amount="1", trail_fraction="0.1"), ["stop_price", "trail_amount", "trail_fraction"]),
        (OrderChanges(nulls=("price",)), ["price"]),
    ],
)
async def test_bad_input_names_every_field(trader: Trader, changes: OrderChanges, fields: list[str]) -> None:
    problem = await refused(trader, await trader.place(limit()), changes)
    assert isinstance(problem, InvalidInput)
    assert [".".join(each.path) for each in problem.fields] == fields


@pytest.mark.parametrize(
    ("trail", "other", "before", "after"),
    [("trail_amount", "trail_fraction", "10", "20"), ("trail_fraction", "trail_amount", "0.1", "0.2")],
)
async def test_a_trailing_stop_keeps_its_kind_of_trail(
    trader: Trader, trail: str, other: str, before: str, after: str
) -> None:
    terms: dict[str, Any] = {"type": OrderType.TRAILING_STOP, trail: before}
    id = await trader.place(order(**terms))
    assert (await refused(trader, id, to(**{other: "0.1"}))).path == (other,)
    await change(trader, id, to(**{trail: after}))
    await trader.market.match()
    row = await trader.row(id)
    assert (row[trail], row[other], row["protection_price"]) == (Decimal(after), None, 126)


async def test_what_cannot_be_changed_is_refused(trader: Trader) -> None:
    id = await trader.place(limit(quantity="1", price="90"))
    assert isinstance(await refused(trader, id, to(quantity="200")), InsufficientCash)
    problem = await refused(trader, id, to(quantity="0.01"))
    assert isinstance(problem, OrderRefused)
    assert problem.reason is Reason.TOO_SMALL
    by_amount = await trader.place(order(quantity=None, quote_amount="10"))
    problem = await refused(trader, by_amount, to(quantity="1"))
    assert isinstance(problem, OrderRefused)
    assert problem.reason is Reason.INVALID
    await trader.stage.trading.orders.cancel(trader.stage.alice, id)
    await trader.market.match()
    assert isinstance(await refused(trader, id, to(quantity="2")), OrderNotOpen)
    assert isinstance(await refused(trader, uuid4(), to(quantity="2")), NotFound)
    with pytest.raises(NotFound):
        await trader.stage.trading.orders.replace(trader.stage.bob, id, to(quantity="2"), trader.stage.key)


async def test_what_was_filled_is_not_changed(trader: Trader) -> None:
    id = await trader.place(limit(quantity="2", price="90"))
    await trader.market.match()
    await trader.stage.owner.execute(
        "UPDATE orders SET filled_quantity = 1, filled_quote = 90, status = 'partial' WHERE id = $1", id
    )
    problem = await refused(trader, id, to(quantity="1"))
    assert isinstance(problem, OrderRefused)
    assert problem.reason is Reason.ALREADY_FILLED


async def test_a_halted_user_changes_nothing(trader: Trader) -> None:
    id = await trader.place(limit())
    await trader.stage.trading.halts.halt_own(trader.stage.alice)
    assert isinstance(await refused(trader, id, to(price="91")), TradingHalted)


async def test_exits_have_the_quantity_of_their_entry(trader: Trader) -> None:
    new = NewBracket(
        entry=limit(price="90"),
        take_profit_price=Decimal(120),
        stop_loss_stop_price=Decimal(80),
    )
    placed = await trader.stage.trading.orders.place_bracket(trader.stage.alice, trader.id, new, trader.stage.key)
    await trader.market.match()
    for changes in (to(quantity="2"), to(price="130")):
        problem = await refused(trader, placed.take_profit_id, changes)
        assert isinstance(problem, OrderRefused)
        assert problem.reason is Reason.LINKED


QUANTITIES = st.integers(1, 10**12)
PRICES = st.integers(1, 10**16)


@example(COIN, 2 * COIN, 100 * PRICE_SCALE, 80 * PRICE_SCALE, 999_999, None)
@example(17, 17, 1_598_236_601_369, 1_609_848_049_640, 705_883, 2_749_232_697_524)
@given(
    QUANTITIES,
    QUANTITIES,
    PRICES,
    PRICES,
    st.integers(0, 10**6),
    st.none() | st.integers(PRICE_SCALE // 2, 3 * PRICE_SCALE),
)
def test_what_is_filled_meanwhile_never_makes_a_change_need_more_than_there_is(  # noqa: PLR0917  # a case
    before: int, after: int, old: int, new: int, part: int, rate: int | None
) -> None:
    filled = min(before - 1, before * part // 10**6)
    terms: dict[str, Any] = {"amount": None, "taker_fee": 200_000, "reserve_rate": rate}
    found = replace(
        FOUND,
        quantity=decimal_of(before),
        price=decimal_of(old, PRICE_SCALE),
        reserve_rate=None if rate is None else decimal_of(rate, PRICE_SCALE),
    )
    changes = OrderChanges(quantity=decimal_of(after), price=decimal_of(new, PRICE_SCALE))
    extra = changed(found, changes, old).extra
    if after > filled:
        has = need(Side.BUY, before - filled, worst_price=old, **terms)
        assert need(Side.BUY, after - filled, worst_price=new, **terms) <= has + extra


FOUND = OrderToChange(
    id=uuid4(),
    symbol="BTC",
    side="buy",
    type="limit",
    time_in_force="gtc",
    expires_at=None,
    post_only=False,
    sells_all=False,
    quantity=decimal_of(COIN),
    quote_amount=None,
    price=Decimal(100),
    stop_price=None,
    trail_amount=None,
    trail_fraction=None,
    protection_price=None,
    taker_fee_fraction=Decimal("0.002"),
    reserve_rate=None,
    filled_quantity=Decimal(0),
    status="pending",
    bracket_role=None,
    bot_id=None,
    is_placed=True,
    is_triggered=False,
    is_changing=False,
)
