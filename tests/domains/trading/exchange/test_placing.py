"""Which orders are taken on, and what becomes of them at once."""

from typing import Any

import pytest

from app.domains.trading.exchange.model import (
    Accepted,
    Cancelled,
    Expired,
    Filled,
    OrderType,
    Reason,
    Refused,
    Rejected,
    Rested,
)
from app.domains.trading.exchange.rules.rounding import paid, received
from app.domains.trading.quantities.model import Side
from app.domains.trading.quantities.rules import COIN, PRICE_SCALE
from tests.domains.trading.exchange.stage import (
    ALICE,
    BOB,
    BUY,
    CAROL,
    FOK,
    GTD,
    IOC,
    SELL,
    Stage,
    at,
    coins,
    dollars,
    finals,
    only,
    price,
    reasons,
    trades,
)


def test_what_is_left_of_an_immediate_order_is_cancelled() -> None:
    stage = Stage()
    order, outcomes = stage.limit(BUY, "99999", "100.1", time_in_force=IOC)
    assert trades(outcomes)
    assert finals(outcomes, order) == [Cancelled(order.id, Reason.NOT_FILLED_AT_ONCE)]
    assert stage.book.open_orders() == []


@pytest.mark.parametrize("kind", [OrderType.LIMIT, OrderType.MARKET])
def test_fill_or_kill_is_all_or_nothing(kind: OrderType) -> None:
    stage = Stage()
    resting, _ = stage.limit(SELL, 1, "100.01", BOB)
    before = stage.book.state, stage.book.snapshot(100)
    bound: dict[str, Any] = {"price": "100.1"} if kind is OrderType.LIMIT else {"protection_price": "100.1"}
    order, outcomes = stage.place(stage.order(BUY, kind, "99999", time_in_force=FOK, **bound))
    assert outcomes == [Accepted(order.id, order.quantity), Cancelled(order.id, Reason.NOT_FILLED_AT_ONCE)]
    assert stage.book.snapshot(100) == before[1]
    assert stage.book.state.asks == before[0].asks
    order, outcomes = stage.place(stage.order(BUY, kind, "2", time_in_force=FOK, **bound))
    assert sum(quantity for _, quantity in trades(outcomes)) == coins(2)
    assert finals(outcomes, order) == [Filled(order.id)]
    assert finals(outcomes, resting) == [Filled(resting.id)]


def test_fill_or_kill_is_killed_before_an_own_order() -> None:
    stage = Stage()
    stage.limit(SELL, 1, "100.01", ALICE)
    order, outcomes = stage.limit(BUY, 1, "100.5", time_in_force=FOK)
    assert finals(outcomes, order) == [Cancelled(order.id, Reason.NOT_FILLED_AT_ONCE)]
    assert trades(outcomes) == []


def test_post_only_is_rejected_when_it_would_take() -> None:
    stage = Stage()
    ask = at(stage.best(SELL))
    order, outcomes = stage.limit(BUY, 1, ask, is_post_only=True)
    assert outcomes == [Rejected(order.id, Reason.POST_ONLY)]
    own, _ = stage.limit(SELL, 1, "100.01", ALICE)
    assert reasons(stage.limit(BUY, 1, "100.01", is_post_only=True)[1]) == [Reason.POST_ONLY]
    order, outcomes = stage.limit(BUY, 1, 100, BOB, is_post_only=True)
    assert only(outcomes, Rested)[0].order_id == order.id
    assert {each.order.id for each in stage.book.open_orders()} == {own.id, order.id}


def test_an_order_until_a_date_expires_before_a_later_price_or_order_meets_it() -> None:
    stage = Stage()
    meets_price, _ = stage.limit(BUY, 1, 95, time_in_force=GTD, expires_at=5_000)
    meets_order, _ = stage.limit(SELL, 1, "100.01", BOB, time_in_force=GTD, expires_at=2_000)
    stop, _ = stage.stop(SELL, 1, 90, time_in_force=GTD, expires_at=5_000)
    assert stage.book.expire(1_999) == []
    stage.now = 2_000
    taker, outcomes = stage.market(BUY, 1)
    assert outcomes[:2] == [Expired(meets_order.id), Accepted(taker.id, coins(1))]
    assert stage.move(90, after_ms=3_000) == [Expired(meets_price.id), Expired(stop.id)]
    assert stage.book.open_orders() == []
    assert reasons(stage.limit(BUY, 1, 80, time_in_force=GTD, expires_at=5_000)[1]) == [Reason.EXPIRED]


