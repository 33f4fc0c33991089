"""Placing orders: what is stored and reserved, what is refused, and what happens at once."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from app.domains.market.tokens.model import TokenNotFound
from app.domains.trading.exchange.model import OrderType, Reason, TimeInForce
from app.domains.trading.journal.model import Currency
from app.domains.trading.orders.model import (
    DuplicateClientOrderId,
    InsufficientPosition,
    MarketClosed,
    NewOrder,
    OrderRefused,
    TooManyPositions,
    TradingHalted,
    order_stream,
)
from app.domains.trading.portfolios.model import (
    MAX_POSITIONS,
    InsufficientCash,
    LiveTradingUnavailable,
    PortfolioNotOpen,
)
from app.domains.trading.quantities.model import Side
from app.kit.errors import InvalidInput, NotFound, Problem
from app.kit.work import Work, working
from tests.domains.trading.orders.trader import Trader, limit, order


async def test_a_limit_buy_reserves_its_limit_and_the_fee(trader: Trader) -> None:
    id = await trader.place(limit(quantity="2", price="90", client_order_id="mine"))
    row = await trader.row(id)
    assert (row["status"], row["reserved"], row["priority"], row["client_order_id"]) == (
        "pending",
        Decimal("180.36"),
        None,
        "mine",
    )
    assert await trader.reserved() == Decimal("180.36")
    assert [(each["kind"], each["symbol"], each["order_id"]) for each in await trader.inbox()] == [("place", "BTC", id)]
    facts = await trader.stage.owner.fetch("SELECT stream, kind, payload::text FROM events")
    assert [(each["stream"], each["kind"]) for each in facts] == [(order_stream(trader.id), "order")]
    assert str(id) in facts[0]["payload"]


@pytest.mark.parametrize(
    ("terms", "protection", "reserved"),
    [
        ({}, "105", "105.21"),
        ({"type": OrderType.STOP, "stop_price": "120"}, "126", "126.252"),
        # On a tick, and no more than 5% above: 105.0105 is between two.
        ({"type": OrderType.STOP, "stop_price": "100.01"}, "105.01", "105.22002"),
        # From where it would trigger as it is placed.
        ({"type": OrderType.TRAILING_STOP, "trail_amount": "10"}, "115.5", "115.731"),
        ({"type": OrderType.TRAILING_STOP, "trail_fraction": "0.2"}, "126", "126.252"),
    ],
)
async def test_a_buy_without_a_limit_reserves_its_protection_price(
    trader: Trader, terms: dict[str, Any], protection: str, reserved: str
) -> None:
    row = await trader.row(await trader.place(order(**terms)))
    assert (row["protection_price"], row["reserved"]) == (Decimal(protection), Decimal(reserved))
    assert await trader.reserved() == Decimal(reserved)


async def test_a_buy_by_amount_reserves_the_amount_and_its_fee(trader: Trader) -> None:
    row = await trader.row(await trader.place(order(quantity=None, quote_amount="50")))
    assert (row["quantity"], row["quote_amount"], row["reserved"]) == (None, 50, Decimal("50.1"))


async def test_another_currency_reserves_with_a_buffer(trader: Trader) -> None:
    id = await trader.stage.create(currency=Currency.AUD)
    row = await trader.row(await trader.place(limit(price="100"), id))
    assert (row["reserve_rate"], row["reserved"]) == (Decimal("1.53"), Decimal("153.306"))
    assert await trader.reserved(id) == Decimal("153.306")


async def test_a_sale_reserves_its_coins(trader: Trader) -> None:
    await trader.hold("2")
    row = await trader.row(await trader.place(limit(Side.SELL, "0.5", "110")))
    assert (row["reserved"], row["sells_all"], row["protection_price"]) == (Decimal("0.5"), False, None)
    rest = await trader.row(await trader.place(order(Side.SELL, "1.5")))
    assert (rest["reserved"], rest["sells_all"]) == (Decimal("1.5"), True)
    assert await trader.coins() == 2
    assert await trader.reserved() == 0


async def test_a_sale_by_amount_reserves_all_that_is_available(trader: Trader) -> None:
    await trader.hold("2")
    row = await trader.row(await trader.place(order(Side.SELL, None, quote_amount="50")))
    assert (row["reserved"], row["bound"], row["sells_all"]) == (2, 2, False)


async def test_dust_is_sold_as_a_whole_only(trader: Trader) -> None:
    await trader.hold("0.005")
    problem = await trader.refused(order(Side.SELL, "0.004"))
    assert isinstance(problem, OrderRefused)
    assert problem.reason is Reason.TOO_SMALL
    assert (await trader.row(await trader.place(order(Side.SELL, "0.005"))))["sells_all"]


async def test_reduce_only_is_capped_to_what_is_there(trader: Trader) -> None:
    problem = await trader.refused(order(Side.SELL, "5", reduce_only=True))
    assert isinstance(problem, OrderRefused)
    assert problem.reason is Reason.REDUCE_ONLY
    await trader.hold("2")
    row = await trader.row(await trader.place(order(Side.SELL, "5", reduce_only=True)))
    assert (row["quantity"], row["sells_all"], row["reduce_only"]) == (2, True, True)


@pytest.mark.parametrize(
    ("new", "fields"),
    [
        (order(quantity="0"), ["quantity"]),
        (order(quantity="-1"), ["quantity"]),
        (order(quantity="1e30"), ["quantity"]),
        (order(quantity="0.000000001"), ["quantity"]),
        (order(quantity="NaN"), ["quantity"]),
        (order(quantity="sNaN"), ["quantity"]),
        (order(quantity="Infinity"), ["quantity"]),
        (order(quantity=None), ["quantity"]),
        (order(quote_amount="1"), ["quantity"]),
        (order(quantity=None, quote_amount="0.000000001"), ["quote_amount"]),
        (limit(price="0"), ["price"]),
        (limit(price="NaN"), ["price"]),
        (limit(price="1e30"), ["price"]),
        (limit(price="100.001"), ["price"]),
        (limit(price="0.0000000000001"), ["price"]),
        (order(price="90"), ["price"]),
        (order(type=OrderType.LIMIT), ["price"]),
        (order(type=OrderType.STOP, stop_price="100.001"), ["stop_price"]),
        (order(type=OrderType.STOP), ["stop_price"]),
        (order(type=OrderType.TRAILING_STOP), ["trail_amount"]),
        (order(type=OrderType.TRAILING_STOP, trail_amount="1", trail_fraction="0.1"), ["trail_amount"]),
        (order(type=OrderType.TRAILING_STOP, trail_fraction="1"), ["trail_fraction"]),
        (order(type=OrderType.TRAILING_STOP, trail_fraction="NaN"), ["trail_fraction"]),
        (order(post_only=True), ["post_only"]),
        (limit(post_only=True, time_in_force=TimeInForce.FILL_OR_KILL), ["post_only"]),
        (limit(time_in_force=TimeInForce.GOOD_TILL_DATE), ["expires_at"]),
        (order(reduce_only=True), ["reduce_only"]),
        (order(client_order_id=""), ["client_order_id"]),
        (order(client_order_id="a b"), ["client_order_id"]),
        (order(client_order_id="x" * 65), ["client_order_id"]),
        (order(client_order_id="\ud800"), ["client_order_id"]),
        (limit(quantity="0", price="-1", client_order_id=" "), ["quantity", "price", "client_order_id"]),
    ],
)
async def test_bad_input_names_every_field(trader: Trader, new: NewOrder, fields: list[str]) -> None:
    problem = await trader.refused(new)
    assert isinstance(problem, InvalidInput)
    assert [".".join(each.path) for each in problem.fields] == fields


async def test_a_date_in_the_past_is_refused(trader: Trader) -> None:
    now = trader.stage.clock.now()
    for expires_at, is_taken in ((now, False), (now + timedelta(seconds=1), True)):
        new = limit(time_in_force=TimeInForce.GOOD_TILL_DATE, expires_at=expires_at)
        if is_taken:
            assert (await trader.row(await trader.place(new)))["expires_at"] == expires_at
        else:
            assert (await trader.refused(new)).path == ("expires_at",)


async def test_a_malformed_key_is_named_with_all_else(trader: Trader) -> None:
    with pytest.raises(InvalidInput) as raised:
        await trader.place(order(quantity="0"), key="\n")
    assert [each.path for each in raised.value.fields] == [("quantity",), ("idempotency_key",)]


async def test_what_is_worth_too_little_or_too_much_is_refused(trader: Trader) -> None:
    for new, reason in (
        (limit(quantity="0.00999999", price="100"), Reason.TOO_SMALL),
        (order(quantity=None, quote_amount="0.99999999"), Reason.TOO_SMALL),
        (limit(quantity="100000000000", price="100"), Reason.TOO_LARGE),
    ):
        problem = await trader.refused(new)
        assert isinstance(problem, OrderRefused)
        assert problem.reason is reason
    await trader.place(limit(quantity="0.01", price="100"))
    await trader.place(order(quantity=None, quote_amount="1"))


async def test_what_cannot_be_paid_for_is_refused(trader: Trader) -> None:
    problem = await trader.refused(limit(quantity="100", price="100"))
    assert isinstance(problem, InsufficientCash)
    assert problem.available == 10_000
    await trader.place(limit(quantity="99", price="100"))
    problem = await trader.refused(limit(quantity="1", price="100"))
    assert isinstance(problem, InsufficientCash)
    assert problem.available == Decimal("80.2")


async def test_what_is_not_held_is_not_sold(trader: Trader) -> None:
    for new in (order(Side.SELL, "1"), order(Side.SELL, None, quote_amount="5")):
        problem = await trader.refused(new)
        assert isinstance(problem, InsufficientPosition)
        assert problem.available == 0
    await trader.hold("2")
    await trader.place(limit(Side.SELL, "1.5", "110"))
    problem = await trader.refused(order(Side.SELL, "1"))
    assert isinstance(problem, InsufficientPosition)
    assert problem.available == Decimal("0.5")


async def test_an_unknown_token_is_refused(trader: Trader) -> None:
    assert isinstance(await trader.refused(order(symbol="NOPE")), TokenNotFound)
    assert isinstance(await trader.refused(order(symbol="")), TokenNotFound)
    assert (await trader.row(await trader.place(order(symbol=" btc "))))["symbol"] == "BTC"


async def test_a_market_is_closed_without_a_fresh_price(trader: Trader) -> None:
    async def reason(new: NewOrder) -> Reason:
        problem = await trader.refused(new)
        assert isinstance(problem, MarketClosed)
        return problem.reason

    # ETH has no book yet.
    assert await reason(order(symbol="ETH")) is Reason.MARKET_CLOSED
    await trader.market.tick()
    await trader.market.match()
    trader.stage.clock.advance(timedelta(seconds=60))
    await trader.place(order())
    trader.stage.clock.advance(timedelta(milliseconds=1))
    assert await reason(order()) is Reason.MARKET_CLOSED
    await trader.market.tick()
    await trader.market.match()
    await trader.stage.owner.execute("UPDATE tokens SET is_active = false WHERE symbol = 'BTC'")
    assert await reason(order()) is Reason.DELISTED
    await trader.stage.owner.execute("UPDATE tokens SET is_active = true WHERE symbol = 'BTC'")
    await trader.stage.owner.execute("UPDATE exchange_books SET is_delisted = true")
    assert await reason(order()) is Reason.DELISTED
    await trader.stage.owner.execute("UPDATE exchange_books SET is_delisted = false, is_halted = true")
    assert await reason(order()) is Reason.HALTED


async def test_a_halted_user_places_nothing(trader: Trader) -> None:
    await trader.stage.trading.halts.halt_own(trader.stage.alice)
    assert isinstance(await trader.refused(order()), TradingHalted)
    await trader.stage.trading.halts.resume_own(trader.stage.alice)
    await trader.place(order())


async def test_a_portfolio_holds_so_many_tokens(trader: Trader) -> None:
    await trader.stage.owner.execute(
        "INSERT INTO positions (portfolio_id, symbol) SELECT $1, 'X' || n FROM generate_series(1, $2) n",
        trader.id,
        MAX_POSITIONS - 1,
    )
    await trader.stage.quote()
    await trader.market.tick("10", "ETH")
    await trader.market.match()
    await trader.place(limit(price="10"))
    problem = await trader.refused(order(symbol="ETH"))
    assert isinstance(problem, TooManyPositions)
    assert problem.limit == MAX_POSITIONS
    # More of what it will hold is no other token.
    await trader.place(limit(price="10"))
    await trader.stage.owner.execute("DELETE FROM positions WHERE portfolio_id = $1 AND symbol = 'X1'", trader.id)
    await trader.place(order(symbol="ETH"))


async def test_live_portfolios_have_no_venue(trader: Trader) -> None:
    await trader.stage.owner.execute("UPDATE portfolios SET mode = 'live', initial_balance = 0")
    assert isinstance(await trader.refused(order()), LiveTradingUnavailable)


@pytest.mark.parametrize("status", ["resetting", "deleting"])
async def test_a_portfolio_that_is_closed_takes_no_orders(trader: Trader, status: str) -> None:
    await trader.stage.owner.execute("UPDATE portfolios SET status = $1", status)
    assert isinstance(await trader.refused(order()), PortfolioNotOpen)


async def test_another_users_portfolio_is_not_found(trader: Trader) -> None:
    theirs = await trader.stage.create(trader.stage.bob)
    assert isinstance(await trader.refused(order(), theirs), NotFound)


async def test_a_client_order_id_is_one_orders(trader: Trader) -> None:
    first = await trader.place(limit(client_order_id="one"))
    problem = await trader.refused(limit(client_order_id="one"))
    assert isinstance(problem, DuplicateClientOrderId)
    assert problem.order_id == first
    # Another portfolio has its own.
    await trader.place(limit(client_order_id="one"), await trader.stage.create())


@pytest.mark.parametrize(("tier", "taker"), [("pro", "0.0016"), ("enterprise", "0.001")])
async def test_fees_are_those_of_the_plan(trader: Trader, tier: str, taker: str) -> None:
    await trader.stage.owner.execute("UPDATE profiles SET subscription_tier = $1", tier)
    assert (await trader.row(await trader.place(limit())))["taker_fee_fraction"] == Decimal(taker)
    await trader.stage.owner.execute("UPDATE profiles SET subscription_expires_at = $1", trader.stage.clock.now())
    assert (await trader.row(await trader.place(limit())))["taker_fee_fraction"] == Decimal("0.002")


async def test_an_order_takes_few_statements(trader: Trader) -> None:
    work = Work()
    with working(work):
        await trader.place(limit())
    # The key with the result, the lock, the terms, the order with what it reserves and its command, the fact.
    assert work.statements == 5


async def test_what_fails_at_the_end_leaves_nothing(trader: Trader, monkeypatch: pytest.MonkeyPatch) -> None:
    async def fail(*_: Any) -> None:
        raise Problem("no")

    monkeypatch.setattr(type(trader.stage.trading.orders.events), "append", fail)
    before = await trader.traces()
    with pytest.raises(Problem, match="no"):
        await trader.place(limit())
    assert await trader.traces() == before
