"""What paper exchanges get wrong, and what users of other systems complain of."""

import msgspec
import pytest

from app.domains.trading.exchange.model import (
    Accepted,
    BookState,
    Cancelled,
    Filled,
    OpenOrder,
    Reason,
    Rested,
    Traded,
    Triggered,
)
from app.domains.trading.exchange.rules.book import Book
from app.domains.trading.exchange.rules.house import REFILL_MS, TOGETHER_MS
from app.domains.trading.exchange.rules.rounding import paid
from app.domains.trading.quantities.model import Side
from tests.domains.trading.exchange.stage import (
    ALICE,
    BOB,
    BUY,
    CAROL,
    SELL,
    Stage,
    at,
    coins,
    coins_of,
    finals,
    only,
    price,
    quote,
    reasons,
    trades,
)


def test_a_market_order_walks_the_depth() -> None:
    stage = Stage()
    asks = stage.book.snapshot(3).asks
    order, outcomes = stage.market(BUY, "60")
    steps = trades(outcomes)
    assert len(steps) > 2
    assert [step[0] for step in steps] == sorted({step[0] for step in steps})
    assert steps[:3] == [(each.price, each.quantity) for each in asks]
    assert sum(quantity for _, quantity in steps) == coins(60)
    assert finals(outcomes, order) == [Filled(order.id)]


def test_a_market_order_takes_users_and_the_house_by_price_and_users_first_at_an_equal_one() -> None:
    stage = Stage()
    house = stage.book.snapshot(2).asks
    assert price("100.01") < house[0].price < house[1].price
    equal, outcomes = stage.limit(SELL, 1, at(house[0].price), CAROL)
    assert only(outcomes, Rested)
    better, _ = stage.limit(SELL, 1, "100.01", BOB)
    _, outcomes = stage.market(BUY, coins_of(coins(2) + house[0].quantity + 1))
    assert [(each.maker_id, each.price, each.quantity) for each in only(outcomes, Traded)] == [
        (better.id, price("100.01"), coins(1)),
        (equal.id, house[0].price, coins(1)),
        (None, house[0].price, house[0].quantity),
        (None, house[1].price, 1),
    ]


def test_a_market_order_never_fills_beyond_its_protection_price() -> None:
    stage = Stage()
    asks = stage.book.snapshot(100).asks
    bound = asks[4].price
    order, outcomes = stage.market(BUY, "99999", protection_price=at(bound))
    assert trades(outcomes) == [(each.price, each.quantity) for each in asks[:5]]
    assert finals(outcomes, order) == [Cancelled(order.id, Reason.PROTECTION)]


def test_a_market_order_that_uses_up_the_book_is_cancelled_for_the_rest() -> None:
    stage = Stage()
    order, outcomes = stage.market(SELL, "99999")
    assert trades(outcomes)
    assert finals(outcomes, order) == [Cancelled(order.id, Reason.NO_DEPTH)]
    assert stage.book.snapshot(5).bids == []


def test_a_limit_order_is_filled_at_better_prices_only_as_taker_on_arrival() -> None:
    stage = Stage()
    ask = stage.best(SELL)
    order, outcomes = stage.limit(BUY, 1, 105)
    assert trades(outcomes) == [(ask, coins(1))]
    assert finals(outcomes, order) == [Filled(order.id)]


def test_a_limit_order_is_filled_at_its_own_price_when_it_rests() -> None:
    stage = Stage()
    order, outcomes = stage.limit(BUY, 1, 95)
    assert outcomes == [Accepted(order.id, coins(1)), Rested(order.id, coins(1), 1)]
    outcomes = stage.move(90)
    assert only(outcomes, Traded) == [Traded(None, order.id, Side.SELL, price(95), coins(1))]
    assert finals(outcomes, order) == [Filled(order.id)]


def test_a_limit_order_never_fills_worse_than_its_limit() -> None:
    stage = Stage()
    ask = stage.best(SELL)
    order, outcomes = stage.limit(BUY, "99999", "100.1")
    assert trades(outcomes)
    assert max(step[0] for step in trades(outcomes)) <= price("100.1")
    assert min(step[0] for step in trades(outcomes)) == ask
    assert only(outcomes, Rested)[0].order_id == order.id
    assert finals(outcomes, order) == []


def test_a_stop_that_is_gapped_over_fills_at_the_gap() -> None:
    stage = Stage()
    order, _ = stage.stop(SELL, 1, 95)
    outcomes = stage.move(80)
    assert only(outcomes, Triggered) == [Triggered(order.id, price(80))]
    ((filled_at, _),) = trades(outcomes)
    assert filled_at < price(80)
    assert filled_at > price(79)


def test_a_buy_stop_that_is_gapped_over_fills_at_the_gap_within_its_protection() -> None:
    stage = Stage()
    near, _ = stage.stop(BUY, 1, 105, protection_price="110.25")
    far, _ = stage.stop(BUY, 1, 106, protection_price="140")
    outcomes = stage.move(130)
    assert [each.taker_id for each in only(outcomes, Traded)] == [far.id]
    assert price(130) < trades(outcomes)[0][0] < price(131)
    assert finals(outcomes, near) == [Cancelled(near.id, Reason.PROTECTION)]


