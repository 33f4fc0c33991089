"""Stops, trailing stops, and the exits of a bracket."""

from copy import deepcopy
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domains.trading.exchange.model import Cancelled, Changes, Filled, Reason, Refused, Replaced, Traded, Triggered
from app.domains.trading.exchange.rules.book import Book
from app.domains.trading.quantities.model import Side
from app.domains.trading.quantities.rules import COIN
from tests.domains.trading.exchange.stage import (
    ALICE,
    BOB,
    BUY,
    CAROL,
    FOK,
    GTD,
    SELL,
    Stage,
    coins,
    finals,
    only,
    price,
    quote,
    reasons,
    trades,
)

LINK = UUID(int=77)


def triggered(outcomes: list[object]) -> list[UUID]:
    return [each.order_id for each in outcomes if isinstance(each, Triggered)]


def test_stops_trigger_as_the_price_passes_them_and_by_time_at_one_price() -> None:
    stage = Stage()
    last, first, second, untouched = (stage.stop(SELL, 1, stop)[0] for stop in (90, 95, 95, 89))
    assert triggered([*stage.move(90)]) == [first.id, second.id, last.id]
    assert [each.order.id for each in stage.book.open_orders()] == [untouched.id]
    above = [stage.stop(BUY, 1, stop)[0].id for stop in (100, 95, 101)]
    assert triggered([*stage.move(100)]) == [above[1], above[0]]


def test_a_stop_triggers_at_its_price_exactly() -> None:
    stage = Stage()
    order, _ = stage.stop(SELL, 1, 95)
    assert triggered([*stage.move("95.001")]) == []
    assert triggered([*stage.move(95)]) == [order.id]


def test_orders_that_wait_meet_a_price_before_the_stops_that_it_triggers() -> None:
    stage = Stage()
    stop, _ = stage.stop(SELL, 500, 95, ALICE)
    bid, _ = stage.limit(BUY, 1, 95, BOB)
    outcomes = stage.move(90)
    assert only(outcomes, Traded)[0] == Traded(None, bid.id, Side.SELL, price(95), coins(1))
    assert finals(outcomes, bid) == [Filled(bid.id)]
    assert finals(outcomes, stop) == [Filled(stop.id)]


def test_a_triggered_stop_meets_users_orders_first_at_their_prices() -> None:
    stage = Stage()
    stop, _ = stage.stop(SELL, 2, 95, ALICE)
    bid, _ = stage.limit(BUY, 1, 90, BOB)
    outcomes = stage.move(90)
    steps = only(outcomes, Traded)
    assert [(each.taker_id, each.maker_id) for each in steps] == [(stop.id, bid.id), (stop.id, None)]
    assert steps[0].price == price(90) > steps[1].price


def test_a_triggered_stop_limit_waits_behind_orders_that_were_there() -> None:
    stage = Stage()
    stop, _ = stage.stop(SELL, 1, 95, ALICE, price=94)
    stage.move("95.5")
    there, _ = stage.limit(SELL, 1, 98, CAROL)
    stage.book.replace(there.id, Changes(price=price("95.8")), stage.now)
    stage.book.replace(stop.id, Changes(price=price("95.8")), stage.now)
    stage.move(90)
    assert [each.order.id for each in stage.book.open_orders()] == [there.id, stop.id]
    outcomes = stage.move(97)
    assert [each.maker_id for each in only(outcomes, Traded)] == [there.id, stop.id]


def test_a_trailing_stop_follows_the_best_price_since_it_was_placed() -> None:
    stage = Stage()
    stage.move(150)
    stage.move(100)
    order, _ = stage.trail(SELL, 1, trail_amount=10)
    for to in (108, 104, 112, 103):
        assert stage.move(to) == []
    outcomes = stage.move(102)
    assert triggered([*outcomes]) == [order.id]
    assert finals(outcomes, order) == [Filled(order.id)]