def test_a_reduce_only_order_is_bounded_by_what_there_is() -> None:
    stage = Stage()
    order, outcomes = stage.limit(SELL, 10, 110, bound=coins(3))
    assert outcomes == [Accepted(order.id, coins(3)), Rested(order.id, coins(3), 1)]
    assert reasons(stage.limit(SELL, 10, 110, bound=0)[1]) == [Reason.REDUCE_ONLY]
    order, outcomes = stage.market(SELL, 10, bound=coins(2))
    assert sum(quantity for _, quantity in trades(outcomes)) == coins(2)
    assert finals(outcomes, order) == [Filled(order.id)]


def test_an_order_is_worth_a_dollar_at_least() -> None:
    stage = Stage()
    assert reasons(stage.limit(BUY, "0.01", 100)[1]) == []
    assert reasons(stage.limit(BUY, "0.00999999", 100)[1]) == [Reason.TOO_SMALL]
    assert reasons(stage.market(BUY, "0.00999999")[1]) == [Reason.TOO_SMALL]
    assert reasons(stage.stop(SELL, "0.01", 99)[1]) == [Reason.TOO_SMALL]
    assert reasons(stage.market(BUY, None, amount=dollars("0.99999999"))[1]) == [Reason.TOO_SMALL]


def test_selling_everything_leaves_no_dust() -> None:
    stage = Stage()
    assert reasons(stage.market(SELL, "0.00000001")[1]) == [Reason.TOO_SMALL]
    order, outcomes = stage.market(SELL, "0.00000001", sells_all=True)
    assert finals(outcomes, order) == [Filled(order.id)]
    assert reasons(stage.limit(BUY, "0.00000001", 100, sells_all=True)[1]) == [Reason.INVALID]


@pytest.mark.parametrize("side", list(Side))
def test_an_order_by_amount_stays_within_it_and_uses_it_up(side: Side) -> None:
    stage = Stage()
    stage.limit(SELL if side is BUY else BUY, "0.3", "100.01" if side is BUY else "99.99", BOB)
    order, outcomes = stage.market(side, None, amount=dollars("1234.56789012"))
    assert outcomes[0] == Accepted(order.id, None)
    cost = paid if side is BUY else received
    spent = sum(cost(quantity, each) for each, quantity in trades(outcomes))
    assert len(trades(outcomes)) > 1
    worst = trades(outcomes)[-1][0]
    assert spent <= dollars("1234.56789012") < spent + paid(1, worst) + 2 * len(trades(outcomes))
    assert finals(outcomes, order) == [Filled(order.id)]


def test_a_sale_by_amount_sells_no_more_than_there_is() -> None:
    stage = Stage()
    order, outcomes = stage.market(SELL, None, amount=dollars(1000), bound=coins(2))
    assert sum(quantity for _, quantity in trades(outcomes)) == coins(2)
    assert finals(outcomes, order) == [Filled(order.id)]


def test_an_amount_that_buys_no_unit_is_not_filled() -> None:
    stage = Stage("200000000000")
    order, outcomes = stage.market(BUY, None, amount=dollars(1), protection_price="300000000000")
    assert finals(outcomes, order) == [Cancelled(order.id, Reason.TOO_SMALL)]
    assert trades(outcomes) == []