def test_a_stop_limit_that_is_gapped_over_waits_at_its_limit_and_is_alive() -> None:
    stage = Stage()
    order, _ = stage.stop(SELL, 1, 95, price=94)
    outcomes = stage.move(80)
    assert only(outcomes, Triggered)
    assert trades(outcomes) == []
    assert only(outcomes, Rested)[0].order_id == order.id
    outcomes = stage.move(97)
    assert trades(outcomes) == [(price(94), coins(1))]
    assert finals(outcomes, order) == [Filled(order.id)]


def test_nothing_fills_on_a_price_from_before_the_order() -> None:
    stage = Stage()
    stage.move(80)
    stage.move(100)
    limit, outcomes = stage.limit(BUY, 1, 90)
    assert trades(outcomes) == []
    stop, outcomes = stage.stop(SELL, 1, 85)
    assert only(outcomes, Triggered) == []
    assert trades(stage.move("100.5")) == []
    assert {each.order.id for each in stage.book.open_orders()} == {limit.id, stop.id}


def test_a_stop_that_is_passed_already_waits_for_the_next_price() -> None:
    stage = Stage()
    order, outcomes = stage.stop(SELL, 1, 110)
    assert outcomes == [Accepted(order.id, coins(1)), Rested(order.id, coins(1), 1)]
    assert finals(stage.move(100), order) == [Filled(order.id)]


def test_a_resting_order_fills_only_when_the_price_passes_it() -> None:
    stage = Stage()
    order, _ = stage.limit(BUY, 1, "99.9")
    # The price touches the order; the house still sells above it.
    assert trades(stage.move("99.9")) == []
    assert trades(stage.move("99.95")) == []
    assert trades(stage.move("99.7")) == [(price("99.9"), coins(1))]
    assert stage.book.get(order.id) is None


def test_a_resting_order_at_the_house_s_new_price_fills_so_that_the_book_is_not_locked() -> None:
    stage = Stage()
    order, _ = stage.limit(BUY, 1, "99.896")
    outcomes = stage.move("99.88")
    assert stage.book.touch is not None
    assert stage.book.touch[1] == order.price
    assert trades(outcomes) == [(price("99.896"), coins(1))]


def test_a_resting_order_fills_when_the_queue_before_it_is_used_up() -> None:
    stage = Stage()
    first, _ = stage.limit(BUY, 2, "99.99", ALICE)
    second, _ = stage.limit(BUY, 2, "99.99", CAROL)
    assert price("99.99") > stage.book.snapshot(2).bids[1].price
    _, outcomes = stage.market(SELL, 1, BOB)
    assert [each.maker_id for each in only(outcomes, Traded)] == [first.id]
    _, outcomes = stage.market(SELL, 2, BOB)
    assert [(each.maker_id, each.quantity) for each in only(outcomes, Traded)] == [
        (first.id, coins(1)),
        (second.id, coins(1)),
    ]
    assert finals(outcomes, first) == [Filled(first.id)]
    assert finals(outcomes, second) == []


def test_resting_orders_meet_the_house_in_price_time_order_up_to_its_depth() -> None:
    stage = Stage()
    later_but_better, earlier, later = (
        stage.limit(BUY, 600, limit, owner)[0] for limit, owner in ((97, ALICE), (96, BOB), (96, CAROL))
    )
    outcomes = stage.move(90)
    depth = sum(quantity for _, quantity in trades(outcomes))
    assert [each.maker_id for each in only(outcomes, Traded)] == [later_but_better.id, earlier.id]
    assert trades(outcomes)[0] == (price(97), coins(600))
    assert coins(1000) < depth < coins(1200)
    assert finals(outcomes, earlier) == []
    # Nothing is left at or below 96 for those that wait, and so the book is not crossed.
    assert stage.book.snapshot(1).asks == []
    assert trades(stage.move(90, after_ms=REFILL_MS - TOGETHER_MS)) == []
    outcomes = stage.move(90, after_ms=2 * TOGETHER_MS)
    assert [each.maker_id for each in only(outcomes, Traded)] == [earlier.id, later.id]


@pytest.mark.parametrize("with_quotes", [False, True])
def test_a_hundred_slices_cost_as_much_as_one_order(with_quotes: bool) -> None:
    one, many = Stage(), Stage()
    _, outcomes = one.market(BUY, "500")
    at_once = sum(paid(quantity, each) for each, quantity in trades(outcomes))
    in_slices = 0
    for _ in range(100):
        if with_quotes:
            many.move(100, after_ms=500)
        else:
            many.now += 500
        _, outcomes = many.market(BUY, 5)
        in_slices += sum(paid(quantity, each) for each, quantity in trades(outcomes))
    assert in_slices >= at_once


