"""A replacement is one step, of what is left, or nothing."""

from typing import Any

import pytest

from app.domains.trading.exchange.model import Changes, Filled, Reason, Refused, Replaced, Rested, Traded
from app.domains.trading.exchange.rules.book import Book
from tests.domains.trading.exchange.stage import (
    ALICE,
    BOB,
    BUY,
    CAROL,
    GTD,
    SELL,
    Stage,
    at,
    coins,
    finals,
    only,
    price,
    reasons,
    trades,
)


def test_after_a_partial_fill_a_replacement_is_of_what_is_left() -> None:
    stage = Stage()
    order, _ = stage.limit(SELL, 10, "100.01", BOB)
    stage.market(BUY, 4)
    outcomes = stage.book.replace(order.id, Changes(price=price(101)), stage.now)
    assert only(outcomes, Replaced)[0].left == coins(6)
    outcomes = stage.book.replace(order.id, Changes(quantity=coins(7)), stage.now)
    assert only(outcomes, Replaced)[0].left == coins(3)
    refused = stage.book.replace(order.id, Changes(quantity=coins(4)), stage.now)
    assert refused == [Refused(order.id, Reason.ALREADY_FILLED)]
    assert [each.left for each in stage.book.open_orders()] == [coins(3)]


@pytest.mark.parametrize(
    ("changes", "keeps"),
    [
        (Changes(quantity=coins(1)), True),
        (Changes(quantity=coins(2)), True),
        (Changes(quantity=coins(3)), False),
        (Changes(price=price("99.98")), False),
        (Changes(quantity=coins(1), price=price("99.98")), False),
        (Changes(quantity=coins(1), price=price("99.99")), True),
    ],
)
def test_an_order_keeps_its_turn_only_if_it_shrinks_at_its_price(changes: Changes, keeps: bool) -> None:
    stage = Stage()
    first, _ = stage.limit(BUY, 2, "99.99", ALICE)
    second, _ = stage.limit(BUY, 2, "99.99", BOB)
    outcomes = stage.book.replace(first.id, changes, stage.now)
    assert only(outcomes, Replaced)[0].priority == (1 if keeps else 3)
    assert bool(only(outcomes, Rested)) is not keeps
    _, outcomes = stage.market(SELL, 1, CAROL)
    assert [each.maker_id for each in only(outcomes, Traded)] == [first.id if keeps else second.id]


def test_a_replacement_that_reaches_the_other_side_takes_there() -> None:
    stage = Stage()
    resting, _ = stage.limit(SELL, 1, "100.01", BOB)
    order, _ = stage.limit(BUY, 1, 90)
    outcomes = stage.book.replace(order.id, Changes(price=price("100.5")), stage.now)
    assert only(outcomes, Traded)[0].maker_id == resting.id
    assert trades(outcomes) == [(price("100.01"), coins(1))]
    assert finals(outcomes, order) == [Filled(order.id)]
    assert stage.book.open_orders() == []


@pytest.mark.parametrize(
    ("parts", "changes", "reason"),
    [
        ({}, Changes(price=price("90.0001")), Reason.TICK),
        ({}, Changes(quantity=0), Reason.INVALID),
        ({}, Changes(quantity=-1), Reason.INVALID),
        ({}, Changes(quantity=1), Reason.TOO_SMALL),
        ({}, Changes(quantity=10**21), Reason.TOO_LARGE),
        ({}, Changes(stop_price=price(80)), Reason.INVALID),
        ({}, Changes(trail_amount=price(1)), Reason.INVALID),
        ({"is_post_only": True}, Changes(price=price(101)), Reason.POST_ONLY),
    ],
)
def test_a_refused_replacement_leaves_the_order_as_it_is(parts: Any, changes: Changes, reason: Reason) -> None:
    stage = Stage()
    order, _ = stage.limit(BUY, 1, 90, **parts)
    before = stage.book.state
    assert stage.book.replace(order.id, changes, stage.now) == [Refused(order.id, reason)]
    (kept,) = stage.book.open_orders()
    assert (kept.order, kept.left, kept.priority) == (order, coins(1), 1)
    assert stage.book.state == before