def test_a_trailing_stop_that_buys_follows_downward() -> None:
    stage = Stage()
    order, _ = stage.trail(BUY, 1, trail_fraction=COIN // 10)
    assert stage.move(80) == []
    assert stage.move("87.99") == []
    outcomes = stage.move(88)
    assert triggered([*outcomes]) == [order.id]
    assert price(88) < trades(outcomes)[0][0] < price(89)


def test_a_trailing_stop_does_not_follow_prices_of_a_halt() -> None:
    stage = Stage()
    order, _ = stage.trail(SELL, 1, trail_amount=10)
    stage.book.halt()
    stage.move(200)
    stage.book.resume()
    assert stage.move(100) == []
    assert triggered([*stage.move(90)]) == [order.id]


def test_trailing_stops_that_began_at_different_prices_follow_one_best_price() -> None:
    stage = Stage()
    placed = []
    for to in (98, 96, 94):
        placed.append(stage.trail(SELL, 1, trail_amount=10)[0].id)
        placed.append(stage.trail(SELL, 1, trail_fraction=COIN // 8)[0].id)
        stage.move(to)
    assert [each.price for each in stage.book.state.highs] == [price(100), price(98), price(96)]
    again = Book(stage.book.state, deepcopy(stage.book.open_orders()))
    assert again.state == stage.book.state
    # The oldest has seen 100, and 90 is as far below as its trail.
    assert triggered([*again.requote(quote(90, stage.now), stage.now)]) == [placed[0]]
    stage.move(120)
    assert [each.price for each in stage.book.state.highs] == [price(120)]
    stage.move(117)
    newest, _ = stage.trail(SELL, 1, trail_amount=6)
    stage.book.cancel(placed[2])
    del placed[2]
    assert triggered([*stage.move("111.01")]) == []
    assert triggered([*stage.move(111)]) == [newest.id]
    assert {*triggered([*stage.move(110)])} == {placed[0], placed[3]}
    assert {*triggered([*stage.move(105)])} == {placed[1], placed[2], placed[4]}
    assert stage.book.state.highs == ()


def test_of_the_stops_that_a_price_triggers_fixed_ones_are_first_and_then_the_oldest_trail() -> None:
    """And of trailing stops that have seen the same the one with the shortest trail."""
    stage = Stage()
    long, short = (stage.trail(SELL, 1, trail_amount=trail)[0].id for trail in (9, 8))
    stage.move(98)
    newer, _ = stage.trail(SELL, 1, trail_amount=5)
    fixed, _ = stage.stop(SELL, 1, 85)
    assert triggered([*stage.move(80)]) == [fixed.id, short, long, newer.id]


TRAILS = st.tuples(st.sampled_from(Side), st.booleans(), st.integers(1, 8))
STEPS = st.lists(st.integers(95, 105) | TRAILS | TRAILS | st.floats(0, 0.99), min_size=12, max_size=60)


@given(STEPS)
def test_trailing_stops_trigger_as_if_each_were_followed_alone(
    steps: list[int | tuple[Side, bool, int] | float],
) -> None:
    stage, followed = Stage(), dict[UUID, tuple[int, int, bool, int]]()
    now = price(100)
    for step in steps:
        if isinstance(step, float):
            if followed:
                gone = list(followed)[int(step * len(followed))]
                del followed[gone]
                stage.book.cancel(gone)
        elif isinstance(step, tuple):
            side, by_amount, trail = step
            parts: dict[str, Any] = {"trail_amount": trail} if by_amount else {"trail_fraction": trail * COIN // 100}
            order, _ = stage.trail(side, 1, **parts)
            followed[order.id] = (1 if side is SELL else -1, now, by_amount, trail)
        else:
            now = price(step)
            expected = set()
            for id, (sign, best, by_amount, trail) in list(followed.items()):
                best = sign * max(sign * best, sign * now)  # noqa: PLW2901
                followed[id] = (sign, best, by_amount, trail)
                limit = best - sign * (price(trail) if by_amount else best * trail // 100)
                if sign * now <= sign * limit:
                    expected.add(id)
                    del followed[id]
            assert {*triggered([*stage.move(step, volume=10**11)])} == expected
    assert {each.order.id for each in stage.book.open_orders()} == {*followed}


def test_a_stop_is_good_till_a_date_and_may_be_killed() -> None:
    stage = Stage()
    order, _ = stage.stop(SELL, 1, 95, time_in_force=GTD, expires_at=2_000)
    kill, _ = stage.stop(SELL, 99999, 95, time_in_force=FOK)
    outcomes = stage.move(95, after_ms=1_999)
    assert finals(outcomes, order) == [Filled(order.id)]
    assert finals(outcomes, kill) == [Cancelled(kill.id, Reason.NOT_FILLED_AT_ONCE)]


@pytest.mark.parametrize("fills", ["take profit", "stop"])
def test_a_fill_of_one_exit_cancels_the_other_at_once(fills: str) -> None:
    stage = Stage()
    profit, _ = stage.limit(SELL, 5, 110, link=LINK)
    loss, _ = stage.stop(SELL, 5, 90, link=LINK)
    outcomes = stage.move(120 if fills == "take profit" else 80)
    filled, other = (profit, loss) if fills == "take profit" else (loss, profit)
    assert finals(outcomes, filled) == [Filled(filled.id)]
    assert finals(outcomes, other) == [Cancelled(other.id, Reason.LINKED)]
    assert stage.book.open_orders() == []
    assert stage.move(100) == []


def test_a_part_of_one_exit_is_taken_from_the_other() -> None:
    stage = Stage()
    profit, _ = stage.limit(SELL, 5, "100.01", link=LINK)
    loss, _ = stage.stop(SELL, 5, 90, link=LINK)
    _, outcomes = stage.market(BUY, 2, BOB)
    assert only(outcomes, Replaced) == [Replaced(loss.id, coins(3), coins(3), 2, Reason.LINKED)]
    outcomes = stage.move(80)
    assert sum(quantity for _, quantity in trades(outcomes)) == coins(3)
    assert finals(outcomes, profit) == [Cancelled(profit.id, Reason.LINKED)]


def test_exits_that_both_rest_never_sell_more_than_one_of_them() -> None:
    stage = Stage()
    profit, _ = stage.limit(SELL, 5, 110, link=LINK)
    loss, _ = stage.stop(SELL, 5, 90, price=89, link=LINK)
    stage.move(80)
    # The stop rests at 89 now, the other at 110; a buyer could reach both.
    kill, outcomes = stage.limit(BUY, "99999", 200, BOB, time_in_force=FOK)
    assert finals(outcomes, kill) == [Cancelled(kill.id, Reason.NOT_FILLED_AT_ONCE)]
    _, outcomes = stage.market(BUY, "99999", CAROL, protection_price=200)
    assert sum(each.quantity for each in only(outcomes, Traded) if each.maker_id is not None) == coins(5)
    assert finals(outcomes, loss) == [Filled(loss.id)]
    assert finals(outcomes, profit) == [Cancelled(profit.id, Reason.LINKED)]
    assert reasons(stage.book.cancel(profit.id)) == [Reason.UNKNOWN]


def test_exits_keep_one_quantity() -> None:
    stage = Stage()
    profit, _ = stage.limit(SELL, 5, 110, link=LINK)
    loss, _ = stage.stop(SELL, 5, 90, link=LINK)
    for exit in (profit, loss):
        for quantity in (4, 6):
            refused = stage.book.replace(exit.id, Changes(quantity=coins(quantity)), stage.now)
            assert refused == [Refused(exit.id, Reason.LINKED)]
    assert [each.left for each in stage.book.open_orders()] == [coins(5), coins(5)]
    outcomes = stage.book.replace(profit.id, Changes(price=price(111), quantity=coins(5)), stage.now)
    assert only(outcomes, Replaced)[0].left == coins(5)


def test_exits_that_grow_lose_their_turn() -> None:
    stage = Stage()
    profit, _ = stage.limit(SELL, 1, "100.01", link=LINK)
    loss, _ = stage.stop(SELL, 1, 90, link=LINK)
    there, _ = stage.limit(SELL, 1, "100.01", BOB)
    assert stage.book.grow(LINK, coins(1)) == [
        Replaced(profit.id, coins(2), coins(2), 4, Reason.LINKED),
        Replaced(loss.id, coins(2), coins(2), 5, Reason.LINKED),
    ]
    _, outcomes = stage.market(BUY, 2, CAROL)
    assert [each.maker_id for each in only(outcomes, Traded)] == [there.id, profit.id]


def test_stops_are_triggered_one_by_one_after_what_waits_met_the_house() -> None:
    stage = Stage()
    waiting, _ = stage.limit(BUY, 1, 95, BOB)
    stops = [stage.stop(SELL, 1, at)[0].id for at in (91, 92)]
    stage.now += 1_000
    outcomes = stage.book.meet(quote(90, stage.now), stage.now)
    assert finals(outcomes, waiting) == [Filled(waiting.id)]
    assert only(outcomes, Triggered) == []
    met = list[UUID]()
    while (stop := stage.book.reached()) is not None:
        met.append(stop.order.id)
        assert [each.order_id for each in only(stage.book.trigger(stop, stage.now), Triggered)] == [stop.order.id]
    assert met == stops[::-1]


def test_a_book_that_is_halted_has_reached_no_stop() -> None:
    stage = Stage()
    stage.stop(SELL, 1, 91)
    stage.book.halt()
    assert stage.book.meet(quote(80, stage.now), stage.now) == []
    assert stage.book.reached() is None