def test_depth_that_was_consumed_stays_consumed_when_the_price_moves() -> None:
    stage = Stage()
    stage.market(BUY, "99999")
    assert stage.book.snapshot(1).asks == []
    stage.move("100.01", after_ms=1)
    assert sum(each.quantity for each in stage.book.snapshot(100).asks) < coins("0.02")
    stage.move(100, after_ms=REFILL_MS + TOGETHER_MS)
    fresh = Stage().book.snapshot(100)
    assert stage.book.snapshot(100) == fresh


def test_a_self_trade_cancels_the_newest() -> None:
    stage = Stage()
    others, _ = stage.limit(SELL, 1, "100.01", BOB)
    own, _ = stage.limit(SELL, 1, "100.02", ALICE)
    order, outcomes = stage.limit(BUY, 5, "100.03", ALICE)
    assert [each.maker_id for each in only(outcomes, Traded)] == [others.id]
    assert finals(outcomes, order) == [Cancelled(order.id, Reason.SELF_TRADE)]
    assert [each.order.id for each in stage.book.open_orders()] == [own.id]


def test_a_quote_older_than_the_stated_age_closes_the_market() -> None:
    stage = Stage()
    stage.now = 60_000
    assert reasons(stage.limit(BUY, 1, 90)[1]) == []
    stage.now = 60_001
    order, outcomes = stage.limit(BUY, 1, 90)
    assert reasons(outcomes) == [Reason.MARKET_CLOSED]
    assert finals(outcomes, order)
    assert reasons(stage.market(SELL, 1)[1]) == [Reason.MARKET_CLOSED]
    assert len(stage.book.open_orders()) == 1
    stage.move(100)
    assert reasons(stage.market(SELL, 1)[1]) == []


def test_orders_of_a_delisted_token_are_cancelled_with_their_reason() -> None:
    for reason in (Reason.DELISTED, Reason.RENAMED):
        stage = Stage()
        limit, _ = stage.limit(BUY, 1, 90)
        stop, _ = stage.stop(SELL, 1, 80)
        trail, _ = stage.trail(SELL, 1, trail_amount=5)
        assert stage.book.delist(reason) == [Cancelled(each.id, reason) for each in (limit, stop, trail)]
        assert stage.book.open_orders() == []
        assert reasons(stage.limit(BUY, 1, 90)[1]) == [Reason.DELISTED]
        assert stage.move(70) == []
        stage.book.resume()
        assert reasons(stage.limit(BUY, 1, 90)[1]) == [Reason.DELISTED]


def test_a_halt_stops_everything_but_cancellations() -> None:
    stage = Stage()
    kept, _ = stage.limit(BUY, 1, 95)
    stop, _ = stage.stop(SELL, 1, 94)
    gone, _ = stage.limit(BUY, 1, 94)
    stage.book.halt()
    assert stage.move(80) == []
    assert reasons(stage.market(SELL, 1)[1]) == [Reason.HALTED]
    assert stage.book.cancel(gone.id) == [Cancelled(gone.id, Reason.REQUESTED)]
    stage.book.resume()
    assert reasons(stage.market(SELL, 1)[1]) == [Reason.MARKET_CLOSED]
    outcomes = stage.move(97)
    assert trades(outcomes) == []
    outcomes = stage.move(90)
    assert finals(outcomes, kept) == [Filled(kept.id)]
    assert finals(outcomes, stop) == [Filled(stop.id)]


def test_an_order_says_why_it_does_not_fill() -> None:
    """No order silently never fills: each has an outcome, and one that is open is in the book."""
    stage = Stage()
    placed = [stage.limit(BUY, 1, 90), stage.stop(SELL, 1, 80), stage.market(BUY, 1), stage.limit(BUY, 1, "90.0001")]
    open_ids = {each.order.id for each in stage.book.open_orders()}
    for order, outcomes in placed:
        assert bool(finals(outcomes, order)) is not (order.id in open_ids)


def test_a_restart_arms_every_stop_again_and_repeats_nothing() -> None:
    stage = Stage()
    stage.limit(BUY, 5, 95, BOB)
    stage.limit(SELL, 7, "100.01", CAROL)
    stage.market(BUY, 3)
    stage.stop(SELL, 1, 90)
    stage.stop(SELL, 2, 92, price=91)
    stage.trail(SELL, 1, trail_amount=9)
    stage.move(104)
    stage.move(103)
    stored = msgspec.json.encode((stage.book.state, stage.book.open_orders()))
    state, opened = msgspec.json.decode(stored, type=tuple[BookState, list[OpenOrder]])
    again = Book(state, opened)
    assert again.snapshot(100) == stage.book.snapshot(100)
    for to in ("102", "94.5", "91.5", "90.5", "80"):
        at_now = quote(to, stage.now)
        outcomes = again.requote(at_now, stage.now)
        assert outcomes == stage.book.requote(at_now, stage.now)
        assert again.state == stage.book.state
    assert outcomes
    assert again.open_orders() == stage.book.open_orders()