def test_a_replacement_of_no_open_order_or_in_a_closed_market_is_refused() -> None:
    stage = Stage()
    order, _ = stage.limit(BUY, 1, 90, time_in_force=GTD, expires_at=90_000)
    stage.now = 70_000
    assert reasons(stage.book.replace(order.id, Changes(price=price(91)), stage.now)) == [Reason.MARKET_CLOSED]
    stage.move(100)
    stage.book.halt()
    assert reasons(stage.book.replace(order.id, Changes(price=price(91)), stage.now)) == [Reason.HALTED]
    stage.now = 90_000
    outcomes = stage.book.replace(order.id, Changes(price=price(91)), stage.now)
    assert finals(outcomes, order)
    assert reasons(outcomes) == [Reason.UNKNOWN]


def test_a_replaced_reduce_only_order_stays_within_its_bound() -> None:
    stage = Stage()
    order, _ = stage.limit(SELL, 10, 110, bound=coins(3))
    for to in (111, 112):
        outcomes = stage.book.replace(order.id, Changes(quantity=coins(8), price=price(to)), stage.now)
        assert [(each.quantity, each.left) for each in only(outcomes, Replaced)] == [(coins(3), coins(3))]
    outcomes = stage.book.replace(order.id, Changes(price=price(113)), stage.now)
    assert only(outcomes, Replaced)[0].left == coins(3)


def test_a_stop_is_replaced_without_being_triggered() -> None:
    stage = Stage()
    order, _ = stage.stop(SELL, 1, 90)
    outcomes = stage.book.replace(order.id, Changes(stop_price=price(110)), stage.now)
    assert [type(each) for each in outcomes] == [Replaced, Rested]
    assert finals(stage.move(105), order) == [Filled(order.id)]


def test_a_triggered_stop_limit_order_has_no_stop_to_replace() -> None:
    stage = Stage()
    order, _ = stage.stop(SELL, 1, 95, price=94)
    stage.move(80)
    assert reasons(stage.book.replace(order.id, Changes(stop_price=price(70)), stage.now)) == [Reason.INVALID]
    outcomes = stage.book.replace(order.id, Changes(price=price(79)), stage.now)
    assert finals(outcomes, order) == [Filled(order.id)]
    assert trades(outcomes)[0][0] > price(79)


@pytest.mark.parametrize(
    ("changes", "triggers_at"),
    [
        (Changes(quantity=coins(1)), 115),
        (Changes(quantity=coins(3)), 115),
        (Changes(trail_amount=price(4)), 116),
        (Changes(trail_amount=price(6)), 114),
    ],
)
def test_a_replaced_trailing_stop_keeps_the_best_price_that_it_saw(changes: Changes, triggers_at: int) -> None:
    stage = Stage()
    order, _ = stage.trail(SELL, 2, trail_amount=5)
    another, _ = stage.trail(SELL, 2, trail_amount=20)
    stage.move(120)
    stage.move(118)
    newer, _ = stage.trail(SELL, 2, trail_amount=price_of_change(changes))
    outcomes = stage.book.replace(order.id, changes, stage.now)
    assert [type(each) for each in outcomes] == [Replaced]
    # As a rebuilt book does.
    stage.book = Book(stage.book.state, stage.book.open_orders())
    assert finals(stage.move(f"{triggers_at}.01"), order) == []
    outcomes = stage.move(triggers_at)
    assert finals(outcomes, order) == [Filled(order.id)]
    assert sum(quantity for _, quantity in trades(outcomes)) == (changes.quantity or coins(2))
    assert finals(outcomes, newer) == finals(outcomes, another) == []


def price_of_change(changes: Changes) -> str:
    """The trail in dollars."""
    return at(changes.trail_amount or price(5))


def test_a_sale_of_all_is_of_a_part_once_its_quantity_is_changed() -> None:
    """And a part is worth the minimum, whatever is changed then."""
    stage = Stage()
    order, _ = stage.limit(SELL, "0.009", 110, sells_all=True)
    assert reasons(stage.book.replace(order.id, Changes(quantity=coins("0.008")), stage.now)) == [Reason.TOO_SMALL]
    assert only(stage.book.replace(order.id, Changes(price=price(105)), stage.now), Replaced)
    whole, _ = stage.limit(SELL, "0.02", 110, sells_all=True)
    assert only(stage.book.replace(whole.id, Changes(quantity=coins("0.01")), stage.now), Replaced)
    refused = stage.book.replace(whole.id, Changes(quantity=coins("0.01"), price=price(99)), stage.now)
    assert reasons(refused) == [Reason.TOO_SMALL]
    assert reasons(stage.book.replace(whole.id, Changes(price=price(99)), stage.now)) == [Reason.TOO_SMALL]