@pytest.mark.parametrize(
    ("kind", "quantity", "parts", "reason"),
    [
        (OrderType.LIMIT, 0, {"price": 100}, Reason.INVALID),
        (OrderType.LIMIT, -1, {"price": 100}, Reason.INVALID),
        (OrderType.LIMIT, 1, {"price": 0}, Reason.INVALID),
        (OrderType.LIMIT, 1, {"price": -5}, Reason.INVALID),
        (OrderType.LIMIT, 1, {"price": "100.001"}, Reason.TICK),
        (OrderType.LIMIT, "1000000000000", {"price": 100}, Reason.TOO_LARGE),
        (OrderType.LIMIT, 1, {"price": "1000000000000"}, Reason.TOO_LARGE),
        (OrderType.LIMIT, "10000000000", {"price": 100}, Reason.TOO_LARGE),
        (OrderType.LIMIT, 1, {}, Reason.INVALID),
        (OrderType.LIMIT, 1, {"price": 100, "stop_price": 90}, Reason.INVALID),
        (OrderType.LIMIT, None, {"price": 100, "amount": 100 * COIN}, Reason.INVALID),
        (OrderType.LIMIT, 1, {"price": 100, "is_post_only": True, "time_in_force": IOC}, Reason.INVALID),
        (OrderType.LIMIT, 1, {"price": 100, "time_in_force": GTD}, Reason.INVALID),
        (OrderType.LIMIT, 1, {"price": 100, "expires_at": 9}, Reason.INVALID),
        (OrderType.MARKET, None, {}, Reason.INVALID),
        (OrderType.MARKET, 1, {"amount": COIN}, Reason.INVALID),
        (OrderType.MARKET, None, {"amount": 0}, Reason.INVALID),
        (OrderType.MARKET, None, {"amount": 10**20}, Reason.TOO_LARGE),
        (OrderType.MARKET, 1, {"price": 100}, Reason.INVALID),
        (OrderType.MARKET, 1, {"is_post_only": True}, Reason.INVALID),
        (OrderType.STOP, 1, {}, Reason.INVALID),
        (OrderType.STOP, 1, {"stop_price": "90.0001"}, Reason.TICK),
        (OrderType.STOP_LIMIT, 1, {"stop_price": 90}, Reason.INVALID),
        (OrderType.STOP_LIMIT, 1, {"stop_price": 90, "price": "90.0001"}, Reason.TICK),
        (OrderType.TRAILING_STOP, 1, {}, Reason.INVALID),
        (OrderType.TRAILING_STOP, 1, {"trail_amount": 1, "trail_fraction": 1}, Reason.INVALID),
        (OrderType.TRAILING_STOP, 1, {"trail_amount": 0}, Reason.INVALID),
        (OrderType.TRAILING_STOP, 1, {"trail_fraction": 0}, Reason.INVALID),
        (OrderType.TRAILING_STOP, 1, {"trail_fraction": COIN}, Reason.INVALID),
    ],
)
def test_bad_orders_are_rejected_and_nothing_moves(
    kind: OrderType, quantity: Any, parts: dict[str, Any], reason: Reason
) -> None:
    stage = Stage()
    before = stage.book.state
    order, outcomes = stage.place(stage.order(SELL, kind, quantity, **parts))
    assert outcomes == [Rejected(order.id, reason)]
    assert stage.book.state == before
    assert stage.book.open_orders() == []


@pytest.mark.parametrize("kind", [OrderType.MARKET, OrderType.STOP, OrderType.TRAILING_STOP])
def test_a_buy_without_a_limit_needs_a_protection_price(kind: OrderType) -> None:
    stage = Stage()
    parts: dict[str, Any] = {OrderType.STOP: {"stop_price": 110}, OrderType.TRAILING_STOP: {"trail_amount": 1}}.get(
        kind, {}
    )
    order = stage.order(BUY, kind, 1, **parts, protection_price="110")
    assert reasons(stage.book.place(order, 0)) == []
    bare = type(order)(**{name: getattr(order, name) for name in order.__struct_fields__} | {"protection_price": None})
    stage.book.cancel(order.id)
    assert stage.book.place(bare, 0) == [Rejected(order.id, Reason.INVALID)]


def test_what_is_reserved_at_the_protection_price_has_to_fit() -> None:
    stage = Stage()
    assert reasons(stage.market(BUY, "1000000000", protection_price=1000)[1]) == [Reason.TOO_LARGE]
    assert reasons(stage.market(BUY, "1000000000", protection_price="999.99")[1]) == [Reason.NO_DEPTH]


def test_an_id_that_is_open_is_refused() -> None:
    stage = Stage()
    order, _ = stage.limit(BUY, 1, 90)
    assert stage.book.place(order, 0) == [Refused(order.id, Reason.DUPLICATE)]
    assert len(stage.book.open_orders()) == 1
    assert stage.book.cancel(order.id) == [Cancelled(order.id, Reason.REQUESTED)]
    assert stage.book.cancel(order.id) == [Refused(order.id, Reason.UNKNOWN)]


def test_a_cancellation_names_its_reason() -> None:
    stage = Stage()
    order, _ = stage.limit(BUY, 1, 90)
    assert stage.book.cancel(order.id, Reason.PORTFOLIO_CLOSED) == [Cancelled(order.id, Reason.PORTFOLIO_CLOSED)]


def test_a_snapshot_adds_up_users_and_the_house() -> None:
    stage = Stage()
    fresh = stage.book.snapshot(30)
    house = fresh.asks[0]
    stage.limit(SELL, 1, at(house.price), BOB)
    stage.limit(SELL, 2, at(house.price), CAROL)
    stage.limit(SELL, 4, "100.01", CAROL)
    snapshot = stage.book.snapshot(2)
    assert [(each.price, each.quantity) for each in snapshot.asks] == [
        (price("100.01"), coins(4)),
        (house.price, house.quantity + coins(3)),
    ]
    assert snapshot.bids == fresh.bids[:2]
    assert stage.book.snapshot(0).asks == []
    stage.limit(BUY, 1, 1, BOB)
    assert stage.book.snapshot(100).bids[-1].price == PRICE_SCALE
